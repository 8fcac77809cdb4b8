import Scripting

/// Makes a session, and ends it.
struct ReplRun {
    private let command: ReplCommand
    private let signals: Signals

    init(_ command: ReplCommand, _ signals: Signals) {
        self.command = command
        self.signals = signals
    }

    func run() async -> Int32 {
        let target = ReplTarget(command.target) { !Terminal.variable($0).isEmpty }
        do {
            return await run(target, on: try await ScriptHost.start(options))
        } catch {
            return FailureReporter().fail([FailureReport(error)])
        }
    }

    /// Ctrl-C is at hand: without `--limits` nothing runs out of time.
    private var options: ScriptOptions {
        var options = command.settings.apply(arguments: [])
        if command.settings.limits?.time == nil { options.timeLimit = nil }
        return options
    }

    private func run(_ target: ReplTarget, on host: ScriptHost) async -> Int32 {
        let isInteractive = Terminal.inputIsTerminal
        let session = ReplSession(host, isInteractive: isInteractive)
        let interruption = Interruption(host)
        signals.react { event in
            if isInteractive, case .interrupt = event { session.interrupt() } else { interruption.note(event) }
        }
        var code = await prepare(target, host)
        if code == ExitCode.done {
            if isInteractive { Terminal.write("\(HostVersions.text). Lua, or SQL up to \";\". Ctrl-D leaves.\n") }
            code = await session.run()
        }
        code = interruption.code(or: code)
        Terminal.flush()
        interruption.end(with: code)
        _ = await host.evaluate("if conn ~= nil then pool:putconn(conn) end")
        await host.close()
        return code
    }

    /// An exit code other than 0 if the session cannot begin.
    private func prepare(_ target: ReplTarget, _ host: ScriptHost) async -> Int32 {
        if case .script(let path) = target {
            switch await host.run(.file(path)) {
            case .finished: break
            case .exited(let code): return code
            case .interrupted: return ExitCode.interrupted
            case .failed(let failures): return FailureReporter(script: path).fail(failures.map { FailureReport($0) })
            }
        }
        guard case .failed(let failure) = await host.evaluate(target.prelude) else { return ExitCode.done }
        return FailureReporter().fail([FailureReport(failure)])
    }
}
