import ArgumentParser
import Scripting

/// `replhost resnapshot`.
struct ResnapshotCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "resnapshot",
        abstract: "Copies one table anew.",
        usage: "replhost resnapshot [<options>] FILE TABLE",
        discussion: """
            What the table holds in the target is replaced. Interrupted, it is gone on with by "run". If the pipeline \
            is being run, that process does it: it copies the table between two groups of changes.
            """)

    @OptionGroup var pipelines: PipelineArguments

    @Argument(help: ArgumentHelp("The table, as it is named on the source.", valueName: "table"))
    var table: String

    @Flag(help: "Shows no progress.")
    var quiet = false

    func perform(on session: PipelineSession) async -> Int32 {
        await session.copying(isQuiet: quiet) { host in
            let outcome = await host.resnapshot(self.table)
            if case .done(let results) = outcome, results.isEmpty {
                Terminal.writeError("asked the process that runs the pipeline to copy \(self.table) anew\n")
            }
            return outcome
        }
    }
}
