import CLua
import LuaRuntime

extension LuaStack {
    /// What tells the object at `index` from all others while it lives.
    func address(at index: Int32) -> UnsafeRawPointer? { lua_topointer(thread, index).map { UnsafeRawPointer($0) } }

    /// The same of its metatable; nil if it has none.
    func metatableAddress(at index: Int32) -> UnsafeRawPointer? {
        guard lua_getmetatable(thread, index) != 0 else { return nil }
        defer { pop() }
        return address(at: -1)
    }

    /// "file:line" where the function on top of the stack begins; nil for one that is not written in Lua. Pops it.
    func popDefinition() -> String? {
        var info = lua_Debug()
        guard lua_getinfo(thread, ">S", &info) != 0, info.linedefined > 0 else { return nil }
        let source = withUnsafeBytes(of: &info.short_src) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return "\(source):\(info.linedefined)"
    }
}
