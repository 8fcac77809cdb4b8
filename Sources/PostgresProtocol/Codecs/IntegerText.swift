/// The text form of the integer types.
package enum IntegerText {
    @inlinable package static func width(_ kind: ValueKind) -> Int {
        switch kind {
        case .int16: 2
        case .int64, .pgLSN: 8
        default: 4
        }
    }

    /// Digits with an optional sign, spaces at the ends allowed.
    @inlinable package static func parse(
        _ text: UnsafeRawBufferPointer, _ kind: ValueKind
    ) throws(CodecError) -> Int64 {
        var index = 0
        var isNegative = false
        if let first = text.first, first == UInt8(ascii: "-") {
            isNegative = true
            index = 1
        }
        guard text.count > index, text.count <= 18 else { return try parseSlowly(text, kind) }
        var value: Int64 = 0
        while index < text.count {
            let digit = text[index] &- 0x30
            guard digit < 10 else { return try parseSlowly(text, kind) }
            value = value &* 10 &+ Int64(digit)
            index &+= 1
        }
        return try checked(isNegative ? -value : value, kind)
    }

    /// The value if the type can hold it.
    @inlinable package static func checked(_ value: Int64, _ kind: ValueKind) throws(CodecError) -> Int64 {
        switch kind {
        case .int16: if value != Int64(Int16(truncatingIfNeeded: value)) { throw outOfRange(kind) }
        case .int32: if value != Int64(Int32(truncatingIfNeeded: value)) { throw outOfRange(kind) }
        case .oid: if value != Int64(UInt32(truncatingIfNeeded: value)) { throw outOfRange(kind) }
        default: break
        }
        return value
    }

    @inline(never) package static func outOfRange(_ kind: ValueKind) -> CodecError {
        switch kind {
        case .int16: .outOfRange(kind, lowest: "-32768", highest: "32767")
        case .int32: .outOfRange(kind, lowest: "-2147483648", highest: "2147483647")
        case .oid: .outOfRange(kind, lowest: "0", highest: "4294967295")
        default: .outOfRange(kind, lowest: "-9223372036854775808", highest: "9223372036854775807")
        }
    }

    @inline(never)
    package static func parseSlowly(_ text: UnsafeRawBufferPointer, _ kind: ValueKind) throws(CodecError) -> Int64 {
        let digits = ASCII.trimmed(text)
        var index = 0
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { index = 1 }
        guard index < digits.count else { throw .malformed(kind, reason: "no digits") }
        var value: Int64 = 0
        while index < digits.count {
            guard ASCII.isDigit(digits[index]) else { throw .malformed(kind, reason: "not a whole number") }
            let digit = Int64(digits[index] &- 0x30)
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, overflow2) = product.addingReportingOverflow(isNegative ? -digit : digit)
            guard !overflow, !overflow2 else { throw outOfRange(kind) }
            value = next
            index += 1
        }
        return try checked(value, kind)
    }

    /// Appends the decimal digits, as the server prints them.
    @inlinable package static func append(_ value: Int64, to buffer: inout ByteBuffer) {
        let space = buffer.space(for: 20)
        guard value < 0 else { return buffer.advance(by: write(UInt64(bitPattern: value), to: space)) }
        space.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
        buffer.advance(by: write(value.magnitude, to: space + 1) &+ 1)
    }

    /// Writes the decimal digits, 20 at most; returns how many.
    @inlinable package static func write(_ magnitude: UInt64, to space: UnsafeMutableRawPointer) -> Int {
        let count = digitCount(magnitude)
        var index = count
        var rest = magnitude
        while rest >= 100 {
            let quotient = rest / 100
            index &-= 2
            _ = DateTimeText.write(pair: rest &- quotient &* 100, to: space, at: index)
            rest = quotient
        }
        if index == 2 {
            _ = DateTimeText.write(pair: rest, to: space, at: 0)
        } else {
            space.storeBytes(of: UInt8(truncatingIfNeeded: rest) &+ 0x30, as: UInt8.self)
        }
        return count
    }

    @inlinable package static func digitCount(_ magnitude: UInt64) -> Int {
        var count = 1
        var rest = magnitude
        while rest >= 10000 {
            rest /= 10000
            count &+= 4
        }
        if rest >= 1000 { return count &+ 3 }
        if rest >= 100 { return count &+ 2 }
        return rest >= 10 ? count &+ 1 : count
    }
}
