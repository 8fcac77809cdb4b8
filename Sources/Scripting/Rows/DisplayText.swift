import LuaRuntime

/// Values as people read them, in tables and messages.
enum DisplayText {
    /// nil for NULL; the value's own text, else the name of its type.
    static func text(of index: Int32, _ stack: LuaStack) -> String? {
        switch stack.type(at: index) {
        case .none, .nil, .lightUserdata: nil
        case .boolean: stack.isTrue(at: index) ? "true" : "false"
        case .number:
            stack.isInteger(at: index) ? stack.integer(at: index)?.description : stack.number(at: index)?.description
        case .string: stack.string(at: index)
        case .table: json(index, stack)
        case .userdata: FieldWriter.text(of: index, stack) ?? stack.describe(at: index)
        case .function, .thread: stack.describe(at: index)
        }
    }

    /// Quoted and cut for one line.
    static func short(of index: Int32, _ stack: LuaStack) -> String {
        guard let text = text(of: index, stack) else { return "NULL" }
        guard stack.type(at: index) == .string else { return text }
        return "\"\(text.prefix(40))\(text.count > 40 ? "…" : "")\""
    }

    private static func json(_ index: Int32, _ stack: LuaStack) -> String {
        guard let bytes = try? FieldWriter.json(index, of: stack) else { return "table" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
