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

    let state: OpaquePointer
    let bytes: UnsafePointer<UInt8>
    let count: Int
    var cursor: UnsafePointer<UInt8>
    var depth = 0
    private var containers: UInt32 = 0
    var scratch: [UInt8] = []
    /// Entries in the object and array last closed at each of the upper levels: what the next one
    /// there will probably have.
    var expected = [CInt](repeating: 0, count: 16)

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

    mutating func value() throws(JSONSyntaxError.Reason) {
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

    mutating func word(_ word: StaticString) throws(JSONSyntaxError.Reason) {
        for index in 0..<word.utf8CodeUnitCount where cursor[index] != word.utf8Start[index] { throw .expectedValue }
        cursor += word.utf8CodeUnitCount
    }

    mutating func number() throws(JSONSyntaxError.Reason) {
        var scanner = JSONNumberScanner(cursor)
        defer { cursor = scanner.end }
        switch try scanner.scan() {
        case .integer(let value): lua_pushinteger(state, value)
        case .float(let value): lua_pushnumber(state, value)
        case .decimal(let value): DecimalUserdata.push(value, on: state)
        }
    }

    // MARK: Containers

    mutating func enter() throws(JSONSyntaxError.Reason) {
        depth += 1
        containers &+= 1
        if containers & 0xFFF == 0 { try checkMemory() }
        guard depth <= Self.deepest, lua_checkstack(state, 6) != 0 else { throw .tooDeep }
        cursor += 1
        skipBlanks()
    }

    /// The limit is enforced only after the call, and a short text may hold very many empty tables.
    private func checkMemory() throws(JSONSyntaxError.Reason) {
        let shim = rh_state_of(state)
        let limit = rh_memory_limit(shim)
        if limit > 0, rh_memory_used(shim) > limit { throw .noMemory }
    }

    mutating func leave(entries: CInt) {
        if depth < expected.count { expected[depth] = min(entries, 64) }
        depth -= 1
        cursor += 1
    }

    mutating func array() throws(JSONSyntaxError.Reason) {
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

    mutating func object() throws(JSONSyntaxError.Reason) {
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
    mutating func continues(until end: UInt8) throws(JSONSyntaxError.Reason) -> Bool {
        skipBlanks()
        if cursor.pointee == end { return false }
        guard cursor.pointee == UInt8(ascii: ",") else {
            throw .expectedCommaOrEnd(of: end == UInt8(ascii: "]") ? "]" : "}")
        }
        cursor += 1
        skipBlanks()
        return true
    }

    mutating func skipBlanks() {
        while true {
            switch cursor.pointee {
            case 0x20, 0x0A, 0x0D, 0x09: cursor += 1
            default: return
            }
        }
    }

    // MARK: Errors

    func located(_ reason: JSONSyntaxError.Reason) -> JSONSyntaxError {
        let offset = min(cursor - bytes, count)
        let read = UnsafeBufferPointer(start: bytes, count: offset)
        let line = read.count { $0 == 0x0A } + 1
        let column = offset - ((read.lastIndex(of: 0x0A) ?? -1) + 1) + 1
        return JSONSyntaxError(reason: reason, offset: offset, line: line, column: column)
    }
}
