/// A decimal number of text, as far as reading it as a float needs.
struct DecimalNumber {
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
