/// The text form of `real` and `double precision`: the shortest digits that read back as the same value, laid out as the
/// server lays them out (`extra_float_digits` 1).
package enum FloatText {
    /// Widens `float4` exactly.
    package static func parse(_ text: UnsafeRawBufferPointer, _ kind: ValueKind) throws(CodecError) -> Double {
        guard kind == .float8 || kind == .float4 else { throw .notAssignable(kind, from: "a float") }
        let trimmed = ASCII.trimmed(text)
        guard let number = DecimalNumber(trimmed) else { return try special(trimmed, kind) }
        if kind == .float4 {
            let value = number.exactFloat ?? Float(String(decoding: trimmed, as: UTF8.self)) ?? .infinity
            guard value.isFinite, value != 0 || number.isZero else { throw outOfRange(kind) }
            return Double(value)
        }
        let value = number.exactDouble ?? Double(String(decoding: trimmed, as: UTF8.self)) ?? .infinity
        guard value.isFinite, value != 0 || number.isZero else { throw outOfRange(kind) }
        return value
    }

    static func outOfRange(_ kind: ValueKind) -> CodecError {
        kind == .float4
            ? .outOfRange(kind, lowest: "-3.4028235e+38", highest: "3.4028235e+38")
            : .outOfRange(kind, lowest: "-1.7976931348623157e+308", highest: "1.7976931348623157e+308")
    }

    private static func special(_ text: UnsafeRawBufferPointer, _ kind: ValueKind) throws(CodecError) -> Double {
        if ASCII.matches(text, "nan") { return .nan }
        var word = text
        let isNegative = word.first == UInt8(ascii: "-")
        if isNegative || word.first == UInt8(ascii: "+") { word = UnsafeRawBufferPointer(rebasing: word[1...]) }
        guard ASCII.matches(word, "infinity") || ASCII.matches(word, "inf") else {
            throw .malformed(kind, reason: "not a number")
        }
        return isNegative ? -.infinity : .infinity
    }

    package static func append(_ value: Double, to buffer: inout ByteBuffer) {
        guard value.isFinite else { return appendSpecial(value, to: &buffer) }
        var digits = ShortestDigits(value.description)
        let isNormal = value.exponentBitPattern > 0
        digits.leaveBounds(
            of: value.significandBitPattern | (isNormal ? 1 << 52 : 0),
            exponent: max(Int(value.exponentBitPattern), 1) - 1075,
            isPowerOfTwo: value.significandBitPattern == 0 && value.exponentBitPattern > 1)
        digits.append(fixedBelow: 15, to: &buffer)
    }

    package static func append(_ value: Float, to buffer: inout ByteBuffer) {
        guard value.isFinite else { return appendSpecial(Double(value), to: &buffer) }
        var digits = ShortestDigits(value.description)
        let isNormal = value.exponentBitPattern > 0
        digits.leaveBounds(
            of: UInt64(value.significandBitPattern | (isNormal ? 1 << 23 : 0)),
            exponent: max(Int(value.exponentBitPattern), 1) - 150,
            isPowerOfTwo: value.significandBitPattern == 0 && value.exponentBitPattern > 1)
        digits.append(fixedBelow: 6, to: &buffer)
    }

    private static func appendSpecial(_ value: Double, to buffer: inout ByteBuffer) {
        if value.isNaN { return buffer.append("NaN") }
        buffer.append(value > 0 ? "Infinity" : "-Infinity")
    }
}
