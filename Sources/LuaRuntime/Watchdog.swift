import CLuaShim
import EventLoops
import Glibc
import Synchronization

/// Stops Lua code that runs for too long without waiting, from a thread of its own.
///
/// Code that gets no chance to notice (a loop inside C, a finalizer) has `grace`; then the process ends, which loses
/// nothing that was promised: progress is in the databases.
package final class Watchdog: Sendable {
    package static let shared = Watchdog()

    private static let grace: Duration = .seconds(5)

    fileprivate struct Watched: @unchecked Sendable {
        // Safe: taken out under the lock before the state is closed.
        let raw: OpaquePointer
        let thread: pthread_t
        var limit: Duration?
        var progress: UInt64 = 0
        var since = ContinuousClock.now
        /// Set when the code was told to stop.
        var deadline: ContinuousClock.Instant?
    }

    private struct Shared {
        var watched: [Watched] = []
        var isRunning = false
    }

    private let shared = Mutex(Shared())

    package init() {}

    /// Watches the Lua code of `state`, which runs on the calling thread.
    package func watch(_ state: LuaState) {
        rh_accept_interrupts()
        state.watchdog = self
        let watched = Watched(raw: state.raw, thread: pthread_self(), limit: state.timeLimit)
        let mustStart = shared.withLock { shared in
            shared.watched.append(watched)
            defer { shared.isRunning = true }
            return !shared.isRunning
        }
        if mustStart { pthread_detach(Thread.start(name: "watchdog") { [self] in run() }) }
    }

    func noteTimeLimit(of state: LuaState) {
        let (raw, limit) = (state.raw, state.timeLimit)
        shared.withLock { shared in
            for index in shared.watched.indices where shared.watched[index].raw == raw {
                shared.watched[index].limit = limit
            }
        }
    }

    /// A state that is closed is not watched any more.
    func unwatch(_ state: LuaState) {
        let raw = state.raw
        shared.withLock { $0.watched.removeAll { $0.raw == raw } }
    }

    /// Stops whatever Lua code runs now in any watched state, within `grace`.
    package func interruptAll() {
        shared.withLock { shared in
            for index in shared.watched.indices where rh_progress(shared.watched[index].raw) != 0 {
                shared.watched[index].stop(RH_USER_INTERRUPT, by: .now + Self.grace)
            }
        }
    }

    private func run() {
        while check() { usleep(50_000) }
    }

    /// Returns false when there is nothing left to watch.
    private func check() -> Bool {
        shared.withLock { shared in
            let now = ContinuousClock.now
            for index in shared.watched.indices { shared.watched[index].check(now, grace: Self.grace) }
            shared.isRunning = !shared.watched.isEmpty
            return shared.isRunning
        }
    }
}

extension Watchdog.Watched {
    fileprivate mutating func check(_ now: ContinuousClock.Instant, grace: Duration) {
        let current = rh_progress(raw)
        if current == 0 || current != progress {
            progress = current
            since = now
            deadline = nil
        } else if let deadline {
            if now > deadline { endProcess() }
        } else if let limit, now - since >= limit {
            stop(RH_TIME_LIMIT, by: now + grace)
        }
    }

    fileprivate mutating func stop(_ kind: rh_interrupt, by deadline: ContinuousClock.Instant) {
        self.deadline = deadline
        progress = rh_progress(raw)
        rh_interrupt_thread(raw, UInt(thread), kind, progress)
    }

    private func endProcess() -> Never {
        let text = """
            error[RH1207]: the script does not stop: it is inside a C function or a finalizer that cannot be interrupted
              help: the process ends now; what was committed stays, and starting again continues from there

            """
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        _exit(1)
    }
}
