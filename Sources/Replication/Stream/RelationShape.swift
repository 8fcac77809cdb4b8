package import PostgresProtocol

/// What a table of the source looked like when its changes were followed last: the ledger keeps it, so that a change of
/// the table is noticed whenever it was made.
package struct RelationShape: Sendable, Equatable {
    package struct Column: Sendable, Equatable {
        package var name: String
        /// On the source.
        package var type: OID
        /// `pg_attribute.atttypmod`, -1 for none.
        package var modifier: Int32
    }

    package var columns: [Column]

    package init(_ message: RelationMessage) {
        columns = message.columns.map { Column(name: $0.name, type: $0.type, modifier: $0.modifier) }
    }

    /// As the ledger has it: each column as "type:modifier:name".
    init?(texts: [String]) {
        columns = []
        for text in texts {
            let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let type = UInt32(parts[0]), let modifier = Int32(parts[1]) else { return nil }
            columns.append(Column(name: String(parts[2]), type: OID(type), modifier: modifier))
        }
    }

    var texts: [String] { columns.map { "\($0.type):\($0.modifier):\($0.name)" } }

    /// In SQL, the same of an attribute.
    static let attributeSQL = "a.atttypid::int8 || ':' || a.atttypmod || ':' || a.attname"
}
