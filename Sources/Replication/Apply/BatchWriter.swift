import Postgres
import PostgresProtocol

/// Writes batches into the open transaction of the target: of each row what the batch comes to, by statements for many
/// rows; or, on any doubt, change by change in the order of the source.
final class BatchWriter {
    /// From how many changes of a table on they are written together.
    private static let fewChanges = 24
    private static let savepoint = "replhost_batch"

    let queue: StatementQueue
    private let connection: Connection
    private let plan: ApplyPlan
    /// Triggers and foreign keys do not fire: the order of tables cannot be seen.
    private let isReplica: Bool
    /// The batch whose first rows are written.
    private var begun: BatchDivision?
    /// Of the open transaction, without the conflicts, which the queue knows.
    private var applied = AppliedChanges()

    init(_ connection: Connection, _ plan: ApplyPlan, isReplica: Bool) {
        self.connection = connection
        self.plan = plan
        self.isReplica = isReplica
        queue = StatementQueue(connection)
    }

    /// Writes the rows that batches before this one do not touch, while those are being written over other connections;
    /// `write` does the rest, once they are committed. False: there is doubt about rows; the transaction is of no use.
    func begin(_ batch: ChangeBatch, beside elders: [TouchedRows]) async throws(ReplicationError) -> Bool {
        let division = divide(batch, beside: elders)
        guard !division.sets.isEmpty else { return true }
        begun = division
        queue.add("SAVEPOINT \(Self.savepoint)", doing: "beginning a batch")
        do throws(StatementQueue.Failure) {
            for set in division.sets { try await write(set, batch) }
            try await queue.flush()
            return true
        } catch {
            guard error.isAboutRows || error.isBlocked else { throw describe(error, batch) }
            return false
        }
    }

    /// Writes the batch, or what is left of it. Some statements may still be in the queue afterwards.
    func write(_ batch: ChangeBatch) async throws(ReplicationError) {
        try await writeChanges(of: batch)
        for statement in batch.statements {
            queue.add(statement.sql, statement.parameters, doing: "applying changes")
        }
    }

    /// Sends what is in the queue.
    func flush(_ batch: ChangeBatch) async throws(ReplicationError) {
        do { try await queue.flush() } catch { throw describe(error, batch) }
    }

    /// The transaction was rolled back, its batch will be written once more.
    func beginAgain() {
        begun = nil
        queue.clear()
        queue.conflicts = [:]
        applied = AppliedChanges()
        applied.replays = 1
    }

    private func divide(_ batch: ChangeBatch, beside elders: [TouchedRows]) -> BatchDivision {
        BatchDivision(batch, plan, threshold: isReplica ? Self.fewChanges : .max, beside: elders)
    }

    private func writeChanges(of batch: ChangeBatch) async throws(ReplicationError) {
        count(batch)
        let begun = self.begun
        self.begun = nil
        if begun != nil { applied.overlaps += 1 }
        let division = begun ?? divide(batch, beside: [])
        guard !division.sets.isEmpty else { return try await replay(batch) }
        let conflicts = begun == nil ? queue.conflicts : [:]
        if begun == nil { queue.add("SAVEPOINT \(Self.savepoint)", doing: "beginning a batch") }
        do throws(StatementQueue.Failure) {
            for set in begun == nil ? division.sets : division.laterSets { try await write(set, batch) }
            for change in division.others { try await add(change, batch) }
            try await queue.flush()
            queue.add("RELEASE SAVEPOINT \(Self.savepoint)", doing: "ending a batch")
        } catch {
            guard error.isAboutRows else { throw describe(error, batch) }
            queue.clear()
            queue.conflicts = conflicts
            applied.replays += 1
            queue.add("ROLLBACK TO SAVEPOINT \(Self.savepoint)", doing: "giving a batch up")
            try await replay(batch)
        }
    }

    private func count(_ batch: ChangeBatch) {
        var lanes: [Int32: ChangeCounts] = [:]
        for change in batch.changes {
            switch change.kind {
            case .insert: lanes[change.lane, default: ChangeCounts()].inserted &+= 1
            case .update, .rekey: lanes[change.lane, default: ChangeCounts()].updated &+= 1
            case .delete: lanes[change.lane, default: ChangeCounts()].deleted &+= 1
            }
        }
        for (lane, counts) in lanes {
            applied.tables[plan.lanes[Int(lane)].target.table.name, default: ChangeCounts()] += counts
        }
        for (table, letters) in batch.deadLetters {
            applied.tables[table, default: ChangeCounts()].deadLetters += letters
        }
    }

    /// What the open transaction has in it, which is about to end.
    func takeApplied() -> AppliedChanges {
        defer { applied = AppliedChanges() }
        applied.conflicts = queue.conflicts
        queue.conflicts = [:]
        return applied
    }

    // MARK: Change by change

    private func replay(_ batch: ChangeBatch) async throws(ReplicationError) {
        do throws(StatementQueue.Failure) {
            for change in batch.changes.indices { try await add(change, batch) }
            try await queue.flush()
        } catch {
            throw describe(error, batch)
        }
    }

    private func add(_ index: Int, _ batch: ChangeBatch) async throws(StatementQueue.Failure) {
        for item in SingleChange(index, batch, plan).items {
            try await queue.add(item, bytes: Int(batch.changes[index].row.count))
        }
    }

    // MARK: Many rows at once

    private func write(_ set: BatchDivision.TableSet, _ batch: ChangeBatch) async throws(StatementQueue.Failure) {
        if !set.deleted.isEmpty { try await delete(set, batch) }
        for (lane, rows) in set.updates { try await update(plan.lanes[lane], rows, batch) }
        for (lane, rows) in set.inserts { try await insert(plan.lanes[lane], rows, batch) }
    }

    private func delete(_ set: BatchDivision.TableSet, _ batch: ChangeBatch) async throws(StatementQueue.Failure) {
        let lane = plan.lanes[set.deleteLane]
        let expected = set.target.policy.isDeleteChecked ? set.deleted.count : nil
        try await send(
            lane.statements.deleteAll, lane, set.target.key, set.deleted, skipping: 0, affects: expected, "deleting",
            batch, set.target.tally(.missing(of: set.deleted.count)))
    }

    private func update(
        _ lane: ApplyLane, _ rows: [ArenaSlice], _ batch: ChangeBatch
    ) async throws(StatementQueue.Failure) {
        guard let sql = lane.statements.updateAll else { return }
        let expected = lane.missing == .ignore ? nil : rows.count
        try await send(
            sql, lane, lane.columns, rows, skipping: 2, affects: expected, "updating", batch,
            expected == nil ? lane.target.tally(.missing(of: rows.count)) : nil)
    }

    private func insert(
        _ lane: ApplyLane, _ rows: [ArenaSlice], _ batch: ChangeBatch
    ) async throws(StatementQueue.Failure) {
        if lane.target.policy.existing == .error || lane.columns.isEmpty { return try await copy(lane, rows, batch) }
        let counting = lane.target.policy.existing == .upsert ? lane.statements.insertAllCounting : nil
        if lane.target.policy.countsConflicts, let counting {
            return try await send(
                counting, lane, lane.columns, rows, skipping: 2, affects: nil, "inserting into", batch,
                lane.target.tally(.existingAnswered))
        }
        let tally = lane.target.policy.existing == .skip ? lane.target.tally(.existing(of: rows.count)) : nil
        try await send(
            lane.statements.insertAll, lane, lane.columns, rows, skipping: 2, affects: nil, "inserting into", batch,
            tally)
    }

    private func send(
        _ sql: String, _ lane: ApplyLane, _ columns: [CatalogColumn], _ slices: [ArenaSlice], skipping: Int,
        affects: Int?, _ verb: String, _ batch: ChangeBatch, _ tally: ConflictTally?
    ) async throws(StatementQueue.Failure) {
        let doing = "\(verb) rows of \(lane.target.table.name)"
        let parameters: [Parameter]
        do {
            parameters = try RowArrays(batch, lane.format).parameters(columns, slices, skipping: skipping)
        } catch {
            throw StatementQueue.Failure(
                reason: .error(.unexpected("\(error)")),
                item: .init(statement: PipelineStatement(sql), affects: nil, change: nil, doing: doing))
        }
        let bytes = slices.reduce(0) { $0 + Int($1.count) }
        try await queue.add(
            .init(
                statement: PipelineStatement(sql, parameters), affects: affects, change: nil, doing: doing,
                tally: tally), bytes: bytes)
    }

    private func copy(
        _ lane: ApplyLane, _ rows: [ArenaSlice], _ batch: ChangeBatch
    ) async throws(StatementQueue.Failure) {
        try await queue.flush()
        do throws(PostgresError) {
            let writer = try await connection.copyIn(lane.statements.copy)
            do throws(PostgresError) {
                try await Self.send(rows, of: batch, lane, to: writer)
                _ = try await writer.finish()
            } catch {
                await writer.abort()
                throw error
            }
        } catch {
            throw StatementQueue.Failure(
                reason: .error(error),
                item: .init(
                    statement: PipelineStatement(lane.statements.copy), affects: nil, change: nil,
                    doing: "inserting rows into \(lane.target.table.name)"))
        }
    }

    private static func send(
        _ rows: [ArenaSlice], of batch: ChangeBatch, _ lane: ApplyLane, to writer: CopyInWriter
    ) async throws(PostgresError) {
        var frame = ByteBuffer(capacity: 4096)
        if lane.format == .binary {
            CopyBinaryWriter.appendHeader(to: &frame)
            _ = try writer.write(frame.bytes)
        }
        for row in rows {
            frame.removeAll()
            var bytes = batch.slice(row)
            if lane.format == .text {
                appendLine(bytes, columns: lane.columns.count, to: &frame)
                bytes = frame.bytes
            }
            if try writer.write(bytes) == .mustWait { try await writer.wait() }
        }
        guard lane.format == .binary else { return }
        frame.removeAll()
        CopyBinaryWriter.appendTrailer(to: &frame)
        _ = try writer.write(frame.bytes)
    }

    private static func appendLine(_ row: UnsafeRawBufferPointer, columns: Int, to line: inout ByteBuffer) {
        var fields = FieldIterator(row, from: 2)
        for column in 0..<columns {
            if column > 0 { CopyTextWriter.appendSeparator(to: &line) }
            CopyTextWriter.appendField(fields.next(), to: &line)
        }
        CopyTextWriter.appendRowEnd(to: &line)
    }

    // MARK: Errors

    private func describe(_ failure: StatementQueue.Failure, _ batch: ChangeBatch) -> ReplicationError {
        ApplyConflict(failure, batch, plan).error
    }
}
