/// Where a column's bytes lie within a row's memory. A length of -1 is NULL, one of -2 a value that was not
/// sent, as it has not changed.
public struct RowCell: Equatable, Sendable {
    /// From the start of the row's memory.
    public var offset: UInt32
    public var length: Int32

    @inlinable public init(offset: UInt32, length: Int32) {
        self.offset = offset
        self.length = length
    }
}

/// How a row lies in memory everywhere: a table of `RowCell`, one for each column, then the fields' bytes.
///
/// The memory is the caller's (a Lua userdata, a buffer) and needs an alignment of 4. A row that came as binary keeps each
/// field's length prefix in the 4 bytes before the field, also for NULL: neighbouring columns are one piece of wire format
/// (`wireBytes`), and so is a whole unchanged row.
public enum RowLayout {
    /// Bytes of memory for a row that came as `tuple`; exact. Checks the number of columns.
    @inlinable public static func size(
        ofBinaryTuple tuple: CopyBinaryTuple, columns: Int
    ) throws(CopyError) -> Int {
        guard tuple.fieldCount == columns else { throw .wrongFieldCount(expected: columns, found: tuple.fieldCount) }
        return columns &* MemoryLayout<RowCell>.size &+ tuple.bytes.count &- 2
    }

    /// Lays out `tuple` in `size(ofBinaryTuple:columns:)` bytes at `row`. Checks every length on the way; after an error
    /// the memory holds nothing of use.
    @inlinable public static func fill(
        _ row: UnsafeMutableRawPointer, fromBinaryTuple tuple: CopyBinaryTuple
    ) throws(CopyError) {
        let table = tuple.fieldCount &* MemoryLayout<RowCell>.size
        guard tuple.fieldCount > 0, let source = tuple.bytes.baseAddress else { return try checkEmpty(tuple) }
        let bytes = tuple.bytes
        (row + table).copyMemory(from: source + 2, byteCount: bytes.count &- 2)
        let cells = row.assumingMemoryBound(to: RowCell.self)
        // A field at position p of the tuple lies at offset p - 2 + table of the row.
        let shift = table &- 2
        var position = 2
        for index in 0..<tuple.fieldCount {
            let length = try CopyBinaryTuple.length(ofField: index, in: bytes, at: position)
            position &+= 4
            cells[index] = RowCell(
                offset: UInt32(truncatingIfNeeded: position &+ shift), length: Int32(truncatingIfNeeded: length))
            position &+= max(length, 0)
        }
        guard position == bytes.count else { throw .excessBytes(bytes.count - position) }
    }

    public static func checkEmpty(_ tuple: CopyBinaryTuple) throws(CopyError) {
        if tuple.bytes.count > 2 { throw .excessBytes(tuple.bytes.count - 2) }
    }

    /// The table entry of a column.
    @inlinable public static func cell(_ column: Int, of row: UnsafeRawPointer) -> RowCell {
        row.load(fromByteOffset: column &* MemoryLayout<RowCell>.size, as: RowCell.self)
    }

    /// The bytes of a column, nil for NULL. The caller knows that the column exists.
    @inlinable public static func field(_ column: Int, of row: UnsafeRawPointer) -> UnsafeRawBufferPointer? {
        let cell = cell(column, of: row)
        guard cell.length >= 0 else { return nil }
        return UnsafeRawBufferPointer(start: row + Int(cell.offset), count: Int(cell.length))
    }

    /// Length prefixes and bytes of neighbouring columns as one piece of binary COPY; only of a row that came as binary.
    @inlinable public static func wireBytes(
        of columns: Range<Int>, in row: UnsafeRawPointer
    ) -> UnsafeRawBufferPointer {
        guard !columns.isEmpty else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let first = cell(columns.lowerBound, of: row)
        let last = cell(columns.upperBound - 1, of: row)
        let start = Int(first.offset) - 4
        return UnsafeRawBufferPointer(start: row + start, count: Int(last.offset) + Int(max(last.length, 0)) - start)
    }
}
