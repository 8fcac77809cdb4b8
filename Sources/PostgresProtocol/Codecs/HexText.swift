/// Bytes as pairs of hexadecimal digits in lower case.
enum HexText {
    /// Two digits at `offset`; returns the offset after them.
    @inline(__always) static func write(_ byte: UInt8, to space: UnsafeMutableRawPointer, at offset: Int) -> Int {
        // Both nibbles side by side in one word; a nibble above 9 gets 0x27 on top ("a" is 0x27 after ":").
        let nibbles = UInt16(byte >> 4) | UInt16(byte & 0x0F) << 8
        let letters = ((nibbles &+ 0x0606) >> 4) & 0x0101
        space.storeBytes(
            of: (nibbles &+ 0x3030 &+ letters &* 0x27).littleEndian, toByteOffset: offset, as: UInt16.self)
        return offset &+ 2
    }

    static func append(_ bytes: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        let space = buffer.space(for: 2 * bytes.count)
        var length = 0
        for byte in bytes { length = write(byte, to: space, at: length) }
        buffer.advance(by: length)
    }
}
