import EventLoops

/// A value that arrives once on an event loop, for waiters of the same loop.
///
/// Safe: every call is made on the loop's thread; sendable so that the task that delivers can hold it.
final class Arrival<Value: Sendable>: @unchecked Sendable {
    private var value: Value?
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init() {}

    /// Wakes all waiters. Later calls change nothing.
    func deliver(_ delivered: Value) {
        guard value == nil else { return }
        value = delivered
        wake()
    }

    /// The value, or nil when `deadline` passed or the task was cancelled first.
    func wait(on loop: EventLoop, until deadline: ContinuousClock.Instant?) async -> Value? {
        let timer = deadline.map { loop.schedule(at: $0) { self.wake() } }
        defer { if let timer { loop.cancel(timer) } }
        while value == nil, !Task.isCancelled, deadline.map({ ContinuousClock.now < $0 }) ?? true {
            await suspend(on: loop, until: deadline)
        }
        return value
    }

    /// The explicit `isolation` keeps the closures on the loop: without, `withTaskCancellationHandler` leaves it. On the
    /// way here others may have had their turn, so what is waited for is looked at again.
    private func suspend(
        on loop: EventLoop, until deadline: ContinuousClock.Instant?, isolation: isolated (any Actor)? = #isolation
    ) async {
        await withTaskCancellationHandler {
            _ = isolation
            await withTaskExecutorPreference(loop) {
                _ = isolation
                await withCheckedContinuation { continuation in
                    let isOver = value != nil || Task.isCancelled || deadline.map { .now >= $0 } ?? false
                    if isOver { continuation.resume() } else { waiters.append(continuation) }
                }
            }
        } onCancel: {
            loop.post { self.wake() }
        }
    }

    /// All waiters look again.
    private func wake() {
        let woken = waiters
        waiters = []
        for waiter in woken { waiter.resume() }
    }
}
