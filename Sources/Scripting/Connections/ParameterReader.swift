import CLua
import LuaRuntime
import Postgres
import PostgresProtocol

/// Reads the values of `$1`, `$2`, … from a call's arguments.
enum ParameterReader {
    /// The arguments from `first` on.
    static func parameters(
        from first: Int32, of stack: LuaStack, _ function: String
    ) throws(ScriptError) -> [Parameter] {
        guard stack.count >= first else { return [] }
        var parameters: [Parameter] = []
        for index in first...stack.count {
            do {
                parameters.append(try parameter(at: index, of: stack))
            } catch {
                throw .argument(Int(index), of: function, error.description)
            }
        }
        return parameters
    }

    private static func parameter(at index: Int32, of stack: LuaStack) throws(FieldError) -> Parameter {
        switch stack.type(at: index) {
        case .none, .nil, .lightUserdata: return .null
        case .boolean: return .boolean(stack.isTrue(at: index))
        case .number:
            if stack.isInteger(at: index), let value = stack.integer(at: index) { return .integer(value) }
            return .float(stack.number(at: index) ?? 0)
        case .string: return .text(stack.bytes(at: index).map(Array.init) ?? [])
        case .table:
            return .text(try isArray(index, stack) ? arrayText(index, stack) : FieldWriter.json(index, of: stack))
        case .userdata:
            if let decimal = DecimalUserdata.read(at: index, of: stack.thread) {
                return .typed(.numeric, Array(decimal.description.utf8))
            }
            if let text = FieldWriter.text(of: index, stack) { return .text(text) }
        case .function, .thread: break
        }
        throw .type("a \(stack.describe(at: index)) cannot be a parameter")
    }

    /// A table without fields other than an array's is an array; `rh.json.array` and `rh.json.object` mark JSON, but an
    /// array that came from PostgreSQL, which has `n`, stays one.
    private static func isArray(_ index: Int32, _ stack: LuaStack) throws(FieldError) -> Bool {
        let hasCount = stack.getField("n", of: index) == .number
        stack.pop()
        if !hasCount && JSONMark.isPresent(at: index, of: stack) { return false }
        var hasOnlyArrayFields = true
        stack.forEach(in: index) { key, _ in
            if stack.type(at: key) == .number { return }
            let name = stack.string(at: key)
            if name != "n" && name != "bounds" { hasOnlyArrayFields = false }
        }
        return hasOnlyArrayFields
    }

    /// The array's text form; the server infers the type of its elements.
    private static func arrayText(_ index: Int32, _ stack: LuaStack) throws(FieldError) -> [UInt8] {
        var writer = FieldWriter()
        var buffer = ByteBuffer()
        try writer.appendArray(index, of: stack, element: .text, .text, to: &buffer)
        return Array(buffer.bytes)
    }
}

/// What `rh.json.array` and `rh.json.object` leave on a table.
enum JSONMark {
    static func isPresent(at index: Int32, of stack: LuaStack) -> Bool {
        guard lua_getmetatable(stack.thread, index) != 0 else { return false }
        defer { stack.pop() }
        for key in [RegistryKey.jsonArray, .jsonObject] {
            lua_rawgetp(stack.thread, RegistryKey.table, key.pointer)
            let isSame = lua_rawequal(stack.thread, -1, -2) != 0
            stack.pop()
            if isSame { return true }
        }
        return false
    }
}
