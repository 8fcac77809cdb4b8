import Testing

@testable import Console

@Suite struct QuotedNameTests {
    @Test(arguments: [
        ("x = y.z", "attempt to index a nil value (global 'y')", 4..<5),
        ("yy = y", "no \"y\"", 5..<6),
        ("x = = 1", "unexpected symbol near '='", 2..<3),
        ("for", "<name> expected near <eof>", 3..<3),
        ("f(a)", "bad argument #1 to 'f' (number expected)", 0..<1),
        ("a = {'b'}", "no 'zz', no 'b'", 6..<7),
        ("rh.pipeline 'p' { snik = 1 }", "rh.pipeline \"p\": unknown option \"snik\"", 18..<22),
        ("rh.pipeline 'p' { sink = 1 }", "rh.pipeline \"p\", option \"sink\": expected a pool, got 1", 18..<22),
    ])
    func findsTheWordThatTheMessageNames(_ line: String, _ message: String, _ expected: Range<Int>) {
        #expect(QuotedName.range(in: line, namedBy: message) == expected)
    }

    @Test(arguments: ["no name at all", "field '?'", "'absent'", "'", "\"\"", "' '"])
    func findsNothingElse(_ message: String) {
        #expect(QuotedName.range(in: "local x = 1", namedBy: message) == nil)
    }
}
