import PostgresProtocol

/// Makes of each message of a stream what it would do to the target. Lives on its worker's loop.
final class TapReader {
    /// Functions may leave dead letters for the change that is being read.
    private final class Letters {
        var first: DeadLetter?
    }

    private let tables: StreamTables
    private let letters = Letters()
    private var relations: [OID: StreamRelation] = [:]
    private let batch = ChangeBatch()
    private var current: BeginMessage?
    private var end: LSN?
    private var fields: [TupleField] = []

    /// - Parameter mappings: of the tables that are wanted; their functions' errors make dead letters.
    init(_ definition: PipelineDefinition, _ mappings: [TableMapping], _ worker: any PipelineWorker) {
        var definition = definition
        // What the source's tables have become is shown; the pipeline's own run decides about it.
        definition.stream.schemaPolicy = .ignore
        tables = StreamTables(definition, mappings, [:], [:], .text, worker) { [letters] letter in
            letters.first = letters.first ?? letter
        }
    }

    /// No transaction is open.
    var isResting: Bool { current == nil }

    /// Where the last transaction has ended, once.
    func takeEnd() -> LSN? { end.take() }

    /// None, one, or of a truncation several.
    func read(_ bytes: UnsafeRawBufferPointer, at start: LSN) async throws(ReplicationError) -> [TapChange] {
        let message: LogicalMessage
        do { message = try LogicalMessage(decoding: bytes) } catch {
            throw .mismatch(code: "RH3609", "\(error), at \(start)", hint: "The stream is damaged: please report this.")
        }
        switch message {
        case .begin(let begin): current = begin
        case .commit(let commit):
            current = nil
            end = commit.endLSN
        case .relation(let relation):
            let step = try await tables.step(relation, at: current?.finalLSN ?? start)
            relations[relation.relation] = try await tables.relation(relation, step, nil)
        case .insert(let insert):
            return try await change(.insert, insert.relation) { (relation, change) throws(ReplicationError) in
                try relation.record(insert, in: bytes, batch)
                note(insert.new, in: bytes, relation, isKeyOnly: false, &change)
            }
        case .update(let update):
            return try await change(.update, update.relation) { (relation, change) throws(ReplicationError) in
                try relation.record(update, in: bytes, batch)
                note(update.new, in: bytes, relation, isKeyOnly: false, &change)
            }
        case .delete(let delete):
            return try await change(.delete, delete.relation) { (relation, change) throws(ReplicationError) in
                try relation.record(delete, in: bytes, batch)
                note(delete.old.tuple, in: bytes, relation, isKeyOnly: delete.old.isKeyOnly, &change)
            }
        case .truncate(let truncate): return self.truncate(truncate)
        case .message, .origin, .type: break
        }
        return []
    }

    // MARK: A change

    /// What `record` notes of a change and puts into the batch; nothing for a row that is none of the pipeline's.
    private func change(
        _ operation: TapChange.Operation, _ oid: OID,
        _ record: (StreamRelation, inout TapChange) throws(ReplicationError) -> Void
    ) async throws(ReplicationError) -> [TapChange] {
        guard let relation = relations[oid], var change = empty(operation, relation.message.name) else { return [] }
        letters.first = nil
        batch.clear()
        if let current { batch.begin(current) }
        batch.noteSourceChange()
        do throws(ReplicationError) {
            try record(relation, &change)
            guard try await isOurs(relation, operation) else { return [] }
            try await tables.runFunctions(on: batch)
            change.after = try batch.changes.map { change throws(ReplicationError) in try output(change) }
            change.failure = letters.first.map { .transform($0.failure) }
        } catch {
            guard error.isOfOneChange else { throw error }
            relation.changes?.reset()
            change.failure = error
        }
        return [change]
    }

    private func empty(_ operation: TapChange.Operation, _ table: QualifiedName) -> TapChange? {
        guard let current else { return nil }
        return TapChange(
            operation: operation, table: table, xid: current.xid, lsn: current.finalLSN, commitTime: current.commitTime)
    }

    /// An update to a row that does not pass the table's filter takes the old one away; an insert is nothing.
    private func isOurs(
        _ relation: StreamRelation, _ operation: TapChange.Operation
    ) async throws(ReplicationError) -> Bool {
        guard let candidates = batch.candidates[relation.message.relation] else { return true }
        let failing = try await tables.failing(candidates, of: relation, batch)
        relation.changes?.leaveOut(failing)
        batch.replace(Dictionary(uniqueKeysWithValues: failing.map { ($0, relation) }))
        return failing.isEmpty || operation != .insert
    }

    private func truncate(_ truncate: TruncateMessage) -> [TapChange] {
        truncate.relations.compactMap { relations[$0] }.compactMap { relation in
            guard var change = empty(.truncate, relation.message.name) else { return nil }
            change.after = [.init(operation: .truncate, table: relation.target.table.name, fields: [])]
            return change
        }
    }

    // MARK: Values

    /// - Parameter isKeyOnly: the other columns were not sent.
    private func note(
        _ tuple: TupleData, in bytes: UnsafeRawBufferPointer, _ relation: StreamRelation, isKeyOnly: Bool,
        _ change: inout TapChange
    ) {
        tuple.readFields(in: bytes, into: &fields)
        let columns = relation.message.columns
        for position in Set(relation.sources).sorted() where !isKeyOnly || columns[position].isKey {
            let (name, field) = (columns[position].name, fields[position])
            if field.kind == .unchanged {
                change.unchanged.append(name)
                continue
            }
            let value = field.kind.hasValue ? String(decoding: field.bytes(in: bytes), as: UTF8.self) : nil
            change.before.append((name, value))
            if relation.key.contains(position) { change.key.append((name, value)) }
        }
    }

    private func output(_ change: RowChange) throws(ReplicationError) -> TapChange.Output {
        let lane = tables.plan.lanes[Int(change.lane)]
        let name = lane.target.table.name
        let keyColumns = lane.target.key.isEmpty ? lane.columns : lane.target.key
        func key(_ slice: ArenaSlice) throws(ReplicationError) -> TapChange.Fields {
            try fields(of: slice, skipping: 0, keyColumns, lane)
        }
        switch change.kind {
        case .delete: return .init(operation: .delete, table: name, fields: try key(change.key))
        case .insert, .update:
            let row = try fields(of: change.row, skipping: 2, lane.columns, lane)
            return .init(operation: change.kind == .insert ? .insert : .update, table: name, fields: row)
        case .rekey:
            let row = try fields(of: change.row, skipping: 2, lane.columns, lane)
            return .init(operation: .update, table: name, fields: row, oldKey: try key(change.key))
        }
    }

    private func fields(
        of slice: ArenaSlice, skipping skipped: Int, _ columns: [CatalogColumn], _ lane: ApplyLane
    ) throws(ReplicationError) -> TapChange.Fields {
        var values = FieldIterator(batch.arena.bytes, from: Int(slice.offset) + skipped)
        var fields: TapChange.Fields = []
        for column in columns {
            guard let field = values.next() else {
                fields.append((column.name, nil))
                continue
            }
            var text = ByteBuffer()
            do throws(CodecError) { try FieldDecoder.appendText(field, column.kind, lane.format, to: &text) } catch {
                throw .mismatch(code: "RH2210", "column \"\(column.name)\": \(error)", hint: nil)
            }
            fields.append((column.name, text.string))
        }
        return fields
    }
}

extension OldTuple {
    fileprivate var isKeyOnly: Bool { if case .key = self { true } else { false } }
}

extension ReplicationError {
    /// The next change may be better.
    fileprivate var isOfOneChange: Bool {
        switch self {
        case .transform, .mismatch, .unknownTable, .unknownColumn: !isCancellation
        case .database, .pool, .damaged, .stale, .cancelled: false
        }
    }
}
