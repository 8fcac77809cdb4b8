import PostgresProtocol

/// A table of the source as its last Relation message describes it, with what the pipeline makes of its changes.
final class StreamRelation {
    let message: RelationMessage
    let mapping: TableMapping
    let target: ApplyTable
    /// Of the values in the stream.
    let format: DataFormat
    /// The columns that are written: their positions in the message, and what they are called in the target.
    let sources: [Int]
    let targets: [String]
    /// Positions in the message of the columns that tell rows apart in the target; empty if nothing does.
    let key: [Int]
    /// Old rows are sent with all their columns.
    var isFull: Bool { message.identity == .full }
    /// For the script's function, where the table has one.
    let changes: ScriptedChanges?
    /// What was copied shows commits before this position already.
    let copiedUpTo: LSN
    private let plan: ApplyPlan
    /// Rows that do not pass are none of the pipeline's.
    let filter: RowFilter?
    let fullLane: ApplyLane
    private var partialLanes: [[Int]: ApplyLane] = [:]
    private var fields: [TupleField] = []
    private var oldFields: [TupleField] = []

    init(
        _ message: RelationMessage, _ mapping: TableMapping, _ window: CopyWindow, _ plan: ApplyPlan,
        _ format: DataFormat, _ transform: (any RowTransform)?
    ) throws(ReplicationError) {
        self.message = message
        self.mapping = mapping
        self.plan = plan
        self.format = format
        copiedUpTo = window.first
        let columns = RelationColumns(message, mapping)
        sources = columns.sources
        targets = columns.targets
        let names = columns.key
        target = plan.table(mapping.target, key: names, ApplyTable.Policy(mapping, isCatchingUp: window.isOpen))
        key = columns.positions(names) ?? []
        try columns.checkFormat(format)
        filter = try columns.filter(format)
        changes =
            if let transform {
                try ScriptedChanges(message, mapping, target, columns, format, transform, plan)
            } else {
                nil
            }
        fullLane = try plan.lane(target, columns: columns.targets, format)
    }

    // MARK: Changes

    /// Adds the change to the batch, or to those that wait for the function.
    func record(_ insert: InsertMessage, in bytes: UnsafeRawBufferPointer, _ batch: ChangeBatch)
        throws(ReplicationError)
    {
        guard let changes else { return try add(insert, in: bytes, to: batch) }
        noteCandidate(insert.new, in: bytes, batch)
        try changes.add(insert, in: bytes, batch.sourceChanges)
    }

    func record(_ update: UpdateMessage, in bytes: UnsafeRawBufferPointer, _ batch: ChangeBatch)
        throws(ReplicationError)
    {
        guard let changes else { return try add(update, in: bytes, to: batch) }
        noteCandidate(update.new, in: bytes, batch)
        try changes.add(update, in: bytes, batch.sourceChanges)
    }

    func record(_ delete: DeleteMessage, in bytes: UnsafeRawBufferPointer, _ batch: ChangeBatch)
        throws(ReplicationError)
    {
        guard let changes else { return try add(delete, in: bytes, to: batch) }
        try changes.add(delete, in: bytes, batch.sourceChanges)
    }

    // MARK: Changes without a function

    private func add(_ insert: InsertMessage, in bytes: UnsafeRawBufferPointer, to batch: ChangeBatch)
        throws(ReplicationError)
    {
        insert.new.readFields(in: bytes, into: &fields)
        try message.check(fields)
        let (lane, row) = try appendRow(bytes, to: batch)
        noteCandidate(bytes, batch)
        batch.append(RowChange(kind: .insert, lane: lane.number, row: row, key: appendKey(fields, bytes, to: batch)))
    }

    private func add(_ update: UpdateMessage, in bytes: UnsafeRawBufferPointer, to batch: ChangeBatch)
        throws(ReplicationError)
    {
        update.new.readFields(in: bytes, into: &fields)
        try message.check(fields)
        if let old = update.old {
            old.tuple.readFields(in: bytes, into: &oldFields)
            try message.check(oldFields)
            takeUnchanged(isFull: isFull)
        }
        let (lane, row) = try appendRow(bytes, to: batch)
        noteCandidate(bytes, batch)
        guard update.old != nil else {
            guard !key.isEmpty else { throw needsIdentity("updated") }
            let key = appendKey(fields, bytes, to: batch)
            return batch.append(RowChange(kind: .update, lane: lane.number, row: row, key: key))
        }
        guard !key.isEmpty else {
            guard isFull else { throw needsIdentity("updated") }
            let old = appendAll(oldFields, bytes, to: batch)
            return batch.append(RowChange(kind: .rekey, lane: lane.number, row: row, key: old))
        }
        let isSame = key.allSatisfy { fields[$0].isSame(as: oldFields[$0], in: bytes) }
        let key = appendKey(isSame ? fields : oldFields, bytes, to: batch)
        batch.append(RowChange(kind: isSame ? .update : .rekey, lane: lane.number, row: row, key: key))
    }

    private func add(_ delete: DeleteMessage, in bytes: UnsafeRawBufferPointer, to batch: ChangeBatch)
        throws(ReplicationError)
    {
        delete.old.tuple.readFields(in: bytes, into: &oldFields)
        try message.check(oldFields)
        guard !key.isEmpty || isFull else { throw needsIdentity("deleted") }
        let key = key.isEmpty ? appendAll(oldFields, bytes, to: batch) : appendKey(oldFields, bytes, to: batch)
        batch.append(RowChange(kind: .delete, lane: fullLane.number, row: .empty, key: key))
    }

    /// Of the row that an update has changed.
    func deletion(of update: RowChange) -> RowChange {
        RowChange(kind: .delete, order: update.order, lane: fullLane.number, row: .empty, key: update.key)
    }

    // MARK: Rows

    /// Columns whose large values have not changed are as they were: in the old row, if all of it was sent.
    private func takeUnchanged(isFull: Bool) {
        for index in fields.indices where fields[index].kind == .unchanged && oldFields[index].kind != .unchanged {
            if isFull || oldFields[index].kind != .null { fields[index] = oldFields[index] }
        }
    }

    /// As a row of the lane for the columns that were sent.
    private func appendRow(
        _ bytes: UnsafeRawBufferPointer, to batch: ChangeBatch
    ) throws(ReplicationError) -> (ApplyLane, ArenaSlice) {
        let start = batch.arena.count
        CopyBinaryWriter.appendFieldCount(sources.count, to: &batch.arena)
        var isComplete = true
        for source in sources {
            let field = fields[source]
            if field.kind == .unchanged { isComplete = false } else { append(field, bytes, to: batch) }
        }
        let row = ArenaSlice(offset: start, count: batch.arena.count - start)
        if isComplete { return (fullLane, row) }
        let lane = try partialLane()
        batch.arena.store(bigEndian: Int16(truncatingIfNeeded: lane.columns.count), at: start)
        return (lane, row)
    }

    /// The next change of the batch is to be made if its row passes the filter.
    private func noteCandidate(_ new: TupleData, in bytes: UnsafeRawBufferPointer, _ batch: ChangeBatch) {
        guard filter != nil else { return }
        new.readFields(in: bytes, into: &fields)
        noteCandidate(bytes, batch)
    }

    private func noteCandidate(_ bytes: UnsafeRawBufferPointer, _ batch: ChangeBatch) {
        guard filter != nil else { return }
        let start = batch.arena.count
        var unchanged: [Int] = []
        for index in fields.indices {
            if fields[index].kind == .unchanged {
                unchanged.append(index)
            } else {
                append(fields[index], bytes, to: batch)
            }
        }
        let row = ArenaSlice(offset: start, count: batch.arena.count - start)
        batch.candidates[message.relation, default: []].append(
            RowFilter.Candidate(order: batch.sourceChanges, row: row, unchanged: unchanged))
    }

    private func partialLane() throws(ReplicationError) -> ApplyLane {
        let missing = sources.indices.filter { fields[sources[$0]].kind == .unchanged }
        if let known = partialLanes[missing] { return known }
        let columns = targets.indices.filter { !missing.contains($0) }.map { targets[$0] }
        let lane = try plan.lane(target, columns: columns, format, isPartial: true)
        partialLanes[missing] = lane
        return lane
    }

    private func appendKey(
        _ fields: [TupleField], _ bytes: UnsafeRawBufferPointer, to batch: ChangeBatch
    ) -> ArenaSlice {
        let start = batch.arena.count
        for column in key { append(fields[column], bytes, to: batch) }
        return ArenaSlice(offset: start, count: batch.arena.count - start)
    }

    private func appendAll(
        _ fields: [TupleField], _ bytes: UnsafeRawBufferPointer, to batch: ChangeBatch
    ) -> ArenaSlice {
        let start = batch.arena.count
        for column in sources { append(fields[column], bytes, to: batch) }
        return ArenaSlice(offset: start, count: batch.arena.count - start)
    }

    @inline(__always)
    private func append(_ field: TupleField, _ bytes: UnsafeRawBufferPointer, to batch: ChangeBatch) {
        CopyBinaryWriter.appendField(field.kind.hasValue ? field.bytes(in: bytes) : nil, to: &batch.arena)
    }

    // MARK: Errors

    private func needsIdentity(_ verb: String) -> ReplicationError {
        .mismatch(
            code: "RH3607", "a row of \(message.name) was \(verb), and nothing tells it from others",
            hint:
                "Copy the columns of its replica identity, too, or set REPLICA IDENTITY FULL on the source; or list it "
                + "with rh.skip.")
    }
}

extension RelationMessage {
    /// Throws if a row has not the columns of its table.
    func check(_ fields: [TupleField]) throws(ReplicationError) {
        guard fields.count == columns.count else {
            throw .mismatch(
                code: "RH3609", "a change of \(name) has \(fields.count) columns, its description \(columns.count)",
                hint: "The stream is damaged: please report this.")
        }
    }
}

extension TupleField {
    /// The same bytes.
    func isSame(as other: TupleField, in message: UnsafeRawBufferPointer) -> Bool {
        kind == other.kind && bytes(in: message).elementsEqual(other.bytes(in: message))
    }
}

extension ApplyTable.Policy {
    /// - Parameter isCatchingUp: parts of the table were copied at different times: what is streamed may be there already.
    init(_ mapping: TableMapping, isCatchingUp: Bool) {
        let options = mapping.options
        existing = isCatchingUp ? .upsert : options.onConflict
        let mayBeMissing = options.hasTransform || options.filter != nil
        switch options.onConflict {
        case .error: updated = mayBeMissing || isCatchingUp ? .insert : .error
        case .upsert: updated = .insert
        case .skip: updated = isCatchingUp ? .insert : .ignore
        }
        partlyUpdated = isCatchingUp || options.onConflict == .skip ? .ignore : .error
        isDeleteChecked = options.onConflict == .error && !mayBeMissing && !isCatchingUp
        countsConflicts = options.onConflict != .error && !isCatchingUp
    }
}
