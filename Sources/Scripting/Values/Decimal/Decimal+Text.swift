import BigInt

extension Decimal: CustomStringConvertible, LosslessStringConvertible {
    package init?(_ description: String) {
        var description = description
        guard let value = description.withUTF8({ try? Decimal(text: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = value
    }

    /// Reads PostgreSQL's text form: digits with an optional point and exponent, `NaN`, `Infinity`,
    /// `-Infinity` (also `inf`, any case), blanks around.
    package init(text: UnsafeRawBufferPointer) throws(DecimalError) {
        var scanner = DecimalScanner(text)
        self = try scanner.scan()
    }

    /// PostgreSQL's text form; never an exponent.
    package var description: String {
        withText { String(decoding: $0, as: UTF8.self) }
    }

    /// Calls `body` with the text form's bytes, valid during the call.
    package func withText<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        switch storage {
        case .notANumber: return Decimal.withBytes(of: "NaN", body)
        case .infinity: return Decimal.withBytes(of: "Infinity", body)
        case .negativeInfinity: return Decimal.withBytes(of: "-Infinity", body)
        case .small(let coefficient):
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 42 + scale) { buffer in
                var start = buffer.count
                Decimal.writeDigits(of: coefficient.magnitude, scale: scale, into: buffer, endingAt: &start)
                if coefficient < 0 {
                    start -= 1
                    buffer[start] = UInt8(ascii: "-")
                }
                return body(UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[start...])))
            }
        case .big(let coefficient):
            return Decimal.withBytes(of: Decimal.text(of: coefficient, scale: scale), body)
        }
    }

    private static func withBytes<Result>(of text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var text = text
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    /// Writes backwards from `end`, which then marks the first digit.
    private static func writeDigits(
        of magnitude: UInt128, scale: Int, into buffer: UnsafeMutableBufferPointer<UInt8>, endingAt end: inout Int
    ) {
        var rest = magnitude
        var written = 0
        // Two divisions of 128 bits at most; all others are of 64.
        while rest > UInt128(UInt64.max) {
            let (quotient, chunk) = rest.quotientAndRemainder(dividingBy: 10_000_000_000_000_000_000)
            writeChunk(UInt64(chunk), atLeast: 19, scale: scale, written: &written, into: buffer, endingAt: &end)
            rest = quotient
        }
        writeChunk(UInt64(rest), atLeast: 1, scale: scale, written: &written, into: buffer, endingAt: &end)
        while written <= scale {
            writeChunk(0, atLeast: 1, scale: scale, written: &written, into: buffer, endingAt: &end)
        }
    }

    private static func writeChunk(
        _ chunk: UInt64, atLeast count: Int, scale: Int, written: inout Int,
        into buffer: UnsafeMutableBufferPointer<UInt8>, endingAt end: inout Int
    ) {
        var rest = chunk
        var left = count
        while rest > 0 || left > 0 {
            if written == scale, scale > 0 {
                end -= 1
                buffer[end] = UInt8(ascii: ".")
            }
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            end -= 1
            buffer[end] = UInt8(ascii: "0") + UInt8(digit)
            rest = quotient
            left -= 1
            written += 1
        }
    }

    private static func text(of coefficient: BigInt, scale: Int) -> String {
        var digits = String(coefficient.magnitude)
        let missing = scale + 1 - digits.utf8.count
        if missing > 0 { digits = String(repeating: "0", count: missing) + digits }
        if scale > 0 { digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale)) }
        return coefficient.signum() < 0 ? "-" + digits : digits
    }
}
