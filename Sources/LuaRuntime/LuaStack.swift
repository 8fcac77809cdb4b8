public import CLua
public import CLuaShim

/// A coroutine's `lua_State`.
public typealias LuaThread = OpaquePointer

/// The stack of a running coroutine, as a host function sees it: its arguments are 1…`count`.
///
/// Calls only what cannot raise; a value of another type than asked for reads as nil. Byte buffers are valid while
/// the value stays on the stack. Public in part, as `ByteBuffer` is.
public struct LuaStack {
    public let thread: LuaThread

    @inlinable public init(_ thread: LuaThread) { self.thread = thread }

    @inlinable public var count: Int32 { lua_gettop(thread) }

    /// What code that runs here belongs to.
    package var state: LuaState {
        // Safe: the state outlives every call into it.
        Unmanaged<LuaState>.fromOpaque(rh_owner(rh_state_of(thread))).takeUnretainedValue()
    }
}

// MARK: - Reading

extension LuaStack {
    @inlinable public func type(at index: Int32) -> LuaType { LuaType(rawValue: lua_type(thread, index)) ?? .none }

    @inlinable public func isNil(at index: Int32) -> Bool { lua_type(thread, index) <= LUA_TNIL }

    @inlinable public func boolean(at index: Int32) -> Bool? {
        lua_type(thread, index) == LUA_TBOOLEAN ? lua_toboolean(thread, index) != 0 : nil
    }

    /// Lua's truth: everything but nil and false.
    @inlinable public func isTrue(at index: Int32) -> Bool { lua_toboolean(thread, index) != 0 }

    /// A Lua integer, or a float without fraction.
    @inlinable public func integer(at index: Int32) -> Int64? {
        guard lua_type(thread, index) == LUA_TNUMBER else { return nil }
        var isInteger: Int32 = 0
        let value = lua_tointegerx(thread, index, &isInteger)
        return isInteger != 0 ? value : nil
    }

    @inlinable public func isInteger(at index: Int32) -> Bool { lua_isinteger(thread, index) != 0 }

    @inlinable public func number(at index: Int32) -> Double? {
        lua_type(thread, index) == LUA_TNUMBER ? lua_tonumberx(thread, index, nil) : nil
    }

    /// The bytes of a Lua string.
    @inlinable public func bytes(at index: Int32) -> UnsafeRawBufferPointer? {
        guard lua_type(thread, index) == LUA_TSTRING else { return nil }
        var length = 0
        guard let start = lua_tolstring(thread, index, &length) else { return nil }
        return UnsafeRawBufferPointer(start: start, count: length)
    }

    /// A Lua string as text; invalid UTF-8 is replaced.
    package func string(at index: Int32) -> String? {
        bytes(at: index).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The host's object behind a userdata of `type`.
    @inline(__always)
    package func object<Object: AnyObject>(at index: Int32, _ type: ObjectType<Object>) -> Object? {
        guard let pointer = rh_object(thread, index, type.key) else { return nil }
        // Safe: only objects of this class are pushed with this type's metatable.
        return Unmanaged<Object>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The object at a method's first argument; `method` as "conn:query".
    package func receiver<Object: AnyObject>(_ type: ObjectType<Object>, _ method: String) throws(ScriptError) -> Object
    {
        if let object = object(at: 1, type) { return object }
        throw ScriptError(
            code: "RH1002", "\(method): called on \(describe(at: 1)), expected a \(type.name)",
            hint: "Call it with a colon, as \(method)(…).")
    }

    /// A value's type as error messages name it: "string", "integer", "no value", "connection".
    package func describe(at index: Int32) -> String {
        switch lua_type(thread, index) {
        case LUA_TNONE: return "no value"
        case LUA_TNUMBER: return isInteger(at: index) ? "integer" : "number"
        case LUA_TUSERDATA: return objectName(at: index) ?? "userdata"
        case let type: return String(cString: lua_typename(thread, type))
        }
    }

    private func objectName(at index: Int32) -> String? {
        guard lua_getmetatable(thread, index) != 0 else { return nil }
        defer { pop(2) }
        push("__name")
        lua_rawget(thread, -2)
        return string(at: -1)
    }

    /// Pushes the value of `key` of the table at `index`, without metamethods; its type.
    @discardableResult
    package func getField(_ key: String, of index: Int32) -> LuaType {
        let table = lua_absindex(thread, index)
        push(key)
        return LuaType(rawValue: lua_rawget(thread, table)) ?? .none
    }

    /// Replaces the key on top of the stack by its value in the table at `index`, without metamethods.
    @inlinable public func rawGet(from index: Int32) -> LuaType {
        LuaType(rawValue: lua_rawget(thread, index)) ?? .none
    }

    /// Calls `body` with the absolute indices of each key and value of the table at `index`, without metamethods.
    /// The body leaves the stack as it was and the table unchanged.
    package func forEach<Failure: Error>(
        in index: Int32, _ body: (_ key: Int32, _ value: Int32) throws(Failure) -> Void
    ) throws(Failure) {
        let table = lua_absindex(thread, index)
        lua_pushnil(thread)
        while rh_next(thread, table) != 0 {
            let top = lua_gettop(thread)
            do {
                try body(top - 1, top)
            } catch {
                pop(2)
                throw error
            }
            lua_settop(thread, top - 1)
        }
    }

    /// The length of a table's array part, without metamethods.
    @inlinable public func rawCount(at index: Int32) -> Int { Int(lua_rawlen(thread, index)) }
}

// MARK: - Pushing. A host function has room for 20 values; `reserve` more.

extension LuaStack {
    /// Makes room for `count` values more.
    package func reserve(_ count: Int) throws(ScriptError) {
        guard count < Int(Int32.max), lua_checkstack(thread, Int32(count)) != 0 else {
            throw ScriptError(code: "RH1003", "stack overflow: no room for \(count) values")
        }
    }

    @inlinable public func pushNil() { lua_pushnil(thread) }
    /// JSON's null and NULL where nil cannot stand, `rh.null`.
    @inlinable public func pushNull() { lua_pushlightuserdata(thread, nil) }

    /// What stands for a value that was not sent, as it has not changed.
    public func pushUnchanged() { lua_pushlightuserdata(thread, Self.unchanged) }

    public func isUnchanged(at index: Int32) -> Bool {
        lua_type(thread, index) == LUA_TLIGHTUSERDATA && lua_touserdata(thread, index) == Self.unchanged
    }

    // Safe: never read or written through.
    private static var unchanged: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }
    @inlinable public func push(_ value: Bool) { lua_pushboolean(thread, value ? 1 : 0) }
    @inlinable public func push(_ value: Int64) { lua_pushinteger(thread, value) }
    @inlinable public func push(_ value: Double) { lua_pushnumber(thread, value) }
    @inlinable public func push(bytes: UnsafeRawBufferPointer) {
        lua_pushlstring(thread, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    package func push(_ text: String) {
        var text = text
        text.withUTF8 { push(bytes: UnsafeRawBufferPointer($0)) }
    }

    package func push(_ text: StaticString) {
        push(bytes: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package func push(_ field: ScriptError.Field) {
        switch field {
        case .string(let text): push(text)
        case .integer(let value): push(value)
        case .boolean(let value): push(value)
        }
    }

    package func push<Object: AnyObject>(_ object: Object, _ type: ObjectType<Object>, userValues: Int32 = 0) {
        // Safe: the reference is released once, by the userdata's `__gc`.
        rh_push_object(thread, type.key, Unmanaged.passRetained(object).toOpaque(), userValues)
    }

    /// A copy of the value at `index`.
    @inlinable public func pushCopy(of index: Int32) { lua_pushvalue(thread, index) }

    @inlinable public func pushTable(arrayCount: Int = 0, fieldCount: Int = 0) {
        lua_createtable(thread, Int32(clamping: arrayCount), Int32(clamping: fieldCount))
    }

    /// Pops a value into `key` of the table at `index`, without metamethods.
    package func setField(_ key: String, of index: Int32) {
        let table = lua_absindex(thread, index)
        push(key)
        lua_rotate(thread, -2, 1)
        lua_rawset(thread, table)
    }

    /// Pops a value into element `position` of the table at `index`, without metamethods.
    @inlinable public func setElement(_ position: Int, of index: Int32) { lua_rawseti(thread, index, Int64(position)) }

    @inlinable public func pop(_ count: Int32 = 1) { lua_settop(thread, -count - 1) }

    @inlinable public func remove(at index: Int32) {
        lua_rotate(thread, index, -1)
        pop()
    }

    @inlinable public func setCount(_ count: Int32) { lua_settop(thread, count) }

    /// Pushes a global variable's value, without metamethods.
    package func pushGlobals() { lua_rawgeti(thread, rh_registry_index(), Int64(LUA_RIDX_GLOBALS)) }
}

// MARK: - References

/// A Lua value that the host keeps; dropped with `LuaState.release`.
public struct LuaReference: Hashable, Sendable {
    @usableFromInline let value: Int32
}

extension LuaStack {
    /// Pops a value and keeps it.
    package func makeReference() -> LuaReference { LuaReference(value: luaL_ref(thread, rh_registry_index())) }

    @inlinable public func push(_ reference: LuaReference) {
        lua_rawgeti(thread, rh_registry_index(), Int64(reference.value))
    }

    package func release(_ reference: LuaReference) { luaL_unref(thread, rh_registry_index(), reference.value) }
}

/// The types of Lua's values.
public enum LuaType: Int32, Sendable {
    case none = -1
    case `nil`, boolean, lightUserdata, number, string, table, function, userdata, thread
}
