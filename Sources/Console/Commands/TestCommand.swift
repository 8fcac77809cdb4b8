import ArgumentParser

/// `replhost test`.
struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Runs the cases of *_test.lua files.",
        usage: "replhost test [<options>] [PATH ...]",
        discussion: """
            A test file registers its cases with require("replhost.test").case(name, fn). Folders are searched for \
            *_test.lua, hidden ones left out. Each file has a Lua state of its own. The exit code is 1 if a case \
            failed, a file could not be loaded, or there was nothing to run.
            """)

    @Argument(
        help: ArgumentHelp("Files and folders; the current folder, if none is given.", valueName: "path"),
        completion: .file())
    var paths: [String] = []

    @Option(help: ArgumentHelp("Only cases with this text in their names.", valueName: "text"))
    var filter: String?

    @Flag(help: "Prints JSON.")
    var json = false

    @Flag(help: "Errors show what stands in rows; it is hidden otherwise.")
    var showValues = false

    @OptionGroup(title: "What test files may do, and how much")
    var settings: ScriptSettings
}
