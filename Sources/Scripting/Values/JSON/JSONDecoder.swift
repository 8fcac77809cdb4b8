import CLua
import CLuaShim

/// Reads RFC 8259 text and builds the Lua value while it reads, in one pass and with no tree of its
/// own in between, which is why it is not one of the JSON packages: those build Swift values first.
///
/// Objects become tables, arrays tables with the metatable at `RegistryKey.jsonArray`, null the
/// light userdata NULL, numbers as `JSONNumber` says. Of equal keys the last counts, as in `jsonb`.
package struct JSONDecoder {
    /// Arrays and objects inside each other, the outermost included.
    static let deepest = 512

    private let state: OpaquePointer
    private let bytes: UnsafePointer<UInt8>
    private let count: Int
    private var cursor: UnsafePointer<UInt8>
    private var depth = 0
    private var scratch: [UInt8] = []
    /// Entries in the object and array last closed at each of the upper levels: what the next one
    /// there will probably have.
    private var expected = [CInt](repeating: 0, count: 16)

    /// `bytes` is followed by a zero byte (as a Lua string is) and stays in place while decoding.
    package init(_ bytes: UnsafePointer<UInt8>, count: Int, state: OpaquePointer) {
        self.state = state
        self.bytes = bytes
        self.count = count
        cursor = bytes
    }

    /// Leaves the value on top of the stack, or throws and leaves rubbish above the top.
    package mutating func decode() throws(JSONSyntaxError) {
        let wasCollecting = rh_stop_collector(state)
        defer { if wasCollecting { rh_start_collector(state) } }
        do throws(JSONSyntaxError.Reason) {
            skipBlanks()
            if cursor - bytes == count { throw .empty }
            try value()
            skipBlanks()
            if cursor - bytes != count { throw .trailingText }
        } catch {
            throw located(error)
        }
    }

    private mutating func value() throws(JSONSyntaxError.Reason) {
        switch cursor.pointee {
        case UInt8(ascii: "\""):
            try string()
        case UInt8(ascii: "{"):
            try object()
        case UInt8(ascii: "["):
            try array()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try number()
        case UInt8(ascii: "t"):
            try word("true")
            lua_pushboolean(state, 1)
        case UInt8(ascii: "f"):
            try word("false")
            lua_pushboolean(state, 0)
        case UInt8(ascii: "n"):
            try word("null")
            lua_pushlightuserdata(state, nil)
        default:
            throw .expectedValue
        }
    }

    private mutating func word(_ word: StaticString) throws(JSONSyntaxError.Reason) {
        for index in 0..<word.utf8CodeUnitCount where cursor[index] != word.utf8Start[index] { throw .expectedValue }
        cursor += word.utf8CodeUnitCount
    }

    private mutating func number() throws(JSONSyntaxError.Reason) {
        var scanner = JSONNumberScanner(cursor)
        defer { cursor = scanner.end }
        switch try scanner.scan() {
        case .integer(let value): lua_pushinteger(state, value)
        case .float(let value): lua_pushnumber(state, value)
        case .decimal(let value): DecimalUserdata.push(value, on: state)
        }
    }

    // MARK: Containers

    private mutating func enter() throws(JSONSyntaxError.Reason) {
        depth += 1
        guard depth <= Self.deepest, lua_checkstack(state, 6) != 0 else { throw .tooDeep }
        cursor += 1
        skipBlanks()
    }

    private mutating func leave(entries: CInt) {
        if depth < expected.count { expected[depth] = min(entries, 64) }
        depth -= 1
        cursor += 1
    }

    private mutating func array() throws(JSONSyntaxError.Reason) {
        try enter()
        lua_createtable(state, depth < expected.count ? expected[depth] : 0, 0)
        lua_rawgetp(state, RegistryKey.table, RegistryKey.jsonArray.pointer)
        lua_setmetatable(state, -2)
        var entries: lua_Integer = 0
        if cursor.pointee != UInt8(ascii: "]") {
            repeat {
                try value()
                entries += 1
                lua_rawseti(state, -2, entries)
            } while try continues(until: UInt8(ascii: "]"))
        }
        leave(entries: CInt(clamping: entries))
    }

    private mutating func object() throws(JSONSyntaxError.Reason) {
        try enter()
        lua_createtable(state, 0, depth < expected.count ? expected[depth] : 0)
        var entries: CInt = 0
        if cursor.pointee != UInt8(ascii: "}") {
            repeat {
                guard cursor.pointee == UInt8(ascii: "\"") else { throw .expectedKey }
                try string()
                skipBlanks()
                guard cursor.pointee == UInt8(ascii: ":") else { throw .expectedColon }
                cursor += 1
                skipBlanks()
                try value()
                lua_rawset(state, -3)
                entries &+= 1
            } while try continues(until: UInt8(ascii: "}"))
        }
        leave(entries: entries)
    }

    /// Past a comma: true, and at the next entry. At the end: false.
    private mutating func continues(until end: UInt8) throws(JSONSyntaxError.Reason) -> Bool {
        skipBlanks()
        if cursor.pointee == end { return false }
        guard cursor.pointee == UInt8(ascii: ",") else {
            throw .expectedCommaOrEnd(of: end == UInt8(ascii: "]") ? "]" : "}")
        }
        cursor += 1
        skipBlanks()
        return true
    }

    private mutating func skipBlanks() {
        while true {
            switch cursor.pointee {
            case 0x20, 0x0A, 0x0D, 0x09: cursor += 1
            default: return
            }
        }
    }

    // MARK: Strings

    private mutating func string() throws(JSONSyntaxError.Reason) {
        cursor += 1
        let start = cursor
        while true {
            skipPlain()
            switch cursor.pointee {
            case UInt8(ascii: "\""):
                lua_pushlstring(state, UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self), cursor - start)
                cursor += 1
                return
            case UInt8(ascii: "\\"):
                return try escapedString(from: start)
            case 0x80...:
                try skipScalar()
            case let byte:
                throw cursor - bytes == count ? .unfinishedString : .controlCharacter(byte)
            }
        }
    }

    /// Moves over bytes that need no look: ASCII without quote, backslash and control characters.
    private mutating func skipPlain() {
        let last = bytes + count
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while last - cursor >= 8 {
            let word = UInt64(littleEndian: UnsafeRawPointer(cursor).loadUnaligned(as: UInt64.self))
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            let hits =
                (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- (ones &* 0x20)) & ~word)
                    | word) & highs
            if hits != 0 {
                // The lowest hit is exact; a borrow can only fake one above it.
                cursor += hits.trailingZeroBitCount >> 3
                return
            }
            cursor += 8
        }
        while cursor.pointee >= 0x20, cursor.pointee < 0x80, cursor.pointee != 0x22, cursor.pointee != 0x5C {
            cursor += 1
        }
    }

    /// Moves over one scalar of two to four bytes.
    private mutating func skipScalar() throws(JSONSyntaxError.Reason) {
        let first = cursor[0]
        let second = cursor[1]
        switch first {
        case 0xC2...0xDF:
            guard second & 0xC0 == 0x80 else { throw .invalidUTF8 }
            cursor += 2
        case 0xE0...0xEF:
            let isSound = first == 0xE0 ? second >= 0xA0 : (first == 0xED ? second < 0xA0 : true)
            guard isSound, second & 0xC0 == 0x80, cursor[2] & 0xC0 == 0x80 else { throw .invalidUTF8 }
            cursor += 3
        case 0xF0...0xF4:
            let isSound = first == 0xF0 ? second >= 0x90 : (first == 0xF4 ? second < 0x90 : true)
            guard isSound, second & 0xC0 == 0x80, cursor[2] & 0xC0 == 0x80, cursor[3] & 0xC0 == 0x80 else {
                throw .invalidUTF8
            }
            cursor += 4
        default:
            throw .invalidUTF8
        }
    }

    private mutating func escapedString(from start: UnsafePointer<UInt8>) throws(JSONSyntaxError.Reason) {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: UnsafeBufferPointer(start: start, count: cursor - start))
        while true {
            let run = cursor
            skipPlain()
            while cursor.pointee >= 0x80 {
                try skipScalar()
                skipPlain()
            }
            scratch.append(contentsOf: UnsafeBufferPointer(start: run, count: cursor - run))
            switch cursor.pointee {
            case UInt8(ascii: "\""):
                scratch.withUnsafeBytes {
                    _ = lua_pushlstring(state, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
                }
                cursor += 1
                return
            case UInt8(ascii: "\\"):
                try escape()
            case let byte:
                throw cursor - bytes == count ? .unfinishedString : .controlCharacter(byte)
            }
        }
    }

    private mutating func escape() throws(JSONSyntaxError.Reason) {
        switch cursor[1] {
        case UInt8(ascii: "\""): scratch.append(0x22)
        case UInt8(ascii: "\\"): scratch.append(0x5C)
        case UInt8(ascii: "/"): scratch.append(0x2F)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw cursor - bytes + 1 == count ? .unfinishedString : .badEscape
        }
        cursor += 2
    }

    private mutating func unicodeEscape() throws(JSONSyntaxError.Reason) {
        var code = try hexadecimal(at: cursor + 2)
        var length = 6
        if code & 0xF800 == 0xD800 {
            guard code < 0xDC00, cursor[6] == UInt8(ascii: "\\"), cursor[7] == UInt8(ascii: "u") else {
                throw .loneSurrogate
            }
            let low = try hexadecimal(at: cursor + 8)
            guard low & 0xFC00 == 0xDC00 else { throw .loneSurrogate }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            length = 12
        }
        guard let scalar = Unicode.Scalar(code) else { throw .loneSurrogate }
        scratch.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        cursor += length
    }

    private func hexadecimal(at digits: UnsafePointer<UInt8>) throws(JSONSyntaxError.Reason) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 {
            let digit: UInt8
            switch digits[index] {
            case let byte where byte &- 0x30 <= 9: digit = byte &- 0x30
            case let byte where (byte | 0x20) &- 0x61 <= 5: digit = (byte | 0x20) &- 0x61 + 10
            default: throw .badEscape
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: Errors

    private func located(_ reason: JSONSyntaxError.Reason) -> JSONSyntaxError {
        let offset = min(cursor - bytes, count)
        let read = UnsafeBufferPointer(start: bytes, count: offset)
        let line = read.count { $0 == 0x0A } + 1
        let column = offset - ((read.lastIndex(of: 0x0A) ?? -1) + 1) + 1
        return JSONSyntaxError(reason: reason, offset: offset, line: line, column: column)
    }
}
