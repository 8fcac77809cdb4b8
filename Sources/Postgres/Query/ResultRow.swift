import CLibpq
import PostgresProtocol

/// One row inside libpq's result: a view, valid until the next row is asked for.
package struct ResultRow {
    let result: OpaquePointer
    let row: CInt
    let columns: Int
    let format: DataFormat

    /// The bytes of a column in the column's format, nil for NULL. The caller knows that the column exists.
    package subscript(column: Int) -> UnsafeRawBufferPointer? {
        let index = CInt(truncatingIfNeeded: column)
        let length = PQgetlength(result, row, index)
        if length == 0, PQgetisnull(result, row, index) == 1 { return nil }
        return UnsafeRawBufferPointer(start: PQgetvalue(result, row, index), count: Int(length))
    }

    /// Bytes that the row takes in row layout.
    package var layoutSize: Int {
        var size = columns &* MemoryLayout<RowCell>.size
        if format == .binary { size &+= 4 &* columns }
        for column in 0..<CInt(truncatingIfNeeded: columns) { size &+= Int(PQgetlength(result, row, column)) }
        return size
    }

    /// Writes the row in row layout to `layoutSize` bytes at `row`, aligned to 4. Binary fields get their length prefix.
    package func fill(_ row: UnsafeMutableRawPointer) {
        let cells = row.assumingMemoryBound(to: RowCell.self)
        var used = columns &* MemoryLayout<RowCell>.size
        for column in 0..<columns {
            let field = self[column]
            let length = field.map { Int32(truncatingIfNeeded: $0.count) } ?? -1
            if format == .binary {
                (row + used).storeBytes(of: length.bigEndian, as: Int32.self)
                used &+= 4
            }
            cells[column] = RowCell(offset: UInt32(truncatingIfNeeded: used), length: length)
            guard let field, let source = field.baseAddress, field.count > 0 else { continue }
            (row + used).copyMemory(from: source, byteCount: field.count)
            used &+= field.count
        }
    }
}
