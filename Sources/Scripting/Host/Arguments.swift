import CLua
import LuaRuntime

extension LuaStack {
    /// The string at `index`; `function` as the script calls it.
    func requireString(_ index: Int32, _ function: String, _ what: String = "string") throws(ScriptError) -> String {
        if type(at: index) == .string, let text = string(at: index) { return text }
        throw .argument(Int(index), of: function, "\(what) expected, got \(describe(at: index))")
    }

    func requireFunction(_ index: Int32, _ function: String) throws(ScriptError) {
        guard type(at: index) == .function else {
            throw .argument(Int(index), of: function, "function expected, got \(describe(at: index))")
        }
    }

    func requireTable(_ index: Int32, _ function: String) throws(ScriptError) {
        guard type(at: index) == .table else {
            throw .argument(Int(index), of: function, "table expected, got \(describe(at: index))")
        }
    }

    /// A span of time, nil if there is no argument.
    func optionalDuration(_ index: Int32, _ function: String) throws(ScriptError) -> Duration? {
        if isNil(at: index) { return nil }
        if let duration = Durations.read(at: index, of: self) { return duration }
        throw .argument(
            Int(index), of: function, "\(Durations.form) expected, got \(DisplayText.short(of: index, self))")
    }

    /// Pushes a table of host functions.
    func pushTable(of functions: [String: HostFunction]) {
        pushTable(fieldCount: functions.count)
        for (name, body) in functions {
            push(function: body)
            setField(name, of: -2)
        }
    }

    /// Makes reading a name that the table on top does not have an error, which says what was meant.
    func refuseUnknownMembers(of owner: String) {
        pushTable(fieldCount: 1)
        push(function: { stack throws(ScriptError) in throw stack.unknownMember(of: owner, in: 1) })
        setField("__index", of: -2)
        lua_setmetatable(thread, -2)
    }

    /// The key at index 2 is not in the table at `table`.
    func unknownMember(of owner: String, in table: Int32, and others: [String] = []) -> ScriptError {
        var names = others
        forEach(in: table) { key, _ in
            if type(at: key) == .string, let name = string(at: key) { names.append(name) }
        }
        return .unknownMember(DisplayText.text(of: 2, self) ?? "nil", of: owner, among: names)
    }
}
