import Sandbox
import Testing

struct SandboxNameTests {
    @Test(arguments: ["a", "source", "Shop-2", "0_x", String(repeating: "n", count: 40)])
    func acceptsPlainNames(_ text: String) throws {
        #expect(try SandboxName(text).text == text)
    }

    @Test(arguments: [
        "", ".", "..", "../x", "a/b", "-x", "_x", ".locks", "a b", "a\n", "a\0b", "ä", "a'b",
        String(repeating: "n", count: 41),
    ])
    func refusesNamesThatAreNotPlain(_ text: String) {
        #expect(throws: SandboxError.invalidName(text)) { try SandboxName(text) }
    }
}
