import ArgumentParser
import Scripting

/// `replhost repl`.
struct ReplCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repl",
        abstract: "A prompt for Lua and SQL.",
        discussion: """
            What compiles as Lua is Lua; else what begins like a SQL statement is SQL, and ends with ";". SQL runs on \
            one connection ("conn", from "pool"). Ctrl-C clears the line or interrupts what runs; Ctrl-D leaves; \
            \\? tells more.

            Off a terminal, results are tab-separated below a line of names (NULL is \\N), and the first failure ends \
            the session with exit code 1.

            Without a DSN, the environment's settings (PGHOST, PGDATABASE, ...) count; without those, it is \
            sandbox:default.
            """)

    @Argument(
        help: ArgumentHelp(
            "A URL, a connection string, or sandbox:NAME; else a script, which runs first.", valueName: "DSN|FILE"),
        completion: .file())
    var target: String?

    @Option(name: [.customShort("e"), .customLong("execute")], help: "Statements to run, instead of reading any.")
    var text: String?

    @Flag(help: "Results as JSON, an object in each line.")
    var json = false

    @Flag(help: "Results as comma-separated values.")
    var csv = false

    @OptionGroup(title: "What Lua code may do, and how much")
    var settings: ScriptSettings

    func validate() throws {
        if json, csv { throw ValidationError("--json and --csv are two forms: use one of them.") }
    }

    /// How results are written until `\o` says otherwise.
    var kind: ResultFormat.Kind {
        if json { return .json }
        if csv { return .csv }
        return Terminal.outputIsTerminal ? .table : .tsv
    }
}
