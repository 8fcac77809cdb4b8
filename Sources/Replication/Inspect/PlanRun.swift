import EventLoops
import Postgres
package import PostgresProtocol

/// What a run would do, found out without changing anything. Lives on its worker's loop.
package struct PlanRun {
    package struct Table: Sendable {
        package enum State: String, Sendable {
            case new
            case existing
            /// Nothing is left to do.
            case copied
        }

        package var source: QualifiedName
        package var target: QualifiedName
        package var state: State
        package var estimatedRows: Int?
        package var chunks: [Chunk]
        package var format: DataFormat
        package var hasTransform: Bool
    }

    package struct Plan: Sendable {
        package var tables: [Table]
        package var skipped: [QualifiedName]
        /// In order.
        package var targetSQL: [String]
        /// What the target will not have.
        package var leftOut: [String]
    }

    private let definition: PipelineDefinition
    private let worker: any PipelineWorker
    private let workers: Int

    package init(_ definition: PipelineDefinition, _ worker: any PipelineWorker, workers: Int) {
        self.definition = definition
        self.worker = worker
        self.workers = workers
    }

    package func run() async throws(ReplicationError) -> Plan {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let (source, target) = (try await connections.source(), try await connections.target())
        let selection = try await PipelineCatalog.selection(definition, on: source)
        let existing = try await CatalogReader(target, .target).tables(selection.tables.map(\.targetName))
        let ledger = Ledger(target, pipeline: definition.name)
        let hasLedger = try await ledger.exists()
        let relations = hasLedger ? try await ledger.relations() : []
        let known = Dictionary(relations.map { ($0.source, $0) }) { first, _ in first }
        let schema = try await SchemaPlanner.plan(
            selection.tables.map(SchemaRequest.init), made: Set(relations.filter(\.isMade).map(\.target)),
            source: source, target: target)
        let cutter = ChunkCutter(source, definition.snapshot, workers: workers, bytes: selection.pages * 8192)
        var tables: [Table] = []
        for table in selection.tables {
            tables.append(
                try await plan(table, known[table.source.name], existing[table.targetName], selection, cutter))
        }
        let steps = schema.preData + schema.postData.flatMap(\.self)
        return Plan(
            tables: tables, skipped: selection.skipped,
            targetSQL: (hasLedger ? [] : [LedgerSchema.statements]) + steps.map(\.sql), leftOut: schema.leftOut)
    }

    private func plan(
        _ table: SelectedTable, _ known: Ledger.Relation?, _ existing: CatalogTable?, _ selection: TableSelection,
        _ cutter: ChunkCutter
    ) async throws(ReplicationError) -> Table {
        let isCopied = known?.isCopied ?? false
        var chunks = known?.chunks.filter { $0.counts == nil }.map(\.chunk) ?? []
        if known?.chunks.isEmpty ?? true {
            chunks = try await cutter.cut(
                table.relations, key: table.source.key, mayCutByPages: table.mayCutByPages(in: selection))
        }
        return Table(
            source: table.source.name, target: table.targetName,
            state: isCopied ? .copied : existing == nil ? .new : .existing, estimatedRows: table.estimatedRows,
            chunks: chunks, format: try TableMapping(table, target: existing ?? table.expectedTarget).format,
            hasTransform: table.options.hasTransform)
    }
}

extension SchemaRequest {
    init(_ table: SelectedTable) {
        self.init(
            source: table.source, target: table.targetName, columns: table.options.columns,
            types: table.options.types, keepsKeyFirst: table.options.onConflict != .error)
    }
}

extension SelectedTable {
    /// The target can be emptied when the copy has to begin anew: nothing else is in it.
    func mayCutByPages(in selection: TableSelection) -> Bool {
        canBeginAnew(in: selection) && source.kind == .plain
    }

    /// Emptying its target takes away all rows that were copied from it, and no others: a function may have sent some
    /// elsewhere.
    func canBeginAnew(in selection: TableSelection) -> Bool {
        selection.sources(of: targetName) == 1 && options.onConflict == .error && !options.hasTransform
    }

    /// What the target will be like once it is made.
    var expectedTarget: CatalogTable {
        let all = source.columns.map { ColumnMapping(source: $0.name, target: $0.name) }
        var columns: [CatalogColumn] = (options.columns ?? all).compactMap { mapping in
            source.column(mapping.source).map { column in
                var column = column
                column.name = mapping.target
                return column
            }
        }
        let added = options.types.keys.sorted().filter { name in !columns.contains { $0.name == name } }
        for name in added {
            columns.append(
                CatalogColumn(
                    name: name, number: columns.count + 1, type: .text, typeName: options.types[name] ?? "text",
                    kind: .other, isNotNull: false, isGenerated: false, identity: nil, hasDefault: false,
                    isOrdered: false))
        }
        let names = Dictionary(
            (options.columns ?? all).map { ($0.source, $0.target) }, uniquingKeysWith: { first, _ in first })
        return CatalogTable(
            name: targetName, oid: .invalid, kind: source.kind, columns: columns,
            key: source.key.compactMap { names[$0] }, root: nil, pages: 0, rows: -1)
    }
}
