import CLua
import LuaRuntime
import Postgres
import PostgresProtocol

/// A query's result as a script sees it: `#r`, `r[i]`, `r:one()`, `r:scalar()`, `r.affected`, `r.command`, `r.columns`.
final class ResultObject {
    static let type = ObjectType<ResultObject>("result")

    let result: ResultSet
    private let factory: RowFactory
    private var shape: RowShape { factory.shape }

    init(_ result: ResultSet, _ factory: RowFactory) {
        self.result = result
        self.factory = factory
    }

    /// Pushes a result; user value 1 is the table of its changed rows.
    static func push(_ result: ResultSet, _ rows: RowLibrary, to stack: LuaStack) {
        let factory = rows.factory(result.shape, in: stack)
        stack.push(ResultObject(result, factory), type, userValues: 1)
        stack.pushTable()
        lua_setiuservalue(stack.thread, -2, 1)
    }

    /// Pushes row `position` (from 1) of the result at `index`; nil behind the end.
    func pushRow(_ position: Int, at index: Int32, to stack: LuaStack) {
        guard position >= 1, position <= result.count else { return stack.pushNil() }
        lua_getiuservalue(stack.thread, index, 1)
        let changed = stack.count
        stack.pushElement(position, of: changed)
        if !stack.isNil(at: -1) { return stack.remove(at: changed) }
        stack.pop()
        let bytes = result[position - 1]
        let fields = RowUserdata.push(factory, size: bytes.count, position: position, to: stack)
        if let source = bytes.baseAddress { fields.copyMemory(from: source, byteCount: bytes.count) }
        stack.pushCopy(of: changed)
        lua_setiuservalue(stack.thread, -2, 2)
        stack.remove(at: changed)
    }

    static func register(in stack: LuaStack, _ rows: RowLibrary) {
        let methods = makeMethods(in: stack, rows)
        type.register(
            in: stack,
            metamethods: [
                "__index": { stack throws(ScriptError) in
                    let object = try stack.receiver(type, "result")
                    if let position = stack.integer(at: 2) {
                        object.pushRow(Int(position), at: 1, to: stack)
                        return 1
                    }
                    return try object.pushProperty(stack, methods)
                },
                "__len": { stack throws(ScriptError) in
                    stack.push(Int64(try stack.receiver(type, "#result").result.count))
                    return 1
                },
                "__tostring": { stack throws(ScriptError) in
                    stack.push(try stack.receiver(type, "tostring").table(rows, stack))
                    return 1
                },
            ])
    }

    private func pushProperty(_ stack: LuaStack, _ methods: LuaReference) throws(ScriptError) -> Int32 {
        switch stack.string(at: 2) {
        case "affected": result.affected.map { stack.push(Int64($0)) } ?? stack.pushNil()
        case "command": stack.push(result.command)
        case "columns": pushColumns(stack)
        default:
            stack.push(methods)
            stack.pushCopy(of: 2)
            // Other names are nil, as are a PgError's fields: where an error may stand, they are asked for.
            guard lua_rawget(stack.thread, -2) == LUA_TNIL, let name = stack.string(at: 2),
                !Self.errorFields.contains(name), shape.columns.contains(where: { $0.name == name })
            else { return 1 }
            throw ScriptError(
                code: "RH1008", "a result has no \"\(name)\", its rows have",
                hint: "Write result[1].\(name), or result:one().\(name).")
        }
        return 1
    }

    private static let errorFields: Set<String> = [
        "code", "sqlstate", "severity", "message", "detail", "hint", "position", "constraint", "schema", "table",
        "column", "query", "context", "retryable",
    ]

    private func pushColumns(_ stack: LuaStack) {
        stack.pushTable(arrayCount: shape.columns.count)
        for (index, column) in shape.columns.enumerated() {
            stack.pushTable(fieldCount: 3)
            stack.push(column.name)
            stack.setField("name", of: -2)
            stack.push(column.kind == .other ? "oid \(column.type)" : column.kind.description)
            stack.setField("type", of: -2)
            stack.push(Int64(column.type.rawValue))
            stack.setField("oid", of: -2)
            stack.setElement(index + 1, of: -2)
        }
    }

    private static func makeMethods(in stack: LuaStack, _ rows: RowLibrary) -> LuaReference {
        let methods: [String: HostFunction] = [
            "one": { stack throws(ScriptError) in
                let object = try stack.receiver(type, "result:one")
                try object.requireRows(1...1, "result:one")
                object.pushRow(1, at: 1, to: stack)
                return 1
            },
            "scalar": { stack throws(ScriptError) in
                let object = try stack.receiver(type, "result:scalar")
                try object.requireRows(0...1, "result:scalar")
                guard object.result.count == 1, !object.shape.columns.isEmpty else {
                    stack.pushNil()
                    return 1
                }
                object.pushRow(1, at: 1, to: stack)
                let row = try RowLibrary.row(at: -1, of: stack, "result:scalar")
                try rows.pushValue(of: row, 0, at: stack.count, to: stack)
                return 1
            },
        ]
        stack.pushTable(fieldCount: methods.count)
        for (name, body) in methods {
            stack.push(function: body)
            stack.setField(name, of: -2)
        }
        return stack.makeReference()
    }

    private func requireRows(_ range: ClosedRange<Int>, _ method: String) throws(ScriptError) {
        guard !range.contains(result.count) else { return }
        let expected = range.lowerBound == range.upperBound ? "exactly 1 row" : "at most 1 row"
        throw ScriptError(
            code: "RH2105", "\(method): expected \(expected), got \(result.count)",
            hint: "Add a condition or LIMIT 1, or go through the rows with ipairs(result).")
    }

    /// As psql draws it; long results are cut.
    private func table(_ rows: RowLibrary, _ stack: LuaStack) throws(ScriptError) -> String {
        guard !shape.columns.isEmpty else { return result.command }
        let shown = min(result.count, 1000)
        var cells: [[String?]] = []
        for position in 0..<shown {
            pushRow(position + 1, at: 1, to: stack)
            let row = try RowLibrary.row(at: -1, of: stack, "tostring")
            var line: [String?] = []
            for column in shape.columns.indices {
                try rows.pushValue(of: row, column, at: stack.count, to: stack)
                line.append(DisplayText.text(of: -1, stack))
                stack.pop()
            }
            cells.append(line)
            stack.pop()
        }
        let columns = shape.columns.map { ResultTable.Column($0.name, isNumeric: $0.kind.isNumeric) }
        return ResultTable.render(columns: columns, rows: cells, total: result.count)
    }
}

extension ValueKind {
    var isNumeric: Bool { isInteger || self == .float4 || self == .float8 || self == .numeric }
}
