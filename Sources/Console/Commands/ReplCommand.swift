import ArgumentParser

/// `replhost repl`.
struct ReplCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repl",
        abstract: "A prompt for Lua and SQL.",
        discussion: """
            What compiles as Lua is Lua; else what begins like a SQL statement is SQL, and ends with ";". SQL runs on \
            one connection ("conn", from "pool"). Ctrl-C clears the line or interrupts what runs; Ctrl-D leaves.

            Without a DSN, the environment's settings (PGHOST, PGDATABASE, ...) count; without those, it is \
            sandbox:default.
            """)

    @Argument(
        help: ArgumentHelp(
            "A URL, a connection string, or sandbox:NAME; else a script, which runs first.", valueName: "DSN|FILE"))
    var target: String?

    @OptionGroup(title: "What Lua code may do, and how much")
    var settings: ScriptSettings
}
