import ArgumentParser

/// `replhost init`.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a file to begin with: a pipeline with its test, or a script.",
        discussion: """
            mask: a copy without what is personal. copy: a copy that stays up to date. fanout: one row into several \
            tables. script: connections, queries, transactions, tasks.

            Beside it comes .luarc.json, by which editors with the Lua language server know the API. Files that are \
            there stay as they are, unless --force says otherwise.
            """)

    enum Template: String, CaseIterable, ExpressibleByArgument {
        case mask, copy, fanout, script

        /// Where nobody names a file.
        var usualPath: String { self == .script ? "script.lua" : "pipeline.lua" }

        /// `check` finds nothing before the first run has made what only functions write to.
        var isCheckable: Bool { self != .fanout }
    }

    @Argument(
        help: ArgumentHelp("The file, or a folder for pipeline.lua or script.lua.", valueName: "path"),
        completion: .file())
    var path: String?

    @Option(help: ArgumentHelp("What it is to be like.", valueName: "mask|copy|fanout|script"))
    var template = Template.copy

    @Flag(help: "Replaces files that are there.")
    var force = false
}
