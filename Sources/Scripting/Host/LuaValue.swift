import CLua
import LuaRuntime
import PostgresProtocol

/// A Lua value outside of any state: what workers hand to each other.
indirect enum LuaValue: Sendable {
    case null
    case `nil`
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string([UInt8])
    case decimal(Decimal)
    case table([(key: LuaValue, value: LuaValue)])

    /// Copies the value at `index`. Functions, connections and the like stay where they are: an error.
    init(at index: Int32, of stack: LuaStack, depth: Int = 0) throws(ScriptError) {
        guard depth < 100 else {
            throw ScriptError(code: "RH1401", "a table that is copied to a worker is nested too deeply, or in a cycle")
        }
        switch stack.type(at: index) {
        case .none, .nil: self = .nil
        case .lightUserdata: self = .null
        case .boolean: self = .boolean(stack.isTrue(at: index))
        case .number:
            if stack.isInteger(at: index), let value = stack.integer(at: index) {
                self = .integer(value)
            } else {
                self = .number(stack.number(at: index) ?? 0)
            }
        case .string: self = .string(stack.bytes(at: index).map(Array.init) ?? [])
        case .table:
            try stack.reserve(4)
            var fields: [(key: LuaValue, value: LuaValue)] = []
            try stack.forEach(in: index) { (key, value) throws(ScriptError) in
                fields.append(
                    (
                        try LuaValue(at: key, of: stack, depth: depth + 1),
                        try LuaValue(at: value, of: stack, depth: depth + 1)
                    ))
            }
            self = .table(fields)
        case .userdata:
            guard let decimal = DecimalUserdata.read(at: index, of: stack.thread) else { fallthrough }
            self = .decimal(decimal)
        case .function, .thread:
            throw ScriptError(
                code: "RH1402", "a \(stack.describe(at: index)) cannot be copied to another worker",
                hint: "Pass numbers, strings, booleans, decimals and tables of them (row:totable()).")
        }
    }

    func push(to stack: LuaStack) throws(ScriptError) {
        try stack.reserve(4)
        switch self {
        case .null: stack.pushNull()
        case .nil: stack.pushNil()
        case .boolean(let value): stack.push(value)
        case .integer(let value): stack.push(value)
        case .number(let value): stack.push(value)
        case .string(let bytes): bytes.withUnsafeBytes { stack.push(bytes: $0) }
        case .decimal(let value): DecimalUserdata.push(value, on: stack.thread)
        case .table(let fields):
            stack.pushTable(fieldCount: fields.count)
            let table = stack.count
            for (key, value) in fields {
                try key.push(to: stack)
                try value.push(to: stack)
                lua_rawset(stack.thread, table)
            }
        }
    }
}
