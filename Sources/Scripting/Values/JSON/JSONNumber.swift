/// What a JSON number is in Lua.
///
/// - Without fraction and exponent: an integer if it fits 64 bits (`-0` is 0), else a decimal.
/// - With one: a float if that float's shortest form is the same number, so that writing it again
///   gives the value that was read; else a decimal (more digits than a double holds, or too large
///   or too small for one).
enum JSONNumber {
    case integer(Int64)
    case float(Double)
    case decimal(Decimal)
}

/// Reads one number token.
struct JSONNumberScanner {
    /// The token's digits as an integer, right while `digits` <= 19.
    private var mantissa: UInt64 = 0
    /// Digits from the first that is not zero.
    private var digits = 0
    private var exponent = 0
    private var isNegative = false
    private let start: UnsafePointer<UInt8>
    /// The first byte behind the token once it was scanned.
    private(set) var end: UnsafePointer<UInt8>

    /// `start` points at a minus or a digit of a text that ends in a zero byte.
    init(_ start: UnsafePointer<UInt8>) {
        self.start = start
        end = start
    }

    mutating func scan() throws(JSONSyntaxError.Reason) -> JSONNumber {
        if end.pointee == UInt8(ascii: "-") {
            isNegative = true
            end += 1
        }
        if end.pointee == UInt8(ascii: "0") {
            end += 1
            guard !isDigit(end.pointee) else { throw .badNumber }
        } else {
            guard isDigit(end.pointee) else { throw .badNumber }
            scanDigits()
        }
        guard end.pointee == UInt8(ascii: ".") || end.pointee | 0x20 == UInt8(ascii: "e") else { return try integer() }
        try scanFraction()
        try scanExponent()
        return try fraction()
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") <= 9
    }

    private mutating func scanDigits() {
        var byte = end.pointee &- UInt8(ascii: "0")
        while byte <= 9 {
            mantissa = mantissa &* 10 &+ UInt64(byte)
            // Once begun it counts on, also when the mantissa wraps around to zero.
            if mantissa != 0 || digits != 0 { digits &+= 1 }
            end += 1
            byte = end.pointee &- UInt8(ascii: "0")
        }
    }

    private mutating func scanFraction() throws(JSONSyntaxError.Reason) {
        guard end.pointee == UInt8(ascii: ".") else { return }
        end += 1
        let first = end
        scanDigits()
        guard end > first else { throw .badNumber }
        exponent = first - end
    }

    private mutating func scanExponent() throws(JSONSyntaxError.Reason) {
        guard end.pointee | 0x20 == UInt8(ascii: "e") else { return }
        end += 1
        let isBelow = end.pointee == UInt8(ascii: "-")
        if isBelow || end.pointee == UInt8(ascii: "+") { end += 1 }
        guard isDigit(end.pointee) else { throw .badNumber }
        var value = 0
        while isDigit(end.pointee) {
            // Past this nothing is in range.
            if value < 1_000_000 { value = value * 10 + Int(end.pointee &- UInt8(ascii: "0")) }
            end += 1
        }
        exponent += isBelow ? -value : value
    }

    private func integer() throws(JSONSyntaxError.Reason) -> JSONNumber {
        if digits <= 18 { return .integer(isNegative ? -Int64(mantissa) : Int64(mantissa)) }
        if digits == 19, mantissa <= UInt64(Int64.max) + (isNegative ? 1 : 0) {
            let bits = Int64(bitPattern: mantissa)
            return .integer(isNegative ? 0 &- bits : bits)
        }
        return .decimal(try decimal())
    }

    private func fraction() throws(JSONSyntaxError.Reason) -> JSONNumber {
        if digits == 0 { return .float(isNegative ? -0.0 : 0.0) }
        // Fifteen digits always survive the way to a double and back; both operands are exact.
        if digits <= 15, exponent >= -22, exponent <= 22 {
            let whole = Double(mantissa)
            let value = exponent < 0 ? whole / PowersOfTen.double(-exponent) : whole * PowersOfTen.double(exponent)
            return .float(isNegative ? -value : value)
        }
        let magnitude = quotient ?? nearestDouble
        let isHeld = magnitude.isFinite && magnitude != 0
        if isHeld, (digits <= 15 && magnitude.isNormal) || isShortest(magnitude) {
            return .float(isNegative ? -magnitude : magnitude)
        }
        return .decimal(try decimal())
    }

    /// The nearest double of up to 19 digits with up to 19 of them after the point: an integer
    /// division with at least 55 bits of quotient, the remainder kept as a sticky last bit.
    private var quotient: Double? {
        guard digits <= 19, exponent <= 0, exponent >= -19 else { return nil }
        let power = Self.powers[-exponent]
        // Both with the highest bit set, so that the quotient has 63 or 64 bits.
        let shift = power.leadingZeroBitCount
        let lead = mantissa.leadingZeroBitCount
        let divisor = power << UInt64(shift)
        let dividend = mantissa << UInt64(lead)
        let (result, rest) = divisor.dividingFullWidth((dividend >> 1, dividend << 63))
        let sticky = result | (rest == 0 ? 0 : 1)
        return Double(sticky) * Double(sign: .plus, exponent: shift - lead - 63, significand: 1)
    }

    private static let powers: [UInt64] = (0...19).map { exponent in
        (0..<exponent).reduce(UInt64(1)) { power, _ in power * 10 }
    }

    private var nearestDouble: Double {
        var text = token
        if isNegative { text.removeFirst() }
        return Double(text) ?? .infinity
    }

    private var token: String {
        String(decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self)
    }

    private func decimal() throws(JSONSyntaxError.Reason) -> Decimal {
        do {
            return try Decimal(text: UnsafeRawBufferPointer(start: start, count: end - start))
        } catch {
            throw .numberOutOfRange
        }
    }

    /// Whether the double's shortest form has the token's digits.
    private func isShortest(_ value: Double) -> Bool {
        var text = value.description
        // Nearly always both are laid out alike.
        let digitsStart = isNegative ? start + 1 : start
        let token = UnsafeBufferPointer(start: digitsStart, count: end - digitsStart)
        if text.withUTF8({ $0.count == token.count && $0.elementsEqual(token) }) { return true }
        guard digits <= 19 else {
            // Zeros at the end may hide a short number; rare enough for the long way.
            guard let written = Decimal(text), let read = try? decimal() else { return false }
            return written.compared(to: read.magnitude) == 0
        }
        var scanned = JSONNumberScanner.significant(of: text)
        var own = (mantissa: mantissa, exponent: exponent)
        JSONNumberScanner.strip(&scanned)
        JSONNumberScanner.strip(&own)
        return scanned == own
    }

    private static func strip(_ number: inout (mantissa: UInt64, exponent: Int)) {
        while number.mantissa % 10 == 0, number.mantissa != 0 {
            number.mantissa /= 10
            number.exponent += 1
        }
    }

    /// Digits and exponent of a float's description.
    private static func significant(of text: String) -> (mantissa: UInt64, exponent: Int) {
        var mantissa: UInt64 = 0
        var exponent = 0
        var isFraction = false
        var written = 0
        var isExponentNegative = false
        var isExponent = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"): isExponent = true
            case UInt8(ascii: "-"): isExponentNegative = true
            case UInt8(ascii: "+"): break
            default:
                let digit = byte &- UInt8(ascii: "0")
                if isExponent {
                    written = written * 10 + Int(digit)
                } else {
                    mantissa = mantissa * 10 + UInt64(digit)
                    if isFraction { exponent -= 1 }
                }
            }
        }
        return (mantissa, exponent + (isExponentNegative ? -written : written))
    }
}

extension JSONSyntaxError.Reason: Error {}
