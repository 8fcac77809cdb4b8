import CLibpq
package import PostgresProtocol

/// A column of a result, as the server describes it.
package struct Column: Sendable, Equatable {
    package var name: String
    /// Domains are reported as their base type.
    package var type: OID
    /// -1 if the type has none.
    package var typeModifier: Int32
    package var format: DataFormat
    /// `.invalid` if the column is not a plain one of a table.
    package var table: OID
    /// Attribute number in `table`, 0 if there is none.
    package var attribute: Int
}

/// The columns of a result; one object for all results of a prepared statement.
package final class ResultShape: Sendable {
    package let columns: [Column]

    init(columns: [Column]) { self.columns = columns }

    /// The columns that `result` describes.
    init(_ result: OpaquePointer) {
        columns = (0..<PQnfields(result)).map { index in
            Column(
                name: PQfname(result, index).map { String(cString: $0) } ?? "",
                type: OID(PQftype(result, index)), typeModifier: PQfmod(result, index),
                format: PQfformat(result, index) == 1 ? .binary : .text,
                table: OID(PQftable(result, index)), attribute: Int(PQftablecol(result, index)))
        }
    }

    /// The same columns, asked for in `format`.
    func requested(in format: DataFormat) -> ResultShape {
        ResultShape(
            columns: columns.map { column in
                var column = column
                column.format = format
                return column
            })
    }

    /// Binary if the type of every column has a binary form that is decoded here, else text.
    var bestFormat: DataFormat {
        !columns.isEmpty && columns.allSatisfy { $0.type.hasPortableBinary } ? .binary : .text
    }
}
