import CLua

/// A time inside Lua: a full userdata that holds the value itself and no reference.
enum TimeUserdata {
    static func push(_ value: TimeValue, on state: OpaquePointer) {
        guard let memory = lua_newuserdatauv(state, 24, 0) else { return }
        memory.storeBytes(of: value.microseconds, as: Int64.self)
        memory.storeBytes(of: value.months, toByteOffset: 8, as: Int32.self)
        memory.storeBytes(of: value.days, toByteOffset: 12, as: Int32.self)
        memory.storeBytes(of: value.offset, toByteOffset: 16, as: Int32.self)
        memory.storeBytes(of: value.kind.rawValue, toByteOffset: 20, as: UInt8.self)
        memory.storeBytes(of: value.infinity, toByteOffset: 21, as: Int8.self)
        lua_rawgetp(state, RegistryKey.table, RegistryKey.time.pointer)
        lua_setmetatable(state, -2)
    }

    /// The time at `index`; nil when there is something else.
    static func read(at index: CInt, of state: OpaquePointer) -> TimeValue? {
        guard lua_type(state, index) == LUA_TUSERDATA, lua_getmetatable(state, index) != 0 else { return nil }
        lua_rawgetp(state, RegistryKey.table, RegistryKey.time.pointer)
        let isTime = lua_rawequal(state, -1, -2) != 0
        lua_settop(state, -3)
        guard isTime, let memory = lua_touserdata(state, index),
            let kind = TimeValue.Kind(rawValue: memory.load(fromByteOffset: 20, as: UInt8.self))
        else { return nil }
        var value = TimeValue(kind, microseconds: memory.load(as: Int64.self))
        value.months = memory.load(fromByteOffset: 8, as: Int32.self)
        value.days = memory.load(fromByteOffset: 12, as: Int32.self)
        value.offset = memory.load(fromByteOffset: 16, as: Int32.self)
        value.infinity = memory.load(fromByteOffset: 21, as: Int8.self)
        return value
    }
}
