import ArgumentParser

/// `replhost sandbox`: the servers behind `sandbox:NAME`.
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Lists, starts, stops and removes the servers behind sandbox:NAME.",
        discussion: """
            A sandbox is a PostgreSQL server of your own, in your state directory, reachable only through a Unix \
            socket. It is made and started when something uses it.
            """,
        subcommands: [List.self, Start.self, Stop.self, Remove.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows all sandboxes.")

        @Flag(help: "Prints JSON.")
        var json = false
    }

    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Starts a sandbox, makes it if need be, and prints its connection string.")

        @Argument(help: ArgumentHelp("The name after \"sandbox:\".", valueName: "name"))
        var name = "default"

        @Flag(help: "Prints JSON.")
        var json = false
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stops sandboxes; their data stay.")

        @Argument(help: ArgumentHelp("The names; all that run, if none is given.", valueName: "name"))
        var names: [String] = []

        @Flag(help: "Prints JSON.")
        var json = false
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stops a sandbox and deletes all its data.")

        @Argument(help: ArgumentHelp("The names.", valueName: "name"))
        var names: [String]

        @Flag(help: "Prints JSON.")
        var json = false
    }
}
