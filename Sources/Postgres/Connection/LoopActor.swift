import EventLoops

/// Runs work on an event loop that outlives the task that asked for it.
actor LoopActor {
    private let loop: EventLoop

    private init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private func perform<Value: Sendable>(
        _ body: @Sendable (isolated LoopActor) async -> Value
    ) async -> Value {
        await body(self)
    }

    /// Runs `body` to its end on `loop`, whether or not the waiting task is cancelled.
    static func run<Value: Sendable>(
        on loop: EventLoop, _ body: @escaping @Sendable (isolated LoopActor) async -> Value
    ) async -> Value {
        let actor = LoopActor(loop)
        return await Task { await actor.perform(body) }.value
    }
}
