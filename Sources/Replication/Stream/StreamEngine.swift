import EventLoops
import Postgres
import PostgresProtocol

/// Turns the messages of a stream into batches for the target, transaction by transaction, in commit order. Lives on its
/// loop.
final class StreamEngine {
    /// A batch is handed on when nothing more has come, or with the transaction that makes it so large; in the middle of
    /// one, which then has to be written alone, at twice this size, or when it has so many bytes.
    private static let largestBatch = 10_000
    private static let largestBytes = 8 << 20
    private static let manyBytes = 6 << 20
    /// So many bytes are taken at once while a batch is written.
    private static let patience = 1 << 16
    /// So many changes say that there are more to come.
    private static let largeTransaction = 100
    /// A transaction so old when the source sends it, in microseconds, is one of many that wait there.
    private static let backlogAge = 1_000_000
    /// Of a backlog, smaller batches follow each other after this at the earliest.
    private static let backlogInterval: Duration = .milliseconds(100)
    /// How often a position is written without any change to go with it.
    private static let idleInterval: Duration = .seconds(10)

    let mailbox: StreamMailbox
    let applier: Applier
    private let tables: StreamTables
    private let control: StreamControl
    private let progress: StreamProgress
    private var batch = ChangeBatch()
    private var relations: [OID: StreamRelation] = [:]
    /// Tables that the pipeline does not copy.
    private var strangers: Set<OID> = []
    /// The open transaction, and what came before it in the batch.
    private var current: BeginMessage?
    private var mark: UInt32 = 0
    private var isMarked = false
    private var isSkipped = false
    private var isBehind = false
    /// When the source sent the last of what is being processed.
    private var sentAt: Int64 = 0
    private var submittedAt = ContinuousClock.now
    /// Somebody waits for the position.
    private var isAsked = false
    /// What committing everything received so far would come to.
    private var advance: StreamCommit
    private var persistedAt = ContinuousClock.now

    init(
        _ mailbox: StreamMailbox, _ applier: Applier, _ tables: StreamTables, _ control: StreamControl,
        _ progress: StreamProgress
    ) {
        self.mailbox = mailbox
        self.applier = applier
        self.tables = tables
        self.control = control
        self.progress = progress
        advance = StreamCommit(position: applier.position)
    }

    /// Streams until `control` wants it to end, at the end of a transaction; everything received is applied then.
    func run() async throws(ReplicationError) -> StreamControl.End {
        while true {
            if Task.isCancelled { throw .cancelled }
            try applier.check()
            if let block = try mailbox.take() {
                try await process(block)
                if current == nil, let end = control.wantedEnd { return try await finish(end) }
                continue
            }
            try await rest()
            if current == nil, let end = control.end(at: advance.position) { return try await finish(end) }
            if isBatchDue { continue }
            // While a batch is written, the end of which rings, or grows, or until a large transaction ends, what comes
            // can come together.
            let isCommitAwaited = !applier.isBusy && !isGrowing
            let isInMiddle = current != nil && batch.sourceChanges &- mark >= Self.largeTransaction
            await mailbox.wait(
                for: isCommitAwaited && !isInMiddle ? 1 : Self.patience, orCommit: isCommitAwaited,
                on: applier.connection.loop)
        }
    }

    /// Nothing has come that is not in the batch.
    private func rest() async throws(ReplicationError) {
        guard !applier.isBusy, !isGrowing else { return }
        if hasChanges, current == nil || batch.byteCount + tables.pendingBytes > Self.largestBytes / 2 {
            return try await submit()
        }
        guard current == nil, !hasChanges, advance.position > applier.position else { return }
        let isDue =
            advance.transactions > 0 || isAsked || ContinuousClock.now - persistedAt >= Self.idleInterval
        if isDue { try await submit() }
    }

    /// Also such that functions have not seen yet.
    private var hasChanges: Bool { batch.sourceChanges > 0 || !batch.isEmpty }

    private var isBatchFull: Bool {
        batch.sourceChanges >= (current == nil ? Self.largestBatch : Self.largestBatch * 2)
            || batch.byteCount + tables.pendingBytes >= (current == nil ? Self.manyBytes : Self.largestBytes)
    }

    private var isBatchDue: Bool { hasChanges && current == nil && !applier.isBusy && !isGrowing }

    /// Of a backlog, nobody sees it if a batch waits for more, and large ones cost less.
    private var isGrowing: Bool {
        isBehind && hasChanges && ContinuousClock.now - submittedAt < Self.backlogInterval
    }

    private func finish(_ end: StreamControl.End) async throws(ReplicationError) -> StreamControl.End {
        try await applier.finish()
        if hasChanges || advance.position > applier.position { try await submit() }
        try await applier.finish()
        return end
    }

    /// Hands the batch to the applier, with the position if no transaction is open.
    private func submit() async throws(ReplicationError) {
        try await filter()
        try await tables.runFunctions(on: batch)
        let isComplete = current == nil
        try await applier.begin(batch, isComplete ? advance : nil)
        batch = applier.takeBatch()
        isMarked = false
        mark = 0
        submittedAt = .now
        guard isComplete else { return }
        persistedAt = .now
        isAsked = false
        advance.transactions = 0
        advance.changes = 0
    }

    /// Leaves out what is none of the pipeline's. An update into such a row takes the old one away.
    private func filter() async throws(ReplicationError) {
        var failing: [UInt32: StreamRelation] = [:]
        for (oid, candidates) in batch.candidates where !candidates.isEmpty {
            guard let relation = relations[oid] else { continue }
            let orders = try await tables.failing(candidates, of: relation, batch)
            relation.changes?.leaveOut(orders)
            for order in orders { failing[order] = relation }
        }
        batch.replace(failing)
    }

    // MARK: Messages

    private func process(_ block: MessageBlock) async throws(ReplicationError) {
        sentAt = block.sentAt
        for entry in block.entries {
            switch entry {
            case .keepalive(let keepalive):
                if current == nil { advance.position = max(advance.position, keepalive.serverEnd) }
                isBehind = false
            case .message(let range, let start):
                try await process(block.payload(range), at: start)
                if isBatchFull { try await submit() }
            }
        }
        let isIdle = current == nil && !hasChanges && !applier.isBusy
        progress.update { [advance] in
            $0.serverEnd = mailbox.serverEnd
            if isIdle { $0.reached = advance.position }
        }
    }

    private func process(_ bytes: UnsafeRawBufferPointer, at start: LSN) async throws(ReplicationError) {
        let message: LogicalMessage
        do { message = try LogicalMessage(decoding: bytes) } catch {
            throw .mismatch(code: "RH3609", "\(error), at \(start)", hint: "The stream is damaged: please report this.")
        }
        switch message {
        case .insert(let insert): try relation(insert.relation)?.record(insert, in: bytes, batch)
        case .update(let update): try relation(update.relation)?.record(update, in: bytes, batch)
        case .delete(let delete): try relation(delete.relation)?.record(delete, in: bytes, batch)
        case .begin(let begin): try await self.begin(begin)
        case .commit(let commit): end(commit)
        case .relation(let relation): try await learn(relation)
        case .truncate(let truncate): try await self.truncate(truncate)
        case .message(let message): note(message, bytes)
        case .origin, .type: return
        }
    }

    private func begin(_ begin: BeginMessage) async throws(ReplicationError) {
        if tables.isWindowEnding(at: begin.finalLSN) {
            if hasChanges { try await submit() }
            try await applier.finish()
            tables.closeWindows(before: begin.finalLSN)
        }
        current = begin
        mark = batch.sourceChanges
        isMarked = false
        // A server may send once more what was applied already.
        isSkipped = begin.finalLSN < applier.position
    }

    private func end(_ commit: CommitMessage) {
        current = nil
        isBehind = sentAt - commit.commitTime > Self.backlogAge
        guard !isSkipped else { return }
        advance.position = max(advance.position, commit.endLSN)
        advance.commitTime = commit.commitTime
        advance.transactions += 1
    }

    /// The table of a change that is to be made; nil if there is nothing to do.
    @inline(__always)
    private func relation(_ oid: OID) throws(ReplicationError) -> StreamRelation? {
        guard let begin = current, !isSkipped else { return nil }
        guard let relation = relations[oid] else {
            if strangers.contains(oid) { return nil }
            throw .mismatch(
                code: "RH3609", "a change of relation \(oid), which was not described before",
                hint: "The stream is damaged: please report this.")
        }
        guard begin.finalLSN >= relation.copiedUpTo else { return nil }
        if !isMarked {
            isMarked = true
            batch.begin(begin)
        }
        advance.changes &+= 1
        batch.noteSourceChange()
        return relation
    }

    private func learn(_ message: RelationMessage) async throws(ReplicationError) {
        // The server says it again now and then.
        if relations[message.relation]?.message == message { return }
        do throws(ReplicationError) {
            // Nothing of this transaction is sent if the change cannot be followed.
            let step = try await tables.step(message, at: current?.finalLSN ?? advance.position)
            // What comes now may be other columns of the same table: never together with what came before.
            if relations[message.relation] != nil, hasChanges { try await submit() }
            guard let relation = try await tables.relation(message, step, applier) else {
                strangers.insert(message.relation)
                relations[message.relation] = nil
                return
            }
            relations[message.relation] = relation
            if let shape = step.shape { batch.statements.append(applier.ledger.noting(shape, of: message.name)) }
        } catch {
            if !error.isAboutFormat { try await applyComplete() }
            throw error
        }
    }

    /// Applies the transactions before the open one, as far as they are not under way together with it.
    private func applyComplete() async throws(ReplicationError) {
        try await applier.finish()
        guard current != nil, !applier.isInTransaction else { return }
        batch.truncate(to: mark)
        tables.truncate(to: mark)
        current = nil
        if hasChanges { try await submit() }
        try await applier.finish()
    }

    private func truncate(_ truncate: TruncateMessage) async throws(ReplicationError) {
        var targets: [ApplyTable] = []
        for oid in truncate.relations {
            if let relation = try relation(oid) { targets.append(try tables.target(truncatedWith: relation)) }
        }
        guard !targets.isEmpty else { return }
        let names = targets.map(\.table.rowsSQL).joined(separator: ", ")
        let restart = truncate.restartsIdentity ? " RESTART IDENTITY" : ""
        batch.statements.append(
            PipelineStatement("TRUNCATE \(names)\(restart)\(truncate.cascades ? " CASCADE" : "")"))
        try await submit()
    }

    private func note(_ message: EmittedMessage, _ bytes: UnsafeRawBufferPointer) {
        if current == nil { advance.position = max(advance.position, message.lsn) }
        guard message.prefix == StreamControl.prefix else { return }
        let content = String(decoding: bytes[message.content], as: UTF8.self)
        if content == StreamControl.positionRequest { isAsked = true } else { control.noteHeartbeat(content) }
    }
}
