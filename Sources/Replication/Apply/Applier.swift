import EventLoops
import Postgres
import PostgresProtocol

/// Writes batches into the target, one after the other, while the next one is being gathered. What is written becomes
/// visible with the position that it belongs to, in one transaction. Lives on its loop.
final class Applier {
    private enum State {
        case idle
        case writing(Task<Void, Never>)
        case failed(ReplicationError)
    }

    let connection: Connection
    let writer: BatchWriter
    let ledger: Ledger
    private let actor: LoopActor
    private let mailbox: StreamMailbox
    private var state = State.idle
    private(set) var isInTransaction = false
    /// As it is in the ledger.
    private(set) var position: LSN
    /// Called on the loop after each commit.
    private let onCommit: (StreamCommit, AppliedChanges) async -> Void
    /// Called on the loop when a part of a transaction was written.
    private let onWrite: () -> Void

    init(
        _ connection: Connection, _ ledger: Ledger, _ plan: ApplyPlan, isReplica: Bool, position: LSN,
        _ mailbox: StreamMailbox, on actor: LoopActor,
        onCommit: @escaping (StreamCommit, AppliedChanges) async -> Void, onWrite: @escaping () -> Void
    ) {
        self.connection = connection
        self.ledger = ledger
        self.actor = actor
        self.mailbox = mailbox
        self.position = position
        self.onCommit = onCommit
        self.onWrite = onWrite
        writer = BatchWriter(connection, plan, isReplica: isReplica)
    }

    var isBusy: Bool { if case .writing = state { true } else { false } }

    /// Begins to write `batch`, and with `advance` to commit; `batch` is the applier's until it is not busy any more.
    func begin(_ batch: ChangeBatch, _ advance: StreamCommit?) async throws(ReplicationError) {
        try await finish()
        state = .writing(
            actor.begin { [self] in
                do throws(ReplicationError) {
                    try await write(batch, advance)
                    state = .idle
                } catch {
                    state = .failed(error)
                }
                mailbox.ring()
            })
    }

    /// Returns when nothing is being written; throws what went wrong.
    func finish() async throws(ReplicationError) {
        if case .writing(let task) = state { await task.value }
        if case .failed(let error) = state { throw error }
    }

    /// Throws what went wrong; does not wait.
    func check() throws(ReplicationError) {
        if case .failed(let error) = state { throw error }
    }

    /// Runs a statement in the order of the changes, in their transaction.
    func execute(_ sql: String, doing: String) async throws(ReplicationError) {
        try await finish()
        open()
        writer.queue.add(sql, doing: doing)
        try await writer.flush(ChangeBatch())
    }

    /// Gives up what is not committed.
    func stop() async {
        if case .writing(let task) = state {
            task.cancel()
            await task.value
        }
        if isInTransaction, !connection.isBroken { try? await connection.rollback() }
    }

    // MARK: Writing

    private func write(_ batch: ChangeBatch, _ advance: StreamCommit?) async throws(ReplicationError) {
        if !batch.isEmpty || advance != nil { open() }
        try await writer.write(batch)
        if let advance { writer.queue.add(statement(for: advance)) }
        try await writer.flush(batch)
        guard var advance else { return onWrite() }
        let applied = writer.takeApplied()
        advance.conflicts = applied.conflicts.total
        if !applied.conflicts.isEmpty { try await ledger.add(applied.conflicts) }
        isInTransaction = false
        // What became of a commit that got no answer is asked from the ledger.
        try await connection.run("COMMIT", on: .target, doing: "committing changes")
        position = advance.position
        mailbox.confirm(advance.position)
        await onCommit(advance, applied)
    }

    private func open() {
        guard !isInTransaction else { return }
        isInTransaction = true
        writer.queue.add("BEGIN", doing: "beginning a transaction")
        writer.queue.add(ledger.workLock, doing: "beginning a transaction")
        // As the source may have done.
        writer.queue.add("SET CONSTRAINTS ALL DEFERRED", doing: "beginning a transaction")
    }

    private func statement(for advance: StreamCommit) -> StatementQueue.Item {
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
