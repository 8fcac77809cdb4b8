package import PostgresProtocol

/// A part of a table that is copied in one transaction.
package struct Chunk: Sendable, Equatable {
    package enum Range: Sendable, Equatable {
        case whole
        /// `lower` included, `upper` not; nil is no bound. Values in the text form of the column's type.
        case key(column: String, type: String, lower: String?, upper: String?)
        /// Pages of the heap, the last of them without an end: it may have grown.
        case pages(from: Int, to: Int?)
    }

    /// From 1, within the table.
    package var number: Int
    /// What is read: the table, or one of its partitions.
    package var relation: QualifiedName
    package var range: Range

    package init(number: Int, relation: QualifiedName, range: Range) {
        self.number = number
        self.relation = relation
        self.range = range
    }
}

extension Chunk.Range {
    /// Rows of a chunk are found again under another snapshot. Those of pages are not: an update moves them.
    package var isStable: Bool {
        if case .pages = self { false } else { true }
    }

    /// The range in SQL, nil if it is no restriction.
    package var condition: String? {
        switch self {
        case .whole: return nil
        case .key(let column, let type, let lower, let upper):
            let name = SQLText.quoteIdentifier(column)
            let bounds = [
                lower.map { "\(name) >= \(SQLText.quoteLiteral($0))::\(type)" },
                upper.map { "\(name) < \(SQLText.quoteLiteral($0))::\(type)" },
            ]
            return bounds.compactMap(\.self).joined(separator: " AND ")
        case .pages(let first, let end):
            let lower = "ctid >= '(\(first),0)'::tid"
            return end.map { "\(lower) AND ctid < '(\($0),0)'::tid" } ?? lower
        }
    }
}

extension Chunk {
    /// A COPY statement that reads the chunk's columns of a table.
    func copyStatement(_ mapping: TableMapping) -> String {
        let columns = mapping.columns.map { SQLText.quoteIdentifier($0.source) }.joined(separator: ", ")
        let options = mapping.format == .binary ? " (FORMAT binary)" : ""
        let conditions = [range.condition, mapping.options.filter.map { "(\n\($0)\n)" }].compactMap(\.self)
        if conditions.isEmpty, !mapping.readsGenerated, !columns.isEmpty {
            return "COPY \(relation.sql) (\(columns)) TO STDOUT\(options)"
        }
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return "COPY (SELECT \(columns) FROM ONLY \(relation.sql)\(filter)) TO STDOUT\(options)"
    }
}
