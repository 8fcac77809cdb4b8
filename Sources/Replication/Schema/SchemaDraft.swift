import PostgresProtocol

/// Both catalogs, and what every table is to become: all that the statements are made from.
struct SchemaDraft {
    let source: SourceReader
    let target: TargetReader
    let requests: [OID: SchemaRequest]
    let made: Set<QualifiedName>
    let largeIndex: Int

    /// Those that are made or completed, parents first.
    var tables: [SourceTable] = []
    /// Names in the target of tables and sequences, and of indexes by theirs.
    var names: [OID: QualifiedName] = [:]
    var taken = TargetNames()
    var columns: [OID: ColumnPlan] = [:]
    var indexes: [OID: [SourceIndex]] = [:]
    var constraints: [OID: [SourceConstraint]] = [:]
    var triggers: [OID: [SourceTrigger]] = [:]
    var statistics: [OID: [SourceStatistics]] = [:]
    var sequences: [SourceSequence] = []
    var graph = DependencyGraph()
    var prerequisites: [CatalogObject: Prerequisite] = [:]
    var existing: Set<Prerequisite.Identity> = []
    var schemas: Set<String> = []
    var state = TargetState()
    var plan = SchemaPlan()

    init(
        _ requests: [SchemaRequest], made: Set<QualifiedName>, largeIndex: Int, source: SchemaSession,
        target: SchemaSession
    ) {
        // Of several tables for one target, the first one by name is what the target is made from.
        var targets: Set<QualifiedName> = []
        let first = requests.sorted { $0.source.name < $1.source.name }.filter { targets.insert($0.target).inserted }
        self.requests = Dictionary(first.map { ($0.source.oid, $0) }) { first, _ in first }
        self.made = made
        self.largeIndex = largeIndex
        self.source = SourceReader(session: source)
        self.target = TargetReader(session: target)
    }

    func isMissing(_ table: SourceTable) -> Bool { names[table.oid].map { state.relations[$0] == nil } ?? false }

    /// Reads everything; false if there is nothing that replhost may make.
    mutating func read() async throws(ReplicationError) -> Bool {
        try await readTables()
        guard !tables.isEmpty else { return false }
        try await readColumns()
        leaveOutPartitions()
        try await readParts()
        try await readNeeds()
        nameSequences()
        nameIndexes()
        try await readTarget()
        return true
    }

    // MARK: - Tables

    private mutating func readTables() async throws(ReplicationError) {
        var seen: Set<OID> = []
        // A table that is asked for and a partition of another one, too, is a partition: deeper ones come later.
        let found = try await source.tables(requests.keys.sorted()).reversed().filter { seen.insert($0.oid).inserted }
        let all = Array(found.reversed())
        let schemas = Set(all.map { $0.name.schema ?? "" }).union(
            requests.values.map { $0.target.inSchema.schema ?? "" })
        state.relations = try await target.relations(in: schemas)
        for table in all {
            guard let request = requests[table.oid] else { continue }
            names[table.oid] = request.target.inSchema
            taken.reserve(request.target.inSchema, for: table.oid)
        }
        for table in all where names[table.oid] == nil { namePartition(table) }
        plan.creates = Set(requests.values.map(\.target).filter { state.relations[$0.inSchema] == nil })
        let ours = plan.creates.union(made)
        tables = all.filter { table in requests[table.root].map { ours.contains($0.target) } ?? false }
    }

    /// In the schema of its table if that is renamed.
    private mutating func namePartition(_ table: SourceTable) {
        guard let parent = table.parent.flatMap({ names[$0] }), let request = requests[table.root] else { return }
        var wanted = table.name
        if request.target.inSchema != request.source.name.inSchema { wanted.schema = request.target.inSchema.schema }
        let relations = state.relations
        let owner = relations[parent]?.oid
        names[table.oid] = taken.assign(wanted, to: table.oid) { name in
            relations[name].map { $0.owner != owner } ?? false
        }
    }

    // MARK: - Columns

    private mutating func readColumns() async throws(ReplicationError) {
        let categories = try await target.categories(
            Set(tables.flatMap { requests[$0.root]?.types.values.map(\.self) ?? [] }))
        let found = Dictionary(grouping: try await source.columns(tables.map(\.oid)), by: \.table)
        for table in tables {
            guard let request = requests[table.root] else { continue }
            columns[table.oid] = ColumnPlan(found[table.oid] ?? [], request: request, categories: categories)
        }
    }

    func keepsPartitioning(_ table: SourceTable) -> Bool {
        table.isPartitioned && columns[table.oid]?.obstacle(table.keyColumns, mayBeRenamed: true) == nil
    }

    /// A table whose partition key is not copied as it is becomes a plain one.
    private mutating func leaveOutPartitions() {
        var kept: Set<OID> = []
        var result: [SourceTable] = []
        for table in tables {
            guard table.parent.map(kept.contains) ?? true else { continue }
            if keepsPartitioning(table) {
                kept.insert(table.oid)
            } else if table.isPartitioned {
                let reason = columns[table.oid]?.obstacle(table.keyColumns, mayBeRenamed: true) ?? ""
                plan.leftOut.append("partitions of \(table.name): \(reason)")
            }
            result.append(table)
        }
        tables = result
    }

    // MARK: - What belongs to tables

    private mutating func readParts() async throws(ReplicationError) {
        let oids = tables.map(\.oid)
        indexes = Dictionary(grouping: try await source.indexes(oids), by: \.table)
        constraints = Dictionary(grouping: try await source.constraints(oids), by: \.table)
        triggers = Dictionary(grouping: try await source.triggers(oids), by: \.table)
        statistics = Dictionary(grouping: try await source.statistics(oids), by: \.table)
    }

    private mutating func readNeeds() async throws(ReplicationError) {
        let oids = tables.map(\.oid)
        graph = try await source.dependencies(
            of: tables.filter(isMissing).map(\.oid), allTables: oids, unused: unusedColumns())
        let objects = graph.objects
        let known = Set(oids)
        let others = objects.filter { $0.catalog == "pg_class" && !known.contains($0.oid) }.map(\.oid)
        sequences = try await source.sequences(ownedBy: oids, and: others)
        let wanted = objects.filter { graph.extensions[$0] == nil } + Set(graph.extensions.values)
        prerequisites = try await source.prerequisites(wanted)
    }

    /// Those whose types and defaults the target does not need.
    private func unusedColumns() -> [(table: OID, column: Int)] {
        tables.flatMap { table in
            guard let plan = columns[table.oid] else { return [(table: OID, column: Int)]() }
            let dropped = plan.dropped.map { (table: table.oid, column: $0) }
            return dropped + plan.kept.filter { $0.type != nil && $0.isForeign }.map { (table.oid, $0.column.number) }
        }
    }

    // MARK: - Names

    /// A sequence that a column owns goes where the column's table goes.
    private mutating func nameSequences() {
        let owned = Dictionary(grouping: sequences, by: \.owner)
        for table in tables { for sequence in owned[table.oid] ?? [] { name(sequence, of: table) } }
        for sequence in sequences where names[sequence.oid] == nil {
            names[sequence.oid] = sequence.name
            taken.reserve(sequence.name, for: sequence.oid)
        }
    }

    private mutating func name(_ sequence: SourceSequence, of table: SourceTable) {
        guard columns[table.oid]?[sequence.ownerColumn] != nil, let home = names[table.oid] else { return }
        let relations = state.relations
        let owner = relations[home]?.oid
        let wanted = QualifiedName(schema: home.schema, name: sequence.name.name)
        names[sequence.oid] = taken.assign(wanted, to: sequence.oid) { name in
            guard let found = relations[name] else { return false }
            let isFree = found.owner == .invalid && !sequence.isIdentity
            return found.kind != "S" || !(isFree || found.owner == owner)
        }
    }

    private mutating func nameIndexes() {
        let relations = state.relations
        for table in tables {
            guard let home = names[table.oid] else { continue }
            let owner = relations[home]?.oid
            for index in indexes[table.oid] ?? [] {
                let wanted = QualifiedName(schema: home.schema, name: index.name)
                names[index.oid] = taken.assign(wanted, to: index.oid) { name in
                    relations[name].map { $0.owner != owner || $0.kind == "S" } ?? false
                }
            }
        }
    }

    // MARK: - The target

    private mutating func readTarget() async throws(ReplicationError) {
        let known = Set(state.relations.keys.compactMap(\.schema))
        let more = Set(sequences.compactMap { names[$0.oid]?.schema }).subtracting(known)
        if !more.isEmpty { state.relations.merge(try await target.relations(in: more)) { old, _ in old } }
        try await target.readMembers(of: tables.compactMap { names[$0.oid].flatMap(state.oid) }, into: &state)
        let homes = Set(tables.compactMap { names[$0.oid]?.schema })
        let own = Set(statistics.values.joined().compactMap(\.name.schema))
        state.statistics = try await target.statistics(in: homes.union(own))
        existing = try await target.existing(Array(prerequisites.values))
        schemas = try await target.schemas()
    }
}

extension QualifiedName {
    /// With its schema written out.
    var inSchema: QualifiedName { QualifiedName(schema: schema ?? "public", name: name) }
}
