import LuaRuntime
import PostgresProtocol
import Replication

/// A table of the target, with a lane for each set of columns that rows have come with.
final class RowDestination {
    final class Lane {
        let lane: OutputLane
        let encoder: RowEncoder

        init(_ lane: OutputLane, _ rows: RowLibrary) {
            self.lane = lane
            encoder = RowEncoder(
                lane.columns.map { .init(name: $0.name, kind: $0.kind) }, lane.format, isFramed: lane.isFramed,
                mayOmit: lane.isPartial, rows)
        }
    }

    /// Positions of columns.
    private struct ColumnSet: Hashable {
        private var first: UInt64 = 0
        private var others: Set<Int> = []

        mutating func insert(_ position: Int) {
            if position < 64 { first |= 1 << UInt64(position) } else { others.insert(position) }
        }

        func contains(_ position: Int) -> Bool {
            position < 64 ? first & 1 << UInt64(position) != 0 : others.contains(position)
        }
    }

    let table: CatalogTable
    private let rows: RowLibrary
    private let state: LuaState
    /// A Lua table: position (from 0) by column name.
    private let positions: LuaReference
    private var views: Lane?
    /// Positions of the added columns of rows that the table does not have.
    private var missing: [Int] = []
    private var partial: [ColumnSet: Lane] = [:]
    private var tables: [ColumnSet: Lane] = [:]
    private var latest: (columns: ColumnSet, lane: Lane)?

    init(_ table: CatalogTable, _ state: LuaState, _ rows: RowLibrary) {
        self.table = table
        self.rows = rows
        self.state = state
        let stack = state.stack
        stack.pushTable(fieldCount: table.columns.count)
        for (position, column) in table.columns.enumerated() {
            stack.push(Int64(position))
            stack.setField(column.name, of: -2)
        }
        positions = stack.makeReference()
    }

    deinit {
        if !state.isClosed { state.stack.release(positions) }
    }

    /// For rows as they are, the row at `index` among them: all their columns; those that were added only if the table
    /// has them. One that it has not must not be assigned.
    @inline(__always)
    func lane(
        forViews shape: RowShape, _ row: RowUserdata, at index: Int32, _ stack: LuaStack, _ output: ChunkOutput
    ) throws(ScriptError) -> Lane {
        let lane = if let views { views } else { try makeViewLane(shape, output) }
        if missing.isEmpty { return lane }
        for position in missing where row.mayBeAssigned(position) && rows.pushAssigned(position, of: index, to: stack) {
            throw unknownColumn(shape.columns[position].name)
        }
        return lane
    }

    /// The same for rows of changes: without columns that were not sent, or that were given what stands for those.
    func lane(
        forChange row: RowUserdata, _ shape: RowShape, at index: Int32, _ stack: LuaStack, _ output: ChunkOutput
    ) throws(ScriptError) -> Lane {
        var omitted = ColumnSet()
        var isPartial = false
        for position in shape.columns.indices where isOmitted(position, row, shape, at: index, stack) {
            omitted.insert(position)
            isPartial = true
        }
        guard isPartial else { return try lane(forViews: shape, row, at: index, stack, output) }
        if let known = partial[omitted] { return known }
        let names = shape.columns.indices.filter { position in
            !omitted.contains(position) && table.column(shape.columns[position].name) != nil
        }.map { shape.columns[$0].name }
        let lane = try makeLane(names, output, isPartial: true)
        partial[omitted] = lane
        return lane
    }

    private func isOmitted(
        _ position: Int, _ row: RowUserdata, _ shape: RowShape, at index: Int32, _ stack: LuaStack
    ) -> Bool {
        if row.mayBeAssigned(position), rows.pushAssigned(position, of: index, to: stack) {
            defer { stack.pop() }
            return stack.isUnchanged(at: -1)
        }
        return position < shape.fieldCount && row.isUnchanged(position)
    }

    private func makeViewLane(_ shape: RowShape, _ output: ChunkOutput) throws(ScriptError) -> Lane {
        missing = shape.columns.indices.filter {
            $0 >= shape.fieldCount && table.column(shape.columns[$0].name) == nil
        }
        let columns = shape.columns.indices.filter { !missing.contains($0) }
        let lane = try makeLane(columns.map { shape.columns[$0].name }, output)
        views = lane
        return lane
    }

    /// For the table at `index`: the columns that it has keys of; the others take their defaults.
    func lane(forTableAt index: Int32, _ stack: LuaStack, _ output: ChunkOutput) throws(ScriptError) -> Lane {
        let columns = try columns(ofTableAt: index, stack)
        if let latest, latest.columns == columns { return latest.lane }
        let lane: Lane
        if let known = tables[columns] {
            lane = known
        } else {
            lane = try makeLane(
                table.columns.indices.filter(columns.contains).map { table.columns[$0].name }, output)
            tables[columns] = lane
        }
        latest = (columns, lane)
        return lane
    }

    private func columns(ofTableAt index: Int32, _ stack: LuaStack) throws(ScriptError) -> ColumnSet {
        var columns = ColumnSet()
        stack.push(positions)
        let positions = stack.count
        try stack.forEach(in: index) { (key, _) throws(ScriptError) in
            stack.pushCopy(of: key)
            guard stack.rawGet(from: positions) == .number, let position = stack.integer(at: -1) else {
                throw unknownColumn(DisplayText.text(of: key, stack) ?? "nil")
            }
            stack.pop()
            columns.insert(Int(position))
        }
        stack.pop()
        return columns
    }

    private func makeLane(
        _ names: [String], _ output: ChunkOutput, isPartial: Bool = false
    ) throws(ScriptError) -> Lane {
        for name in names where table.column(name) == nil { throw unknownColumn(name) }
        do throws(ReplicationError) {
            return Lane(try output.lane(table, columns: names, isPartial: isPartial), rows)
        } catch {
            throw ScriptError(error)
        }
    }

    private func unknownColumn(_ name: String) -> ScriptError {
        let near = Suggestion.nearest(to: name, among: table.columns.map(\.name))
        return ScriptError(
            code: "RH2104",
            "no column \"\(name)\" in \(table.name) of the target" + (near.map { ", did you mean \"\($0)\"?" } ?? ""),
            hint: "Its columns are \(table.columns.map(\.name).joined(separator: ", ")).")
    }
}
