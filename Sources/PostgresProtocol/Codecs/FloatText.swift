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
        append(value.description, fixedBelow: 15, to: &buffer)
    }

    package static func append(_ value: Float, to buffer: inout ByteBuffer) {
        append(value.description, fixedBelow: 6, to: &buffer)
    }

    /// Turns Swift's layout of the shortest digits into PostgreSQL's. Plain notation serves decimal exponents from -4 up
    /// to `fixedBelow`.
    private static func append(_ swiftText: String, fixedBelow: Int, to buffer: inout ByteBuffer) {
        switch swiftText {
        case "nan", "-nan": return buffer.append("NaN")
        case "inf": return buffer.append("Infinity")
        case "-inf": return buffer.append("-Infinity")
        default: break
        }
        var text = swiftText
        text.withUTF8 { utf8 in
            guard let shortest = ShortestDigits(UnsafeRawBufferPointer(utf8)) else { return }
            shortest.append(fixedBelow: fixedBelow, to: &buffer)
        }
    }
}

/// A decimal number of text, as far as reading it as a float needs.
private struct DecimalNumber {
    private var isNegative = false
    /// The digits, if there are at most 19 of them.
    private var digits: UInt64 = 0
    private var digitCount = 0
    private var exponent = 0
    var isZero = true

    /// Nil unless the text is `[+-]digits[.digits][e[+-]digits]`.
    init?(_ text: UnsafeRawBufferPointer) {
        var index = 0
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        let firstDigit = index
        takeDigits(text, &index)
        var hasDigits = index > firstDigit
        if index < text.count, text[index] == UInt8(ascii: ".") {
            index += 1
            let point = index
            takeDigits(text, &index)
            hasDigits = hasDigits || index > point
            exponent = point - index
        }
        guard hasDigits else { return nil }
        if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
            guard let written = Self.exponent(text, &index) else { return nil }
            exponent += written
        }
        guard index == text.count else { return nil }
    }

    private mutating func takeDigits(_ text: UnsafeRawBufferPointer, _ index: inout Int) {
        while index < text.count, ASCII.isDigit(text[index]) {
            let digit = UInt64(text[index] &- 0x30)
            if digitCount > 0 || digit > 0 { digitCount += 1 }
            if digitCount <= 19 { digits = digits &* 10 &+ digit }
            if digit > 0 { isZero = false }
            index += 1
        }
    }

    private static func exponent(_ text: UnsafeRawBufferPointer, _ index: inout Int) -> Int? {
        index += 1
        var isNegative = false
        if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            isNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        let start = index
        var value = 0
        while index < text.count, ASCII.isDigit(text[index]) {
            value = min(value * 10 + Int(text[index] &- 0x30), 1_000_000)
            index += 1
        }
        guard index > start else { return nil }
        return isNegative ? -value : value
    }

    /// Digits and power of ten are both exact in the type, so one operation rounds correctly (Clinger 1990).
    var exactDouble: Double? {
        guard digitCount <= 19, digits <= 1 << 53, abs(exponent) <= 22 else { return nil }
        let power = Self.powers[abs(exponent)]
        let value = exponent < 0 ? Double(digits) / power : Double(digits) * power
        return isNegative ? -value : value
    }

    var exactFloat: Float? {
        guard digitCount <= 19, digits <= 1 << 24, abs(exponent) <= 10 else { return nil }
        let power = Float(Self.powers[abs(exponent)])
        let value = exponent < 0 ? Float(digits) / power : Float(digits) * power
        return isNegative ? -value : value
    }

    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}

/// Significant digits and decimal exponent of a float's shortest text.
private struct ShortestDigits {
    private var isNegative = false
    private var digits: UInt64 = 0
    private var count = 0
    /// Of the first digit: 1.5 has 0, 0.015 has -2.
    private var exponent = 0

    /// Reads Swift's description of a finite float.
    init?(_ text: UnsafeRawBufferPointer) {
        var index = 0
        var pointAt: Int?
        var seen = 0
        var written = 0
        if text.first == UInt8(ascii: "-") {
            isNegative = true
            index = 1
        }
        scan: while index < text.count {
            switch text[index] {
            case UInt8(ascii: "."): pointAt = seen
            case UInt8(ascii: "e"):
                guard let value = try? IntegerText.parse(UnsafeRawBufferPointer(rebasing: text[(index + 1)...]), .int64)
                else { return nil }
                written = Int(value)
                break scan
            case let byte where ASCII.isDigit(byte):
                digits = digits &* 10 &+ UInt64(byte &- 0x30)
                seen += 1
            default: return nil
            }
            index += 1
        }
        count = digits == 0 ? 1 : IntegerText.digitCount(digits)
        exponent = digits == 0 ? 0 : (pointAt ?? seen) - (seen - count) - 1 + written
        while digits != 0, digits % 10 == 0 {
            digits /= 10
            count -= 1
        }
    }

    func append(fixedBelow: Int, to buffer: inout ByteBuffer) {
        if isNegative { buffer.append(UInt8(ascii: "-")) }
        if exponent < -4 || exponent >= fixedBelow { return appendScientific(to: &buffer) }
        if exponent < 0 {
            buffer.append("0.")
            for _ in 0..<(-exponent - 1) { buffer.append(UInt8(ascii: "0")) }
            IntegerText.append(Int64(digits), to: &buffer)
        } else {
            appendDigits(pointAfter: exponent + 1, to: &buffer)
            for _ in 0..<max(0, exponent + 1 - count) { buffer.append(UInt8(ascii: "0")) }
        }
    }

    private func appendScientific(to buffer: inout ByteBuffer) {
        appendDigits(pointAfter: 1, to: &buffer)
        buffer.append(exponent < 0 ? "e-" : "e+")
        if abs(exponent) < 10 { buffer.append(UInt8(ascii: "0")) }
        IntegerText.append(Int64(abs(exponent)), to: &buffer)
    }

    private func appendDigits(pointAfter whole: Int, to buffer: inout ByteBuffer) {
        guard whole < count else { return IntegerText.append(Int64(digits), to: &buffer) }
        var power: UInt64 = 1
        for _ in 0..<(count - whole) { power *= 10 }
        let (high, low) = digits.quotientAndRemainder(dividingBy: power)
        IntegerText.append(Int64(high), to: &buffer)
        buffer.append(UInt8(ascii: "."))
        var zeros = count - whole - IntegerText.digitCount(low)
        while zeros > 0 {
            buffer.append(UInt8(ascii: "0"))
            zeros -= 1
        }
        IntegerText.append(Int64(low), to: &buffer)
    }
}
