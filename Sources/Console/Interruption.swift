@preconcurrency import Glibc
import Logging
import Scripting
import Synchronization

/// What signals do to a running script: the first stops it in good order, the second at once.
final class Interruption: Sendable {
    private enum Phase {
        case running
        /// A person is asked: nothing is under way that would need an end in good order. Goes back to `running`.
        case asking
        /// The host was told; goes to `ending` when it is done.
        case interrupted(code: Int32)
        /// The script is done, the host is being closed; `code` is how the process ends even if that takes too long.
        case ending(code: Int32)
    }

    private struct State {
        var phase = Phase.running
        /// Seconds that the host has for leaving in good order.
        var patience: UInt32 = 4
        /// What stays of the interrupted work, for people.
        var remark: String?
    }

    private let state = Mutex(State())
    private let host: ScriptHost

    init(_ host: ScriptHost) { self.host = host }

    /// Pipelines have more to put in order than scripts.
    func allowMoreTime(seconds: UInt32 = 10) {
        state.withLock { $0.patience = seconds }
    }

    /// To be said should the work be interrupted.
    func remark(_ text: String) {
        state.withLock { $0.remark = text }
    }

    func asking<Value>(_ body: () async -> Value) async -> Value {
        state.withLock { $0.phase = .asking }
        let value = await body()
        state.withLock { $0.phase = .running }
        return value
    }

    /// On the main thread.
    func note(_ event: Signals.Event) {
        let state = state.withLock { $0 }
        switch (event, state.phase) {
        case (.hangUp, .running):
            if !host.reload() { interrupt(ExitCode.interrupted) }
        case (.hangUp, .asking): leave(ExitCode.interrupted, saying: "\ninterrupted\n")
        case (.hangUp, _): leave(ExitCode.interrupted)
        case (.interrupt, .running), (.terminate, .running): interrupt(ExitCode.interrupted)
        case (.interrupt, .asking), (.terminate, .asking): leave(ExitCode.interrupted, saying: "\ninterrupted\n")
        case (.outputBroken, .running): interrupt(ExitCode.outputBroken)
        case (.outputBroken, _): return
        case (.expired, .ending(let code)): leave(code)
        case (.expired, _):
            leave(ExitCode.interrupted, saying: "interrupted; it did not end within \(state.patience) s\n")
        case (.interrupt, _), (.terminate, _): leave(ExitCode.interrupted)
        }
    }

    /// The exit code of an interrupted run, else `code`.
    func code(or code: Int32) -> Int32 {
        guard case .interrupted(let own) = state.withLock({ $0.phase }) else { return code }
        return own
    }

    /// The script has ended; from here on closing has a few seconds.
    func end(with code: Int32) {
        if code == ExitCode.interrupted {
            Terminal.writeError("interrupted\(state.withLock { $0.remark }.map { ": \($0)" } ?? "")\n")
            // That connections were not returned is no news now.
            ScriptLog.output.level = .error
        }
        let patience = state.withLock { state in
            state.phase = .ending(code: code)
            return state.patience
        }
        Signals.expire(after: patience)
    }

    private func interrupt(_ code: Int32) {
        let patience = state.withLock { state in
            state.phase = .interrupted(code: code)
            return state.patience
        }
        Signals.expire(after: patience)
        host.interrupt()
    }

    private func leave(_ code: Int32, saying text: String = "") -> Never {
        Terminal.writeErrorAtOnce(LiveBlock.shared.erasure + text)
        _exit(code)
    }
}
