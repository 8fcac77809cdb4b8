import Postgres
import PostgresProtocol

/// A connection to the target that batches are written over, one after the other. Lives on the applier's loop.
final class ApplySession {
    let connection: Connection
    private let writer: BatchWriter
    let ledger: Ledger
    private let hasSiblings: Bool
    private var isInTransaction = false

    /// - Parameter hasSiblings: there may be others that write at the same time.
    init(
        _ connection: Connection, _ plan: ApplyPlan, pipeline: String, isReplica: Bool, hasSiblings: Bool
    ) async throws(ReplicationError) {
        self.connection = connection
        self.hasSiblings = hasSiblings
        ledger = Ledger(connection, pipeline: pipeline)
        writer = BatchWriter(connection, plan, isReplica: isReplica)
        // Whoever has a lock for longer may be waiting for this session.
        if hasSiblings {
            try await connection.run("SET lock_timeout = '1s'", on: .target, doing: "preparing a session")
        }
    }

    /// Writes what the batches before this one do not touch. False: that failed, for reasons that may lie in them.
    func begin(_ batch: ChangeBatch, beside elders: [TouchedRows]) async throws(ReplicationError) -> Bool {
        open(beside: true)
        return try await writer.begin(batch, beside: elders)
    }

    /// Writes a part of a transaction, alone.
    func write(_ batch: ChangeBatch) async throws(ReplicationError) {
        if !batch.isEmpty { open(beside: false) }
        try await writer.write(batch)
        try await writer.flush(batch)
    }

    /// Writes the batch, or what is left of it, with the position that comes with it, and commits. Answers what was
    /// written in the transaction.
    func commit(
        _ batch: ChangeBatch, _ advance: StreamCommit, from position: LSN, beside others: Bool
    ) async throws(ReplicationError) -> AppliedChanges {
        open(beside: others)
        try await writer.write(batch)
        writer.queue.add(statement(for: advance, from: position))
        try await writer.flush(batch)
        let applied = writer.takeApplied()
        if !applied.conflicts.isEmpty { try await ledger.add(applied.conflicts) }
        // What became of a commit that got no answer is asked from the ledger.
        try await connection.run("COMMIT", on: .target, doing: "committing changes")
        isInTransaction = false
        return applied
    }

    /// Runs a statement in the open transaction.
    func execute(_ sql: String, doing: String) async throws(ReplicationError) {
        open(beside: false)
        writer.queue.add(sql, doing: doing)
        try await writer.flush(ChangeBatch())
    }

    /// Gives up what is not committed, for its batch to be written once more.
    func beginAgain() async throws(ReplicationError) {
        writer.beginAgain()
        isInTransaction = false
        guard hasOpenTransaction else { return }
        try await connection.run("ROLLBACK", on: .target, doing: "giving a batch up")
    }

    /// Gives up what is not committed.
    func stop() async {
        if hasOpenTransaction { try? await connection.rollback() }
    }

    /// On the server; its beginning may still be in the queue.
    private var hasOpenTransaction: Bool { !connection.isBroken && connection.transactionStatus != .idle }

    private func open(beside others: Bool) {
        guard !isInTransaction else { return }
        isInTransaction = true
        writer.queue.add("BEGIN", doing: "beginning a transaction")
        writer.queue.add(ledger.workLock, doing: "beginning a transaction")
        // As the source may have done.
        writer.queue.add("SET CONSTRAINTS ALL DEFERRED", doing: "beginning a transaction")
        guard hasSiblings, !others else { return }
        writer.queue.add("SET LOCAL lock_timeout = 0", doing: "beginning a transaction")
    }

    private func statement(for advance: StreamCommit, from position: LSN) -> StatementQueue.Item {
        let parameters: [Parameter] = [
            .text(ledger.pipeline), .text(advance.position.description), .text(position.description),
            advance.commitTime.map { .text(String($0)) } ?? .null, .text(String(advance.transactions)),
            .text(String(advance.changes)),
        ]
        return .init(
            statement: PipelineStatement(Ledger.advanceStatement, parameters), affects: 1, change: nil,
            doing: "writing the ledger")
    }
}
