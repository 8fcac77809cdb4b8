import Testing

@testable import Console

@Suite struct SpellingTests {
    @Test func findsTheNearestWord() {
        #expect(Spelling.nearest("sandbx", of: ["run", "repl", "sandbox"]) == "sandbox")
        #expect(Spelling.nearest("rnu", of: ["run", "repl"]) == "run")
        #expect(Spelling.nearest("rep", of: ["run", "repl"]) == "repl")
    }

    @Test func findsNothingFarAway() {
        #expect(Spelling.nearest("pipeline", of: ["run", "repl", "sandbox"]) == nil)
        #expect(Spelling.nearest("", of: ["run"]) == nil)
        #expect(Spelling.nearest("x", of: []) == nil)
    }
}
