import CLua
import EventLoops
import LuaRuntime
import Postgres

/// Names that Lua code could go on with.
package struct LuaNames: Equatable, Sendable {
    package var names: [String] = []
    /// The module's part, as the definition file names it ("rh", "rh.json"): it may know more names.
    package var definition: String?

    package init() {}
}

extension ReplBackend {
    /// What can follow `path` (nothing: global variables) without running any code: no `__index` function is called.
    package func luaNames(after path: [String]) async -> LuaNames {
        await host.actor.run { [self] _ in
            guard let worker = try? worker() else { return LuaNames() }
            return names(after: path, worker)
        }
    }

    private func names(after path: [String], _ worker: ScriptWorker) -> LuaNames {
        let stack = worker.state.stack
        let base = stack.count
        defer { stack.setCount(base) }
        guard path.count < 10, (try? stack.reserve(200)) != nil else { return LuaNames() }
        stack.pushGlobals()
        var found = LuaNames()
        for name in path {
            if isModule(stack) { found.definition = "rh" }
            if let definition = found.definition, stack.type(at: -1) != .table || !push(name, stack) {
                // A part of the module that was not used yet.
                found.definition = "\(definition).\(name)"
                stack.pushNil()
                continue
            }
            if found.definition != nil {
                found.definition = found.definition.map { "\($0).\(name)" }
            } else if stack.type(at: -1) != .table || !push(name, stack) {
                return LuaNames()
            }
        }
        if isModule(stack) { found.definition = "rh" }
        found.names = members(stack, worker).sorted()
        return found
    }

    /// The table on top is what `require "replhost"` returns.
    private func isModule(_ stack: LuaStack) -> Bool {
        guard stack.type(at: -1) == .table else { return false }
        let value = stack.count
        defer { stack.setCount(value) }
        stack.pushGlobals()
        guard stack.getField("package", of: -1) == .table, stack.getField("loaded", of: -1) == .table,
            stack.getField("replhost", of: -1) == .table
        else { return false }
        return stack.isSame(value, -1)
    }

    /// Pushes a member of the table on top, of the table itself or of one that stands behind it.
    private func push(_ name: String, _ stack: LuaStack) -> Bool {
        let base = stack.count
        stack.pushCopy(of: -1)
        for _ in 0..<8 {
            if stack.getField(name, of: -1) != .nil { return true }
            stack.pop()
            guard stack.pushIndexTable(of: -1) else { break }
        }
        stack.setCount(base)
        return false
    }

    private func members(_ stack: LuaStack, _ worker: ScriptWorker) -> Set<String> {
        if stack.object(at: -1, ConnectionObject.type) != nil {
            return keys(of: worker.connectionMethods, stack).union(["pid", "server_version", "status"])
        }
        if stack.object(at: -1, PoolObject.type) != nil { return keys(of: worker.poolMethods, stack) }
        if stack.object(at: -1, ResultObject.type) != nil {
            return ["affected", "columns", "command", "one", "scalar"]
        }
        var names: Set<String> = []
        if stack.type(at: -1) == .table { collectKeys(stack, &names) }
        stack.pushCopy(of: -1)
        for _ in 0..<8 {
            guard stack.pushIndexTable(of: -1) else { break }
            collectKeys(stack, &names)
        }
        return names
    }

    private func keys(of reference: LuaReference?, _ stack: LuaStack) -> Set<String> {
        guard let reference else { return [] }
        var names: Set<String> = []
        stack.push(reference)
        collectKeys(stack, &names)
        stack.pop()
        return names
    }

    /// Of the table on top; a huge one is not gone through.
    private func collectKeys(_ stack: LuaStack, _ names: inout Set<String>) {
        var left = 20_000
        stack.forEach(in: -1) { key, _ in
            left -= 1
            if left > 0, stack.type(at: key) == .string, let name = stack.string(at: key) { names.insert(name) }
        }
    }

    /// Names of the global variables that hold pools.
    package func poolNames() async -> [String] {
        await host.actor.run { [self] _ in
            guard let stack = (try? worker())?.state.stack else { return [] }
            var names: [String] = []
            stack.pushGlobals()
            defer { stack.pop() }
            stack.forEach(in: -1) { key, value in
                guard stack.type(at: key) == .string, stack.object(at: value, PoolObject.type) != nil else { return }
                if let name = stack.string(at: key) { names.append(name) }
            }
            return names.sorted()
        }
    }
}

extension LuaStack {
    fileprivate func isSame(_ a: Int32, _ b: Int32) -> Bool { lua_rawequal(thread, a, b) != 0 }

    /// Pushes the table that stands behind the value at `index`: its metatable's `__index`. False if that is none.
    fileprivate func pushIndexTable(of index: Int32) -> Bool {
        guard lua_getmetatable(thread, index) != 0 else { return false }
        guard getField("__index", of: -1) == .table else {
            pop(2)
            return false
        }
        remove(at: -2)
        return true
    }
}
