import ArgumentParser
import Scripting

/// `replhost verify`.
struct VerifyCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compares source and target row by row, as the pipelines' functions make the rows.",
        usage: "replhost verify [<options>] FILE",
        discussion: """
            Rows that are missing, too many or different are counted, and the first ones named by their keys, with \
            their values. The exit code is 3 if anything differs, unless --repair has mended all of it.
            """)

    @OptionGroup var pipelines: PipelineArguments

    @Flag(help: "Mends the target: writes what is missing or different, deletes what is too many.")
    var repair = false

    @Option(help: ArgumentHelp("Only this table.", valueName: "name"))
    var table: String?

    @Flag(help: "Shows no progress.")
    var quiet = false

    func perform(on session: PipelineSession) async -> Int32 {
        let outcome = await session.following(isQuiet: quiet) {
            await $0.verify(repair: self.repair, table: self.table)
        }
        return session.show(outcome.value) { reports in
            let view = VerifyView(reports: reports)
            session.write(view)
            return view.isSettled ? ExitCode.done : ExitCode.findings
        }
    }
}
