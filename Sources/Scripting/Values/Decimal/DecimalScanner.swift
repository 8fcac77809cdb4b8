import BigInt

/// Reads the text form of a decimal from bytes.
struct DecimalScanner {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private var end: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        end = bytes.count
        while offset < end, Self.isBlank(bytes[offset]) { offset += 1 }
        while end > offset, Self.isBlank(bytes[end - 1]) { end -= 1 }
    }

    mutating func scan() throws(DecimalError) -> Decimal {
        let isNegative = scanSign()
        if let special = scanSpecial(isNegative: isNegative) { return special }
        // Where digits begin, where the point is, and where they end.
        let first = offset
        skipDigits()
        let integerDigits = offset - first
        var fractionDigits = 0
        if offset < end, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            let start = offset
            skipDigits()
            fractionDigits = offset - start
        }
        let last = offset
        guard integerDigits + fractionDigits > 0 else { throw failure }
        let exponent = try scanExponent()
        guard offset == end else { throw failure }
        return try assemble(first..<last, fractionDigits: fractionDigits, exponent: exponent, isNegative: isNegative)
    }

    private func assemble(
        _ range: Range<Int>, fractionDigits: Int, exponent: Int, isNegative: Bool
    ) throws(DecimalError) -> Decimal {
        let scale = max(0, fractionDigits - exponent)
        let zeros = max(0, exponent - fractionDigits)
        guard scale <= Decimal.largestScale, zeros <= Decimal.mostIntegerDigits else {
            // Zero may be written with any exponent.
            guard range.allSatisfy({ bytes[$0] == UInt8(ascii: "0") || bytes[$0] == UInt8(ascii: ".") }) else {
                throw .outOfRange
            }
            return Decimal(storage: .small(0), scale: min(scale, Decimal.largestScale))
        }
        if var coefficient = smallCoefficient(range) {
            if isNegative { coefficient = -coefficient }
            let value = Decimal(coefficient: coefficient, scale: scale)
            guard zeros > 0 else { return value }
            let shifted = Decimal(coefficient: PowersOfTen.big(zeros), scale: 0)
            return try value.multiplied(by: shifted)
        }
        // Before the work, which grows with the square of the digits.
        let counted = range.count - fractionDigits - leadingZeros(range)
        guard counted + zeros <= Decimal.mostIntegerDigits + 1 else { throw .outOfRange }
        var digits = ""
        digits.reserveCapacity(range.count + zeros)
        for index in range where bytes[index] != UInt8(ascii: ".") {
            digits.unicodeScalars.append(Unicode.Scalar(bytes[index]))
        }
        digits += String(repeating: "0", count: zeros)
        guard let magnitude = BigInt(digits, radix: 10) else { throw failure }
        return try Decimal(coefficient: isNegative ? -magnitude : magnitude, scale: scale).checked()
    }

    private func leadingZeros(_ range: Range<Int>) -> Int {
        range.prefix { bytes[$0] == UInt8(ascii: "0") }.count
    }

    /// The digits of `range` as one number; nil when there are more than 38 that count.
    private func smallCoefficient(_ range: Range<Int>) -> Int128? {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { continue }
            if count == 0, digit == 0 { continue }
            count += 1
            if count <= 19 {
                high = high &* 10 &+ UInt64(digit)
            } else if count <= 38 {
                low = low &* 10 &+ UInt64(digit)
            } else {
                return nil
            }
        }
        guard count > 19, let power = PowersOfTen.int128(count - 19) else { return Int128(high) }
        return Int128(high) * power + Int128(low)
    }

    private mutating func scanSign() -> Bool {
        guard offset < end, bytes[offset] == UInt8(ascii: "-") || bytes[offset] == UInt8(ascii: "+") else {
            return false
        }
        offset += 1
        return bytes[offset - 1] == UInt8(ascii: "-")
    }

    private func scanSpecial(isNegative: Bool) -> Decimal? {
        guard offset < end, bytes[offset] | 0x20 == UInt8(ascii: "n") || bytes[offset] | 0x20 == UInt8(ascii: "i")
        else {
            return nil
        }
        switch String(decoding: bytes[offset..<end], as: UTF8.self).lowercased() {
        // PostgreSQL takes no sign before NaN.
        case "nan": return offset > 0 && !Self.isBlank(bytes[offset - 1]) ? nil : .notANumber
        case "inf", "infinity": return isNegative ? .negativeInfinity : .infinity
        default: return nil
        }
    }

    private mutating func skipDigits() {
        while offset < end, bytes[offset] &- UInt8(ascii: "0") <= 9 { offset += 1 }
    }

    private mutating func scanExponent() throws(DecimalError) -> Int {
        guard offset < end, bytes[offset] | 0x20 == UInt8(ascii: "e") else { return 0 }
        offset += 1
        let isNegative = scanSign()
        let start = offset
        var value = 0
        while offset < end, bytes[offset] &- UInt8(ascii: "0") <= 9 {
            // Anything past this is out of range whatever follows.
            if value < 1_000_000 { value = value * 10 + Int(bytes[offset] - UInt8(ascii: "0")) }
            offset += 1
        }
        guard offset > start else { throw failure }
        return isNegative ? -value : value
    }

    private var failure: DecimalError {
        .notANumber(text: String(decoding: bytes.prefix(60), as: UTF8.self))
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (byte >= 0x09 && byte <= 0x0D)
    }
}
