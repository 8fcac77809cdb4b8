import CLua
import CLuaShim
import Glibc

extension JSONEncoder {
    mutating func table() throws(JSONEncodingError.Reason) {
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

    func shape() -> Shape {
        guard lua_getmetatable(state, -1) != 0 else { return .unmarked }
        lua_rawgetp(state, RegistryKey.table, RegistryKey.jsonArray.pointer)
        lua_rawgetp(state, RegistryKey.table, RegistryKey.jsonObject.pointer)
        defer { lua_settop(state, -4) }
        if lua_rawequal(state, -3, -2) != 0 { return .array }
        return lua_rawequal(state, -3, -1) != 0 ? .object : .unmarked
    }

    func startsAtOne() throws(JSONEncodingError.Reason) -> Bool {
        defer { lua_settop(state, -2) }
        return lua_rawgeti(state, -1, 1) != LUA_TNIL
    }

    mutating func array() throws(JSONEncodingError.Reason) {
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
    mutating func arrayLength() throws(JSONEncodingError.Reason) -> Int64 {
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

    func hole() -> JSONEncodingError.Reason {
        var index: Int64 = 0
        while lua_rawgeti(state, -1, index + 1) != LUA_TNIL {
            lua_settop(state, -2)
            index += 1
        }
        return .hole(after: index)
    }

    /// The key below the value on top, as it would stand in an error message.
    func keyText() -> String {
        switch lua_type(state, -2) {
        case LUA_TSTRING: String(cString: lua_tolstring(state, -2, nil))
        case let type: "of type \(String(cString: lua_typename(state, type)))"
        }
    }

    mutating func object(isMarked: Bool) throws(JSONEncodingError.Reason) {
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

    mutating func collectKeys(takesIntegers: Bool) throws(JSONEncodingError.Reason) {
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
    mutating func sortKeys(from first: Int) {
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

    mutating func entry(_ key: Key) throws(JSONEncodingError.Reason) {
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

    func step(to key: Key) -> String {
        guard let text = key.text else { return "[\(key.integer)]" }
        let name = String(cString: text)
        let isPlain = name.utf8.allSatisfy { $0 == 0x5F || ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 }
        return isPlain ? ".\(name)" : "[\"\(name)\"]"
    }

    mutating func passed(_ reason: JSONEncodingError.Reason, _ step: String) -> JSONEncodingError.Reason {
        trail.append(step)
        return reason
    }
}
