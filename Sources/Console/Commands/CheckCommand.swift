import ArgumentParser
import Scripting

/// `replhost check`.
struct CheckCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compares pipelines with their databases; finds what would fail, or do harm.",
        usage: "replhost check [<options>] FILE",
        discussion: """
            Nothing is written. The exit code is 0 if there is nothing to say, 3 if there are findings.
            """)

    @OptionGroup var pipelines: PipelineArguments

    func perform(on session: PipelineSession) async -> Int32 {
        session.show(await session.host.check()) { findings in
            session.write(CheckView(findings: findings, reporter: session.reporter))
            return findings.isEmpty ? ExitCode.done : ExitCode.findings
        }
    }
}
