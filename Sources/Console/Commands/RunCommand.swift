import ArgumentParser
import Scripting

/// `replhost FILE`, `replhost -e 'lua'`, and a script on standard input.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a script; the command may be left out.",
        usage: """
            replhost run [<options>] FILE [<arguments> ...]
            replhost run [<options>] -e 'lua' [<arguments> ...]
            """,
        discussion: """
            The script finds its arguments in "arg", as Lua's own interpreter has it. SIGINT (Ctrl-C), SIGTERM and \
            SIGHUP cancel what runs on servers, give connections back, and end with exit code 130; a second one \
            ends at once.
            """)

    @Option(
        name: [.customShort("e"), .customLong("execute")], parsing: .unconditional,
        help: ArgumentHelp("Runs this text instead of a file.", valueName: "lua"))
    var text: String?

    @Flag(help: "Errors show what PostgreSQL says of the values in rows; they are hidden otherwise.")
    var showValues = false

    @OptionGroup(title: "What the script may do, and how much")
    var settings: ScriptSettings

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The file (\"-\" is standard input) and the script's arguments.", valueName: "file"))
    var script: [String] = []

    func validate() throws {
        if text == nil, script.isEmpty {
            throw ValidationError("There is nothing to run: name a FILE, \"-\" for standard input, or use -e 'lua'.")
        }
    }
}
