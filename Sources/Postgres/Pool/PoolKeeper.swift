import EventLoops

/// Lives on the pool's own event loop: its background work runs here.
actor PoolKeeper {
    nonisolated let loop: EventLoop
    private var timer: TimerID?

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Unlike `LoopActor.runShielded`, passes cancellation on.
    func run(_ body: @Sendable (isolated PoolKeeper) async -> Void) async {
        await body(self)
    }

    /// Sets the one timer anew.
    func wake(at time: MonotonicTime, _ action: @escaping () -> Void) {
        if let timer { loop.cancel(timer) }
        timer = time == .distantFuture ? nil : loop.schedule(at: time.instant, action)
    }
}
