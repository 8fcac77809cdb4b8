/// What a table is at the moment of the changes that follow. Replaces what an earlier message said of the same OID.
package struct RelationMessage: Equatable, Sendable {
    /// Which columns of the old row an Update or Delete holds (`pg_class.relreplident`).
    package enum ReplicaIdentity: UInt8, Sendable {
        /// Those of the primary key.
        case primaryKey = 0x64
        case nothing = 0x6E
        case full = 0x66
        /// Those of an index.
        case index = 0x69
    }

    package struct Column: Equatable, Sendable {
        /// Of the replica identity; with `.full`, every column is.
        package let isKey: Bool
        package let name: String
        package let type: OID
        /// `pg_attribute.atttypmod`, -1 for none.
        package let modifier: Int32

        init(_ reader: inout MessageReader) throws(LogicalMessageError) {
            let flags = try reader.integer("column_flags", as: UInt8.self)
            guard flags <= 1 else { throw reader.damaged("column_flags", "is \(flags), expected 0 or 1") }
            isKey = flags == 1
            name = try reader.string("column_name")
            type = try reader.oid("column_type")
            modifier = try reader.integer("column_modifier")
        }
    }

    package let relation: OID
    package let name: QualifiedName
    package let identity: ReplicaIdentity
    /// Published ones, in their order; generated and dropped ones are not among them.
    package let columns: [Column]

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        relation = try reader.oid("relation")
        name = try reader.qualifiedName()
        let byte = try reader.integer("replica_identity", as: UInt8.self)
        guard let identity = ReplicaIdentity(rawValue: byte) else {
            throw reader.damaged("replica_identity", "is 0x\(String(byte, radix: 16))")
        }
        self.identity = identity
        let count = try reader.columnCount()
        var columns: [Column] = []
        for _ in 0..<count { columns.append(try Column(&reader)) }
        self.columns = columns
        try reader.end()
    }
}

/// The name of a type that is not built in, before the first Relation message that mentions it.
package struct TypeMessage: Equatable, Sendable {
    package let type: OID
    package let name: QualifiedName

    init(_ reader: inout MessageReader) throws(LogicalMessageError) {
        type = try reader.oid("type")
        name = try reader.qualifiedName()
        try reader.end()
    }
}
