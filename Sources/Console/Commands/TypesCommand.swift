import ArgumentParser
import Scripting

/// `replhost types`.
struct TypesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "types",
        abstract: "Tells editors and tests about the API and the columns of tables.",
        usage: "replhost types [<options>] [FILE | DSN]",
        discussion: """
            Without a file or a database, prints the definitions of the API for the Lua language server; else those of \
            the rows of a pipeline's tables, or of all tables of the database:

              replhost types -o types/replhost.lua
              replhost types shop.lua -o types/shop.lua

            With both in the workspace, "row." is completed in the functions of a pipeline's "tables"; elsewhere a \
            line says what a row is: ---@param row public.customers

            --record writes column types for "replhost test", which then checks rows without a database. Beside \
            shop.lua the file is called shop_schema.lua, and t.load "shop.lua" finds it there.
            """)

    @Argument(
        help: ArgumentHelp(
            "The script that returns the pipelines; or a URL, a connection string, sandbox:NAME.",
            valueName: "FILE|DSN"))
    var target: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Writes a file instead of standard output.", valueName: "path"))
    var output: String?

    @Option(
        defaultAsFlag: TypesCommand.besideTheFile,
        help: ArgumentHelp("Writes column types for tests instead (\"-\" is standard output).", valueName: "path"))
    var record: String?

    @Flag(help: "Prints JSON.")
    var json = false

    @Flag(help: "Errors show what stands in rows; it is hidden otherwise.")
    var showValues = false

    @OptionGroup(title: "What the script may do, and how much")
    var settings: ScriptSettings

    /// In the place of a path that was not given.
    static let besideTheFile = ""

    func validate() throws {
        if let record, target == nil {
            throw ValidationError(
                record.isEmpty || record == "-"
                    ? "--record needs a file or a database before it: replhost types FILE --record"
                    : "--record \(record) names the file to write. The pipeline or database comes before it: "
                        + "replhost types FILE --record \(record)")
        }
        if json, target == nil { throw ValidationError("--json is for tables: name a file or a database.") }
        if json, record != nil { throw ValidationError("--json and --record are two forms: use one of them.") }
        if output != nil, record != nil {
            throw ValidationError("-o and --record both name a file to write: use one of them.")
        }
        if record == Self.besideTheFile, !hasFileBeside {
            throw ValidationError("--record needs the name of the file to write, as --record=schema.lua.")
        }
    }
}

extension TypesCommand {
    enum Source: Equatable {
        case file(String)
        case dsn(String)
    }

    /// Whose tables; nil for the API alone.
    var source: Source? {
        guard let target else { return nil }
        if case .dsn = ReplTarget(target, isSet: { _ in false }) { return .dsn(target) }
        return .file(target)
    }

    /// Neither a database nor standard input.
    private var hasFileBeside: Bool {
        if case .file(let path)? = source { path != "-" } else { false }
    }

    /// Where the text goes; nil is standard output.
    var path: String? {
        let path = record == Self.besideTheFile ? RecordedTypes.path(beside: target ?? "") : record ?? output
        return path == "-" ? nil : path
    }
}
