import PostgresProtocol

/// When a table was copied: between the first and the last snapshot that its chunks show.
struct CopyWindow: Equatable {
    /// Commits before it are in the copy.
    var first: LSN
    /// Commits from here on are not.
    var last: LSN

    static let none = CopyWindow(first: .zero, last: .zero)

    /// Commits between are in parts of the copy.
    var isOpen: Bool { last > first }
}

/// Which moments of the source a copy shows, by its tables.
struct CopySnapshots {
    private(set) var windows: [QualifiedName: CopyWindow] = [:]

    /// - Parameters:
    ///   - positions: of snapshots in the source's log.
    ///   - next: the snapshot that chunks which are not copied will show.
    init(_ relations: [Ledger.Relation], _ positions: [Int: LSN], next: Int? = nil) {
        for relation in relations {
            let snapshots = relation.chunks.map { max($0.snapshot ?? next ?? 0, relation.mended ?? 0) }
            let shown = (snapshots.isEmpty ? [relation.mended ?? 0] : snapshots).compactMap { positions[$0] }
            let latest = (shown + [relation.mending.flatMap { positions[$0] }].compactMap(\.self)).max()
            guard let first = shown.min(), let last = latest else { continue }
            windows[relation.source] = CopyWindow(first: first, last: last)
        }
    }

    var newest: LSN? { windows.values.map(\.last).max() }

    /// Rows of these targets may contradict each other until the stream has got further than `position`.
    func torn(_ relations: [Ledger.Relation], at position: LSN) -> Set<QualifiedName> {
        Set(relations.filter { windows[$0.source].map { $0.isOpen && $0.last > position } ?? false }.map(\.target))
    }
}
