import ArgumentParser
import Scripting

/// `replhost attach`.
struct AttachCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "A prompt beside a run that is under way.",
        discussion: """
            Joins a run of this user on this machine, over its Unix socket: \\status, \\tasks and \\pool show what it \
            does, \\tap shows changes as they pass through its functions, and tries another function on them. The run \
            itself goes on undisturbed: the prompt is a process of its own, with the run's file loaded, so that its \
            pools, pipelines and functions are there.
            """)

    @Argument(
        help: ArgumentHelp(
            "The run's script, the name of a pipeline, or a process id; may be left out where there is only one run.",
            valueName: "FILE|NAME|PID"), completion: .file())
    var run: String?

    @Option(name: [.customShort("e"), .customLong("execute")], help: "Statements to run, instead of reading any.")
    var text: String?

    @OptionGroup(title: "What Lua code may do, and how much")
    var settings: ScriptSettings

    /// The session; or why there is none.
    func request() async -> Result<ReplRequest, FailureReport> {
        switch await Blocking.run({ [run] in RunningProcess.find(run) }) {
        case .failure(let report): return .failure(report)
        case .success(let process):
            guard let script = process.document.script else {
                return .failure(
                    FailureReport(
                        code: "RH0123", "the run has no file that could be loaded here",
                        hint: "\"replhost top\" shows what it does."))
            }
            return .success(ReplRequest(self, process, script: script))
        }
    }
}
