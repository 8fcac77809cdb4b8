import CLua
import LuaRuntime

/// Why a function of the value modules raises.
package enum ValueError: Error, Equatable, Sendable, CustomStringConvertible {
    case argument(function: String, parameter: String, expected: String, found: String)
    case failed(function: String, reason: String)
    /// An operator on operands it does not take.
    case operands(String)

    /// What Lua gets.
    var scriptError: ScriptError {
        switch self {
        case .argument: ScriptError(code: "RH1001", description)
        case .failed: ScriptError(code: "RH1401", description)
        case .operands: ScriptError(code: "RH1402", description)
        }
    }

    package var description: String {
        switch self {
        case .argument(let function, let parameter, let expected, let found):
            "\(function): \(parameter) must be \(expected), got \(found)"
        case .failed(let function, let reason): "\(function): \(reason)"
        case .operands(let reason): reason
        }
    }
}

/// A function of the value modules. It pushes its results and returns their count.
typealias ValueFunction = @Sendable (borrowing ValueCall) throws(ValueError) -> CInt

/// One call from Lua: the arguments and where results go. It calls only functions of the Lua API
/// that the manual marks `-` or `m`.
package struct ValueCall: ~Copyable {
    let state: OpaquePointer
    /// As a script writes it, for messages.
    let name: String

    package init(state: OpaquePointer, name: String) {
        self.state = state
        self.name = name
    }

    // MARK: Arguments

    func isAbsent(_ index: CInt) -> Bool {
        lua_type(state, index) <= LUA_TNIL
    }

    /// The bytes of a string, valid while it is an argument.
    func bytes(_ index: CInt, _ parameter: String) throws(ValueError) -> UnsafeRawBufferPointer {
        guard lua_type(state, index) == LUA_TSTRING else { throw wrong(index, parameter, "a string") }
        return stringBytes(index)
    }

    /// The bytes of a string, or of an integer as text.
    func textBytes(_ index: CInt, _ parameter: String) throws(ValueError) -> UnsafeRawBufferPointer {
        guard lua_type(state, index) == LUA_TSTRING || lua_isinteger(state, index) != 0 else {
            throw wrong(index, parameter, "a string or an integer")
        }
        return stringBytes(index)
    }

    private func stringBytes(_ index: CInt) -> UnsafeRawBufferPointer {
        var length = 0
        let text = lua_tolstring(state, index, &length)
        return UnsafeRawBufferPointer(start: text, count: length)
    }

    func string(_ index: CInt, _ parameter: String) throws(ValueError) -> String {
        String(decoding: try bytes(index, parameter), as: UTF8.self)
    }

    func integer(_ index: CInt, _ parameter: String) throws(ValueError) -> Int64 {
        var isInteger: CInt = 0
        let value = lua_tointegerx(state, index, &isInteger)
        guard isInteger != 0, lua_type(state, index) == LUA_TNUMBER else { throw wrong(index, parameter, "an integer") }
        return value
    }

    func wrong(_ index: CInt, _ parameter: String, _ expected: String) -> ValueError {
        .argument(function: name, parameter: parameter, expected: expected, found: described(index))
    }

    /// Operators have no name that a script would know.
    func failed(_ reason: String) -> ValueError {
        name.contains(" ") ? .operands(reason) : .failed(function: name, reason: reason)
    }

    /// The kind of value for a message; its content only where it can hold nothing personal.
    func described(_ index: CInt) -> String {
        switch lua_type(state, index) {
        case LUA_TNONE: "no value"
        case LUA_TNUMBER where lua_isinteger(state, index) != 0: "the integer \(lua_tointegerx(state, index, nil))"
        case LUA_TNUMBER: "the float \(lua_tonumberx(state, index, nil))"
        case LUA_TLIGHTUSERDATA where lua_touserdata(state, index) == nil: "rh.null"
        case LUA_TNIL: "nil"
        default: "a \(LuaStack(state).describe(at: index))"
        }
    }

    // MARK: Results

    func push(_ bytes: UnsafeRawBufferPointer) -> CInt {
        lua_pushlstring(state, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        return 1
    }

    func push(_ bytes: [UInt8]) -> CInt {
        bytes.withUnsafeBytes { push($0) }
    }

    func push(_ text: String) -> CInt {
        var text = text
        return text.withUTF8 { push(UnsafeRawBufferPointer($0)) }
    }

    func push(_ value: Int64) -> CInt {
        lua_pushinteger(state, value)
        return 1
    }

    func push(_ value: Double) -> CInt {
        lua_pushnumber(state, value)
        return 1
    }

    func push(_ value: Bool) -> CInt {
        lua_pushboolean(state, value ? 1 : 0)
        return 1
    }

    func push(_ value: Decimal) -> CInt {
        DecimalUserdata.push(value, on: state)
        return 1
    }

    func push(_ value: TimeValue) -> CInt {
        TimeUserdata.push(value, on: state)
        return 1
    }

    func pushNil() -> CInt {
        lua_pushnil(state)
        return 1
    }
}
