package import PostgresProtocol

/// A source table that a pipeline copies, before its target has been looked at.
package struct SelectedTable: Sendable {
    package var source: CatalogTable
    /// What is read: the partitions of a partitioned table, else the table itself.
    package var relations: [CatalogTable]
    package var rule: Int
    package var options: TableOptions

    package var targetName: QualifiedName { options.target ?? source.name }
    package var pages: Int { relations.reduce(0) { $0 + $1.pages } }

    /// Nil if the planner does not know.
    package var estimatedRows: Int? {
        let known = relations.map(\.rows).filter { $0 >= 0 }
        guard known.count == relations.count || relations.isEmpty else { return nil }
        return Int(known.reduce(0, +))
    }
}

/// Which tables of a source a pipeline copies.
package struct TableSelection: Sendable {
    /// By name.
    package private(set) var tables: [SelectedTable] = []
    /// Those that a rule skips, or none names.
    package private(set) var skipped: [QualifiedName] = []
    /// Patterns that name no table, by their position.
    package private(set) var unused: [Int] = []
    private var sources: [QualifiedName: Int] = [:]

    package init(_ definition: PipelineDefinition, in catalog: [CatalogTable]) {
        var used: Set<Int> = []
        let partitions = Dictionary(grouping: catalog.filter { $0.root != nil && $0.kind == .plain }) { $0.root }
        for table in catalog where table.root == nil {
            guard let rule = definition.rule(for: table.name) else {
                skipped.append(table.name)
                continue
            }
            used.insert(rule)
            switch definition.rules[rule].action {
            case .skip: skipped.append(table.name)
            case .copy(let options):
                let relations = table.kind == .partitioned ? partitions[table.name] ?? [] : [table]
                let selected = SelectedTable(source: table, relations: relations, rule: rule, options: options)
                tables.append(selected)
                sources[selected.targetName, default: 0] += 1
            }
        }
        unused = definition.rules.indices.filter { rule in
            !used.contains(rule) && !catalog.contains { definition.rules[rule].pattern.matches($0.name) }
        }
    }

    /// How many tables go into the same target.
    package func sources(of target: QualifiedName) -> Int { sources[target] ?? 0 }

    package var pages: Int { tables.reduce(0) { $0 + $1.pages } }
}
