import Scripting
import Synchronization

/// One session: lines in, results out.
final class ReplSession: Sendable {
    private enum Activity {
        case reading
        /// Something runs in the host.
        case evaluating
        /// The host was told to stop it; goes back to `reading`.
        case interrupted
    }

    private struct State {
        var activity = Activity.reading
        /// Lines of a statement that is not complete.
        var pending = ""
    }

    private let state = Mutex(State())
    private let host: ScriptHost
    private let reader = LineReader()
    private let isInteractive: Bool

    init(_ host: ScriptHost, isInteractive: Bool) {
        self.host = host
        self.isInteractive = isInteractive
    }

    /// Until the end of input; its exit code. Off a terminal the first failure is the end.
    func run() async -> Int32 {
        while true {
            prompt()
            guard let line = await reader.next() else { break }
            let text = state.withLock { state in
                state.pending += state.pending.isEmpty ? line : "\n" + line
                return state.pending
            }
            if let code = await take(text, isLast: false) { return code }
        }
        if isInteractive {
            Terminal.write("\n")
            return ExitCode.done
        }
        let rest = state.withLock { $0.pending }
        return await take(rest, isLast: true) ?? ExitCode.done
    }

    /// Ctrl-C, on the main thread: clears the line, or stops what runs.
    func interrupt() {
        let activity = state.withLock { state in
            switch state.activity {
            case .reading: state.pending = ""
            case .evaluating: state.activity = .interrupted
            case .interrupted: break
            }
            // Under the lock: what is told to stop is what was running.
            if case .interrupted = state.activity { host.interrupt() }
            return state.activity
        }
        if case .reading = activity {
            Terminal.write("\n")
            prompt()
        }
    }

    private func prompt() {
        guard isInteractive else { return }
        let isNew = state.withLock { $0.pending.isEmpty }
        Terminal.write(isNew ? "replhost> " : "     ...> ")
        Terminal.flush()
    }
}

// MARK: - Statements

extension ReplSession {
    /// Runs the text if it is complete; an exit code if the session ends with it.
    private func take(_ text: String, isLast: Bool) async -> Int32? {
        switch await host.classify(text) {
        case .blank:
            finish()
            return nil
        case .lua:
            return await show(await evaluating { await self.host.evaluate(text) }, isSQL: false, isLast: isLast)
        case .incompleteSQL where !isLast:
            return nil
        case .incompleteSQL:
            return await runSQL(SQLInput(text)?.statements ?? [])
        case .sql(let statements):
            return await runSQL(statements)
        }
    }

    private func runSQL(_ statements: [String]) async -> Int32? {
        for statement in statements {
            let outcome = await evaluating { await self.host.execute(sql: statement) }
            if let code = await show(outcome, isSQL: true, isLast: true) { return code }
            guard case .values = outcome else { break }
        }
        return nil
    }

    private func evaluating(_ body: () async -> EvaluationOutcome) async -> EvaluationOutcome {
        state.withLock { $0.activity = .evaluating }
        let outcome = await body()
        let wasInterrupted = state.withLock { state in
            defer { state.activity = .reading }
            if case .interrupted = state.activity { return true }
            return false
        }
        // The host hears of interruptions in their order: this one must not hit the next statement.
        if wasInterrupted { _ = await host.evaluate("return") }
        return outcome
    }

    private func show(_ outcome: EvaluationOutcome, isSQL: Bool, isLast: Bool) async -> Int32? {
        switch outcome {
        case .incomplete where !isLast:
            return nil
        case .incomplete:
            return fail(FailureReport("the input ends in the middle of a statement"))
        case .values(let values):
            finish()
            for value in values { Terminal.write(value + "\n") }
            return nil
        case .failed(let failure):
            var report = FailureReport(failure)
            // The place would be in the code around the statement.
            if isSQL { (report.place, report.calls) = (nil, []) }
            return fail(report)
        case .interrupted:
            finish()
            Terminal.writeError(isInteractive ? "\ninterrupted\n" : "interrupted\n")
            return isInteractive ? nil : ExitCode.interrupted
        case .exited(let code):
            return code
        }
    }

    private func fail(_ report: FailureReport) -> Int32? {
        let text = state.withLock { $0.pending }
        finish()
        Terminal.writeError(FailureReporter(texts: ["stdin": text]).text(report))
        return isInteractive ? nil : ExitCode.failed
    }

    private func finish() {
        state.withLock { $0.pending = "" }
    }
}
