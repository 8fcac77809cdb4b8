import ArgumentParser
import Scripting

/// `replhost resnapshot`.
struct ResnapshotCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "resnapshot",
        abstract: "Copies one table anew.",
        usage: "replhost resnapshot [<options>] FILE TABLE",
        discussion: """
            What the table holds in the target is replaced. Interrupted, it is gone on with by "run".
            """)

    @OptionGroup var pipelines: PipelineArguments

    @Argument(help: ArgumentHelp("The table, as it is named on the source.", valueName: "table"))
    var table: String

    @Flag(help: "Shows no progress.")
    var quiet = false

    func perform(on session: PipelineSession) async -> Int32 {
        await session.copying(isQuiet: quiet) { await $0.resnapshot(self.table) }
    }
}
