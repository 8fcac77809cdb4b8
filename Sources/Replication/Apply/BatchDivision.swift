import PostgresProtocol

/// Which changes of a batch are written together, table by table, and which one by one; which of them can be written
/// while batches before it are.
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

        var isEmpty: Bool { deleted.isEmpty && updates.isEmpty && inserts.isEmpty }
    }

    /// Rows that no batch before touches.
    private(set) var sets: [TableSet] = []
    /// Rows that come after the batches before.
    private(set) var laterSets: [TableSet] = []
    /// Positions of the other changes, in order.
    private(set) var others: [Int] = []

    private struct Tally {
        var changes: [Int32] = []
        var onlyInserts = true
        var hasKeys = true
    }

    /// - Parameters:
    ///   - threshold: tables with fewer changes are not worth it.
    ///   - elders: what the batches touch that are written at the same time, and come before.
    init(_ batch: ChangeBatch, _ plan: ApplyPlan, threshold: Int, beside elders: [TouchedRows]) {
        guard batch.changes.count >= threshold else {
            others = Array(batch.changes.indices)
            return
        }
        var isTogether = [Bool](repeating: false, count: plan.tables.count)
        for (number, tally) in Self.tallies(batch, plan).enumerated() where tally.changes.count >= threshold {
            var split = SplitSet(plan.tables[number], elders)
            guard split.fill(tally, batch, plan) else { continue }
            isTogether[number] = true
            if !split.first.isEmpty { sets.append(split.first) }
            if !split.later.isEmpty { laterSets.append(split.later) }
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

    /// The rows of a table, by when they can be written.
    private struct SplitSet {
        var first: TableSet
        var later: TableSet
        private let elders: [TouchedRows]

        init(_ target: ApplyTable, _ elders: [TouchedRows]) {
            first = TableSet(target: target)
            later = first
            self.elders = elders
        }

        private var target: ApplyTable { first.target }

        /// False: the order of the changes matters.
        mutating func fill(_ tally: Tally, _ batch: ChangeBatch, _ plan: ApplyPlan) -> Bool {
            if tally.onlyInserts {
                for index in tally.changes {
                    let change = batch.changes[Int(index)]
                    if isFree(change.key, batch) {
                        first.inserts.add(change.row, lane: change.lane)
                    } else {
                        later.inserts.add(change.row, lane: change.lane)
                    }
                }
                return true
            }
            // A row that is skipped may be updated: that takes the order.
            guard !target.key.isEmpty, tally.hasKeys, target.policy.existing != .skip else { return false }
            var folding = ChangeFolding(batch, plan, expecting: tally.changes.count)
            for index in tally.changes { folding.add(batch.changes[Int(index)]) }
            guard !folding.isInDoubt else { return false }
            for row in folding.rows {
                if isFree(row.key, batch) { first.add(row) } else { later.add(row) }
            }
            return true
        }

        /// None of the batches before touches the row.
        private func isFree(_ key: ArenaSlice, _ batch: ChangeBatch) -> Bool {
            if elders.isEmpty { return true }
            guard target.keepsRowsApart else { return false }
            let bytes = batch.slice(key)
            return !elders.contains { $0.contains(bytes, of: target) }
        }
    }
}

extension BatchDivision.TableSet {
    fileprivate mutating func add(_ row: ChangeFolding.Row) {
        if row.isDeleted {
            deleted.append(row.key)
            deleteLane = Int(row.lane)
        }
        switch row.outcome {
        case .nothing: break
        case .update: updates.add(row.row, lane: row.lane)
        case .insert: inserts.add(row.row, lane: row.lane)
        }
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
