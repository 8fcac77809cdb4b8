import PostgresProtocol

/// A collected result. Rows are bytes in replhost's row layout (`RowLayout`), not Swift values; where the format is
/// binary, each field has its length before it as on the wire.
///
/// Safe: `@unchecked Sendable` because nothing changes after the query has returned it.
package final class ResultSet: @unchecked Sendable {
    package let shape: ResultShape
    /// As the server says it: `SELECT 3`, `INSERT 0 1`; empty for a text without a statement.
    package let command: String
    /// Rows that the command returned or changed, nil if that means nothing for it.
    package let affected: Int?
    private let rows: RowStore

    init(shape: ResultShape, rows: RowStore, command: String, affected: Int?) {
        self.shape = shape
        self.rows = rows
        self.command = command
        self.affected = affected
    }

    package var columns: [Column] { shape.columns }

    /// Number of rows.
    package var count: Int { rows.count }

    /// Bytes of memory that the rows take.
    package var byteCount: Int { rows.reservedBytes }

    /// The memory of row `index` (from 0) in row layout, valid as long as the result set.
    package subscript(index: Int) -> UnsafeRawBufferPointer { rows[index] }

    /// The bytes of a field, nil for NULL; in the column's format. Valid as long as the result set.
    package func field(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer? {
        precondition(column >= 0 && column < columns.count, "no such column")
        guard let memory = rows[row].baseAddress else { return nil }
        return RowLayout.field(column, of: memory)
    }
}
