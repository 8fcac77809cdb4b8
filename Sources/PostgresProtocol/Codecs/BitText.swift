/// `bit` and `bit varying`: binary is the number of bits (Int32) and the bits, first one highest.
enum BitText {
    static func append(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        guard field.count >= 4 else { throw .truncated(kind, needed: 4, left: field.count) }
        let count = Int(field.loadBigEndian(0, as: Int32.self))
        guard count >= 0 else { throw .damaged(kind, reason: "negative length") }
        guard field.count == 4 + (count + 7) / 8 else {
            throw .wrongLength(kind, expected: 4 + (count + 7) / 8, found: field.count)
        }
        let space = buffer.space(for: count)
        for index in 0..<count {
            let bit = field[4 &+ index >> 3] >> UInt8(truncatingIfNeeded: 7 &- index & 7) & 1
            space.storeBytes(of: 0x30 | bit, toByteOffset: index, as: UInt8.self)
        }
        buffer.advance(by: count)
    }

    /// `0101`, `b0101`, or `x1f`.
    static func appendBinary(
        _ text: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        let prefix = text.first.map { $0 | 0x20 } ?? 0
        let isHex = prefix == UInt8(ascii: "x")
        let digits = UnsafeRawBufferPointer(rebasing: text[(isHex || prefix == UInt8(ascii: "b") ? 1 : 0)...])
        let bitsPerDigit = isHex ? 4 : 1
        buffer.append(bigEndian: Int32(truncatingIfNeeded: digits.count * bitsPerDigit))
        var pending: UInt8 = 0
        var bits = 0
        for digit in digits {
            guard let value = ASCII.hexadecimalValue(digit), isHex || value <= 1 else {
                throw .malformed(kind, reason: "not a binary digit")
            }
            pending |= value << UInt8(8 - bitsPerDigit - bits)
            bits += bitsPerDigit
            if bits == 8 {
                buffer.append(pending)
                pending = 0
                bits = 0
            }
        }
        if bits > 0 { buffer.append(pending) }
    }
}
