import ArgumentParser
import Scripting

/// `replhost status`.
struct StatusCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how far pipelines are, as their targets know it.",
        usage: "replhost status [<options>] FILE",
        discussion: "Nothing is written; a run may be under way in another process.")

    @OptionGroup var pipelines: PipelineArguments

    func perform(on session: PipelineSession) async -> Int32 {
        session.show(await session.host.status()) { reports in
            session.write(StatusView(reports: reports, path: session.path))
            return ExitCode.done
        }
    }
}
