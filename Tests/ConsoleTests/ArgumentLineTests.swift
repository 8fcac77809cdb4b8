import Testing

@testable import Console

@Suite struct ArgumentLineTests {
    private func expanded(_ arguments: String...) -> [String] {
        ArgumentLine.expanded(arguments, inputIsTerminal: true)
    }

    @Test func givesTheScriptAllThatFollowsTheFile() {
        #expect(expanded("a.lua", "--help", "-e", "x") == ["run", "--", "a.lua", "--help", "-e", "x"])
        #expect(expanded("run", "a.lua", "--", "x") == ["run", "--", "a.lua", "--", "x"])
        #expect(expanded("--allow", "io", "a.lua", "-x") == ["run", "--allow", "io", "--", "a.lua", "-x"])
        #expect(expanded("--allow=io", "a.lua") == ["run", "--allow=io", "--", "a.lua"])
    }

    @Test func givesTheTextsArgumentsToTheScriptToo() {
        #expect(expanded("-e", "print(1)", "a", "--b") == ["run", "-e", "print(1)", "--", "a", "--b"])
        #expect(expanded("-e", "-- nothing") == ["run", "-e", "-- nothing"])
    }

    @Test func takesADashForStandardInput() {
        #expect(expanded("-", "a") == ["run", "--", "-", "a"])
        #expect(ArgumentLine.expanded([], inputIsTerminal: false) == ["run", "--", "-"])
        #expect(
            ArgumentLine.expanded(["--allow", "io"], inputIsTerminal: false) == ["run", "--allow", "io", "--", "-"])
        #expect(ArgumentLine.expanded(["-e", "x"], inputIsTerminal: false) == ["run", "-e", "x"])
        #expect(ArgumentLine.expanded([], inputIsTerminal: true) == ["repl"])
    }

    @Test func leavesOtherCommandsAlone() {
        #expect(expanded("sandbox", "list", "--json") == ["sandbox", "list", "--json"])
        #expect(expanded("--help") == ["--help"])
        #expect(expanded("--version") == ["--version"])
        #expect(expanded("help", "run") == ["help", "run"])
    }

    @Test func keepsFilesApartThatBeginWithADash() {
        #expect(expanded("--", "-odd.lua") == ["run", "--", "-odd.lua"])
    }
}
