/// `uuid` between its 16 bytes and its text form.
enum UUIDText {
    static func append(_ field: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) throws(CodecError) {
        guard field.count == 16 else { throw .wrongLength(.uuid, expected: 16, found: field.count) }
        let space = buffer.space(for: 36)
        var length = 0
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                space.storeBytes(of: UInt8(ascii: "-"), toByteOffset: length, as: UInt8.self)
                length &+= 1
            }
            length = HexText.write(field[index], to: space, at: length)
        }
        buffer.advance(by: 36)
    }

    /// 32 digits, with a hyphen after any group of four and with braces around, as the server reads them.
    static func appendBinary(_ text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) throws(CodecError) {
        var digits = ASCII.trimmed(text)
        if digits.count > 2, digits.first == UInt8(ascii: "{"), digits.last == UInt8(ascii: "}") {
            digits = UnsafeRawBufferPointer(rebasing: digits[1..<(digits.count - 1)])
        }
        let start = buffer.count
        var position = 0
        for index in 0..<16 {
            guard position + 1 < digits.count, let high = ASCII.hexadecimalValue(digits[position]),
                let low = ASCII.hexadecimalValue(digits[position + 1])
            else { throw fail(&buffer, start) }
            buffer.append(high << 4 | low)
            position += 2
            if index % 2 == 1, index < 15, position < digits.count, digits[position] == UInt8(ascii: "-") {
                position += 1
            }
        }
        guard position == digits.count else { throw fail(&buffer, start) }
    }

    private static func fail(_ buffer: inout ByteBuffer, _ start: Int) -> CodecError {
        buffer.truncate(to: start)
        return .malformed(.uuid, reason: "expected 32 hexadecimal digits")
    }
}
