import Scripting

/// What a session is begun with.
struct ReplRequest {
    var target: ReplTarget
    /// Statements to run, instead of reading any.
    var text: String?
    var kind: ResultFormat.Kind
    var options: ScriptOptions
    /// The run that the session has joined.
    var run: RunningProcess?

    /// The settings of the log take effect at once.
    init(_ command: ReplCommand) {
        self.init(
            ReplTarget(command.target) { !Terminal.variable($0).isEmpty }, command.text, command.kind, command.settings)
    }

    /// The session has the run's script, in a process of its own.
    init(_ command: AttachCommand, _ run: RunningProcess, script: String) {
        self.init(.script(script), command.text, Terminal.outputIsTerminal ? .table : .tsv, command.settings)
        self.run = run
    }

    private init(_ target: ReplTarget, _ text: String?, _ kind: ResultFormat.Kind, _ settings: ScriptSettings) {
        self.target = target
        self.text = text
        self.kind = kind
        options = settings.apply(arguments: [])
        // Ctrl-C is at hand: without `--limits` nothing runs out of time.
        if settings.limits?.time == nil { options.timeLimit = nil }
        options.showsValues = true
    }
}
