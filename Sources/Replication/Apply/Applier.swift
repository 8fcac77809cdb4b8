import EventLoops
import Postgres
import PostgresProtocol

/// Writes batches into the target while the next one is being gathered. What is written becomes visible with the position
/// that it belongs to, in one transaction, batch after batch. Lives on its loop.
///
/// While a batch is being written, others that come after it begin over connections of their own, with rows that none of
/// the batches before them touches; the rest of their rows, the position and the commit wait for those to be committed.
/// What cannot be told apart in this way is written alone.
final class Applier {
    /// A batch on its way.
    private final class Group {
        let batch: ChangeBatch
        let advance: StreamCommit?
        let session: ApplySession
        /// Others may be written at the same time.
        var isJoinable: Bool
        /// It is to be written from its beginning, alone, when those before it are committed.
        var isWithdrawn = false
        var failure: ReplicationError?
        /// Writes rows while other batches are written; nil if there were none.
        var beginning: Task<Void, Never>?
        var task: Task<Void, Never>?
        let plan: ApplyPlan
        private(set) lazy var touched = TouchedRows(batch, plan)

        init(
            _ batch: ChangeBatch, _ advance: StreamCommit?, _ session: ApplySession, isJoinable: Bool, _ plan: ApplyPlan
        ) {
            self.batch = batch
            self.advance = advance
            self.session = session
            self.isJoinable = isJoinable
            self.plan = plan
        }
    }

    private let plan: ApplyPlan
    private let actor: LoopActor
    private let mailbox: StreamMailbox
    private let connect: () async -> ApplySession?
    /// The first one is for what is written alone.
    private var sessions: [ApplySession]
    private var mostSessions: Int
    /// In the order of the source.
    private var groups: [Group] = []
    private var spare: [ChangeBatch] = []
    private var failure: ReplicationError?
    /// A part of a transaction is written.
    private(set) var isInTransaction = false
    /// As it is in the ledger.
    private(set) var position: LSN
    /// Called on the loop after each commit.
    private let onCommit: (StreamCommit, AppliedChanges) async -> Void
    /// Called on the loop when a part of a transaction was written.
    private let onWrite: () -> Void

    /// - Parameters:
    ///   - most: how many connections there may be.
    ///   - connect: makes another one; nil if there is none to be had.
    init(
        _ session: ApplySession, _ plan: ApplyPlan, position: LSN, most: Int, _ mailbox: StreamMailbox,
        on actor: LoopActor, connect: @escaping () async -> ApplySession?,
        onCommit: @escaping (StreamCommit, AppliedChanges) async -> Void, onWrite: @escaping () -> Void
    ) {
        sessions = [session]
        mostSessions = most
        self.connect = connect
        self.plan = plan
        self.actor = actor
        self.mailbox = mailbox
        self.position = position
        self.onCommit = onCommit
        self.onWrite = onWrite
    }

    var connection: Connection { sessions[0].connection }
    var ledger: Ledger { sessions[0].ledger }
    var isBusy: Bool { !groups.isEmpty }

    /// One that nothing is in.
    func takeBatch() -> ChangeBatch { spare.popLast() ?? ChangeBatch() }

    /// Begins to write `batch`, and with `advance` to commit; `batch` is the applier's from here on.
    func begin(_ batch: ChangeBatch, _ advance: StreamCommit?) async throws(ReplicationError) {
        let isJoinable = !isInTransaction && advance != nil && mayBeJoined(batch)
        let session = try await session(isJoinable: isJoinable)
        isInTransaction = advance == nil && (isInTransaction || !batch.isEmpty)
        let elders = groups
        let group = Group(batch, advance, session, isJoinable: isJoinable, plan)
        groups.append(group)
        if !elders.isEmpty { group.beginning = actor.begin { [self] in await begin(group, beside: elders) } }
        group.task = actor.begin { [self] in await write(group, after: elders.last?.task) }
    }

    /// Returns when nothing is being written; throws what went wrong.
    func finish() async throws(ReplicationError) {
        await groups.last?.task?.value
        try check()
    }

    /// Throws what went wrong; does not wait.
    func check() throws(ReplicationError) {
        if let failure { throw failure }
    }

    /// Runs a statement in the order of the changes, in their transaction.
    func execute(_ sql: String, doing: String) async throws(ReplicationError) {
        try await finish()
        isInTransaction = true
        try await sessions[0].execute(sql, doing: doing)
    }

    /// Gives up what is not committed.
    func stop() async {
        let groups = self.groups
        for group in groups {
            group.beginning?.cancel()
            group.task?.cancel()
        }
        for group in groups { await group.task?.value }
        for session in sessions { await session.stop() }
    }

    // MARK: Which connection

    /// Nothing of the batch reaches beyond its rows, and there are rows that can be told apart from those of others.
    private func mayBeJoined(_ batch: ChangeBatch) -> Bool {
        guard mostSessions > 1, batch.statements.isEmpty, plan.tables.contains(where: \.keepsRowsApart) else {
            return false
        }
        guard plan.firesAlways else { return true }
        return !batch.changes.contains { plan.lanes[Int($0.lane)].target.table.firesAlways }
    }

    /// Returns when a batch can be written over it.
    private func session(isJoinable: Bool) async throws(ReplicationError) -> ApplySession {
        while let eldest = groups.first {
            if isJoinable, groups.allSatisfy(\.isJoinable) {
                if let idle = idleSession { return idle }
                if sessions.count < mostSessions {
                    if let another = await connect() { sessions.append(another) } else { mostSessions = sessions.count }
                    continue
                }
            }
            await eldest.task?.value
        }
        try check()
        return sessions[0]
    }

    private var idleSession: ApplySession? {
        sessions.first { session in !groups.contains { $0.session === session } }
    }

    // MARK: Writing

    private func begin(_ group: Group, beside elders: [Group]) async {
        do throws(ReplicationError) {
            let isDone = try await group.session.begin(group.batch, beside: elders.map(\.touched))
            group.isWithdrawn = !isDone
        } catch {
            group.failure = error
        }
    }

    private func write(_ group: Group, after elder: Task<Void, Never>?) async {
        await group.beginning?.value
        await elder?.value
        if failure == nil {
            do throws(ReplicationError) { try await complete(group) } catch { failure = error }
        }
        groups.removeAll { $0 === group }
        group.batch.clear()
        spare.append(group.batch)
        mailbox.ring()
    }

    private func complete(_ group: Group) async throws(ReplicationError) {
        if let failure = group.failure { throw failure }
        guard var advance = group.advance else {
            try await group.session.write(group.batch)
            return onWrite()
        }
        let applied = try await commit(group, advance)
        advance.conflicts = applied.conflicts.total
        position = advance.position
        mailbox.confirm(advance.position)
        await onCommit(advance, applied)
    }

    private func commit(_ group: Group, _ advance: StreamCommit) async throws(ReplicationError) -> AppliedChanges {
        if !group.isWithdrawn {
            do throws(ReplicationError) {
                return try await group.session.commit(
                    group.batch, advance, from: position, beside: group.isJoinable)
            } catch {
                guard group.isJoinable, error.isAboutLocks else { throw error }
            }
        }
        await withdraw(from: group)
        if let failure = group.failure { throw failure }
        return try await group.session.commit(group.batch, advance, from: position, beside: false)
    }

    /// Takes back what batches have written beside this one, the eldest: they may have locks that it waits for.
    private func withdraw(from group: Group) async {
        group.isJoinable = false
        for each in groups {
            await each.beginning?.value
            each.isWithdrawn = true
            do throws(ReplicationError) { try await each.session.beginAgain() } catch {
                each.failure = each.failure ?? error
            }
        }
    }
}
