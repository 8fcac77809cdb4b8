import CLua
import CLuaShim
import Glibc
import Logging
import Synchronization

/// `rh.log` and `rh.env`.
enum LogModule {
    static let functions: [(String, ValueFunction)] = [
        ("log.debug", { call throws(ValueError) in try write(call, .debug) }),
        ("log.info", { call throws(ValueError) in try write(call, .info) }),
        ("log.warn", { call throws(ValueError) in try write(call, .warning) }),
        ("log.error", { call throws(ValueError) in try write(call, .error) }),
        ("rh.env", environment),
        ("rh.float_text", { call throws(ValueError) in call.push(lua_tonumberx(call.state, 1, nil).description) }),
    ]

    private static func write(_ call: borrowing ValueCall, _ level: Logger.Level) throws(ValueError) -> CInt {
        let logger = ScriptLog.logger
        guard level >= logger.logLevel else { return 0 }
        let message = try call.string(1, "message")
        var fields: Logger.Metadata = [:]
        if !call.isAbsent(2) {
            guard lua_type(call.state, 2) == LUA_TTABLE else { throw call.wrong(2, "fields", "a table") }
            lua_settop(call.state, 2)
            lua_pushnil(call.state)
            while rh_next(call.state, 2) != 0 {
                guard lua_type(call.state, -2) == LUA_TSTRING else {
                    throw call.failed("names of fields must be strings")
                }
                fields[String(cString: lua_tolstring(call.state, -2, nil))] = .string(text(call))
                lua_settop(call.state, -2)
            }
        }
        logger.log(level: level, "\(message)", metadata: fields)
        return 0
    }

    /// The value on top as text: strings as they are, other values as JSON, what JSON cannot hold by its type.
    private static func text(_ call: borrowing ValueCall) -> String {
        if lua_type(call.state, -1) == LUA_TSTRING { return String(cString: lua_tolstring(call.state, -1, nil)) }
        if let time = TimeUserdata.read(at: -1, of: call.state) { return time.description }
        let top = lua_gettop(call.state)
        var encoder = JSONEncoder(state: call.state)
        guard let bytes = try? encoder.encode(at: -1) else {
            lua_settop(call.state, top)
            return call.described(-1)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `(name, default)`: without a default a missing variable is an error.
    private static func environment(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let name = try call.string(1, "name")
        if let value = getenv(name) { return call.push(String(cString: value)) }
        guard lua_gettop(call.state) >= 2 else {
            throw call.failed(
                "environment variable \"\(name)\" is not set; set it or give a default: rh.env(\"\(name)\", \"...\")")
        }
        lua_pushvalue(call.state, 2)
        return 1
    }
}

/// Where `rh.log` writes; the program sets form and level of the output.
package enum ScriptLog {
    package static let output = LogOutput()
    static let label = "script"
    static let logger = Logger(label: label) { ScriptLog.output.handler(label: $0) }
}
