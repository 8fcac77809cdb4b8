/// `bytea` between its bytes and its text forms: `\x` and hexadecimal digits (written), or the older escapes (read).
enum ByteaText {
    static func append(_ bytes: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        buffer.append("\\x")
        HexText.append(bytes, to: &buffer)
    }

    static func appendBinary(_ text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) throws(CodecError) {
        buffer.reserve(text.count)
        if text.count >= 2, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") {
            return try appendHex(text, to: &buffer)
        }
        var position = 0
        while position < text.count {
            let byte = text[position]
            guard byte == UInt8(ascii: "\\") else {
                buffer.append(byte)
                position &+= 1
                continue
            }
            buffer.append(try escape(text, &position))
        }
    }

    private static func appendHex(_ text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) throws(CodecError) {
        var position = 2
        while position < text.count {
            if ASCII.isSpace(text[position]) {
                position &+= 1
                continue
            }
            guard let high = ASCII.hexadecimalValue(text[position]) else {
                throw .malformed(.bytea, reason: "not a hexadecimal digit")
            }
            guard position &+ 1 < text.count, let low = ASCII.hexadecimalValue(text[position &+ 1]) else {
                throw .malformed(.bytea, reason: "odd number of hexadecimal digits")
            }
            buffer.append(high << 4 | low)
            position &+= 2
        }
    }

    /// `\\` or `\ooo`.
    private static func escape(_ text: UnsafeRawBufferPointer, _ position: inout Int) throws(CodecError) -> UInt8 {
        if position + 1 < text.count, text[position + 1] == UInt8(ascii: "\\") {
            position += 2
            return UInt8(ascii: "\\")
        }
        guard position + 3 < text.count, text[position + 1] & 0xFC == 0x30, text[position + 2] & 0xF8 == 0x30,
            text[position + 3] & 0xF8 == 0x30
        else { throw .malformed(.bytea, reason: "invalid escape") }
        let value = (text[position + 1] & 3) << 6 | (text[position + 2] & 7) << 3 | text[position + 3] & 7
        position += 4
        return value
    }
}
