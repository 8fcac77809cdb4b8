/// The frame of a binary COPY around its rows.
package enum CopyBinaryFrame {
    /// `PGCOPY\n\377\r\n\0`.
    static let signature: [UInt8] = [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00]
    /// Signature, flags, length of the header extension.
    static let minimumHeaderSize = 19

    /// Size of the header at the start of `bytes`, nil if more bytes are needed to tell. Bits 0 to 15 of the flags and the
    /// extension are skipped, as the manual asks.
    static func headerSize(_ bytes: UnsafeRawBufferPointer) throws(CopyError) -> Int? {
        for index in 0..<min(bytes.count, signature.count) where bytes[index] != signature[index] {
            throw .badSignature
        }
        guard bytes.count >= minimumHeaderSize else { return nil }
        let flags = bytes.loadBigEndian(11, as: UInt32.self)
        guard flags & 0xFFFF_0000 == 0 else { throw .unsupportedFlags(flags) }
        let size = minimumHeaderSize + Int(bytes.loadBigEndian(15, as: UInt32.self))
        return bytes.count >= size ? size : nil
    }
}

/// Reads binary COPY from messages that each hold one whole row, as `PQgetCopyData` gives them: the first one begins with
/// the header, the trailer is a message of its own or follows the header.
package struct CopyBinaryMessages {
    private enum State {
        /// Nothing came yet. Goes to `.rows` with the first message.
        case header
        case rows
        /// The trailer came: nothing may follow.
        case ended
    }

    private var state = State.header

    package init() {}

    package var isEnded: Bool { state == .ended }

    /// The row in a message, nil if it holds none (header alone, trailer).
    package mutating func tuple(in message: UnsafeRawBufferPointer) throws(CopyError) -> CopyBinaryTuple? {
        switch state {
        case .rows: return try row(message)
        case .header: return try first(message)
        case .ended: throw .dataAfterTrailer
        }
    }

    private mutating func row(_ message: UnsafeRawBufferPointer) throws(CopyError) -> CopyBinaryTuple? {
        if message.count == 2, message.loadBigEndian(0, as: Int16.self) == -1 {
            state = .ended
            return nil
        }
        return try CopyBinaryTuple(message)
    }

    private mutating func first(_ message: UnsafeRawBufferPointer) throws(CopyError) -> CopyBinaryTuple? {
        guard let size = try CopyBinaryFrame.headerSize(message) else {
            throw .truncatedHeader(needed: CopyBinaryFrame.minimumHeaderSize, left: message.count)
        }
        state = .rows
        guard message.count > size else { return nil }
        return try row(UnsafeRawBufferPointer(rebasing: message[size...]))
    }
}

/// Reads binary COPY from chunks cut anywhere: `append` what came, take rows with `next` until it gives nil.
package struct CopyBinaryParser: ~Copyable {
    private var pending = ByteBuffer(capacity: 4096)
    private var position = 0
    private var hasHeader = false
    private var hasTrailer = false

    package init() {}

    package mutating func append(_ chunk: UnsafeRawBufferPointer) {
        pending.removeFirst(position)
        position = 0
        pending.append(chunk)
    }

    /// The next whole row, valid until `append`; nil if more bytes are needed or the trailer has come.
    package mutating func next() throws(CopyError) -> CopyBinaryTuple? {
        if hasTrailer {
            guard position == pending.count else { throw .dataAfterTrailer }
            return nil
        }
        if !hasHeader {
            guard let size = try CopyBinaryFrame.headerSize(pending.bytes) else { return nil }
            hasHeader = true
            position = size
        }
        let rest = UnsafeRawBufferPointer(rebasing: pending.bytes[position...])
        guard rest.count >= 2 else { return nil }
        if rest.loadBigEndian(0, as: Int16.self) == -1 {
            hasTrailer = true
            position += 2
            return try next()
        }
        guard let size = try Self.tupleSize(rest) else { return nil }
        position += size
        return try CopyBinaryTuple(UnsafeRawBufferPointer(rebasing: rest[..<size]))
    }

    /// Checks that the trailer came and nothing is left.
    package borrowing func finish() throws(CopyError) {
        guard hasTrailer else { throw .missingTrailer(left: pending.count - position) }
        guard position == pending.count else { throw .dataAfterTrailer }
    }

    /// Nil if the row is not complete.
    private static func tupleSize(_ bytes: UnsafeRawBufferPointer) throws(CopyError) -> Int? {
        let fields = Int(bytes.loadBigEndian(0, as: Int16.self))
        guard fields >= 0 else { throw .wrongFieldCount(expected: 0, found: fields) }
        var size = 2
        for field in 0..<fields {
            guard bytes.count - size >= 4 else { return nil }
            let length = bytes.loadBigEndian(size, as: Int32.self)
            guard length >= -1 else { throw .badFieldLength(field: field, length: length) }
            size += 4 + Int(max(length, 0))
            guard size <= bytes.count else { return nil }
        }
        return size
    }
}
