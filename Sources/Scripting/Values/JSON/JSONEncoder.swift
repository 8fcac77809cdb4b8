import CLua

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

    enum Shape { case array, object, unmarked }

    /// A key of the object being written; the bytes live as long as the table.
    struct Key {
        var text: UnsafePointer<CChar>?
        var length = 0
        var integer: Int64 = 0
    }

    let state: OpaquePointer
    let options: Options
    var output: [UInt8] = []
    var keys: [Key] = []
    /// The tables around the current value.
    var open: [UnsafeRawPointer?] = []
    /// Steps from the outside, last first, once an error is on its way out.
    var trail: [String] = []

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
    mutating func value() throws(JSONEncodingError.Reason) {
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

    mutating func number() throws(JSONEncodingError.Reason) {
        if lua_isinteger(state, -1) != 0 { return integer(lua_tointegerx(state, -1, nil)) }
        let number = lua_tonumberx(state, -1, nil)
        guard number.isFinite else { throw number.isNaN ? .notANumber : .infinity }
        output.append(contentsOf: number.description.utf8)
    }

    mutating func integer(_ value: Int64) {
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

    mutating func userdata() throws(JSONEncodingError.Reason) {
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

    mutating func write(_ word: StaticString) {
        output.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    mutating func lineBreak() {
        guard options.indent > 0 else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: options.indent * open.count))
    }

    // MARK: Strings

    mutating func string(_ text: UnsafePointer<CChar>?, _ length: Int) throws(JSONEncodingError.Reason) {
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

    mutating func escape(_ byte: UInt8) {
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
