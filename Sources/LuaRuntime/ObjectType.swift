import CLua
import CLuaShim

/// A host function: reads arguments from the stack, pushes results, answers how many; or `LuaScheduler.wait`'s answer.
package typealias HostFunction = (LuaStack) throws(ScriptError) -> Int32

/// A class of host objects that scripts hold, with the metatable that gives them methods.
package final class ObjectType<Object: AnyObject>: Sendable {
    /// What scripts and error messages call it.
    package let name: String
    // Safe: an address that is never read or written, unique while the process lives.
    package nonisolated(unsafe) let key: UnsafeRawPointer

    package init(_ name: String) {
        self.name = name
        key = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))
    }

    /// Makes the type's metatable in a state. `methods` (or what is in `methodTable`) are found by name, after
    /// `properties`, which are called with the object when it is read; `metamethods` go in as they are.
    package func register(
        in stack: LuaStack, methods: [String: HostFunction] = [:], methodTable: LuaReference? = nil,
        properties: [String: HostFunction] = [:], metamethods: [String: HostFunction] = [:]
    ) {
        stack.pushTable(fieldCount: metamethods.count + 4)
        rh_prepare_metatable(stack.thread, name)
        for (name, body) in metamethods {
            stack.push(function: body)
            stack.setField(name, of: -2)
        }
        if let methodTable {
            stack.push(methodTable)
            stack.setField("__index", of: -2)
        } else if metamethods["__index"] == nil {
            setIndex(in: stack, methods, properties)
        }
        lua_rawsetp(stack.thread, rh_registry_index(), key)
    }

    private func setIndex(in stack: LuaStack, _ methods: [String: HostFunction], _ properties: [String: HostFunction]) {
        stack.pushTable(fieldCount: methods.count)
        for (name, body) in methods {
            stack.push(function: body)
            stack.setField(name, of: -2)
        }
        if !properties.isEmpty {
            let methodTable = stack.makeReference()
            stack.push(function: { stack throws(ScriptError) in
                if let key = stack.string(at: 2), let property = properties[key] { return try property(stack) }
                stack.push(methodTable)
                stack.pushCopy(of: 2)
                lua_rawget(stack.thread, -2)
                return 1
            })
        }
        stack.setField("__index", of: -2)
    }
}

/// A host function for what is called a million times a second: no closure is built, kept or counted for a call.
/// Its body is one call of `LuaStack.direct`.
package typealias DirectFunction = @convention(c) (LuaThread?, UnsafeMutableRawPointer?) -> Int32

extension LuaStack {
    /// Pushes a function that runs `function` with `object`, which Lua holds as long as the function lives.
    package func push(direct function: DirectFunction, _ object: AnyObject) {
        push(direct: function, object, as: rh_push_function)
    }

    /// The same; `push` is a function of the shim that pushes one that does some of it in C.
    package func push(
        direct function: DirectFunction, _ object: AnyObject,
        as push: (LuaThread?, UnsafeRawPointer?, UnsafeMutableRawPointer?, DirectFunction?) -> Void
    ) {
        // Safe: the reference is released once, by the userdata's `__gc`.
        push(thread, HostClosure.type.key, Unmanaged.passRetained(object).toOpaque(), function)
    }

    /// What a `DirectFunction` answers: `body`'s answer with the object that it was pushed with.
    @inline(__always)
    package static func direct<Object: AnyObject>(
        _ thread: LuaThread?, _ object: UnsafeMutableRawPointer?, _ type: Object.Type,
        _ body: (Object, LuaStack) throws(ScriptError) -> Int32
    ) -> Int32 {
        guard let thread, let object else { return 0 }
        // Safe: the object's userdata is an upvalue of the function that is running.
        return Unmanaged<Object>.fromOpaque(object)._withUnsafeGuaranteedRef { object in
            let stack = LuaStack(thread)
            do throws(ScriptError) { return try body(object, stack) } catch { return stack.raise(error) }
        }
    }
}

/// A Swift closure that Lua can call.
final class HostClosure {
    let body: HostFunction

    init(_ body: @escaping HostFunction) { self.body = body }

    static let type = ObjectType<HostClosure>("host function")
}

extension LuaStack {
    /// Pushes a function that calls `body`.
    package func push(function body: @escaping HostFunction) {
        push(direct: callClosure, HostClosure(body))
    }

    /// Pushes what `error` looks like in Lua: an object with its fields, which knows where it was raised.
    package func push(error: ScriptError) {
        push(ErrorObject(error, position: position()), ErrorObject.type)
    }

    /// "file:line" of the script's code that is running: the innermost Lua function that is not the standard library's.
    package func position() -> String? {
        guard var frame = scriptFrame(from: 0) else { return nil }
        return "\(shortSource(&frame)):\(frame.currentline)"
    }

    /// Who calls the running host function, as the address of its chunk's name and the line: cheaper than `position()`,
    /// and as good a key. The address is valid while the chunk lives.
    package func callerAddress() -> (source: UnsafeRawPointer, line: Int32)? {
        scriptFrame(from: 1).map { (UnsafeRawPointer($0.source), $0.currentline) }
    }

    @inline(__always)
    private func scriptFrame(from first: Int32) -> lua_Debug? {
        var frame = lua_Debug()
        var level = first
        while lua_getstack(thread, level, &frame) != 0 {
            level += 1
            lua_getinfo(thread, "Sl", &frame)
            if frame.currentline > 0, let source = frame.source, !state.isLibrary(chunk: source) { return frame }
        }
        return nil
    }

    private func shortSource(_ info: inout lua_Debug) -> String {
        withUnsafeBytes(of: &info.short_src) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// Runs a host function's body; its error becomes the one that C raises.
private func callClosure(_ thread: LuaThread?, _ closure: UnsafeMutableRawPointer?) -> Int32 {
    LuaStack.direct(thread, closure, HostClosure.self) { closure, stack throws(ScriptError) in try closure.body(stack) }
}

extension LuaStack {
    /// A host function's answer that raises the value on top of the stack as it is.
    package func raise() -> Int32 { Int32(RH_RAISE) }

    /// A host function's answer that raises `error`.
    package func raise(_ error: ScriptError) -> Int32 {
        lua_checkstack(thread, 4)
        push(error: error)
        return raise()
    }
}
