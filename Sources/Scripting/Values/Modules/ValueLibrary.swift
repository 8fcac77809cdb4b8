import CLua
package import LuaRuntime

/// The native half of `stdlib/replhost`: what needs speed or exactness.
///
/// Lua finds it as `require "replhost.native.values"`: a table with one table per module (`json`,
/// `time`, `hash`, …; what belongs to `rh` itself in `rh`), and `null`.
package enum ValueLibrary {
    /// The name under `package.preload`.
    package static let moduleName = "replhost.native.values"

    private static let functions: [(String, ValueFunction)] =
        DecimalModule.functions + JSONModule.functions + TimeModule.functions + DigestModule.functions
        + MaskModule.functions + LogModule.functions

    /// Makes the metatables of the values, so that rows can hold them, and announces the module.
    /// Call it once for each state, before a script runs.
    package static func register(in stack: LuaStack) {
        registerDecimal(in: stack)
        registerTime(in: stack)
        for key in [RegistryKey.jsonArray, .jsonObject] {
            stack.pushTable()
            stack.push(key == .jsonArray ? "json.array" : "json.object")
            stack.setField("__name", of: -2)
            lua_rawsetp(stack.thread, RegistryKey.table, key.pointer)
        }
        setNullText(in: stack)
        preload(in: stack)
    }

    /// Pushes what NULL inside an array and JSON's null are.
    package static func pushNull(on stack: LuaStack) { stack.pushNull() }

    /// Gives the table on top of the stack the mark of an array.
    package static func markArray(on stack: LuaStack) {
        lua_rawgetp(stack.thread, RegistryKey.table, RegistryKey.jsonArray.pointer)
        lua_setmetatable(stack.thread, -2)
    }

    private static func registerDecimal(in stack: LuaStack) {
        pushMetatable("decimal", DecimalModule.metamethods, in: stack)
        pushTable(DecimalModule.methods, prefix: "decimal:", in: stack)
        stack.setField("__index", of: -2)
        lua_rawsetp(stack.thread, RegistryKey.table, RegistryKey.decimal.pointer)
    }

    private static func registerTime(in stack: LuaStack) {
        pushMetatable("time", TimeModule.metamethods, in: stack)
        lua_rawsetp(stack.thread, RegistryKey.table, RegistryKey.time.pointer)
        pushTable(TimeModule.methods, prefix: "time:", in: stack)
        lua_rawsetp(stack.thread, RegistryKey.table, RegistryKey.timeMethods.pointer)
    }

    private static func pushMetatable(_ name: String, _ metamethods: [(String, ValueFunction)], in stack: LuaStack) {
        pushTable(metamethods, prefix: "\(name) ", in: stack)
        stack.push(name)
        stack.setField("__name", of: -2)
        // A script neither sees nor changes the metatable.
        stack.push(name)
        stack.setField("__metatable", of: -2)
    }

    /// A table of the functions; `prefix` and a name are what messages call one.
    private static func pushTable(_ functions: [(String, ValueFunction)], prefix: String, in stack: LuaStack) {
        stack.pushTable(fieldCount: functions.count + 2)
        for (name, body) in functions {
            push(body, named: prefix + name, in: stack)
            stack.setField(name, of: -2)
        }
    }

    private static func push(_ body: @escaping ValueFunction, named name: String, in stack: LuaStack) {
        stack.push(function: { stack throws(ScriptError) in
            do throws(ValueError) {
                return try body(ValueCall(state: stack.thread, name: name))
            } catch {
                throw error.scriptError
            }
        })
    }

    /// All light userdata share one metatable: NULL, and what stands for values that were not sent.
    private static func setNullText(in stack: LuaStack) {
        stack.pushNull()
        stack.pushTable(fieldCount: 16)
        stack.push(function: { stack throws(ScriptError) in
            stack.push(stack.isUnchanged(at: 1) ? "unchanged" : "null")
            return 1
        })
        stack.setField("__tostring", of: -2)
        stack.push("null")
        stack.setField("__name", of: -2)
        for operation in unusable {
            stack.push(function: { stack throws(ScriptError) in
                throw stack.isUnchanged(at: 1) || stack.isUnchanged(at: 2) ? .unchanged : .nullUsed
            })
            stack.setField(operation, of: -2)
        }
        lua_setmetatable(stack.thread, -2)
        stack.pop()
    }

    private static let unusable = [
        "__index", "__newindex", "__call", "__concat", "__len", "__unm", "__add", "__sub", "__mul", "__div", "__mod",
        "__pow", "__idiv", "__lt", "__le",
    ]

    private static func preload(in stack: LuaStack) {
        stack.pushGlobals()
        stack.getField("package", of: -1)
        stack.getField("preload", of: -1)
        stack.push(function: { stack throws(ScriptError) in
            pushModule(in: stack)
            return 1
        })
        stack.setField(moduleName, of: -2)
        stack.pop(3)
    }

    private static func pushModule(in stack: LuaStack) {
        stack.pushTable()
        for (name, body) in functions {
            let parts = name.split(separator: ".", maxSplits: 1)
            guard let group = parts.first, let function = parts.last else { continue }
            if stack.getField(String(group), of: -1) == .nil {
                stack.pop()
                stack.pushTable()
                stack.pushCopy(of: -1)
                stack.setField(String(group), of: -3)
            }
            push(body, named: name, in: stack)
            stack.setField(String(function), of: -2)
            stack.pop()
        }
        stack.pushNull()
        stack.setField("null", of: -2)
        stack.pushUnchanged()
        stack.setField("unchanged", of: -2)
        stack.getField("json", of: -1)
        for (field, key) in [("array", RegistryKey.jsonArray), ("object", .jsonObject)] {
            lua_rawgetp(stack.thread, RegistryKey.table, key.pointer)
            stack.setField(field, of: -2)
        }
        stack.pop()
    }
}

extension ScriptError {
    fileprivate static let unchanged = ScriptError(
        code: "RH3212",
        "the value was not sent by the source (rh.unchanged): it can be compared and handed on, nothing else",
        hint: "An update leaves out large values that have not changed, a delete all but the key. Look for it "
            + "(value == rh.unchanged), or at event.op; or set REPLICA IDENTITY FULL on the source.")

    fileprivate static let nullUsed = ScriptError(
        code: "RH2108", "NULL (rh.null) can be compared and handed on, nothing else")
}
