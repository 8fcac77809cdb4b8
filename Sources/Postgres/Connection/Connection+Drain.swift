import CLibpq
import EventLoops

extension Connection {
    /// Reads and drops results until the server waits for a statement; ends COPY, replication and pipeline mode.
    /// A COPY from the client fails with the words `copyFailure`.
    func drain(copyFailure: String, until deadline: ContinuousClock.Instant) async throws(PostgresError) {
        let raw = try self.raw()
        try await flush(until: deadline)
        if PQpipelineStatus(raw) != PQ_PIPELINE_OFF { return try await drainPipeline(raw, until: deadline) }
        while let result = try await nextResult(until: deadline) {
            let status = PQresultStatus(result)
            PQclear(result)
            switch status {
            case PGRES_COPY_IN: try await endCopyIn(copyFailure, until: deadline)
            case PGRES_COPY_OUT: try await skipCopyOut(raw, until: deadline)
            case PGRES_COPY_BOTH: try await endCopyIn(nil, until: deadline)
            default: break
            }
        }
    }

    private func skipCopyOut(_ raw: OpaquePointer, until deadline: ContinuousClock.Instant) async throws(PostgresError)
    {
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(raw, &buffer, 1)
            if let buffer { PQfreemem(buffer) }
            if length < 0 { return }
            if length == 0 {
                try await wait(for: .readable, until: deadline)
                try consumeInput()
            }
        }
    }

    /// Reads up to the answer to the last Sync, sending one if the pipeline has none, and leaves pipeline mode.
    private func drainPipeline(_ raw: OpaquePointer, until deadline: ContinuousClock.Instant)
        async throws(PostgresError)
    {
        if PQexitPipelineMode(raw) == 1 { return }
        guard PQpipelineSync(raw) == 1 else { throw lost() }
        try await flush(until: deadline)
        while PQexitPipelineMode(raw) == 0 {
            guard let result = try await nextResult(until: deadline) else { continue }
            PQclear(result)
        }
    }
}
