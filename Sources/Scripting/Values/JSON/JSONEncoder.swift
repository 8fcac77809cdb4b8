import CLua
import CLuaShim
import Glibc

/// Writes a Lua value as JSON. The same value gives the same bytes, in every state and every run,
/// because the keys of objects are sorted (by bytes) unless asked otherwise.
///
/// A table is what its metatable says (`RegistryKey.jsonArray`, `.jsonObject`); without one it is an
/// array if its keys are 1 to n, an object if all are strings or there is none.
package struct JSONEncoder {
    package struct Options {
        package var isSorted = true
        /// Spaces for each level; 0 writes no line ends and no blanks.
        package var indent = 0

        package init(isSorted: Bool = true, indent: Int = 0) {
            self.isSorted = isSorted
            self.indent = indent
        }
    }

    private enum Shape { case array, object, unmarked }

    /// A key of the object being written; the bytes live as long as the table.
    private struct Key {
        var text: UnsafePointer<CChar>?
        var length = 0
        var integer: Int64 = 0
    }

    private let state: OpaquePointer
    private let options: Options
    private var output: [UInt8] = []
    private var keys: [Key] = []
    /// The tables around the current value.
    private var open: [UnsafeRawPointer?] = []
    /// Steps from the outside, last first, once an error is on its way out.
    private var trail: [String] = []

    package init(state: OpaquePointer, options: Options = Options()) {
        self.state = state
        self.options = options
        output.reserveCapacity(256)
    }

    /// The text of the value at `index`, which must not change meanwhile. Leaves the stack as it was,
    /// unless it throws.
    package mutating func encode(at index: CInt) throws(JSONEncodingError) -> [UInt8] {
        do throws(JSONEncodingError.Reason) {
            guard lua_checkstack(state, 8) != 0 else { throw .tooDeep }
            lua_pushvalue(state, index)
            try value()
            lua_settop(state, -2)
            return output
        } catch {
            throw JSONEncodingError(reason: error, path: "value" + trail.reversed().joined())
        }
    }

    /// Writes the value on top of the stack and leaves it there.
    private mutating func value() throws(JSONEncodingError.Reason) {
        switch lua_type(state, -1) {
        case LUA_TNIL: write("null")
        case LUA_TBOOLEAN: write(lua_toboolean(state, -1) != 0 ? "true" : "false")
        case LUA_TNUMBER: try number()
        case LUA_TSTRING:
            var length = 0
            let text = lua_tolstring(state, -1, &length)
            try string(text, length)
        case LUA_TTABLE: try table()
        case LUA_TLIGHTUSERDATA where lua_touserdata(state, -1) == nil: write("null")
        case LUA_TUSERDATA: try userdata()
        case let type: throw .unsupportedType(String(cString: lua_typename(state, type)))
        }
    }

    private mutating func number() throws(JSONEncodingError.Reason) {
        if lua_isinteger(state, -1) != 0 { return integer(lua_tointegerx(state, -1, nil)) }
        let number = lua_tonumberx(state, -1, nil)
        guard number.isFinite else { throw number.isNaN ? .notANumber : .infinity }
        output.append(contentsOf: number.description.utf8)
    }

    private mutating func integer(_ value: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = digits.count
            var rest = value.magnitude
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 {
                start -= 1
                digits[start] = UInt8(ascii: "-")
            }
            output.append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[start...]))
        }
    }

    private mutating func userdata() throws(JSONEncodingError.Reason) {
        if let decimal = DecimalUserdata.read(at: -1, of: state) {
            guard decimal.isFinite else { throw decimal.isNaN ? .notANumber : .infinity }
            decimal.withText { output.append(contentsOf: $0) }
        } else if let time = TimeUserdata.read(at: -1, of: state) {
            output.append(UInt8(ascii: "\""))
            output.append(contentsOf: time.description.utf8)
            output.append(UInt8(ascii: "\""))
        } else {
            throw .unsupportedType("userdata")
        }
    }

    private mutating func write(_ word: StaticString) {
        output.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    private mutating func lineBreak() {
        guard options.indent > 0 else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: options.indent * open.count))
    }

    // MARK: Tables

    private mutating func table() throws(JSONEncodingError.Reason) {
        let identity = lua_topointer(state, -1)
        guard !open.contains(identity) else { throw .cycle }
        guard open.count < JSONDecoder.deepest, lua_checkstack(state, 8) != 0 else { throw .tooDeep }
        open.append(identity)
        let shape = shape()
        switch shape {
        case .array: try array()
        case .object: try object(isMarked: true)
        case .unmarked:
            if try startsAtOne() { try array() } else { try object(isMarked: false) }
        }
    }

    private func shape() -> Shape {
        guard lua_getmetatable(state, -1) != 0 else { return .unmarked }
        lua_rawgetp(state, RegistryKey.table, RegistryKey.jsonArray.pointer)
        lua_rawgetp(state, RegistryKey.table, RegistryKey.jsonObject.pointer)
        defer { lua_settop(state, -4) }
        if lua_rawequal(state, -3, -2) != 0 { return .array }
        return lua_rawequal(state, -3, -1) != 0 ? .object : .unmarked
    }

    private func startsAtOne() throws(JSONEncodingError.Reason) -> Bool {
        defer { lua_settop(state, -2) }
        return lua_rawgeti(state, -1, 1) != LUA_TNIL
    }

    private mutating func array() throws(JSONEncodingError.Reason) {
        let length = try arrayLength()
        guard length > 0 else {
            open.removeLast()
            return write("[]")
        }
        output.append(UInt8(ascii: "["))
        for index in 1...length {
            if index > 1 { output.append(UInt8(ascii: ",")) }
            lineBreak()
            lua_rawgeti(state, -1, index)
            do { try value() } catch { throw passed(error, "[\(index)]") }
            lua_settop(state, -2)
        }
        open.removeLast()
        lineBreak()
        output.append(UInt8(ascii: "]"))
    }

    /// Checks that the keys are 1 to n, next to an integer `n` that may say so of a table whose end is nil.
    private mutating func arrayLength() throws(JSONEncodingError.Reason) -> Int64 {
        var count: Int64 = 0
        var largest: Int64 = 0
        var length: Int64?
        lua_pushnil(state)
        while rh_next(state, -2) != 0 {
            if lua_isinteger(state, -2) != 0 {
                count += 1
                let key = lua_tointegerx(state, -2, nil)
                guard key >= 1 else { throw .mixedKeys("\(key)") }
                largest = max(largest, key)
            } else if lua_type(state, -2) == LUA_TSTRING, keyText() == "n", lua_isinteger(state, -1) != 0 {
                length = lua_tointegerx(state, -1, nil)
            } else {
                throw .mixedKeys(keyText())
            }
            lua_settop(state, -2)
        }
        // An array as PostgreSQL's come, whose `n` counts elements.
        if let length, length >= largest, length - largest <= 1_000_000 { return length }
        guard largest == count, length == nil else { throw hole() }
        return count
    }

    private func hole() -> JSONEncodingError.Reason {
        var index: Int64 = 0
        while lua_rawgeti(state, -1, index + 1) != LUA_TNIL {
            lua_settop(state, -2)
            index += 1
        }
        return .hole(after: index)
    }

    /// The key below the value on top, as it would stand in an error message.
    private func keyText() -> String {
        switch lua_type(state, -2) {
        case LUA_TSTRING: String(cString: lua_tolstring(state, -2, nil))
        case let type: "of type \(String(cString: lua_typename(state, type)))"
        }
    }

    private mutating func object(isMarked: Bool) throws(JSONEncodingError.Reason) {
        let first = keys.count
        defer { keys.removeLast(keys.count - first) }
        try collectKeys(takesIntegers: isMarked)
        guard keys.count > first else {
            open.removeLast()
            return write("{}")
        }
        if options.isSorted { sortKeys(from: first) }
        output.append(UInt8(ascii: "{"))
        for index in first..<keys.count {
            if index > first { output.append(UInt8(ascii: ",")) }
            lineBreak()
            try entry(keys[index])
        }
        open.removeLast()
        lineBreak()
        output.append(UInt8(ascii: "}"))
    }

    private mutating func collectKeys(takesIntegers: Bool) throws(JSONEncodingError.Reason) {
        lua_pushnil(state)
        while rh_next(state, -2) != 0 {
            var key = Key()
            if lua_type(state, -2) == LUA_TSTRING {
                key.text = lua_tolstring(state, -2, &key.length)
            } else if lua_isinteger(state, -2) != 0 {
                key.integer = lua_tointegerx(state, -2, nil)
                guard takesIntegers else { throw .mixedKeys("\(key.integer)") }
            } else {
                throw .unsupportedKey(String(cString: lua_typename(state, lua_type(state, -2))))
            }
            keys.append(key)
            lua_settop(state, -2)
        }
    }

    /// Integers first, then strings by their bytes.
    private mutating func sortKeys(from first: Int) {
        keys.withUnsafeMutableBufferPointer { keys in
            var part = UnsafeMutableBufferPointer(rebasing: keys[first...])
            part.sort { left, right in
                guard let leftText = left.text, let rightText = right.text else {
                    return left.text == nil && right.text == nil ? left.integer < right.integer : left.text == nil
                }
                let order = memcmp(leftText, rightText, min(left.length, right.length))
                return order == 0 ? left.length < right.length : order < 0
            }
        }
    }

    private mutating func entry(_ key: Key) throws(JSONEncodingError.Reason) {
        if let text = key.text {
            do { try string(text, key.length) } catch { throw passed(error, " key") }
            lua_pushlstring(state, text, key.length)
            lua_rawget(state, -2)
        } else {
            output.append(UInt8(ascii: "\""))
            integer(key.integer)
            output.append(UInt8(ascii: "\""))
            lua_rawgeti(state, -1, key.integer)
        }
        output.append(UInt8(ascii: ":"))
        if options.indent > 0 { output.append(UInt8(ascii: " ")) }
        do { try value() } catch { throw passed(error, step(to: key)) }
        lua_settop(state, -2)
    }

    private func step(to key: Key) -> String {
        guard let text = key.text else { return "[\(key.integer)]" }
        let name = String(cString: text)
        let isPlain = name.utf8.allSatisfy { $0 == 0x5F || ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 }
        return isPlain ? ".\(name)" : "[\"\(name)\"]"
    }

    private mutating func passed(_ reason: JSONEncodingError.Reason, _ step: String) -> JSONEncodingError.Reason {
        trail.append(step)
        return reason
    }

    // MARK: Strings

    private mutating func string(_ text: UnsafePointer<CChar>?, _ length: Int) throws(JSONEncodingError.Reason) {
        let bytes = UnsafeRawBufferPointer(start: text, count: length)
        output.append(UInt8(ascii: "\""))
        var run = 0
        var index = 0
        while index < length {
            let byte = bytes[index]
            if byte >= 0x80 {
                let scalar = UTF8Scanner.scalarLength(bytes, at: index)
                guard scalar > 0 else { throw .invalidUTF8 }
                index += scalar
            } else if byte < 0x20 || byte == 0x22 || byte == 0x5C {
                output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[run..<index]))
                escape(byte)
                index += 1
                run = index
            } else {
                index += 1
            }
        }
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[run..<length]))
        output.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: output.append(byte)
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        default:
            write("u00")
            output.append(Hexadecimal.digit(byte >> 4))
            output.append(Hexadecimal.digit(byte & 15))
        }
    }
}
