import PostgresProtocol

/// What becomes of a source table's columns in the target, by their numbers.
struct ColumnPlan {
    struct Kept {
        let column: SourceColumn
        /// The target's name.
        let name: String
        /// The target's type, nil for the source's.
        let type: String?
        /// The target's type is of another category, so operators and constants for the old one may not fit.
        let isForeign: Bool

        var isRenamed: Bool { name != column.name }
    }

    /// In the source's order.
    let kept: [Kept]
    /// Columns that the source does not have, with their types.
    let added: [(name: String, type: String)]
    private let byNumber: [Int: Int]
    private let names: [Int: String]

    /// `categories`: `pg_type.typcategory` of the target's types by their texts.
    init(_ columns: [SourceColumn], request: SchemaRequest, categories: [String: String]) {
        let own = columns.map { ColumnMapping(source: $0.name, target: $0.name) }
        let targets = Dictionary((request.columns ?? own).map { ($0.source, $0.target) }) { first, _ in first }
        kept = columns.compactMap { column in
            guard let name = targets[column.name] else { return nil }
            let type = request.types[name].flatMap { $0 == column.type ? nil : $0 }
            let isForeign = type.map { categories[$0] != column.category } ?? false
            return Kept(column: column, name: name, type: type, isForeign: isForeign)
        }
        let taken = Set(kept.map(\.name))
        added = request.types.filter { !taken.contains($0.key) }.map { (name: $0.key, type: $0.value) }
            .sorted { $0.name < $1.name }
        byNumber = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1.column.number, $0) })
        names = Dictionary(uniqueKeysWithValues: columns.map { ($0.number, $0.name) })
    }

    /// Numbers of the columns that are not copied.
    var dropped: [Int] { names.keys.filter { byNumber[$0] == nil }.sorted() }

    subscript(number: Int) -> Kept? { byNumber[number].map { kept[$0] } }

    var isIdentity: Bool {
        kept.count == names.count && added.isEmpty && kept.allSatisfy { !$0.isRenamed && $0.type == nil }
    }

    var hasRenames: Bool { kept.contains(where: \.isRenamed) }

    /// Why an expression over these columns cannot be made, nil if it can. System columns are always there.
    func obstacle(_ numbers: [Int], mayBeRenamed: Bool) -> String? {
        if numbers.contains(0), kept.count < names.count || !added.isEmpty {
            return "it uses the whole row, which is another one in the target"
        }
        for number in numbers where number > 0 {
            guard let kept = self[number] else {
                return "it uses column \"\(names[number] ?? "?")\", which is not copied"
            }
            if kept.isForeign {
                return "it uses column \"\(kept.column.name)\", whose type becomes \(kept.type ?? "?")"
            }
            if kept.isRenamed, !mayBeRenamed {
                return "its expression uses column \"\(kept.column.name)\", which is renamed to \"\(kept.name)\""
            }
        }
        return nil
    }
}
