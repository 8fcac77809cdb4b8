/// Significant digits and decimal exponent of a float's shortest text.
struct ShortestDigits {
    private var isNegative = false
    private var digits: UInt64 = 0
    private var count = 0
    /// Of the first digit: 1.5 has 0, 0.015 has -2.
    private var exponent = 0

    /// Reads Swift's description of a finite float.
    init(_ description: String) {
        var pointAt: Int?
        var seen = 0
        var written = 0
        var isInExponent = false
        var exponentIsNegative = false
        for byte in description.utf8 {
            switch byte {
            case UInt8(ascii: "-"):
                if isInExponent { exponentIsNegative = true } else { isNegative = true }
            case UInt8(ascii: "."): pointAt = seen
            case UInt8(ascii: "e"): isInExponent = true
            case _ where ASCII.isDigit(byte):
                if isInExponent {
                    written = written * 10 + Int(byte &- 0x30)
                } else {
                    digits = digits &* 10 &+ UInt64(byte &- 0x30)
                    seen += 1
                }
            default: break
            }
        }
        normalize(whole: pointAt ?? seen, seen: seen, written: exponentIsNegative ? -written : written)
    }

    private mutating func normalize(whole: Int, seen: Int, written: Int) {
        guard digits != 0 else {
            count = 1
            return
        }
        count = IntegerText.digitCount(digits)
        exponent = whole - (seen - count) - 1 + written
        while digits % 10 == 0 {
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

// MARK: - Strictly between the neighbours

extension ShortestDigits {
    /// Swift's digits may be the exact middle between `significand * 2^exponent` and a neighbour, which reads back to the
    /// even one. The server only uses what is nearer (Ryu without `acceptBounds`): then one digit more is needed.
    mutating func leaveBounds(of significand: UInt64, exponent: Int, isPowerOfTwo: Bool) {
        guard digits != 0, significand % 2 == 0 else { return }
        if isMiddle(2 * significand + 1, exponent - 1) {
            step(by: -1, halfGapExponent: exponent - 1)
        } else if isPowerOfTwo, isMiddle(4 * significand - 1, exponent - 2) {
            step(by: 1, halfGapExponent: exponent - 2)
        } else if !isPowerOfTwo, isMiddle(2 * significand - 1, exponent - 1) {
            step(by: 1, halfGapExponent: exponent - 1)
        }
    }

    /// Power of ten of the last digit.
    private var lastPower: Int { exponent - count + 1 }

    /// The digits are exactly `odd * 2^binary`.
    private func isMiddle(_ odd: UInt64, _ binary: Int) -> Bool {
        let twos = digits.trailingZeroBitCount
        guard twos + lastPower == binary, abs(lastPower) <= 27 else { return false }
        var fives: UInt64 = 1
        for _ in 0..<abs(lastPower) { fives *= 5 }
        let (left, right) = (digits >> UInt64(twos), odd)
        let (product, overflow) = (lastPower < 0 ? right : left).multipliedReportingOverflow(by: fives)
        return !overflow && product == (lastPower < 0 ? left : right)
    }

    /// From the middle to the nearest number with more digits: half a gap back.
    private mutating func step(by direction: Int64, halfGapExponent: Int) {
        var distance = Double(sign: .plus, exponent: halfGapExponent, significand: 1)
        for _ in 0..<abs(lastPower) { distance = lastPower > 0 ? distance / 10 : distance * 10 }
        repeat {
            distance *= 10
            digits *= 10
            count += 1
        } while distance < 0.5
        let step = Int64(distance + 0.5) * direction
        digits = UInt64(Int64(digits) + step)
        exponent += IntegerText.digitCount(digits) - count
        count = IntegerText.digitCount(digits)
    }
}
