import Postgres
import PostgresProtocol

/// Rows of a table that the target had already, or did not have, where `on_conflict` lets that pass.
package struct ConflictCounts: Sendable, Equatable {
    /// Inserted on the source, and there already.
    package var existing = 0
    /// Updated or deleted on the source, and not there.
    package var missing = 0

    package init() {}

    package var total: Int { existing + missing }

    static func += (left: inout ConflictCounts, right: ConflictCounts) {
        left.existing += right.existing
        left.missing += right.missing
    }
}

/// How a statement's answer tells of conflicts.
struct ConflictTally {
    enum Sign {
        /// Of so many rows those that it has not inserted.
        case existing(of: Int)
        /// The number that it answers.
        case existingAnswered
        /// Of so many rows those that it has not found.
        case missing(of: Int)
        /// Rows that it had to insert.
        case missingInserted
    }

    let table: QualifiedName
    let sign: Sign

    func counts(_ result: ResultSet) -> ConflictCounts {
        let affected = result.affected ?? 0
        var counts = ConflictCounts()
        switch sign {
        case .existing(let rows): counts.existing = max(0, rows - affected)
        case .existingAnswered: counts.existing = (try? result.number(0, 0)) ?? 0
        case .missing(let rows): counts.missing = max(0, rows - affected)
        case .missingInserted: counts.missing = affected
        }
        return counts
    }
}

extension ApplyTable {
    /// Nil where conflicts are errors, or are to be expected.
    func tally(_ sign: ConflictTally.Sign) -> ConflictTally? {
        policy.countsConflicts ? ConflictTally(table: table.name, sign: sign) : nil
    }
}

extension [QualifiedName: ConflictCounts] {
    static func += (left: inout Self, right: Self) {
        for (table, counts) in right { left[table, default: ConflictCounts()] += counts }
    }

    package var total: Int { values.reduce(0) { $0 + $1.total } }
}
