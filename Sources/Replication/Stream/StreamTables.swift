import Postgres
import PostgresProtocol

/// What the pipeline makes of the source's tables, as the stream describes them. Lives on the engine's loop.
final class StreamTables {
    let plan = ApplyPlan()
    private let definition: PipelineDefinition
    private var mappings: [QualifiedName: TableMapping]
    /// How many tables go into each target.
    private let sourcesOfTarget: [QualifiedName: Int]
    private let windows: [QualifiedName: CopyWindow]
    /// What tables looked like when their changes were followed last.
    private var shapes: [QualifiedName: RelationShape]
    private let format: DataFormat
    private let source: StreamSource
    private let worker: any PipelineWorker
    private let desk: ChangeDesk
    private var transforms: [QualifiedName: any RowTransform] = [:]
    private var scripted: [ScriptedChanges] = []
    private var active: [OID: ScriptedChanges] = [:]
    private var openWindows: [(relation: StreamRelation, last: LSN)] = []

    /// - Parameter reader: gets rows that functions fail for, which are recorded otherwise.
    init(
        _ definition: PipelineDefinition, _ mappings: [TableMapping], _ windows: [QualifiedName: CopyWindow],
        _ shapes: [QualifiedName: RelationShape], _ format: DataFormat, _ worker: any PipelineWorker,
        reader: ((DeadLetter) -> Void)? = nil
    ) {
        self.definition = definition
        self.mappings = Dictionary(mappings.map { ($0.source.name, $0) }, uniquingKeysWith: { first, _ in first })
        sourcesOfTarget = mappings.reduce(into: [:]) { $0[$1.target.name, default: 0] += 1 }
        self.windows = windows
        self.shapes = shapes
        self.format = format
        self.worker = worker
        source = StreamSource(worker)
        let context = PipelineContext(pipeline: definition.name, scriptHash: definition.scriptHash)
        desk = ChangeDesk(worker, context, plan, reader: reader)
    }

    /// Binary values where both sides know the columns of all tables by the same bytes.
    static func format(of mappings: [TableMapping]) -> DataFormat {
        mappings.allSatisfy { $0.format == .binary } ? .binary : .text
    }

    // MARK: Relations

    /// What a Relation message means from here on; nil for a table that is not the pipeline's.
    func relation(
        _ message: RelationMessage, _ step: SchemaResponse, _ applier: Applier?
    ) async throws(ReplicationError) -> StreamRelation? {
        guard var mapping = mappings[message.name] else { return nil }
        if let statements = step.statements, let applier {
            mapping = try await follow(statements, mapping, applier)
            mappings[message.name] = mapping
        }
        if let shape = step.shape { shapes[message.name] = shape }
        let window = windows[message.name] ?? .none
        let relation = try StreamRelation(message, mapping, window, plan, format, try transform(mapping))
        if let changes = relation.changes {
            scripted.append(changes)
            active[message.relation] = changes
        }
        if window.isOpen { openWindows.append((relation, window.last)) }
        return relation
    }

    /// What is to be done about a table that may have changed. Throws if the stream ends here, or if the target cannot be
    /// changed as the source was, where it is to be.
    /// - Parameter position: of the commit that the changes come with. What was copied shows what came before.
    func step(_ message: RelationMessage, at position: LSN) async throws(ReplicationError) -> SchemaResponse {
        let window = windows[message.name] ?? .none
        // Changes from before the copy are left out, whatever they look like.
        guard let mapping = mappings[message.name], position >= window.first else { return .none }
        let isCopied = position < window.last
        let known = isCopied ? nil : shapes[message.name]
        let shape = RelationShape(message)
        var step = SchemaResponse(statements: nil, shape: isCopied || known == shape ? nil : shape)
        guard let change = try await change(message, mapping, before: known) else { return step }
        switch try await policy(for: change) {
        case .ignore: break
        case .apply: step.statements = try await source.statements(for: change, mapping)
        case .stop, .ask: throw change.error
        }
        return step
    }

    private func change(
        _ message: RelationMessage, _ mapping: TableMapping, before: RelationShape?
    ) async throws(ReplicationError) -> SchemaChange? {
        guard let change = SchemaChange(message, mapping, before: before), !change.retyped.isEmpty else {
            return SchemaChange(message, mapping, before: before)
        }
        return change.settling(try await source.settled(change, mapping))
    }

    private func policy(for change: SchemaChange) async throws(ReplicationError) -> StreamOptions.SchemaPolicy {
        let policy = definition.stream.schemaPolicy
        return policy == .ask ? try await worker.policy(for: change) : policy
    }

    private func follow(
        _ statements: [String], _ mapping: TableMapping, _ applier: Applier
    ) async throws(ReplicationError) -> TableMapping {
        for statement in statements {
            try await applier.execute(statement, doing: "following a change of \(mapping.source.name)")
        }
        let target = try await source.table(mapping.target.name, on: applier.connection)
        plan.replace(target)
        return mapping.with(source: try await source.table(mapping.source.name) ?? mapping.source, target: target)
    }

    /// The target of a table that was truncated; throws if it has rows of other tables.
    func target(truncatedWith relation: StreamRelation) throws(ReplicationError) -> ApplyTable {
        let name = relation.target.table.name
        guard sourcesOfTarget[name] ?? 1 == 1 else {
            throw .mismatch(
                code: "RH3611",
                "\(relation.message.name) was truncated, and \(name) of the target has rows of other tables, too",
                hint: "Delete its rows there by hand, then copy the table anew: replhost resnapshot.")
        }
        return relation.target
    }

    /// Orders of changes whose rows do not pass the table's filter.
    func failing(
        _ candidates: [RowFilter.Candidate], of relation: StreamRelation, _ batch: ChangeBatch
    ) async throws(ReplicationError) -> Set<UInt32> {
        guard let filter = relation.filter else { return [] }
        return try await source.failing(candidates, filter, batch)
    }

    // MARK: Functions

    private func transform(_ mapping: TableMapping) throws(ReplicationError) -> (any RowTransform)? {
        guard mapping.options.hasTransform else { return nil }
        if let known = transforms[mapping.source.name] { return known }
        let made = try worker.makeTransform(mapping)
        transforms[mapping.source.name] = made
        return made
    }

    var pendingBytes: Int { scripted.reduce(0) { $0 + $1.byteCount } }

    func truncate(to order: UInt32) { for changes in scripted { changes.truncate(to: order) } }

    /// Adds what the functions make of the changes that wait for them.
    func runFunctions(on batch: ChangeBatch) async throws(ReplicationError) {
        var hasRun = false
        for changes in scripted where !changes.isEmpty {
            try await changes.run(batch, desk)
            hasRun = true
        }
        guard hasRun else { return }
        // Descriptions that have been replaced were kept for the changes that came before.
        let current = Set(active.values.map(ObjectIdentifier.init))
        scripted.removeAll { !current.contains(ObjectIdentifier($0)) }
        batch.sort()
    }

    // MARK: Tables that were copied at different times

    func isWindowEnding(at position: LSN) -> Bool { openWindows.contains { $0.last <= position } }

    /// From here on what is streamed is not in the copy.
    func closeWindows(before position: LSN) {
        for (relation, last) in openWindows where last <= position {
            relation.target.policy = ApplyTable.Policy(relation.mapping, isCatchingUp: false)
        }
        openWindows.removeAll { $0.last <= position }
    }

    /// What an error comes to if parts of a table that show different moments contradict each other in the target. A
    /// partition's name does not tell whose it is.
    func tornCopy(_ error: ReplicationError, at position: LSN) -> ReplicationError? {
        guard let name = error.contradiction else { return nil }
        let torn = mappings.values.first { mapping in
            let target = mapping.target
            return windows[mapping.source.name].map { $0.isOpen && $0.last > position } ?? false
                && (target.name == name || target.kind == .partitioned)
                && sourcesOfTarget[target.name] == 1 && mapping.options.onConflict == .error
                && !mapping.options.hasTransform
        }
        return torn.map { .torn($0.source.name) }
    }
}

extension TableMapping {
    func with(source: CatalogTable, target: CatalogTable) -> TableMapping {
        let names = options.columns ?? source.columns.map { ColumnMapping(source: $0.name, target: $0.name) }
        let columns = names.filter { target.column($0.target)?.isGenerated == false }
        return TableMapping(
            source: source, rule: rule, options: options, target: target, columns: columns, added: added, key: key,
            format: format)
    }
}
