import PostgresProtocol

/// Which changes of a batch are written together, table by table, and which one by one.
struct BatchDivision {
    /// What is done to a table with statements for many rows.
    struct TableSet {
        let target: ApplyTable
        /// Keys of rows that go.
        var deleted: [ArenaSlice] = []
        /// For the form of the keys.
        var deleteLane = 0
        /// Rows by lane, in the order of lanes.
        var updates: [(lane: Int, rows: [ArenaSlice])] = []
        var inserts: [(lane: Int, rows: [ArenaSlice])] = []
    }

    private(set) var sets: [TableSet] = []
    /// Positions of the other changes, in order.
    private(set) var others: [Int] = []

    private struct Tally {
        var changes: [Int32] = []
        var onlyInserts = true
        var hasKeys = true
    }

    /// - Parameter threshold: tables with fewer changes are not worth it.
    init(_ batch: ChangeBatch, _ plan: ApplyPlan, threshold: Int) {
        guard batch.changes.count >= threshold else {
            others = Array(batch.changes.indices)
            return
        }
        var isTogether = [Bool](repeating: false, count: plan.tables.count)
        for (number, tally) in Self.tallies(batch, plan).enumerated() where tally.changes.count >= threshold {
            guard let set = Self.set(plan.tables[number], tally, batch, plan) else { continue }
            isTogether[number] = true
            sets.append(set)
        }
        for index in batch.changes.indices {
            let table = plan.lanes[Int(batch.changes[index].lane)].target.number
            if !isTogether[table] { others.append(index) }
        }
    }

    private static func tallies(_ batch: ChangeBatch, _ plan: ApplyPlan) -> [Tally] {
        var tallies = [Tally](repeating: Tally(), count: plan.tables.count)
        for index in batch.changes.indices {
            let change = batch.changes[index]
            let lane = plan.lanes[Int(change.lane)]
            tallies[lane.target.number].changes.append(Int32(index))
            if change.kind != .insert { tallies[lane.target.number].onlyInserts = false }
            if lane.key == nil && change.kind != .delete { tallies[lane.target.number].hasKeys = false }
        }
        return tallies
    }

    private static func set(
        _ target: ApplyTable, _ tally: Tally, _ batch: ChangeBatch, _ plan: ApplyPlan
    ) -> TableSet? {
        var set = TableSet(target: target)
        if tally.onlyInserts {
            for index in tally.changes {
                let change = batch.changes[Int(index)]
                set.inserts.add(change.row, lane: change.lane)
            }
            return set
        }
        // A row that is skipped may be updated: that takes the order.
        guard !target.key.isEmpty, tally.hasKeys, target.policy.existing != .skip else { return nil }
        var folding = ChangeFolding(batch, plan, expecting: tally.changes.count)
        for index in tally.changes { folding.add(batch.changes[Int(index)]) }
        guard !folding.isInDoubt else { return nil }
        for row in folding.rows {
            if row.isDeleted {
                set.deleted.append(row.key)
                set.deleteLane = Int(row.lane)
            }
            switch row.outcome {
            case .nothing: break
            case .update: set.updates.add(row.row, lane: row.lane)
            case .insert: set.inserts.add(row.row, lane: row.lane)
            }
        }
        return set
    }
}

extension [(lane: Int, rows: [ArenaSlice])] {
    fileprivate mutating func add(_ row: ArenaSlice, lane: Int32) {
        let lane = Int(lane)
        if let position = firstIndex(where: { $0.lane == lane }) {
            self[position].rows.append(row)
        } else {
            append((lane, [row]))
        }
    }
}
