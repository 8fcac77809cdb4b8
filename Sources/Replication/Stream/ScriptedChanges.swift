import PostgresProtocol

/// Changes of one table that wait for the script's function, and what the function makes of them.
///
/// A function answers for a row as it is after the change. Where the change may have moved the row, it is also asked for
/// the row as it was, as for a delete: what it answers tells which rows of the target that has been.
final class ScriptedChanges {
    private enum Role {
        /// The row after the change; of a delete, before it.
        case row
        /// The row before an update, followed by the one after it.
        case before
        case after
    }

    private struct Step {
        var operation: ChangeFacts.Operation
        var role: Role
        var order: UInt32
        var row: ArenaSlice
        var old: ArenaSlice?
    }

    private struct Written {
        var lane: ApplyLane
        var row: ArenaSlice
    }

    let columns: [InputColumn]
    private let relation: RelationColumnsSummary
    private let target: ApplyTable
    private let transform: any RowTransform
    private let plan: ApplyPlan
    private var output: ChunkOutput?
    private var arena = ByteBuffer(capacity: 4096)
    private var steps: [Step] = []
    private var fields: [TupleField] = []
    private var oldFields: [TupleField] = []

    // While the function runs.
    private var batch = ChangeBatch()
    private var taken = 0
    private var answered = 0
    private var written: [Written] = []
    /// Deletions of rows that updates have taken out of what the function lets through.
    private var dropped: [Step] = []
    private var before: [Written]?
    private var hasFailedBefore = false
    private var lanes: [ObjectIdentifier: ApplyLane] = [:]
    private var offsets: [ObjectIdentifier: Int] = [:]

    init(
        _ message: RelationMessage, _ mapping: TableMapping, _ target: ApplyTable, _ columns: RelationColumns,
        _ format: DataFormat, _ transform: any RowTransform, _ plan: ApplyPlan
    ) throws(ReplicationError) {
        self.target = target
        self.transform = transform
        self.plan = plan
        relation = RelationColumnsSummary(message, mapping, columns, key: columns.positions(columns.key) ?? [])
        self.columns = relation.positions.map { position in
            let column = message.columns[position]
            return InputColumn(name: column.name, type: column.type, kind: columns.kind(position), format: format)
        }
    }

    var mapping: TableMapping { relation.mapping }
    var isEmpty: Bool { steps.isEmpty }
    var byteCount: Int { arena.count }

    func truncate(to order: UInt32) { steps.removeAll { $0.order > order } }

    /// Rows of these changes are none of the pipeline's: the function is only asked for what an update takes away.
    func leaveOut(_ orders: Set<UInt32>) {
        guard !orders.isEmpty else { return }
        steps = steps.compactMap { step in
            guard orders.contains(step.order) else { return step }
            switch (step.role, step.operation) {
            case (.after, _), (.row, .insert): return nil
            case (.before, _): return Step(operation: .delete, role: .row, order: step.order, row: step.row)
            case (.row, .update): return deletion(step)
            case (.row, .delete): return step
            }
        }
    }

    /// Of the row that an update has changed, as far as it is known.
    private func deletion(_ update: Step) -> Step {
        Step(
            operation: .delete, role: .row, order: update.order, row: update.old ?? identity(of: update.row))
    }

    /// The row with only the columns that come of deleted ones.
    private func identity(of row: ArenaSlice) -> ArenaSlice {
        arena.reserve(Int(row.count))
        let start = arena.count
        CopyBinaryWriter.appendFieldCount(relation.positions.count, to: &arena)
        var fields = FieldIterator(arena.bytes, from: Int(row.offset) + 2)
        for position in relation.positions {
            let field = fields.next()
            if relation.isIdentity[position] {
                CopyBinaryWriter.appendField(field, to: &arena)
            } else {
                arena.append(bigEndian: Int32(-2))
            }
        }
        return ArenaSlice(offset: start, count: arena.count - start)
    }

    // MARK: Gathering

    func add(_ insert: InsertMessage, in bytes: UnsafeRawBufferPointer, _ order: UInt32) throws(ReplicationError) {
        insert.new.readFields(in: bytes, into: &fields)
        try relation.message.check(fields)
        steps.append(Step(operation: .insert, role: .row, order: order, row: append(fields, bytes)))
    }

    func add(_ update: UpdateMessage, in bytes: UnsafeRawBufferPointer, _ order: UInt32) throws(ReplicationError) {
        update.new.readFields(in: bytes, into: &fields)
        try relation.message.check(fields)
        guard let old = update.old else {
            return steps.append(Step(operation: .update, role: .row, order: order, row: append(fields, bytes)))
        }
        try readOld(old, in: bytes)
        for index in fields.indices where fields[index].kind == .unchanged {
            fields[index] = oldFields[index]
        }
        let oldRow = append(oldFields, bytes)
        let row = append(fields, bytes)
        let hasMoved =
            relation.key.isEmpty || relation.key.contains { !fields[$0].isSame(as: oldFields[$0], in: bytes) }
        guard hasMoved else {
            return steps.append(Step(operation: .update, role: .row, order: order, row: row, old: oldRow))
        }
        steps.append(Step(operation: .delete, role: .before, order: order, row: oldRow))
        steps.append(Step(operation: .update, role: .after, order: order, row: row, old: oldRow))
    }

    func add(_ delete: DeleteMessage, in bytes: UnsafeRawBufferPointer, _ order: UInt32) throws(ReplicationError) {
        try readOld(delete.old, in: bytes)
        steps.append(Step(operation: .delete, role: .row, order: order, row: append(oldFields, bytes)))
    }

    /// Of an identity without the other columns these count as not sent.
    private func readOld(_ old: OldTuple, in bytes: UnsafeRawBufferPointer) throws(ReplicationError) {
        old.tuple.readFields(in: bytes, into: &oldFields)
        try relation.message.check(oldFields)
        guard case .key = old else { return }
        for index in oldFields.indices where !relation.isIdentity[index] {
            oldFields[index] = TupleField(kind: .unchanged, offset: 0, length: 0)
        }
    }

    private func append(_ fields: [TupleField], _ bytes: UnsafeRawBufferPointer) -> ArenaSlice {
        let start = arena.count
        CopyBinaryWriter.appendFieldCount(relation.positions.count, to: &arena)
        for position in relation.positions {
            let field = fields[position]
            if field.kind == .unchanged {
                arena.append(bigEndian: Int32(-2))
            } else {
                CopyBinaryWriter.appendField(field.kind.hasValue ? field.bytes(in: bytes) : nil, to: &arena)
            }
        }
        return ArenaSlice(offset: start, count: arena.count - start)
    }

    // MARK: Running the function

    /// Adds what the function makes of everything gathered.
    func run(_ batch: ChangeBatch, _ desk: ChangeDesk) async throws(ReplicationError) {
        let output = self.output ?? ChunkOutput(mapping, desk, self)
        self.output = output
        self.batch = batch
        (taken, answered) = (0, 0)
        desk.begin(batch) { [unowned self] in currentFacts }
        try await transform.run(self, output)
        try await remove(output)
        steps.removeAll(keepingCapacity: true)
        arena.removeAll(keepingAtMost: 4 << 20)
    }

    /// Forgets what was gathered, and what an error has left of its answers.
    func reset() {
        (steps, dropped, written) = ([], [], [])
        (before, hasFailedBefore) = (nil, false)
        arena.removeAll(keepingAtMost: 4 << 20)
        output = nil
        lanes.removeAll()
        offsets.removeAll()
    }

    /// Rows that have left what the function lets through are in the target under the keys that it answers for them.
    private func remove(_ output: ChunkOutput) async throws(ReplicationError) {
        guard !dropped.isEmpty else { return }
        steps = dropped
        dropped.removeAll()
        (taken, answered) = (0, 0)
        try await transform.run(self, output)
    }

    /// Of the change that is answered next.
    private var currentFacts: ChangeFacts? { steps.indices.contains(answered) ? facts(steps[answered]) : nil }

    private func facts(_ step: Step) -> ChangeFacts {
        let begin = batch.transaction(order: step.order)
        return ChangeFacts(
            operation: step.operation, lsn: begin?.finalLSN ?? .zero, xid: begin?.xid ?? 0,
            commitTime: begin?.commitTime ?? 0)
    }

    private func bytes(_ slice: ArenaSlice) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: arena.bytes[slice.range])
    }
}

extension ScriptedChanges: ChangeInput {
    var isFramed: Bool { true }

    func next() throws(ReplicationError) -> RowInputStep {
        guard taken < steps.count else { return .end }
        taken += 1
        return .row(bytes(steps[taken - 1].row))
    }

    func wait() async throws(ReplicationError) {}

    var change: ChangeFacts { facts(steps[max(0, taken - 1)]) }

    var oldRow: UnsafeRawBufferPointer? { steps[max(0, taken - 1)].old.map(bytes) }
}

// MARK: - Answers

extension ScriptedChanges: RowRecorder {
    func format(of table: CatalogTable) -> DataFormat {
        let isBinary = columns.allSatisfy { $0.format == .binary } && table.columns.allSatisfy(\.isPortable)
        return isBinary ? .binary : .text
    }

    func rowWritten(to lane: OutputLane) {
        let id = ObjectIdentifier(lane)
        let start = offsets[id] ?? 0
        var fields = FieldIterator(lane.buffer.bytes, from: start + 2)
        fields.skip(lane.columns.count)
        let end = fields.position
        let offset = batch.arena.count
        batch.arena.append(UnsafeRawBufferPointer(rebasing: lane.buffer.bytes[start..<end]))
        if end == lane.buffer.count {
            lane.clear()
            offsets[id] = nil
        } else {
            offsets[id] = end
        }
        written.append(
            Written(lane: applyLane(lane), row: ArenaSlice(offset: offset, count: batch.arena.count - offset)))
    }

    private func applyLane(_ lane: OutputLane) -> ApplyLane {
        if let known = lanes[ObjectIdentifier(lane)] { return known }
        let table =
            lane.table.name == target.table.name
            ? target : plan.table(lane.table, key: lane.table.key, .ofOtherTables)
        let made = plan.lane(table, lane)
        lanes[ObjectIdentifier(lane)] = made
        return made
    }

    func rowFailed() {
        written.removeAll(keepingCapacity: true)
        guard steps.indices.contains(answered) else { return }
        if steps[answered].role == .before { hasFailedBefore = true }
        before = nil
        answered += 1
    }

    func rowAnswered() throws(ReplicationError) {
        let rows = written
        written.removeAll(keepingCapacity: true)
        guard steps.indices.contains(answered) else { return }
        let step = steps[answered]
        answered += 1
        switch step.role {
        case .before: before = rows
        case .after:
            defer { (before, hasFailedBefore) = (nil, false) }
            // The change as a whole was put aside.
            if hasFailedBefore { return }
            try update(step, from: before, to: rows)
        case .row:
            switch step.operation {
            case .insert: for row in rows { add(.insert, row, key: .empty, step) }
            case .update: try update(step, from: nil, to: rows)
            case .delete: for row in rows { try remove(row, step, mayInsert: true) }
            }
        }
    }

    private func update(_ step: Step, from before: [Written]?, to after: [Written]) throws(ReplicationError) {
        var gone = before ?? []
        let stays = after.contains { $0.lane.target === target }
        if before == nil, !stays { dropped.append(deletion(step)) }
        for row in after {
            guard row.lane.target !== target || !target.key.isEmpty else {
                // Without a key a row is found by all that it was.
                let old = gone.firstIndex { $0.lane === row.lane }.map { gone.remove(at: $0) }
                add(old == nil ? .insert : .rekey, row, key: old.map { values(of: $0) } ?? .empty, step)
                continue
            }
            guard row.lane.key != nil else {
                add(.insert, row, key: .empty, step)
                continue
            }
            let key = try self.key(of: row)
            guard let place = gone.firstIndex(where: { $0.lane.target === row.lane.target }) else {
                add(.update, row, key: key, step)
                continue
            }
            let old = try self.key(of: gone.remove(at: place))
            let isSame = batch.slice(old).elementsEqual(batch.slice(key))
            add(isSame ? .update : .rekey, row, key: old, step)
        }
        for row in gone { try remove(row, step, mayInsert: false) }
    }

    /// What the function answers for a row that is gone: its key says which row of the target goes. Tables without a key
    /// only get rows.
    private func remove(_ row: Written, _ step: Step, mayInsert: Bool) throws(ReplicationError) {
        if row.lane.target.key.isEmpty {
            if row.lane.target === target { return add(.delete, row, key: values(of: row), step) }
            return mayInsert ? add(.insert, row, key: .empty, step) : ()
        }
        add(.delete, row, key: try key(of: row), step)
    }

    private func add(_ kind: RowChange.Kind, _ row: Written, key: ArenaSlice, _ step: Step) {
        batch.insert(
            RowChange(kind: kind, lane: row.lane.number, row: kind == .delete ? .empty : row.row, key: key),
            order: step.order)
    }

    /// A copy of the row's key columns.
    private func key(of row: Written) throws(ReplicationError) -> ArenaSlice {
        guard let key = row.lane.key else {
            throw .mismatch(
                code: "RH3213",
                "a changed row for \(row.lane.target.table.name) does not have all key columns "
                    + "(\(row.lane.target.key.map(\.name).joined(separator: ", ")))",
                hint: "A change is made to the row with that key: the function has to leave it in the row.")
        }
        // No byte moves while fields are copied.
        batch.arena.reserve(Int(row.row.count))
        let start = batch.arena.count
        for position in key {
            var fields = FieldIterator(batch.arena.bytes, from: Int(row.row.offset) + 2)
            fields.skip(position)
            CopyBinaryWriter.appendField(fields.next(), to: &batch.arena)
        }
        return ArenaSlice(offset: start, count: batch.arena.count - start)
    }

    /// All of the row, without the number of its fields.
    private func values(of row: Written) -> ArenaSlice {
        ArenaSlice(offset: Int(row.row.offset) + 2, count: Int(row.row.count) - 2)
    }
}

/// The columns of a table as its function sees them.
private struct RelationColumnsSummary {
    let message: RelationMessage
    let mapping: TableMapping
    /// In the message, of the row's columns.
    let positions: [Int]
    /// In the message, of the target's key columns.
    let key: [Int]
    /// Of the message's columns: they are part of the replica identity.
    let isIdentity: [Bool]

    init(_ message: RelationMessage, _ mapping: TableMapping, _ columns: RelationColumns, key: [Int]) {
        self.message = message
        self.mapping = mapping
        self.key = key
        positions = columns.sources.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        isIdentity = message.columns.map(\.isKey)
    }
}
