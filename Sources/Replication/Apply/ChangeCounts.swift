import PostgresProtocol

/// What changes have come to in one table of the target.
package struct ChangeCounts: Sendable, Equatable {
    package var inserted = 0
    package var updated = 0
    package var deleted = 0
    /// Rows that were put aside.
    package var deadLetters = 0

    package init() {}

    static func += (left: inout ChangeCounts, right: ChangeCounts) {
        left.inserted += right.inserted
        left.updated += right.updated
        left.deleted += right.deleted
        left.deadLetters += right.deadLetters
    }
}

extension [QualifiedName: ChangeCounts] {
    static func += (left: inout Self, right: Self) {
        for (table, counts) in right { left[table, default: ChangeCounts()] += counts }
    }

    package var total: ChangeCounts { values.reduce(into: ChangeCounts()) { $0 += $1 } }
}

/// What one transaction of the target has in it.
struct AppliedChanges {
    var tables: [QualifiedName: ChangeCounts] = [:]
    var conflicts: [QualifiedName: ConflictCounts] = [:]
    /// Batches that were given up and written once more.
    var replays = 0
    /// Batches that began while others before them were being written.
    var overlaps = 0
}
