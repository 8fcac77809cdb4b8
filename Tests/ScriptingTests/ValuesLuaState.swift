import CLua
import Testing

@testable import Scripting

/// A bare Lua state with the tables that the values look up, closed at the end.
final class ValuesLuaState {
    let pointer: OpaquePointer

    init?() {
        guard let state = luaL_newstate() else { return nil }
        pointer = state
        for key in [RegistryKey.decimal, .time, .jsonArray, .jsonObject] {
            lua_createtable(state, 0, 0)
            lua_rawsetp(state, RegistryKey.table, key.pointer)
        }
    }

    deinit {
        lua_close(pointer)
    }

    func decode(_ text: String) throws {
        try decode(Array(text.utf8))
    }

    func decode(_ bytes: [UInt8]) throws {
        try (bytes + [0]).withUnsafeBufferPointer { buffer in
            let start = try #require(buffer.baseAddress)
            var decoder = JSONDecoder(start, count: bytes.count, state: pointer)
            try decoder.decode()
        }
    }

    func encode(_ options: JSONEncoder.Options = .init()) throws -> String {
        var encoder = JSONEncoder(state: pointer, options: options)
        return String(decoding: try encoder.encode(at: -1), as: UTF8.self)
    }

    /// Decodes and encodes again.
    func roundTrip(_ text: String, _ options: JSONEncoder.Options = .init()) throws -> String {
        try decode(text)
        defer { lua_settop(pointer, 0) }
        return try encode(options)
    }
}
