import CLua

extension JSONDecoder {
    mutating func string() throws(JSONSyntaxError.Reason) {
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
    mutating func skipPlain() {
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
    mutating func skipScalar() throws(JSONSyntaxError.Reason) {
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

    mutating func escapedString(from start: UnsafePointer<UInt8>) throws(JSONSyntaxError.Reason) {
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

    mutating func escape() throws(JSONSyntaxError.Reason) {
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

    mutating func unicodeEscape() throws(JSONSyntaxError.Reason) {
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

    func hexadecimal(at digits: UnsafePointer<UInt8>) throws(JSONSyntaxError.Reason) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 {
            guard let digit = Hexadecimal.value(of: digits[index]) else { throw .badEscape }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
