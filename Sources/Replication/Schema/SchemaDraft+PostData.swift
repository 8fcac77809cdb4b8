import PostgresProtocol

extension SchemaDraft {
    /// Where a foreign key points to in the target.
    private struct Referenced {
        let name: QualifiedName
        let columns: [String]
    }

    mutating func makePostData() async throws(ReplicationError) {
        var indexes: [SchemaStep] = []
        var constraints: [SchemaStep] = []
        for table in tables {
            let first = firstKey(of: table)?.oid
            let later = self.indexes[table.oid, default: []].filter { $0.oid != first }
            indexes += indexSteps(table, later, isEmpty: false)
            constraints += adoptionSteps(table, later)
        }
        constraints += tables.flatMap { table in unvalidatedChecks(table) }
        let keys = try await foreignKeys()
        var last: [SchemaStep] = []
        for table in tables {
            last += statisticsSteps(table) + triggerSteps(table) + markSteps(table) + commentSteps(table)
        }
        // Statistics are filled when those that are extended exist, and tell how foreign keys are best checked.
        let stages = [indexes, constraints, keys.made, last, tables.flatMap(analyzeSteps), keys.validated]
        // The rows of all partitions of a table count as the table's.
        let roots = Dictionary(
            tables.compactMap { table in names[table.oid].flatMap { name in names[table.root].map { (name, $0) } } },
            uniquingKeysWith: { first, _ in first })
        plan.postData = stages.map { steps in
            steps.map { step in
                var step = step
                step.others.formUnion(step.tables.compactMap { roots[$0] })
                return step
            }
        }
    }

    private func statements(_ table: SourceTable) -> PostDataStatements? {
        guard let name = names[table.oid], let columns = columns[table.oid] else { return nil }
        return PostDataStatements(table: table, target: name, columns: columns)
    }

    private mutating func leaveOut(_ what: String, _ name: String, of table: SourceTable, _ reason: String) {
        plan.leftOut.append("\(what) \"\(name)\" of \(table.name): \(reason)")
    }

    // MARK: - Indexes

    /// The key that a copy is cut by is none: rows that are equal in it are always copied together. Changes need it.
    private static func comparesRows(_ index: SourceIndex, among indexes: [SourceIndex]) -> Bool {
        guard index.isUnique || index.constraint != nil, !index.isPrimary else { return false }
        let mayBeKey = index.isUnique && !index.isPartial && !indexes.contains(where: \.isPrimary)
        return !mayBeKey
    }

    /// - Parameter isEmpty: there are no rows yet: constraints are made at once.
    mutating func indexSteps(_ table: SourceTable, _ indexes: [SourceIndex], isEmpty: Bool) -> [SchemaStep] {
        guard let statements = statements(table) else { return [] }
        var steps: [SchemaStep] = []
        for index in indexes {
            guard let name = names[index.oid] else { continue }
            do throws(LeftOut) {
                guard index.isValid else { throw LeftOut(reason: "it is not valid in the source") }
                let old = state.relations[name]
                var (kind, sql) = (SchemaStep.Kind.index, "")
                if let constraint = index.constraint, isEmpty || adoption(of: index, name, of: table) == nil {
                    (kind, sql) = (.constraint, try statements.constraint(constraint, index, name: name.name))
                } else {
                    sql = try statements.index(index, name: name.name)
                }
                if old?.isValid == true { continue }
                let drop = old == nil ? "" : "DROP INDEX \(name.sql);\n"
                steps.append(
                    SchemaStep(
                        kind: kind, name: name, sql: drop + sql, table: statements.target, size: index.size,
                        isUnique: Self.comparesRows(index, among: indexes)))
            } catch {
                names[index.oid] = nil
                leaveOut(index.constraint == nil ? "index" : "constraint", index.name, of: table, error.reason)
            }
        }
        return steps
    }

    // MARK: - Constraints

    /// A constraint that makes its index keeps others from being made at the same time, which takes long if it is large;
    /// it takes one over in no time, as it does with one that is there. A partitioned table's cannot.
    private func adoption(
        of index: SourceIndex, _ name: QualifiedName, of table: SourceTable
    ) -> SourceIndex.Adoption? {
        let isThere = state.relations[name]?.isValid == true
        return (isThere || index.size >= largeIndex) && !keepsPartitioning(table) ? index.adoption : nil
    }

    private func adoptionSteps(_ table: SourceTable, _ indexes: [SourceIndex]) -> [SchemaStep] {
        guard let statements = statements(table) else { return [] }
        return indexes.compactMap { index in
            guard let name = names[index.oid], let adoption = adoption(of: index, name, of: table),
                state.constraint(name.name, of: statements.target) == nil
            else { return nil }
            return SchemaStep(
                kind: .constraint, name: name, sql: statements.adoption(adoption, name: name.name),
                table: statements.target, isUnique: Self.comparesRows(index, among: indexes))
        }
    }

    private mutating func unvalidatedChecks(_ table: SourceTable) -> [SchemaStep] {
        guard let statements = statements(table) else { return [] }
        var steps: [SchemaStep] = []
        for check in constraints[table.oid] ?? [] where !check.isForeignKey && !check.isValid {
            guard check.isLocal || (table.parent == nil && table.parents.isEmpty),
                state.constraint(check.name, of: statements.target) == nil
            else { continue }
            do throws(LeftOut) {
                let sql = try statements.unvalidatedCheck(check)
                steps.append(step(.constraint, check.name, sql, statements.target))
            } catch {
                leaveOut("constraint", check.name, of: table, error.reason)
            }
        }
        return steps
    }

    private mutating func foreignKeys() async throws(ReplicationError) -> (made: [SchemaStep], validated: [SchemaStep])
    {
        let fitting = try await outsideKeys()
        var made: [SchemaStep] = []
        var validated: [SchemaStep] = []
        for table in tables {
            guard let statements = statements(table) else { continue }
            for key in constraints[table.oid] ?? [] where key.isForeignKey {
                let found = state.constraint(key.name, of: statements.target)
                do throws(LeftOut) {
                    let referenced = try referenced(by: key, fitting)
                    let sql = try statements.foreignKey(
                        key, referenced: referenced.name, referencedColumns: referenced.columns,
                        partitioned: keepsPartitioning(table))
                    if found == nil {
                        var step = step(.foreignKey, key.name, sql, statements.target)
                        step.others = [referenced.name]
                        made.append(step)
                    }
                    guard found != true, key.isValid, sql.hasSuffix(" NOT VALID") else { continue }
                    let name = SQLText.quoteIdentifier(key.name)
                    let validate = "ALTER TABLE \(statements.target.sql) VALIDATE CONSTRAINT \(name)"
                    var step = step(.validation, key.name, validate, statements.target)
                    step.others = [referenced.name]
                    step.size = size(of: table)
                    validated.append(step)
                } catch {
                    leaveOut("foreign key", key.name, of: table, error.reason)
                }
            }
        }
        return (made, validated)
    }

    /// Unique keys of the tables that foreign keys refer to and that are not ours.
    private func outsideKeys() async throws(ReplicationError) -> [QualifiedName: [Set<String>]] {
        let ours = Set(tables.map(\.oid))
        let keys = constraints.values.joined().filter { $0.isForeignKey && !ours.contains($0.referenced) }
        return try await target.keys(of: Set(keys.map { outside($0).name }).sorted())
    }

    private func outside(_ key: SourceConstraint) -> Referenced {
        guard let request = requests[key.referenced] else {
            return Referenced(name: key.referencedName, columns: key.referencedColumns)
        }
        guard let mappings = request.columns else {
            return Referenced(name: request.target.inSchema, columns: key.referencedColumns)
        }
        let names = Dictionary(mappings.map { ($0.source, $0.target) }) { first, _ in first }
        return Referenced(name: request.target.inSchema, columns: key.referencedColumns.compactMap { names[$0] })
    }

    private func referenced(
        by key: SourceConstraint, _ fitting: [QualifiedName: [Set<String>]]
    ) throws(LeftOut) -> Referenced {
        guard let plan = columns[key.referenced], let name = names[key.referenced] else {
            let outside = outside(key)
            guard fitting[outside.name]?.contains(Set(outside.columns)) == true else {
                throw LeftOut(reason: "\(key.referencedName) is not copied, and the target has no table with that key")
            }
            return outside
        }
        if let reason = plan.obstacle(key.referencedNumbers, mayBeRenamed: true) {
            throw LeftOut(reason: "in \(key.referencedName), \(reason)")
        }
        guard names[key.index] != nil else { throw LeftOut(reason: "the key that it refers to is left out") }
        return Referenced(name: name, columns: key.referencedNumbers.compactMap { plan[$0]?.name })
    }

    private func step(_ kind: SchemaStep.Kind, _ name: String, _ sql: String, _ table: QualifiedName) -> SchemaStep {
        SchemaStep(kind: kind, name: QualifiedName(schema: table.schema, name: name), sql: sql, table: table)
    }

    // MARK: - Statistics, triggers, marks

    private mutating func statisticsSteps(_ table: SourceTable) -> [SchemaStep] {
        guard let statements = statements(table) else { return [] }
        var steps: [SchemaStep] = []
        for statistics in statistics[table.oid] ?? [] {
            let name = statisticsName(statistics, table, statements.target)
            guard state.statistics[name] == nil else { continue }
            do throws(LeftOut) {
                let sql = try statements.statistics(statistics, name: name)
                steps.append(SchemaStep(kind: .statistics, name: name, sql: sql, table: statements.target))
                // Two of one name get different ones; the number stands for a table that is not there yet.
                state.statistics[name] = state.oid(statements.target) ?? table.oid
            } catch {
                leaveOut("statistics", statistics.name.name, of: table, error.reason)
            }
        }
        return steps
    }

    /// In the table's schema, unless they are elsewhere in the source, too.
    private func statisticsName(
        _ statistics: SourceStatistics, _ table: SourceTable, _ home: QualifiedName
    ) -> QualifiedName {
        var name = statistics.name
        if name.schema == table.name.schema { name.schema = home.schema }
        var (candidate, count) = (name, 0)
        while let owner = state.statistics[candidate], owner != state.oid(home) {
            count += 1
            candidate.name = TargetNames.suffixed(name.name, "_\(count)")
        }
        return candidate
    }

    private mutating func triggerSteps(_ table: SourceTable) -> [SchemaStep] {
        guard let statements = statements(table) else { return [] }
        var steps: [SchemaStep] = []
        for trigger in triggers[table.oid] ?? [] {
            guard !state.has(trigger.name, of: statements.target, in: state.triggers) else { continue }
            do throws(LeftOut) {
                steps.append(step(.trigger, trigger.name, try statements.trigger(trigger), statements.target))
            } catch {
                leaveOut("trigger", trigger.name, of: table, error.reason)
            }
        }
        return steps
    }

    private func markSteps(_ table: SourceTable) -> [SchemaStep] {
        guard let home = names[table.oid] else { return [] }
        var steps: [SchemaStep] = []
        for index in indexes[table.oid] ?? [] {
            guard let name = names[index.oid] else { continue }
            let quoted = SQLText.quoteIdentifier(name.name)
            if index.isReplicaIdentity, table.replicaIdentity == "i", state.relations[name]?.isReplicaIdentity != true {
                let sql = "ALTER TABLE \(home.sql) REPLICA IDENTITY USING INDEX \(quoted)"
                steps.append(SchemaStep(kind: .replicaIdentity, name: name, sql: sql, table: home))
            }
            if index.isClustered, state.relations[name]?.isClustered != true {
                let sql = "ALTER TABLE \(home.sql) CLUSTER ON \(quoted)"
                steps.append(SchemaStep(kind: .clusterMark, name: name, sql: sql, table: home))
            }
        }
        return steps
    }

    // MARK: - Comments and ANALYZE

    private func commentSteps(_ table: SourceTable) -> [SchemaStep] {
        guard let home = names[table.oid] else { return [] }
        var statements: [String] = []
        if let comment = table.comment, !state.has("", of: home, in: state.comments) {
            statements.append("COMMENT ON TABLE \(home.sql) IS \(SQLText.quoteLiteral(comment))")
        }
        for kept in columns[table.oid]?.kept ?? [] {
            guard let comment = kept.column.comment, !state.has(kept.name, of: home, in: state.comments) else {
                continue
            }
            let column = "\(home.sql).\(SQLText.quoteIdentifier(kept.name))"
            statements.append("COMMENT ON COLUMN \(column) IS \(SQLText.quoteLiteral(comment))")
        }
        guard !statements.isEmpty else { return [] }
        return [SchemaStep(kind: .comment, name: home, sql: statements.joined(separator: ";\n"), table: home)]
    }

    /// A partitioned table's takes the partitions with it.
    private func analyzeSteps(_ table: SourceTable) -> [SchemaStep] {
        guard table.parent == nil, let home = names[table.oid], state.relations[home]?.isAnalyzed != true else {
            return []
        }
        return [
            SchemaStep(kind: .analyze, name: home, sql: "ANALYZE \(home.sql)", table: home, size: size(of: table))
        ]
    }

    private func size(of table: SourceTable) -> Int { (requests[table.oid]?.source.pages ?? 0) * 8192 }
}
