/// `macaddr` (6 bytes) and `macaddr8` (8 bytes).
enum MACAddressText {
    static func append(
        _ field: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        let width = kind == .macaddr8 ? 8 : 6
        guard field.count == width else { throw .wrongLength(kind, expected: width, found: field.count) }
        let space = buffer.space(for: 24)
        var length = 0
        for index in 0..<width {
            if index > 0 {
                space.storeBytes(of: UInt8(ascii: ":"), toByteOffset: length, as: UInt8.self)
                length += 1
            }
            length = HexText.write(field[index], to: space, at: length)
        }
        buffer.advance(by: length)
    }

    /// All digits, with `:`, `-` or `.` between any of the bytes. Six bytes given as `macaddr8` get `ff:fe` in the middle.
    static func appendBinary(
        _ text: UnsafeRawBufferPointer, _ kind: ValueKind, to buffer: inout ByteBuffer
    ) throws(CodecError) {
        let start = buffer.count
        let trimmed = ASCII.trimmed(text)
        var position = 0
        while position + 1 < trimmed.count {
            guard let high = ASCII.hexadecimalValue(trimmed[position]),
                let low = ASCII.hexadecimalValue(trimmed[position + 1])
            else { break }
            buffer.append(high << 4 | low)
            if kind == .macaddr8, buffer.count - start == 3, isShort(trimmed) { buffer.append([0xFF, 0xFE]) }
            position += 2
            if position < trimmed.count - 1, isSeparator(trimmed[position]) { position += 1 }
        }
        guard position == trimmed.count, buffer.count - start == (kind == .macaddr8 ? 8 : 6) else {
            buffer.truncate(to: start)
            throw .malformed(kind, reason: "expected bytes of two hexadecimal digits")
        }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private static func isShort(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count { !isSeparator($0) } == 12
    }
}
