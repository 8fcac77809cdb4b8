import CLua
import CLuaShim
import LuaRuntime

/// `rh.json`.
enum JSONModule {
    static let functions: [(String, ValueFunction)] = [("json.decode", decode), ("json.encode", encode)]

    private static func decode(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let text = try call.bytes(1, "text")
        guard let start = text.baseAddress else { throw call.failed("no text") }
        try reserve(text.count, call)
        var decoder = JSONDecoder(start.assumingMemoryBound(to: UInt8.self), count: text.count, state: call.state)
        do throws(JSONSyntaxError) {
            try decoder.decode()
            return 1
        } catch {
            throw call.failed(error.description)
        }
    }

    /// The limit is enforced only after the call: a large text must not get there first.
    private static func reserve(_ count: Int, _ call: borrowing ValueCall) throws(ValueError) {
        let state = LuaStack(call.state).state
        guard count > 1 << 20, !state.hasRoom(for: 2 * count) else { return }
        rh_collect_garbage(call.state)
        guard state.hasRoom(for: 2 * count) else {
            throw call.failed("not enough memory for the value of a text of \(count) bytes")
        }
    }

    private static func encode(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let options = try options(call)
        lua_settop(call.state, 2)
        var encoder = JSONEncoder(state: call.state, options: options)
        do throws(JSONEncodingError) {
            return call.push(try encoder.encode(at: 1))
        } catch {
            throw call.failed(error.description)
        }
    }

    private static func options(_ call: borrowing ValueCall) throws(ValueError) -> JSONEncoder.Options {
        var options = JSONEncoder.Options()
        if call.isAbsent(2) { return options }
        guard lua_type(call.state, 2) == LUA_TTABLE else { throw call.wrong(2, "options", "a table") }
        lua_pushnil(call.state)
        while rh_next(call.state, 2) != 0 {
            guard lua_type(call.state, -2) == LUA_TSTRING else { throw call.failed("option names must be strings") }
            switch String(cString: lua_tolstring(call.state, -2, nil)) {
            case "sorted":
                guard lua_type(call.state, -1) == LUA_TBOOLEAN else {
                    throw call.wrong(-1, "option \"sorted\"", "a boolean")
                }
                options.isSorted = lua_toboolean(call.state, -1) != 0
            case "indent":
                let indent = try call.integer(-1, "option \"indent\"")
                guard (0...16).contains(indent) else {
                    throw call.wrong(-1, "option \"indent\"", "an integer from 0 to 16")
                }
                options.indent = Int(indent)
            case let name: throw call.failed("unknown option \"\(name)\", expected \"sorted\" or \"indent\"")
            }
            lua_settop(call.state, -2)
        }
        return options
    }
}
