import PostgresProtocol

extension SchemaDraft {
    mutating func makePreData() {
        plan.preData = prerequisiteAndTableSteps()
        plan.preData += keySteps()
    }

    /// Before all other steps, the schemas that they make something in: statistics need not be in their table's.
    mutating func makeSchemas() {
        let steps = plan.preData + plan.postData.joined()
        let needed = Set(steps.compactMap(\.name.schema)).subtracting(schemas)
        let made = needed.sorted().map { schema in
            SchemaStep(
                kind: .schema, name: QualifiedName(name: schema),
                sql: "CREATE SCHEMA IF NOT EXISTS \(SQLText.quoteIdentifier(schema))")
        }
        plan.preData = made + plan.preData
    }

    private mutating func prerequisiteAndTableSteps() -> [SchemaStep] {
        let missing = tables.filter(isMissing)
        let roots = missing.map { CatalogObject(catalog: "pg_class", oid: $0.oid) }
        let tablesByOID = Dictionary(missing.map { ($0.oid, $0) }) { first, _ in first }
        let owned = Dictionary(grouping: sequences.filter(isOwned), by: \.owner)
        let free = Dictionary(sequences.filter { !isOwned($0) }.map { ($0.oid, $0) }) { first, _ in first }
        let constants = sequences.compactMap { sequence in
            names[sequence.oid].flatMap { $0 == sequence.name ? nil : (sequence.oid, (sequence.constant, $0)) }
        }
        let renamed = Dictionary(constants) { first, _ in first }
        var steps: [SchemaStep] = []
        for object in graph.sorted(from: roots + graph.objects) {
            if object.catalog != "pg_class" {
                steps += prerequisiteStep(object)
            } else if let table = tablesByOID[object.oid] {
                steps += tableStep(table, sequences: owned[table.oid] ?? [], renamed: renamed)
            } else if let sequence = free[object.oid] {
                steps += sequenceStep(sequence)
            }
        }
        return steps
    }

    /// By a column that the target has.
    private func isOwned(_ sequence: SourceSequence) -> Bool {
        columns[sequence.owner]?[sequence.ownerColumn] != nil
    }

    private func prerequisiteStep(_ object: CatalogObject) -> [SchemaStep] {
        guard let prerequisite = prerequisites[object], !existing.contains(prerequisite.identity) else { return [] }
        return [SchemaStep(kind: prerequisite.kind, name: prerequisite.name, sql: prerequisite.sql)]
    }

    private func sequenceStep(_ sequence: SourceSequence) -> [SchemaStep] {
        guard !sequence.isIdentity, state.relations[sequence.name] == nil else { return [] }
        let sql = TableStatement.create(sequence, sequence.name, target.session.version)
        return [SchemaStep(kind: .sequence, name: sequence.name, sql: sql)]
    }

    // MARK: - Tables

    private mutating func tableStep(
        _ table: SourceTable, sequences: [SourceSequence], renamed: [OID: (String, QualifiedName)]
    ) -> [SchemaStep] {
        guard let name = names[table.oid], let columns = columns[table.oid] else { return [] }
        noteLeftOut(of: table, columns)
        let serials = sequences.compactMap { sequence in
            names[sequence.oid].map { (sequence, $0, state.relations[$0] != nil) }
        }
        let needs = graph.needs[CatalogObject(catalog: "pg_class", oid: table.oid)] ?? []
        let statement = TableStatement(
            table: table, target: name, columns: columns,
            checks: constraints[table.oid, default: []].filter { !$0.isForeignKey }, sequences: serials,
            renamedSequences: needs.compactMap { renamed[$0.oid] }, parents: inherited(table),
            parent: table.parent.flatMap { names[$0] }, keepsPartitioning: keepsPartitioning(table),
            targetVersion: target.session.version)
        let kind: SchemaStep.Kind = table.parent == nil ? .table : .partition
        return [SchemaStep(kind: kind, name: name, sql: statement.sql(), table: name)]
    }

    /// The parents' names if all of them are made as they are, so that the columns fit.
    private func inherited(_ table: SourceTable) -> [QualifiedName] {
        guard columns[table.oid]?.isIdentity == true else { return [] }
        let parents = table.parents.compactMap { columns[$0]?.isIdentity == true ? names[$0] : nil }
        return parents.count == table.parents.count ? parents : []
    }

    private mutating func noteLeftOut(of table: SourceTable, _ columns: ColumnPlan) {
        for kept in columns.kept where !columns.keepsValue(of: kept) {
            let column = "column \"\(kept.column.name)\" of \(table.name)"
            if kept.column.isGenerated {
                let reason = columns.obstacle(kept.column.mentioned, mayBeRenamed: true) ?? "its type is another one"
                plan.leftOut.append("generated value of \(column): \(reason)")
            } else if kept.column.expression != nil || kept.column.identity != "" {
                plan.leftOut.append("default of \(column): its type becomes \(kept.type ?? "another one")")
            }
        }
        for check in constraints[table.oid] ?? [] where !check.isForeignKey && check.isValid {
            guard let reason = columns.obstacle(check.columns, mayBeRenamed: true) else { continue }
            plan.leftOut.append("constraint \"\(check.name)\" of \(table.name): \(reason)")
        }
    }

    // MARK: - Keys before the rows

    private mutating func keySteps() -> [SchemaStep] {
        var steps: [SchemaStep] = []
        for table in tables {
            guard let index = firstKey(of: table) else { continue }
            steps += indexSteps(table, [index], isEmpty: true)
        }
        return steps
    }

    /// The index that the table's request wants to have before the rows.
    func firstKey(of table: SourceTable) -> SourceIndex? {
        guard let request = requests[table.oid], request.keepsKeyFirst, let columns = columns[table.oid] else {
            return nil
        }
        let all = indexes[table.oid, default: []].filter { $0.isUnique && $0.isValid && !$0.isPartial }
        let key = Set(request.source.key)
        return all.first(where: \.isPrimary)
            ?? all.first { Set($0.columns.prefix($0.keyCount).compactMap { columns[$0]?.column.name }) == key }
    }
}
