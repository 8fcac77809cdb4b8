import DequeModule
import Glibc
import Synchronization

/// A few threads for calls that block (name look-up, `PQcancel`), so that no event loop does.
///
/// Threads come with work and go when there is none.
package final class HelperThreads: Sendable {
    package static let lookups = HelperThreads(limit: 8)
    package static let cancels = HelperThreads(limit: 64)

    private struct State {
        var queue: Deque<@Sendable () -> Void> = []
        var running = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    func run(_ work: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state in
            state.queue.append(work)
            guard state.running < limit else { return false }
            state.running += 1
            return true
        }
        guard needsThread else { return }
        pthread_detach(Thread.start(name: "helper") { [self] in workUntilIdle() })
    }

    private func workUntilIdle() {
        while let work = nextWork() { work() }
    }

    private func nextWork() -> (@Sendable () -> Void)? {
        state.withLock { state in
            if let work = state.queue.popFirst() { return work }
            state.running -= 1
            return nil
        }
    }
}

extension EventLoop {
    /// Runs blocking `work` on a helper thread; the caller goes on where it was. Not cancellable: work that may
    /// take long keeps a deadline of its own.
    package func offload<Value: Sendable>(
        to threads: HelperThreads = .lookups, _ work: @escaping @Sendable () -> Value
    ) async -> Value {
        checkIsolated()
        suspensions += 1
        defer { suspensions -= 1 }
        return await withUnsafeContinuation { continuation in
            threads.run { continuation.resume(returning: work()) }
        }
    }
}
