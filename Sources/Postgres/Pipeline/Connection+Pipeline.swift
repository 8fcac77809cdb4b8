import CLibpq

extension Connection {
    /// Runs single statements in one round trip, as one implicit transaction unless one is open: when a statement
    /// fails, the ones before it are undone and those after it fail with `.pipelineAborted`.
    ///
    /// Statements that are not prepared yet cost one more round trip for all of them. Those after the first one that
    /// the planner does not handle (DDL, say) are not prepared, since they may depend on it: their values travel as text.
    package func pipeline(
        _ batch: [PipelineStatement], until deadline: ContinuousClock.Instant? = nil, reserve: Reserve? = nil
    ) async throws(PostgresError) -> [Result<ResultSet, PostgresError>] {
        guard !batch.isEmpty else { return [] }
        return try await statement(until: deadline) { raw throws(PostgresError) in
            let run = PipelineRun(self, batch, reserve: reserve)
            guard try await run.prepare(until: deadline) else { return run.results }
            guard PQenterPipelineMode(raw) == 1 else { throw lost() }
            try await run.send(raw, until: deadline)
            try await run.receive(raw, until: deadline)
            return run.results
        }
    }
}
