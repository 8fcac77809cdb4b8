package import PostgresProtocol

/// A table of the target that changes go to.
package final class ApplyTable {
    /// What becomes of a change that finds the target in another state than the source was in.
    struct Policy: Equatable {
        enum Missing {
            case error
            case insert
            case ignore
        }

        /// An insert whose key is there already.
        var existing = ConflictPolicy.error
        /// An update whose row is not there.
        var updated = Missing.error
        /// The same for an update that leaves columns out, from which no row can be made; where `updated` is to insert.
        var partlyUpdated = Missing.error
        var isDeleteChecked = true
        /// What is let pass is counted.
        var countsConflicts = false

        init() {}

        /// Of tables that only functions send rows to.
        static let ofOtherTables: Policy = {
            var policy = Policy()
            policy.updated = .insert
            policy.isDeleteChecked = false
            return policy
        }()
    }

    let table: CatalogTable
    /// Columns that tell a row from all others; empty: a row is found by all of its columns.
    let key: [CatalogColumn]
    var policy: Policy
    /// Position in `ApplyPlan.tables`.
    let number: Int
    /// The same for tables that have rows in common.
    let family: Int
    /// Rows whose keys have other bytes are other rows, and do not get into each other's way.
    var keepsRowsApart: Bool { hasExactKeys && !isShared }
    private var hasExactKeys: Bool
    private var isShared = false
    private var formats: Set<DataFormat> = []

    init(_ table: CatalogTable, key: [String], _ policy: Policy, number: Int, family: Int) {
        self.table = table
        self.key = key.compactMap(table.column)
        self.policy = policy
        self.number = number
        self.family = family
        let isItsKey = table.key.isEmpty || Set(table.key) == Set(key)
        hasExactKeys = table.hasOnlyItsKey && isItsKey && self.key.allSatisfy(\.hasExactBytes)
    }

    /// Another one has rows of this one, and tells them apart in another way, unless it takes this one's place.
    func share(with other: ApplyTable) {
        isShared = isShared || other.table.name != table.name || other.key.map(\.name) != key.map(\.name)
        other.isShared = isShared
    }

    /// What functions write as text may be the same value in other characters.
    func note(_ format: DataFormat, isWritten: Bool) {
        formats.insert(format)
        if formats.count > 1 || (isWritten && format == .text) { hasExactKeys = false }
    }

    /// The same position always: partitions have positions of their own.
    var rowPosition: String { table.kind == .partitioned ? "tableoid, ctid" : "ctid" }
}

/// The same columns of one table: rows in them can be written by one statement.
package final class ApplyLane {
    let target: ApplyTable
    /// In the order of the rows.
    package let columns: [CatalogColumn]
    package let format: DataFormat
    /// Position in `ApplyPlan.lanes`.
    package let number: Int32
    /// Positions of the key columns in `columns`; nil if a row does not have them all.
    let key: [Int]?
    /// It leaves out columns that PostgreSQL has not sent, as they have not changed.
    let isPartial: Bool
    /// Positions of the columns that an update sets.
    let settable: [Int]
    let statements: LaneStatements

    init(_ target: ApplyTable, _ columns: [CatalogColumn], _ format: DataFormat, isPartial: Bool, number: Int32) {
        self.isPartial = isPartial
        self.target = target
        self.columns = columns
        self.format = format
        self.number = number
        let positions = target.key.map { key in columns.firstIndex { $0.name == key.name } }
        let key = target.key.isEmpty || positions.contains(nil) ? nil : positions.compactMap(\.self)
        self.key = key
        settable = columns.indices.filter { index in
            columns[index].identity != .always && !(key?.contains(index) ?? false)
        }
        statements = LaneStatements(target, columns, settable: settable, format)
    }

    /// What becomes of an update whose row is not there.
    var missing: ApplyTable.Policy.Missing {
        isPartial && target.policy.updated == .insert ? target.policy.partlyUpdated : target.policy.updated
    }
}

/// The tables and lanes that a stream has met so far.
package final class ApplyPlan {
    package private(set) var tables: [ApplyTable] = []
    package private(set) var lanes: [ApplyLane] = []
    /// There are tables whose triggers may do anything, anywhere.
    private(set) var firesAlways = false
    private var tableNumbers: [TableKey: Int] = [:]
    /// The first table of each, by the name of the partitioned table where it is part of one.
    private var families: [QualifiedName: Int] = [:]
    private var laneNumbers: [LaneKey: Int] = [:]

    private struct TableKey: Hashable {
        let name: QualifiedName
        let key: [String]
    }

    private struct LaneKey: Hashable {
        let table: Int
        let columns: [String]
        let format: DataFormat
        let isPartial: Bool
    }

    package init() {}

    /// The first mapping into a table decides what becomes of conflicts there.
    func table(_ table: CatalogTable, key: [String], _ policy: ApplyTable.Policy) -> ApplyTable {
        let name = TableKey(name: table.name, key: key)
        if let known = tableNumbers[name] { return tables[known] }
        let family = families[table.root ?? table.name] ?? tables.count
        let made = ApplyTable(table, key: key, policy, number: tables.count, family: family)
        if family < tables.count {
            tables[family].share(with: made)
        } else {
            families[table.root ?? table.name] = family
        }
        firesAlways = firesAlways || table.firesAlways
        tableNumbers[name] = made.number
        tables.append(made)
        return made
    }

    /// The table has other columns than it had; lanes are made anew.
    func replace(_ table: CatalogTable) { tableNumbers = tableNumbers.filter { $0.key.name != table.name } }

    /// For framed rows.
    func lane(_ target: ApplyTable, _ lane: OutputLane) -> ApplyLane {
        target.note(lane.format, isWritten: true)
        return add(target, lane.columns, lane.format, lane.isPartial)
    }

    /// Throws if the table does not have one of the columns, or makes it itself.
    func lane(
        _ target: ApplyTable, columns names: [String], _ format: DataFormat, isPartial: Bool = false
    ) throws(ReplicationError) -> ApplyLane {
        var columns: [CatalogColumn] = []
        for name in names {
            guard let column = target.table.column(name) else {
                throw .unknownColumn(name, of: target.table.name, .target, known: target.table.columns.map(\.name))
            }
            guard !column.isGenerated else { throw .generatedColumn(name, of: target.table) }
            columns.append(column)
        }
        target.note(format, isWritten: false)
        return add(target, columns, format, isPartial)
    }

    private func add(
        _ target: ApplyTable, _ columns: [CatalogColumn], _ format: DataFormat, _ isPartial: Bool
    ) -> ApplyLane {
        let key = LaneKey(table: target.number, columns: columns.map(\.name), format: format, isPartial: isPartial)
        if let known = laneNumbers[key] { return lanes[known] }
        let lane = ApplyLane(target, columns, format, isPartial: isPartial, number: Int32(lanes.count))
        laneNumbers[key] = lanes.count
        lanes.append(lane)
        return lane
    }
}
