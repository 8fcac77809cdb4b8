import ArgumentParser
import Scripting

/// `replhost cutover`.
struct CutOverCommand: PipelineCommand {
    static let configuration = CommandConfiguration(
        commandName: "cutover",
        abstract: "Ends pipelines with everything in the target: the application moves there.",
        usage: "replhost cutover [<options>] FILE",
        discussion: """
            Takes the pipeline over from the process that runs it, applies what the source still has, and sets the \
            target's sequences. Then the pipeline is over: its replication slot and publications are removed.

            Nobody may write to the source meanwhile. Stop the application first, or let --read-only see to it: new \
            transactions of the source's database are read-only from then on, and its sessions are ended. If anything \
            goes wrong, or --verify finds a difference, that is undone, and the pipeline can be run again.

            With --way-back changes of the target can be taken back to the source: "replhost run --back FILE" follows \
            them, "replhost cutover --back FILE" moves the application back, "replhost drop --back FILE" gives it up.
            """)

    @OptionGroup var pipelines: PipelineArguments

    @Flag(help: "Makes the source's database read-only and ends its sessions.")
    var readOnly = false

    @Flag(help: "Compares both sides first; nothing ends if they differ (exit code 3).")
    var verify = false

    @Flag(help: "Prepares the way back, from the target to the source.")
    var wayBack = false

    @Flag(help: "Does not ask.")
    var yes = false

    @Flag(help: "Shows no progress.")
    var quiet = false

    func validate() throws {
        guard pipelines.back, wayBack else { return }
        throw ValidationError("--way-back prepares what --back means: use one of them.")
    }

    func perform(on session: PipelineSession) async -> Int32 {
        Terminal.writeError(announcement)
        if !yes, let code = await session.refusal() { return code }
        var options = CutOverOptions()
        options.setsReadOnly = readOnly
        options.verifies = verify
        options.preparesWayBack = wayBack
        // The source is made writable again, also where that takes long.
        session.interruption.allowMoreTime(seconds: 60)
        let outcome = await session.following(isQuiet: quiet) { await $0.cutOver(options) }
        return session.show(outcome.value) { reports in
            session.write(CutOverView(reports: reports, path: session.path))
            return reports.allSatisfy(\.isDone) ? ExitCode.done : ExitCode.findings
        }
    }

    private var announcement: String {
        let source = pipelines.back ? "target" : "source"
        return readOnly
            ? "The \(source)'s database will be read-only, and its sessions will be ended.\n"
            : "Nobody may write to the \(source) any more: stop the application first.\n"
    }
}
