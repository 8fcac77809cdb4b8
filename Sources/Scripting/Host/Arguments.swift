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
}
