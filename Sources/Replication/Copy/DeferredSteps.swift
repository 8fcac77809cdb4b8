import PostgresProtocol

/// What cannot be made while tables, or parts of a table, show different moments of the source: unique indexes, exclusion
/// constraints and foreign keys. It is made when the stream has passed the newest of these moments.
struct DeferredSteps {
    /// Parts of these tables show different moments.
    private let torn: Set<QualifiedName>
    /// Tables of the pipeline show different moments.
    private let hasSeveralMoments: Bool

    static let none = DeferredSteps(torn: [], hasSeveralMoments: false)

    private init(torn: Set<QualifiedName>, hasSeveralMoments: Bool) {
        self.torn = torn
        self.hasSeveralMoments = hasSeveralMoments
    }

    /// - Parameter position: how far the stream has got.
    init(_ snapshots: CopySnapshots, _ relations: [Ledger.Relation], at position: LSN) {
        torn = snapshots.torn(relations, at: position)
        hasSeveralMoments = snapshots.newest.map { $0 > position } ?? false
    }

    var isEmpty: Bool { torn.isEmpty && !hasSeveralMoments }

    /// Without what has to wait.
    func remove(from stages: [[SchemaStep]], tables: Set<QualifiedName>) -> [[SchemaStep]] {
        let waiting = Set(stages.joined().filter { isWaiting($0, tables) }.map(\.name))
        return stages.map { steps in
            steps.filter { step in
                let isMark = step.kind == .replicaIdentity || step.kind == .clusterMark
                return !isWaiting(step, tables) && !(isMark && waiting.contains(step.name))
            }
        }
    }

    private func isWaiting(_ step: SchemaStep, _ tables: Set<QualifiedName>) -> Bool {
        switch step.kind {
        case .foreignKey, .validation: return hasSeveralMoments
        case .index, .constraint:
            guard step.isUnique, let table = step.table else { return false }
            // Of a partition it is not known here whose it is.
            return torn.contains(table) || (!torn.isEmpty && !tables.contains(table))
        default: return false
        }
    }
}
