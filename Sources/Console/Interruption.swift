@preconcurrency import Glibc
import Logging
import Scripting
import Synchronization

/// What signals do to a running script: the first stops it in good order, the second at once.
final class Interruption: Sendable {
    private enum State {
        case running
        /// The host was told; goes to `ending` when it is done.
        case interrupted(code: Int32)
        /// The script is done, the host is being closed; `code` is how the process ends even if that takes too long.
        case ending(code: Int32)
    }

    /// Seconds that the host has for leaving in good order.
    private static let patience: UInt32 = 4

    private let state = Mutex(State.running)
    private let host: ScriptHost

    init(_ host: ScriptHost) { self.host = host }

    /// On the main thread.
    func note(_ event: Signals.Event) {
        switch (event, state.withLock { $0 }) {
        case (.interrupt, .running), (.terminate, .running): interrupt(ExitCode.interrupted)
        case (.outputBroken, .running): interrupt(ExitCode.outputBroken)
        case (.outputBroken, _): return
        case (.expired, .ending(let code)): _exit(code)
        case (.expired, _):
            Terminal.writeErrorAtOnce("interrupted; it did not end within \(Self.patience) s\n")
            _exit(ExitCode.interrupted)
        case (.interrupt, _), (.terminate, _): _exit(ExitCode.interrupted)
        }
    }

    /// The exit code of an interrupted run, else `code`.
    func code(or code: Int32) -> Int32 {
        guard case .interrupted(let own) = state.withLock({ $0 }) else { return code }
        return own
    }

    /// The script has ended; from here on closing has a few seconds.
    func end(with code: Int32) {
        if code == ExitCode.interrupted {
            Terminal.writeError("interrupted\n")
            // That connections were not returned is no news now.
            ScriptLog.output.level = .error
        }
        state.withLock { $0 = .ending(code: code) }
        Signals.expire(after: Self.patience)
    }

    private func interrupt(_ code: Int32) {
        state.withLock { $0 = .interrupted(code: code) }
        Signals.expire(after: Self.patience)
        host.interrupt()
    }
}
