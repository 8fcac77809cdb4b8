import PostgresProtocol

/// A table of the source with what CREATE TABLE needs; texts are as the server deparses them.
struct SourceTable {
    let oid: OID
    /// The partitioned table that it is a partition of, if that is copied, too.
    let parent: OID?
    /// The requested table at the top of its tree.
    let root: OID
    let name: QualifiedName
    /// As it stands in deparsed texts.
    let quoted: String
    let kind: String
    let isUnlogged: Bool
    let replicaIdentity: String
    let accessMethod: String
    /// `name=value`; those of the TOAST table begin with `toast.`.
    let options: [String]
    /// `FOR VALUES …` or `DEFAULT`.
    let bound: String?
    /// As in `RANGE (day)`.
    let partitionKey: String?
    let keyColumns: [Int]
    /// Tables it inherits from, in order, without being a partition.
    let parents: [OID]
    let comment: String?

    var isPartitioned: Bool { kind == "p" }
}

struct SourceColumn {
    enum Generation {
        case stored
        case virtual
    }

    let table: OID
    let number: Int
    let name: String
    let quoted: String
    let type: String
    let category: String
    /// Qualified and quoted, nil if it is the type's.
    let collation: String?
    let isNotNull: Bool
    let isLocal: Bool
    let identity: String
    let generation: Generation?
    /// Of the default or the generated value.
    let expression: String?
    /// Numbers of the columns in `expression`; 0 is the whole row.
    let mentioned: [Int]
    let storage: String?
    let compression: String?
    let statisticsTarget: Int
    let options: [String]
    let comment: String?

    var isGenerated: Bool { generation != nil }
}

struct SourceIndex {
    let oid: OID
    let table: OID
    let name: String
    /// What follows `CREATE INDEX … ON … USING`.
    let definition: String
    let isUnique: Bool
    let isPrimary: Bool
    let isValid: Bool
    let isClustered: Bool
    let isReplicaIdentity: Bool
    let isPartial: Bool
    /// By position, 0 for an expression; the first `keyCount` are key columns.
    let columns: [Int]
    let keyCount: Int
    /// Columns inside expressions and the predicate.
    let mentioned: [Int]
    /// `PRIMARY KEY (…)` and the like, if a constraint owns it.
    let constraint: String?
    /// `name=value`; part of `definition`, but not of `constraint`.
    let options: [String]
    /// In bytes.
    let size: Int

    /// How a constraint takes over an index that was made by itself.
    struct Adoption {
        let kind: String
        let deferral: String
    }

    /// Nil if no constraint owns it, or one that has to make it.
    var adoption: Adoption? {
        guard let constraint, isUnique, definition.hasPrefix("btree ") else { return nil }
        let deferral = [" DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE"].first { constraint.hasSuffix($0) }
        return Adoption(kind: isPrimary ? "PRIMARY KEY" : "UNIQUE", deferral: deferral ?? "")
    }
}

struct SourceConstraint {
    let table: OID
    let name: String
    let isForeignKey: Bool
    let isValid: Bool
    let isLocal: Bool
    let definition: String
    let columns: [Int]
    let referenced: OID
    let referencedName: QualifiedName
    let referencedColumns: [String]
    let referencedNumbers: [Int]
    /// Of `ON DELETE SET NULL (…)`.
    let setColumns: [Int]
    /// The unique index behind a foreign key.
    let index: OID
}

struct SourceTrigger {
    let table: OID
    let name: String
    let enabled: String
    let definition: String
    /// Of `UPDATE OF …`.
    let columns: [Int]
    /// In the WHEN clause.
    let mentioned: [Int]
}

struct SourceStatistics {
    let table: OID
    let name: QualifiedName
    let columns: [Int]
    let kinds: [String]
    let expressions: [String]
    let mentioned: [Int]
    let target: Int
}

struct SourceSequence {
    let oid: OID
    let name: QualifiedName
    /// As a `regclass` constant is deparsed, `'public.s'::regclass`.
    let constant: String
    let type: String
    /// As in `INCREMENT BY 1 …`.
    let parameters: String
    let isUnlogged: Bool
    let owner: OID
    let ownerColumn: Int
    let isIdentity: Bool
}
