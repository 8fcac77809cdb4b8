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
    private let format: DataFormat
    private let source: StreamSource
    private let worker: any PipelineWorker
    private let desk: ChangeDesk
    private var transforms: [QualifiedName: any RowTransform] = [:]
    private var scripted: [ScriptedChanges] = []
    private var active: [OID: ScriptedChanges] = [:]
    private var openWindows: [(relation: StreamRelation, last: LSN)] = []

    init(
        _ definition: PipelineDefinition, _ mappings: [TableMapping], _ windows: [QualifiedName: CopyWindow],
        _ format: DataFormat, _ worker: any PipelineWorker
    ) {
        self.definition = definition
        self.mappings = Dictionary(mappings.map { ($0.source.name, $0) }, uniquingKeysWith: { first, _ in first })
        sourcesOfTarget = mappings.reduce(into: [:]) { $0[$1.target.name, default: 0] += 1 }
        self.windows = windows
        self.format = format
        self.worker = worker
        source = StreamSource(worker)
        let context = PipelineContext(pipeline: definition.name, scriptHash: definition.scriptHash)
        desk = ChangeDesk(worker, context, plan)
    }

    /// Binary values where both sides know the columns of all tables by the same bytes.
    static func format(of mappings: [TableMapping]) -> DataFormat {
        mappings.allSatisfy { $0.format == .binary } ? .binary : .text
    }

    // MARK: Relations

    /// What a Relation message means from here on; nil for a table that is not the pipeline's. `before` is what the last
    /// message said of the same table.
    func relation(
        _ message: RelationMessage, before: StreamRelation?, _ applier: Applier
    ) async throws(ReplicationError) -> StreamRelation? {
        guard var mapping = mappings[message.name] else { return nil }
        if let change = SchemaChange(message, mapping, before: before?.message) {
            mapping = try await follow(change, mapping, applier)
            mappings[message.name] = mapping
        }
        let window = windows[message.name] ?? .none
        let relation = try StreamRelation(message, mapping, window, plan, format, try transform(mapping))
        if let changes = relation.changes {
            scripted.append(changes)
            active[message.relation] = changes
        }
        if window.isOpen { openWindows.append((relation, window.last)) }
        return relation
    }

    /// The stream ends here, before the changes that this announces.
    func stops(at message: RelationMessage, before: RelationMessage?) -> Bool {
        guard definition.stream.schemaPolicy == .stop, let mapping = mappings[message.name] else { return false }
        return SchemaChange(message, mapping, before: before) != nil
    }

    /// Throws if the target cannot be changed as the source was, where it is to be.
    func checkChange(_ message: RelationMessage, before: RelationMessage?) async throws(ReplicationError) {
        guard definition.stream.schemaPolicy == .apply, let mapping = mappings[message.name],
            let change = SchemaChange(message, mapping, before: before)
        else { return }
        _ = try await source.statements(for: change, mapping)
    }

    private func follow(
        _ change: SchemaChange, _ mapping: TableMapping, _ applier: Applier
    ) async throws(ReplicationError) -> TableMapping {
        switch definition.stream.schemaPolicy {
        case .stop: throw change.error
        case .ignore: return mapping
        case .apply:
            for statement in try await source.statements(for: change, mapping) {
                try await applier.execute(statement, doing: "following a change of \(mapping.source.name)")
            }
            let target = try await source.table(mapping.target.name, on: applier.connection)
            plan.replace(target)
            return mapping.with(source: try await source.table(change.table) ?? mapping.source, target: target)
        }
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
