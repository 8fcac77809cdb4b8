package import PostgresProtocol

/// What was found in one table of the target.
package struct Verification: Sendable {
    package enum Kind: String, Sendable {
        case missing
        case extra
        case different
    }

    package struct Difference: Sendable {
        package var kind: Kind
        package var key: [(column: String, value: String?)]
        /// Those that differ.
        package var columns: [String]
    }

    /// Differences that are shown of each kind.
    static let shown = 20

    package var target: QualifiedName
    /// Rows that should be there.
    package var rows = 0
    package var missing = 0
    package var extra = 0
    package var different = 0
    package var differences: [Difference] = []
    package var repaired = 0

    private let key: [String]

    init(_ target: QualifiedName, key: [String]) {
        self.target = target
        self.key = key
    }

    package var isEqual: Bool { missing + extra + different == 0 }

    mutating func add(_ group: DifferenceTable.Group) {
        switch group.kind {
        case .missing: missing += group.count
        case .extra: extra += group.count
        case .different: different += group.count
        }
        differences += group.shown.map { values, columns in
            Difference(kind: group.kind, key: zip(key, values).map { ($0, $1) }, columns: columns)
        }
    }

    mutating func add(_ other: Verification) {
        rows += other.rows
        missing += other.missing
        extra += other.extra
        different += other.different
        repaired += other.repaired
        for kind in [Kind.missing, .extra, .different] {
            let room = Self.shown - differences.count { $0.kind == kind }
            differences += other.differences.filter { $0.kind == kind }.prefix(max(room, 0))
        }
    }
}
