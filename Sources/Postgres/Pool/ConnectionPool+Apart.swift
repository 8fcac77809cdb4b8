package import EventLoops

extension ConnectionPool {
    /// A connection to where the pool's go, which is not the pool's: the caller closes it.
    package func connectApart(
        on loop: EventLoop, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Connection {
        try await Connection.connect(try await hooks.settings(), on: loop, until: deadline)
    }
}
