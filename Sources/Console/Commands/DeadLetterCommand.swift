import ArgumentParser
import Scripting

/// `replhost dlq`: rows that a pipeline could not deliver.
struct DeadLetterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq",
        abstract: "Lists, shows, delivers and deletes rows that a pipeline has set aside (dead letters).",
        discussion: """
            A table with on_error = "dead_letter" sets rows aside for which its function fails. They wait in the \
            target, in replhost.dead_letter.
            """,
        subcommands: [List.self, Show.self, Retry.self, Purge.self])

    struct List: PipelineCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows all dead letters, a line for each; keys only with --show-values.",
            usage: "replhost dlq list [<options>] FILE")

        @OptionGroup var pipelines: PipelineArguments

        @Option(help: ArgumentHelp("Only those of this table.", valueName: "name"))
        var table: String?

        @Option(help: ArgumentHelp("At most so many, the oldest first.", valueName: "count"))
        var limit: Int?

        func validate() throws {
            if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1 on.") }
        }
    }

    struct Show: PipelineCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a dead letter whole: its row with all values, and what failed.",
            usage: "replhost dlq show [<options>] FILE ID")

        @OptionGroup var pipelines: PipelineArguments

        @Argument(help: ArgumentHelp("Its number in the list.", valueName: "id"))
        var id: Int
    }

    struct Retry: PipelineCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delivers dead letters, as the file's functions are now.",
            usage: "replhost dlq retry [<options>] FILE [ID ...]",
            discussion: "Those that fail again stay; the exit code is 1 then.")

        @OptionGroup var pipelines: PipelineArguments

        @Argument(help: ArgumentHelp("Their numbers; all, if none is given.", valueName: "id"))
        var ids: [Int] = []

        @Option(help: ArgumentHelp("Only those of this table.", valueName: "name"))
        var table: String?
    }

    struct Purge: PipelineCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes dead letters; their rows are never delivered.",
            usage: "replhost dlq purge [<options>] FILE [ID ...]",
            discussion: "Without numbers it asks first; without a terminal, --yes is needed for that.")

        @OptionGroup var pipelines: PipelineArguments

        @Argument(help: ArgumentHelp("Their numbers; all, if none is given.", valueName: "id"))
        var ids: [Int] = []

        @Option(help: ArgumentHelp("Only those of this table.", valueName: "name"))
        var table: String?

        @Flag(help: "Does not ask.")
        var yes = false
    }
}
