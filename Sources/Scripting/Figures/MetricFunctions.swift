import LuaRuntime

/// What `replhost.metric` asks the host for; it has checked the arguments.
enum MetricFunctions {
    /// Pushes the table `replhost.native.internals.metrics`.
    static func push(to stack: LuaStack, _ registry: MetricRegistry) {
        stack.pushTable(of: [
            "register": { stack throws(ScriptError) in
                try registry.register(metric(stack))
                return 0
            },
            "add": { stack throws(ScriptError) in
                let number = stack.number(at: 2) ?? 0
                try registry.update(name(stack), labels(stack)) { $0.value += number }
                return 0
            },
            "set": { stack throws(ScriptError) in
                let number = stack.number(at: 2) ?? 0
                try registry.update(name(stack), labels(stack)) { $0.value = number }
                return 0
            },
            "observe": { stack throws(ScriptError) in
                let number = stack.number(at: 2) ?? 0
                try registry.update(name(stack), labels(stack)) { $0.observe(number) }
                return 0
            },
            "value": { stack in
                let series = registry.series(name(stack), labels(stack, at: 2))
                stack.push(series?.value ?? 0)
                stack.push(Int64(series?.count ?? 0))
                return 2
            },
        ])
    }

    /// Arguments: kind, name, help, bounds.
    private static func metric(_ stack: LuaStack) -> Metric {
        var bounds: [Double] = []
        for position in 0..<stack.rawCount(at: 4) {
            stack.pushElement(position + 1, of: 4)
            bounds.append(stack.number(at: -1) ?? 0)
            stack.pop()
        }
        return Metric(
            name: stack.string(at: 2) ?? "", kind: Metric.Kind(rawValue: stack.string(at: 1) ?? "") ?? .gauge,
            help: stack.string(at: 3), bounds: bounds)
    }

    private static func name(_ stack: LuaStack) -> String { stack.string(at: 1) ?? "" }

    private static func labels(_ stack: LuaStack, at index: Int32 = 3) -> [Metric.Label] {
        guard stack.type(at: index) == .table else { return [] }
        var labels: [Metric.Label] = []
        stack.forEach(in: index) { name, value in
            labels.append(Metric.Label(name: stack.string(at: name) ?? "", value: stack.displayText(at: value)))
        }
        return labels.sorted { $0.name < $1.name }
    }
}
