/// Appends COPY text with its default options: tab between fields, `\N` for NULL, line feed after a row.
package enum CopyTextWriter {
    /// Between two fields of a row.
    @inlinable package static func appendSeparator(to buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "\t"))
    }

    @inlinable package static func appendRowEnd(to buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "\n"))
    }

    /// A field's text form, escaped; nil is NULL.
    package static func appendField(_ field: UnsafeRawBufferPointer?, to buffer: inout ByteBuffer) {
        guard let field else { return buffer.append("\\N") }
        guard let source = field.baseAddress else { return }
        // Every byte may need an escape, and eight are written at once.
        let space = buffer.space(for: 2 * field.count + 8)
        var position = 0
        var written = 0
        while position < field.count {
            if field.count &- position >= 8 {
                let word = (source + position).loadUnaligned(as: UInt64.self)
                (space + written).storeBytes(of: word, as: UInt64.self)
                let marks = suspects(word)
                let plain = marks == 0 ? 8 : marks.littleEndian.trailingZeroBitCount >> 3
                position &+= plain
                written &+= plain
                if marks == 0 { continue }
            }
            let byte = source.load(fromByteOffset: position, as: UInt8.self)
            position &+= 1
            if let escape = escape(byte) {
                space.storeBytes(of: UInt8(ascii: "\\"), toByteOffset: written, as: UInt8.self)
                space.storeBytes(of: escape, toByteOffset: written &+ 1, as: UInt8.self)
                written &+= 2
            } else {
                space.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
                written &+= 1
            }
        }
        buffer.advance(by: written)
    }

    /// Escapes the bytes from `mark` to the end, which were appended as they are.
    package static func escapeField(from mark: Int, in buffer: inout ByteBuffer, scratch: inout ByteBuffer) {
        let field = UnsafeRawBufferPointer(rebasing: buffer.bytes[mark...])
        guard field.contains(where: { escape($0) != nil }) else { return }
        scratch.removeAll()
        scratch.append(field)
        buffer.truncate(to: mark)
        appendField(scratch.bytes, to: &buffer)
    }

    /// Marks bytes below 14 and backslashes; exact up to the first one.
    @inline(__always) private static func suspects(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = (word &- ones &* 14) & ~word
        let difference = word ^ (ones &* 0x5C)
        return (low | ((difference &- ones) & ~difference)) & (ones &* 0x80)
    }

    @inline(__always) private static func escape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\\"): UInt8(ascii: "\\")
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0B: UInt8(ascii: "v")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        default: nil
        }
    }
}
