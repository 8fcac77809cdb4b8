import EventLoops
import Postgres
import PostgresProtocol

/// What the ledger says of a pipeline. Lives on its worker's loop.
package struct PipelineStatus: Sendable {
    /// Nil if it was never run.
    package var record: Ledger.Record?
    package var relations: [Ledger.Relation] = []
    /// By source table.
    package var letters: [String: Int] = [:]
    package var stateValues = 0
    /// The session that has the pipeline locked.
    package var owner: Int?

    package static func read(
        _ pipeline: String, _ worker: any PipelineWorker
    ) async throws(ReplicationError) -> PipelineStatus {
        let session = try await LedgerSession(pipeline, worker)
        defer { session.end() }
        guard let ledger = session.ledger else { return PipelineStatus() }
        var status = PipelineStatus()
        status.record = try await ledger.record()
        status.relations = try await ledger.relations()
        status.letters = try await ledger.letterCounts()
        status.stateValues = try await ledger.stateCount()
        status.owner = try await ledger.owner()
        return status
    }

    /// Forgets the pipeline, unless somebody works on it.
    package static func drop(_ pipeline: String, _ worker: any PipelineWorker) async throws(ReplicationError) {
        let session = try await LedgerSession(pipeline, worker)
        defer { session.end() }
        guard let ledger = session.ledger else { return }
        guard try await ledger.lock() else {
            throw .mismatch(
                code: "RH3401", "pipeline \"\(pipeline)\" is being run by another replhost", hint: "Stop it first.")
        }
        do throws(ReplicationError) { try await ledger.remove() } catch {
            try? await ledger.unlock()
            throw error
        }
        try await ledger.unlock()
    }
}

/// A pipeline's ledger over a connection of its own. Lives on its worker's loop.
package final class LedgerSession {
    /// Nil if the target has none.
    package let ledger: Ledger?
    private let connections: WorkerConnections

    package init(_ pipeline: String, _ worker: any PipelineWorker) async throws(ReplicationError) {
        connections = WorkerConnections(worker, snapshot: nil)
        let ledger = Ledger(try await connections.target(), pipeline: pipeline)
        self.ledger = try await ledger.exists() ? ledger : nil
    }

    package func end() { connections.release() }
}
