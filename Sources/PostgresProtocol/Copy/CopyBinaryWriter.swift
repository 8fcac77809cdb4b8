/// Appends binary COPY: a header, rows, a trailer.
public enum CopyBinaryWriter {
    public static func appendHeader(to buffer: inout ByteBuffer) {
        buffer.append(CopyBinaryFrame.signature)
        buffer.append(bigEndian: UInt32(0))
        buffer.append(bigEndian: UInt32(0))
    }

    public static func appendTrailer(to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: Int16(-1))
    }

    /// A row begins; `fields` fields follow.
    @inlinable public static func appendFieldCount(_ fields: Int, to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: Int16(truncatingIfNeeded: fields))
    }

    @inlinable public static func appendNull(to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: Int32(-1))
    }

    /// A field whose bytes are at hand; nil is NULL.
    @inlinable public static func appendField(_ field: UnsafeRawBufferPointer?, to buffer: inout ByteBuffer) {
        guard let field else { return appendNull(to: &buffer) }
        buffer.append(bigEndian: Int32(truncatingIfNeeded: field.count))
        buffer.append(field)
    }

    /// A field that is encoded in place: append its bytes, then call `endField` with the mark.
    @inlinable public static func beginField(in buffer: inout ByteBuffer) -> Int {
        let mark = buffer.count
        buffer.append(bigEndian: Int32(0))
        return mark
    }

    @inlinable public static func endField(_ mark: Int, in buffer: inout ByteBuffer) {
        buffer.store(bigEndian: Int32(truncatingIfNeeded: buffer.count &- mark &- 4), at: mark)
    }

    /// A whole unchanged row that came as binary: one copy.
    @inlinable public static func appendRow(_ row: UnsafeRawPointer, columns: Int, to buffer: inout ByteBuffer) {
        appendFieldCount(columns, to: &buffer)
        buffer.append(RowLayout.wireBytes(of: 0..<columns, in: row))
    }
}
