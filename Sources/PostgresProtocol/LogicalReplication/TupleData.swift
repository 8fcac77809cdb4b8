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
        for column in 0..<columnCount { try Self.skipColumn(column, &reader) }
        offset = UInt32(truncatingIfNeeded: start)
        byteCount = UInt32(truncatingIfNeeded: reader.position &- start)
    }

    private static func skipColumn(_ column: Int, _ reader: inout MessageReader) throws(LogicalMessageError) {
        let byte = try reader.integer("column_kind", as: UInt8.self)
        guard let kind = TupleField.Kind(rawValue: byte) else {
            throw reader.damaged("column \(column + 1)", "has kind 0x\(String(byte, radix: 16))")
        }
        guard kind.hasValue else { return }
        let length = try reader.integer("column_length", as: Int32.self)
        guard length >= 0 else { throw reader.damaged("column \(column + 1)", "has length \(length)") }
        try reader.skip(Int(length), "column \(column + 1)")
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
