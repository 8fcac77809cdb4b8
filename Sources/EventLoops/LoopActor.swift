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

    /// Starts `body` at once, before it returns; it goes on on the loop's thread. For the loop's own thread only.
    package nonisolated func begin(_ body: @escaping () async -> Void) -> Task<Void, Never> {
        // Safe: both sides run on the loop's thread, which `assumeIsolated` checks.
        nonisolated(unsafe) let body = body
        return assumeIsolated { $0.start { await body() } }
    }

    private func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task.immediate {
            _ = self
            await body()
        }
    }
}
