extension RowLayout {
    /// Bytes of memory that are enough for a row that came as a line of COPY text.
    @inlinable package static func size(ofTextLine line: UnsafeRawBufferPointer, columns: Int) -> Int {
        columns &* MemoryLayout<RowCell>.size &+ line.count
    }

    /// Lays out a line of COPY text (with or without its line feed) in `size(ofTextLine:columns:)` bytes at `row`, escapes
    /// undone. Returns the bytes used. After an error the memory holds nothing of use.
    package static func fill(
        _ row: UnsafeMutableRawPointer, fromTextLine line: UnsafeRawBufferPointer, columns: Int
    ) throws(CopyError) -> Int {
        var reader = CopyTextReader(line)
        let cells = row.assumingMemoryBound(to: RowCell.self)
        var used = columns * MemoryLayout<RowCell>.size
        for column in 0..<columns {
            guard let length = try reader.next(into: row + used) else {
                throw .wrongFieldCount(expected: columns, found: column)
            }
            cells[column] = RowCell(offset: UInt32(truncatingIfNeeded: used), length: Int32(truncatingIfNeeded: length))
            used &+= max(length, 0)
        }
        guard reader.isAtEnd else {
            throw .wrongFieldCount(expected: columns, found: columns + reader.countRest())
        }
        return used
    }
}
