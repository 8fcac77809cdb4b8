import LuaRuntime
import PostgresProtocol
import Replication

/// Writes what a script's function has returned for a row: all of it, or nothing and an error.
final class TransformWriter {
    /// Lanes that are to be handed on before the next row.
    var due: [OutputLane] = []
    /// There are some.
    var isDue = false
    private let library: TransformLibrary
    private let shape: RowShape
    private let output: ChunkOutput
    /// Rows are those of changes: columns may be missing.
    private let isOfChanges: Bool
    private let rows: RowLibrary
    private let state: LuaState
    /// The table that rows go into unless something else was said.
    private let own: RowDestination
    private var others: [QualifiedName: RowDestination] = [:]
    private var names: [String: QualifiedName] = [:]
    /// What was written of the current row: lanes, and where it began in each.
    private var written: [(lane: OutputLane, mark: Int)] = []

    init(_ transform: LuaRowTransform, _ shape: RowShape, _ output: ChunkOutput, isOfChanges: Bool) {
        self.output = output
        self.isOfChanges = isOfChanges
        self.shape = shape
        library = transform.library
        rows = transform.worker.rows
        state = transform.worker.state
        own = RowDestination(transform.mapping.target, state, rows)
    }

    func add(_ table: CatalogTable) { others[table.name] = RowDestination(table, state, rows) }

    /// Writes the function's results, which begin at index 2. `source` is the row that they come from; nil if none of
    /// their own.
    @inline(__always)
    func write(_ stack: LuaStack, of source: RowUserdata?) throws(ScriptError) {
        guard stack.count <= 2 else { throw .severalResults(Int(stack.count) - 1) }
        if let source, source.isSame(asAt: 2, of: stack) { return try writeAlone(source, stack) }
        do throws(ScriptError) {
            try write(at: 2, stack, isInList: false)
        } catch {
            for (lane, mark) in written.reversed() { lane.buffer.truncate(to: mark) }
            written.removeAll(keepingCapacity: true)
            throw error
        }
        if written.isEmpty && source != nil { output.counts.dropped += 1 }
        for (lane, _) in written { count(lane) }
        written.removeAll(keepingCapacity: true)
    }

    /// The most usual of all results: the row itself.
    @inline(__always)
    private func writeAlone(_ row: RowUserdata, _ stack: LuaStack) throws(ScriptError) {
        guard row.unmanagedShape.toOpaque() == Unmanaged.passUnretained(shape).toOpaque() else { throw .foreignRow }
        let lane = try lane(row, at: 2, stack, own)
        let mark = lane.lane.buffer.count
        do throws(ScriptError) {
            try lane.encoder.append(row, at: 2, of: stack, to: &lane.lane.buffer)
        } catch {
            lane.lane.buffer.truncate(to: mark)
            throw error
        }
        count(lane.lane)
    }

    @inline(__always)
    private func lane(
        _ row: RowUserdata, at index: Int32, _ stack: LuaStack, _ destination: RowDestination
    ) throws(ScriptError) -> RowDestination.Lane {
        isOfChanges
            ? try destination.lane(forChange: row, shape, at: index, stack, output)
            : try destination.lane(forViews: shape, row, at: index, stack, output)
    }

    @inline(__always)
    private func count(_ lane: OutputLane) {
        guard output.rowWritten(to: lane), !due.contains(where: { $0 === lane }) else { return }
        due.append(lane)
        isDue = true
    }

    private func write(at index: Int32, _ stack: LuaStack, isInList: Bool) throws(ScriptError) {
        if let row = RowUserdata(at: index, of: stack) { return try write(row, at: index, stack, to: own) }
        guard stack.type(at: index) == .table else { throw failure(at: index, stack) }
        let address = stack.address(at: index)
        if address == library.drop { return }
        if address == library.copy || address == library.skip { throw .ofDeclarations }
        if stack.metatableAddress(at: index) == library.routed { return try writeRouted(at: index, stack) }
        guard !isInList, isList(at: index, stack) else { return try writeTable(at: index, stack, to: own) }
        for position in 0..<stack.rawCount(at: index) {
            stack.pushElement(position + 1, of: index)
            try write(at: stack.count, stack, isInList: true)
            stack.pop()
        }
    }

    /// An empty table is one, too.
    private func isList(at index: Int32, _ stack: LuaStack) -> Bool {
        stack.pushElement(1, of: index)
        defer { stack.pop() }
        if !stack.isNil(at: -1) { return true }
        var isEmpty = true
        stack.forEach(in: index) { _, _ in isEmpty = false }
        return isEmpty
    }

    private func write(
        _ row: RowUserdata, at index: Int32, _ stack: LuaStack, to destination: RowDestination
    ) throws(ScriptError) {
        guard row.unmanagedShape.toOpaque() == Unmanaged.passUnretained(shape).toOpaque() else { throw .foreignRow }
        let lane = try lane(row, at: index, stack, destination)
        written.append((lane.lane, lane.lane.buffer.count))
        try lane.encoder.append(row, at: index, of: stack, to: &lane.lane.buffer)
    }

    private func writeTable(
        at index: Int32, _ stack: LuaStack, to destination: RowDestination
    ) throws(ScriptError) {
        let lane = try destination.lane(forTableAt: index, stack, output)
        written.append((lane.lane, lane.lane.buffer.count))
        try lane.encoder.appendTable(at: index, of: stack, to: &lane.lane.buffer)
    }

    // MARK: Other tables

    /// `rh.to(table, row)`.
    private func writeRouted(at index: Int32, _ stack: LuaStack) throws(ScriptError) {
        guard let destination = destination(try name(ofRoutedAt: index, stack)) else { throw .unknownTable }
        stack.getField("row", of: index)
        defer { stack.pop() }
        if let row = RowUserdata(at: stack.count, of: stack) {
            return try write(row, at: stack.count, stack, to: destination)
        }
        guard stack.type(at: -1) == .table, stack.metatableAddress(at: -1) != library.routed else {
            throw failure(at: stack.count, stack)
        }
        try writeTable(at: stack.count, stack, to: destination)
    }

    private func destination(_ name: QualifiedName) -> RowDestination? {
        name == own.table.name ? own : others[name]
    }

    /// The first table among the results that the target was not asked for yet.
    @inline(__always)
    func unknownTable(_ stack: LuaStack) throws(ScriptError) -> QualifiedName? {
        stack.type(at: 2) == .table ? try unknownTable(at: 2, stack) : nil
    }

    private func unknownTable(at index: Int32, _ stack: LuaStack) throws(ScriptError) -> QualifiedName? {
        if stack.metatableAddress(at: index) == library.routed {
            let name = try name(ofRoutedAt: index, stack)
            return destination(name) == nil ? name : nil
        }
        for position in 0..<stack.rawCount(at: index) {
            stack.pushElement(position + 1, of: index)
            defer { stack.pop() }
            if stack.type(at: -1) == .table, stack.metatableAddress(at: -1) == library.routed {
                let name = try name(ofRoutedAt: stack.count, stack)
                if destination(name) == nil { return name }
            }
        }
        return nil
    }

    private func name(ofRoutedAt index: Int32, _ stack: LuaStack) throws(ScriptError) -> QualifiedName {
        stack.getField("table", of: index)
        defer { stack.pop() }
        let text = stack.string(at: -1) ?? ""
        if let name = names[text] { return name }
        guard var name = QualifiedName(parsing: text) else {
            throw ScriptError(
                code: "RH3207", "rh.to: \"\(text)\" is not a table name",
                hint: "Write \"schema.table\"; names with other characters go in double quotes.")
        }
        name.schema = name.schema ?? "public"
        names[text] = name
        return name
    }

    // MARK: Errors

    private func failure(at index: Int32, _ stack: LuaStack) -> ScriptError {
        switch stack.type(at: index) {
        case .none, .nil: return .noResult
        case .userdata where RowUserdata.isExpired(at: index, of: stack): return .expiredRow
        default:
            return ScriptError(
                code: "RH3204", "the transform returned a \(stack.describe(at: index))",
                hint: "Return the row, a table, rh.drop, rh.to(table, row), or a list of these.")
        }
    }
}

extension ScriptError {
    fileprivate static let foreignRow = ScriptError(
        code: "RH3202", "the transform returned a row that is not of its table",
        hint: "Rows of queries and of other tables are returned as tables: row:totable().")

    fileprivate static let noResult = ScriptError(
        code: "RH3203", "the transform returned nothing",
        hint: "Return the row, or rh.drop to leave it out: is a \"return\" missing?")

    fileprivate static let ofDeclarations = ScriptError(
        code: "RH3204", "the transform returned rh.copy or rh.skip, which are for a pipeline's tables",
        hint: "Return the row to copy it, rh.drop to leave it out.")

    fileprivate static let unknownTable = ScriptError(code: "RH3207", "rh.to: the table is not known")

    fileprivate static func severalResults(_ count: Int) -> ScriptError {
        ScriptError(
            code: "RH3204", "the transform returned \(count) values",
            hint: "Return one value; for several rows a list of them, { a, b }.")
    }
}

extension ScriptError {
    init(_ error: ReplicationError) {
        if case .mismatch(let code, let message, let hint) = error {
            self.init(code: code, message, hint: hint)
        } else {
            self.init(code: "RH3200", "\(error)")
        }
    }
}
