package import PostgresProtocol

/// What is still to be made in the target.
package struct SchemaPlan: Sendable {
    /// Before the rows, one after the other.
    package var preData: [SchemaStep] = []
    /// After the rows: stages in order, the steps of a stage in any order or at the same time.
    package var postData: [[SchemaStep]] = []
    /// What the source has and the target will not, as text for people.
    package var leftOut: [String] = []
    /// Targets of requests that `preData` makes. To be noted before it runs: a later plan must know them as ours.
    package var creates: Set<QualifiedName> = []

    package var isEmpty: Bool { preData.isEmpty && postData.allSatisfy(\.isEmpty) }
}

/// One object, made by one text that is run as it is (several statements, one implicit transaction).
package struct SchemaStep: Hashable, TableStep {
    package enum Kind: String, Sendable {
        case schema
        case `extension`
        case collation
        case type
        case function
        case sequence
        case table
        case partition
        case index
        case constraint
        case foreignKey = "foreign key"
        case validation
        case statistics
        case trigger
        case replicaIdentity
        case clusterMark
        case comment
        case analyze
    }

    package var kind: Kind
    /// What it makes.
    package var name: QualifiedName
    package var sql: String
    /// The target table it belongs to; of a partition's, the partition.
    package var table: QualifiedName?
    /// Partitioned tables that its table is a part of, and tables that it refers to.
    package var others: Set<QualifiedName> = []
    package var size = 0
    /// It compares rows of its table that may have been copied at different times.
    package var isUnique = false

    package var tables: Set<QualifiedName> { table.map { others.union([$0]) } ?? others }
    /// Indexes of a table are made at the same time; all else keeps others from it.
    package var isShared: Bool { kind == .index }

    /// What goes on while it runs, for messages.
    package var activity: String {
        switch kind {
        case .validation: "validating foreign key \(name)"
        case .analyze: "analyzing \(name)"
        case .comment: "commenting on \(name)"
        case .replicaIdentity, .clusterMark: "marking index \(name)"
        case .schema, .extension, .collation, .type, .function, .sequence, .table, .partition, .index, .constraint,
            .foreignKey, .statistics, .trigger:
            "making \(kind.rawValue) \(name)"
        }
    }
}
