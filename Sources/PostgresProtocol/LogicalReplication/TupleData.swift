/// Where a row lies in an Insert, Update or Delete message. Checked to its end when the message was decoded.
package struct TupleData: Equatable, Sendable {
    /// `MaxHeapAttributeNumber`.
    package static let maximumColumns = 1600

    /// Of the first column, from the start of the message.
    package let offset: UInt32
    /// Of all columns, with their kinds and lengths.
    package let byteCount: UInt32
    package let columnCount: Int

    /// Checks every column.
    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        columnCount = try reader.columnCount()
        let start = reader.position
        let bytes = reader.bytes
        var size = 0
        for column in 0..<columnCount {
            guard let columnSize = Self.columnSize(in: bytes, at: start &+ size) else {
                throw Self.complaint(about: column, at: size, reader)
            }
            size &+= columnSize
        }
        offset = UInt32(truncatingIfNeeded: start)
        byteCount = UInt32(truncatingIfNeeded: size)
        try reader.skip(size, "columns")
    }

    /// Of a column's kind, length and value; nil if it is not as it should be or not all there.
    @inline(__always)
    private static func columnSize(in bytes: UnsafeRawBufferPointer, at position: Int) -> Int? {
        let left = bytes.count &- position
        guard left > 0, let kind = TupleField.Kind(rawValue: bytes[position]) else { return nil }
        guard kind.hasValue else { return 1 }
        guard left >= 5 else { return nil }
        let length = Int(bytes.loadBigEndian(position &+ 1, as: Int32.self))
        return length >= 0 && length <= left &- 5 ? 5 &+ length : nil
    }

    /// What is wrong with a column that has no size. `offset` is from the first column.
    @inline(never)
    private static func complaint(
        about column: Int, at offset: Int, _ reader: MessageReader
    ) -> LogicalMessageError {
        var reader = reader
        let name = "column \(column + 1)"
        do throws(LogicalMessageError) {
            try reader.skip(offset, "columns")
            let kind = try reader.integer("column_kind", as: UInt8.self)
            guard TupleField.Kind(rawValue: kind) != nil else {
                return reader.damaged(name, "has kind 0x\(String(kind, radix: 16))")
            }
            let length = try reader.integer("column_length", as: Int32.self)
            return length < 0
                ? reader.damaged(name, "has length \(length)") : reader.truncated(name, needed: Int(length))
        } catch {
            return error
        }
    }
}

/// A column of a row, and where its value lies in the message.
package struct TupleField: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// NULL.
        case null = 0x6E
        /// A stored-apart (TOAST) value that the update did not change, and that the server did not send.
        case unchanged = 0x75
        case text = 0x74
        case binary = 0x62

        @inlinable package var hasValue: Bool {
            switch self {
            case .text, .binary: true
            case .null, .unchanged: false
            }
        }
    }

    package let kind: Kind
    /// From the start of the message. A binary or text value has its length (Int32) before it.
    package let offset: UInt32
    /// 0 without a value.
    package let length: UInt32

    @inlinable package init(kind: Kind, offset: UInt32, length: UInt32) {
        self.kind = kind
        self.offset = offset
        self.length = length
    }

    /// The value; empty for NULL and unchanged ones. `message` is the one that the row was decoded from.
    @inlinable package func bytes(in message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: message[Int(offset)..<(Int(offset) &+ Int(length))])
    }
}
