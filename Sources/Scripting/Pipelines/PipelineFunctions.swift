import LuaRuntime
import PostgresProtocol
import Replication

/// What the standard library's Lua code of pipelines asks the host for.
enum PipelineFunctions {
    /// Pushes the table `replhost.native.internals.pipelines`.
    static func push(to stack: LuaStack, _ worker: ScriptWorker) {
        stack.pushTable(of: [
            "fail": { stack throws(ScriptError) in
                var error = ScriptError(
                    code: stack.string(at: 1) ?? "", stack.string(at: 2) ?? "", hint: stack.string(at: 3))
                if stack.position() == nil { error.fields["position"] = stack.string(at: 4).map { .string($0) } }
                throw error
            },
            "place": { stack in
                push(stack.position(), to: stack)
                return 1
            },
            "is_pool": { stack in
                stack.push(stack.object(at: 1, PoolObject.type) != nil)
                return 1
            },
            "is_row": { stack in
                stack.push(RowUserdata(at: 1, of: stack) != nil)
                return 1
            },
            "table_name": { stack in
                push(tableName(stack.string(at: 1) ?? "")?.description, to: stack)
                return 1
            },
            "pattern": { stack in
                let text = stack.string(at: 1) ?? ""
                let pattern = TablePattern(text)
                push(pattern.map { $0.exactName?.description ?? text }, to: stack)
                return 1
            },
            "rule": { stack in rule(stack) },
            "types": { [unowned worker] stack throws(ScriptError) in try LiveTypes.push(stack, worker) },
            "state": { [unowned worker] stack throws(ScriptError) in try StateFunctions.call(stack, worker) },
            "view": { [unowned worker] stack throws(ScriptError) in try TestRow.push(stack, worker) },
        ])
    }

    private static func push(_ text: String?, to stack: LuaStack) {
        if let text { stack.push(text) } else { stack.pushNil() }
    }

    /// With the schema that it has without saying.
    private static func tableName(_ text: String) -> QualifiedName? {
        guard let name = QualifiedName(parsing: text) else { return nil }
        return QualifiedName(schema: name.schema ?? "public", name: name.name)
    }

    /// Arguments: a list of patterns, a table's name. The position of the pattern that counts for it, and the name in
    /// full; nil for a name that is none.
    private static func rule(_ stack: LuaStack) -> Int32 {
        guard let name = tableName(stack.string(at: 2) ?? "") else { return 0 }
        var rules: [TableRule] = []
        for position in 0..<stack.rawCount(at: 1) {
            stack.pushElement(position + 1, of: 1)
            if let pattern = TablePattern(stack.string(at: -1) ?? "") { rules.append(TableRule(pattern, .skip)) }
            stack.pop()
        }
        let definition = PipelineDefinition(name: "", rules: rules, scriptHash: "")
        stack.push(Int64(definition.rule(for: name).map { $0 + 1 } ?? 0))
        stack.push(name.description)
        return 2
    }
}
