import CLua
import CLuaShim
import LuaRuntime
import Postgres
import PostgresProtocol

/// Everything that one Lua state needs for rows: their metamethods, the shapes that are in use, the codecs' buffers.
final class RowLibrary {
    var reader = FieldReader()
    var writer = FieldWriter()
    private let metamethods: LuaReference
    private let methods: LuaReference
    private var factories: [ObjectIdentifier: (ResultShape, RowFactory)] = [:]
    /// Shapes of prepared statements come again and again; those of ad-hoc queries do not.
    private static let cachedFactories = 512

    init(in stack: LuaStack) {
        RowShape.type.register(in: stack)
        stack.pushTable(fieldCount: 10)
        metamethods = stack.makeReference()
        stack.pushTable(fieldCount: 4)
        methods = stack.makeReference()
        registerMetamethods(in: stack)
        registerMethods(in: stack)
    }

    func factory(_ shape: ResultShape, in stack: LuaStack) -> RowFactory {
        if let (_, known) = factories[ObjectIdentifier(shape)] { return known }
        if factories.count >= Self.cachedFactories { factories.removeAll() }
        let made = factory(
            shape.columns.map { .init(name: $0.name, type: $0.type, kind: ValueKind($0.type), format: $0.format) },
            in: stack)
        factories[ObjectIdentifier(shape)] = (shape, made)
        return made
    }

    func factory(
        _ columns: [RowShape.Column], added: [RowShape.Column] = [], in stack: LuaStack
    ) -> RowFactory {
        RowFactory(columns, added: added, in: stack, metamethods: metamethods)
    }

    // MARK: Reading and assigning

    /// Pushes the value of a column, the assigned one if there is one.
    @inline(__always)
    func pushValue(of row: RowUserdata, _ column: Int, at index: Int32, to stack: LuaStack) throws(ScriptError) {
        if row.mayBeAssigned(column), pushAssigned(column, of: index, to: stack) { return }
        let entry = row.unmanagedShape._withUnsafeGuaranteedRef { $0.entry(column) }
        if !entry.isAdded, row.isUnchanged(column) { return stack.pushUnchanged() }
        do {
            try reader.push(entry.isAdded ? nil : row.field(column), entry.kind, entry.format, to: stack)
        } catch {
            throw ScriptError(code: "RH2101", "column \"\(row.shape.columns[column].name)\": \(error)")
        }
    }

    /// Pushes what was assigned to a column of the row at `index`; false, and nothing pushed, if nothing was.
    func pushAssigned(_ column: Int, of index: Int32, to stack: LuaStack) -> Bool {
        rh_push_assigned(stack.thread, index, Int32(column))
    }

    /// Keeps the value at `value` for a column of the row at `index`.
    private func assign(_ column: Int, at index: Int32, value: Int32, in stack: LuaStack) {
        rh_assign(stack.thread, index, Int32(column), value)
    }

    // MARK: Metamethods

    private func registerMetamethods(in stack: LuaStack) {
        let functions: [String: HostFunction] = [
            "__len": { stack throws(ScriptError) in
                stack.push(Int64(try Self.row(at: 1, of: stack, "#row").shape.columns.count))
                return 1
            },
            "__pairs": { [self] stack throws(ScriptError) in try pushIterator(stack) },
            "__tostring": { [self] stack throws(ScriptError) in
                stack.push(try text(of: stack))
                return 1
            },
        ]
        stack.push(metamethods)
        for (name, body) in functions {
            stack.push(function: body)
            stack.setField(name, of: -2)
        }
        stack.push(direct: indexRow, self, as: rh_push_row_index)
        stack.setField("__index", of: -2)
        stack.push(direct: assignRow, self, as: rh_push_row_assignment)
        stack.setField("__newindex", of: -2)
        stack.push("row")
        stack.setField("__name", of: -2)
        stack.push(false)
        stack.setField("__metatable", of: -2)
        stack.pop()
    }

    private func registerMethods(in stack: LuaStack) {
        let functions: [String: HostFunction] = [
            "copy": { [self] stack throws(ScriptError) in try copy(stack) },
            "totable": { [self] stack throws(ScriptError) in try pushTable(stack) },
            "columns": { stack throws(ScriptError) in
                let row = try Self.row(at: 1, of: stack, "row:columns")
                stack.pushTable(arrayCount: row.shape.columns.count)
                for (index, column) in row.shape.columns.enumerated() {
                    stack.push(column.name)
                    stack.setElement(index + 1, of: -2)
                }
                return 1
            },
        ]
        stack.push(methods)
        for (name, body) in functions {
            stack.push(function: body)
            stack.setField(name, of: -2)
        }
        stack.pop()
    }

    @inline(__always)
    static func row(at index: Int32, of stack: LuaStack, _ function: String) throws(ScriptError) -> RowUserdata {
        if let row = RowUserdata(at: index, of: stack) { return row }
        if RowUserdata.isExpired(at: index, of: stack) { throw .expiredRow }
        if stack.describe(at: index) == "row" {
            throw ScriptError(code: "RH2106", "\(function): the row was finalized and cannot be read any more")
        }
        throw ScriptError(code: "RH1002", "\(function): expected a row, got \(stack.describe(at: index))")
    }

    @inline(__always)
    fileprivate func index(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        let row = try Self.row(at: 1, of: stack, "row")
        if stack.type(at: 2) == .string {
            if let column = row.unmanagedShape._withUnsafeGuaranteedRef({ $0.column(named: 2, stack) }) {
                try pushValue(of: row, column, at: 1, to: stack)
                return 1
            }
            stack.push(methods)
            stack.pushCopy(of: 2)
            if lua_rawget(stack.thread, -2) != LUA_TNIL { return 1 }
        }
        let column = try position(stack, row)
        try pushValue(of: row, column, at: 1, to: stack)
        return 1
    }

    @inline(__always)
    fileprivate func assignColumn(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        let row = try Self.row(at: 1, of: stack, "row")
        assign(try position(stack, row), at: 1, value: 3, in: stack)
        return 0
    }

    /// The column that the key at index 2 means: a name, or a number from 1.
    private func position(_ stack: LuaStack, _ row: RowUserdata) throws(ScriptError) -> Int {
        if stack.type(at: 2) == .string {
            if let column = row.unmanagedShape._withUnsafeGuaranteedRef({ $0.column(named: 2, stack) }) {
                return column
            }
            throw row.shape.unknownColumn(stack.string(at: 2) ?? "")
        }
        let count = row.shape.columns.count
        guard let number = stack.integer(at: 2), number >= 1, number <= count else {
            throw ScriptError(
                code: "RH2104",
                "no column \(stack.integer(at: 2).map(String.init) ?? "of type \(stack.describe(at: 2))")",
                hint: "A row has columns by name, and by number from 1 to \(count).")
        }
        return Int(number) - 1
    }

    private func pushIterator(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        let row = try Self.row(at: 1, of: stack, "pairs")
        let count = row.shape.columns.count
        var next = 0
        stack.push(function: { [self] stack throws(ScriptError) in
            let row = try Self.row(at: 1, of: stack, "pairs")
            guard next < count else { return 0 }
            stack.push(row.shape.columns[next].name)
            try pushValue(of: row, next, at: 1, to: stack)
            next += 1
            return 2
        })
        stack.pushCopy(of: 1)
        return 2
    }

    /// A table of all columns that are not NULL; of columns with the same name the first, as `row.name`.
    private func pushTable(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        let row = try Self.row(at: 1, of: stack, "row:totable")
        stack.pushTable(fieldCount: row.shape.columns.count)
        let table = stack.count
        for (index, column) in row.shape.columns.enumerated().reversed() {
            try pushValue(of: row, index, at: 1, to: stack)
            stack.setField(column.name, of: table)
        }
        return 1
    }

    private func copy(_ stack: LuaStack) throws(ScriptError) -> Int32 {
        let row = try Self.row(at: 1, of: stack, "row:copy")
        RowUserdata.pushCopy(of: 1, to: stack)
        guard row.isChanged else { return 1 }
        let index = stack.count
        for column in row.shape.columns.indices where pushAssigned(column, of: 1, to: stack) {
            assign(column, at: index, value: stack.count, in: stack)
            stack.pop()
        }
        return 1
    }

    /// `row(id=1, name="Ann", note=NULL)`, shortened.
    private func text(of stack: LuaStack) throws(ScriptError) -> String {
        let row = try Self.row(at: 1, of: stack, "tostring")
        var parts: [String] = []
        for (index, column) in row.shape.columns.prefix(20).enumerated() {
            try pushValue(of: row, index, at: 1, to: stack)
            parts.append("\(column.name)=\(DisplayText.short(of: -1, stack))")
            stack.pop()
        }
        if row.shape.columns.count > 20 { parts.append("…") }
        return "row(\(parts.joined(separator: ", ")))"
    }
}

/// `row.column`, for what `rh_push_row_index` leaves to the host.
private func indexRow(_ thread: LuaThread?, _ library: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, library, RowLibrary.self) { library, stack throws(ScriptError) in try library.index(stack) }
}

/// `row.column = value`.
private func assignRow(_ thread: LuaThread?, _ library: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, library, RowLibrary.self) { library, stack throws(ScriptError) in
        try library.assignColumn(stack)
    }
}

extension ScriptError {
    static let expiredRow = ScriptError(
        code: "RH3211", "the row was used after its transform returned",
        hint: "Keep a copy, row:copy(), or its values, row:totable().")
}
