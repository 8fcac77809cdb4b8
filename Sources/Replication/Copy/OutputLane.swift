package import PostgresProtocol

/// Rows on their way into the same columns of one table, as COPY data without its frame.
package final class OutputLane {
    package let table: CatalogTable
    /// In the order of the data.
    package let columns: [CatalogColumn]
    package let format: DataFormat
    /// Whole rows, and while one is written its beginning.
    package var buffer = ByteBuffer(capacity: 4096)
    /// Fields are behind their lengths, as in binary COPY, whatever format they have.
    package let isFramed: Bool
    /// Columns are left out whose values are to stay what they are.
    package let isPartial: Bool
    /// Rows in the buffer.
    package internal(set) var rows = 0

    /// Without a `format`: binary where it means the same on every server.
    package init(
        _ table: CatalogTable, columns: [CatalogColumn], format: DataFormat? = nil, isFramed: Bool? = nil,
        isPartial: Bool = false
    ) {
        self.table = table
        self.columns = columns
        let format = format ?? (columns.allSatisfy(\.isPortable) ? .binary : .text)
        self.format = format
        self.isFramed = isFramed ?? (format == .binary)
        self.isPartial = isPartial
    }

    /// The lane's columns as `input` has them: same formats, same types, same order. A row can go through as it came.
    package func isIdentical(to input: [InputColumn]) -> Bool {
        columns.count == input.count
            && zip(columns, input).allSatisfy { column, input in
                input.format == format && (format == .text || input.kind == column.kind)
            }
    }

    /// In SQL.
    var columnList: String { columns.map { SQLText.quoteIdentifier($0.name) }.joined(separator: ", ") }

    /// The list after a table's name: none for a table that has no columns, as there are no empty ones.
    var columnClause: String { columns.isEmpty ? "" : " (\(columnList))" }

    /// A COPY statement that takes the data; into `table` in the place of the lane's own if one is given.
    func copyStatement(into table: QualifiedName? = nil) -> String {
        let options = format == .binary ? " (FORMAT binary)" : ""
        return "COPY \((table ?? self.table.name).sql)\(columnClause) FROM STDIN\(options)"
    }

    func clear() {
        buffer.removeAll(keepingAtMost: 1 << 20)
        rows = 0
    }
}
