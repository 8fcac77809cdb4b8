/// An actor that lives on an event loop, for code that has no actor of its own.
package actor LoopActor {
    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    package init(_ loop: EventLoop) { self.loop = loop }

    /// Runs `body` on the loop's thread.
    package func run<Value: Sendable, Failure: Error>(
        _ body: @Sendable (isolated LoopActor) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await body(self)
    }

    /// Runs `body` to its end on `loop`, whether or not the task that waits for it is cancelled.
    package static func runShielded<Value: Sendable>(
        on loop: EventLoop, _ body: @escaping @Sendable (isolated LoopActor) async -> Value
    ) async -> Value {
        let actor = LoopActor(loop)
        // The loop as preferred executor: closures that Swift takes for ones without isolation stay on it, too.
        return await Task(executorPreference: loop) { await actor.run(body) }.value
    }

    /// Starts `body` on the loop's thread, soon. For the loop's own thread only. The loop is also the task's preferred
    /// executor: a closure that Swift 6.3 takes for one without isolation would otherwise run on the global pool.
    package nonisolated func begin(_ body: @escaping () async -> Void) -> Task<Void, Never> {
        let work = Work(body: body)
        return assumeIsolated { $0.start(work) }
    }

    // Safe: made, run and dropped on the loop's thread.
    private struct Work: @unchecked Sendable {
        let body: () async -> Void
    }

    private func start(_ work: Work) -> Task<Void, Never> {
        Task(executorPreference: loop) { await self.perform(work) }
    }

    private func perform(_ work: Work) async { await work.body() }
}
