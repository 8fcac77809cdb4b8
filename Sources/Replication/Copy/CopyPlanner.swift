import Logging
import Postgres
import PostgresProtocol

/// What one attempt has to do.
struct CopyPlan: Sendable {
    let mappings: [TableMapping]
    let chunks: [WorkQueue<SchemaStep>.ChunkTask]
    let queue: WorkQueue<SchemaStep>
    /// Positions of tables that are gone on with and can be copied anew.
    let resumed: Set<Int>
    /// Some steps wait for the stream.
    let isDeferring: Bool
}

/// Compares what a pipeline wants with the ledger and both catalogs, makes the tables that are missing, and says what is
/// left to copy.
struct CopyPlanner {
    private static let logger = Logger(label: "replhost")

    private let definition: PipelineDefinition
    private let ledger: Ledger
    private let source: Connection
    private let target: Connection
    private let progress: CopyProgress
    /// Tables whose copied parts are of no use.
    private let anew: Set<QualifiedName>

    init(
        _ definition: PipelineDefinition, ledger: Ledger, source: Connection, target: Connection,
        progress: CopyProgress, anew: Set<QualifiedName> = []
    ) {
        self.anew = anew
        self.definition = definition
        self.ledger = ledger
        self.source = source
        self.target = target
        self.progress = progress
    }

    /// - Parameter moment: of a copy that is streamed after: the number of its snapshot.
    func plan(_ selection: TableSelection, workers: Int, moment: Int?) async throws(ReplicationError) -> CopyPlan {
        let known = Dictionary(
            uniqueKeysWithValues: try await ledger.relations().map { ($0.source, $0) })
        let existing = try await CatalogReader(target, .target).tables(selection.tables.map(\.targetName))
        try check(selection, known, existing)
        try await note(selection, known, existing)
        let schema = try await makeTables(selection, known)
        let mappings = try await mappings(selection)
        try await checkEmpty(selection, known, existing)
        let (tasks, resumed) = try await cut(selection, known, workers: workers)
        let deferred = try await deferred(moment)
        let queue = queue(tasks, mappings, schema, deferred, workers: workers)
        return CopyPlan(
            mappings: mappings, chunks: tasks, queue: queue, resumed: resumed, isDeferring: !deferred.isEmpty)
    }

    // MARK: Tables

    private func check(
        _ selection: TableSelection, _ known: [QualifiedName: Ledger.Relation],
        _ existing: [QualifiedName: CatalogTable]
    ) throws(ReplicationError) {
        for table in selection.tables {
            if let relation = known[table.source.name], relation.target != table.targetName {
                throw .mismatch(
                    code: "RH3404",
                    "\(table.source.name) was copied to \(relation.target), and the pipeline says \(table.targetName) now",
                    hint: "Take \"to\" back, or copy it anew: replhost resnapshot FILE \(table.source.name).")
            }
            guard existing[table.targetName] == nil, !table.options.creates else { continue }
            throw .missingTarget(table.targetName)
        }
    }

    /// Before tables are made the ledger says so: made by us, they are completed after a crash.
    private func note(
        _ selection: TableSelection, _ known: [QualifiedName: Ledger.Relation],
        _ existing: [QualifiedName: CatalogTable]
    ) async throws(ReplicationError) {
        try await ledger.add(
            selection.tables.filter { known[$0.source.name] == nil }.map { table in
                Ledger.Relation(
                    source: table.source.name, target: table.targetName, isMade: existing[table.targetName] == nil,
                    estimatedRows: table.estimatedRows)
            })
    }

    /// What is to be done after the data.
    private func makeTables(
        _ selection: TableSelection, _ known: [QualifiedName: Ledger.Relation]
    ) async throws(ReplicationError) -> SchemaPlan {
        progress.enter(.creating)
        let made = Set(try await ledger.relations().filter(\.isMade).map(\.target))
        let plan = try await SchemaPlanner.plan(
            selection.tables.map(SchemaRequest.init), made: made, source: source, target: target)
        for text in plan.leftOut { Self.logger.warning("\(text)") }
        for step in plan.preData {
            try await target.run(step.sql, on: .target, doing: step.activity)
        }
        return plan
    }

    private func mappings(_ selection: TableSelection) async throws(ReplicationError) -> [TableMapping] {
        let targets = try await CatalogReader(target, .target).tables(selection.tables.map(\.targetName))
        var mappings: [TableMapping] = []
        for table in selection.tables {
            guard let target = targets[table.targetName] else {
                throw .unknownTable(table.targetName, .target, known: Array(targets.keys))
            }
            mappings.append(try TableMapping(table, target: target))
        }
        return mappings
    }

    /// A table of the user's that has rows already is left alone, unless rows are to be merged.
    private func checkEmpty(
        _ selection: TableSelection, _ known: [QualifiedName: Ledger.Relation],
        _ existing: [QualifiedName: CatalogTable]
    ) async throws(ReplicationError) {
        let started = Set(known.values.filter(\.isStarted).map(\.target))
        let doubtful = selection.tables.compactMap { table -> CatalogTable? in
            let isNew = known[table.source.name].map { $0.chunks.isEmpty } ?? true
            guard isNew, table.options.onConflict == .error, !started.contains(table.targetName) else { return nil }
            return existing[table.targetName]
        }
        guard let filled = try await firstFilled(doubtful) else { return }
        throw .mismatch(
            code: "RH3309", "\(filled.name) in the target is not empty",
            hint: "Empty it, or say with on_conflict = \"upsert\" or \"skip\" what becomes of rows with the same key.")
    }

    /// The first table that has rows; many are asked at once.
    private func firstFilled(_ tables: [CatalogTable]) async throws(ReplicationError) -> CatalogTable? {
        for first in stride(from: 0, to: tables.count, by: 200) {
            let asked = tables.indices[first...].prefix(200)
            let selects = asked.map { "SELECT \($0)::int8 WHERE EXISTS (SELECT FROM \(tables[$0].rowsSQL))" }
            let sql = selects.joined(separator: " UNION ALL ") + " ORDER BY 1 LIMIT 1"
            do throws(PostgresError) {
                let found = try await target.query(sql, [])
                if found.count > 0, let index = try found.number(0, 0) { return tables[index] }
            } catch {
                throw .database(.target, error, doing: "looking into the target's tables")
            }
        }
        return nil
    }

    // MARK: Chunks

    private func cut(
        _ selection: TableSelection, _ known: [QualifiedName: Ledger.Relation], workers: Int
    ) async throws(ReplicationError) -> (tasks: [WorkQueue<SchemaStep>.ChunkTask], resumed: Set<Int>) {
        let cutter = ChunkCutter(
            source, definition.snapshot, workers: workers, bytes: selection.pages * 8192)
        var tasks: [(task: WorkQueue<SchemaStep>.ChunkTask, pages: Int)] = []
        var shown: [CopyProgress.Table] = []
        var new: [(source: QualifiedName, chunk: Chunk)] = []
        var resumed: Set<Int> = []
        for (index, table) in selection.tables.enumerated() {
            var records = try await keptRecords(table, known[table.source.name], selection)
            if records.isEmpty {
                let chunks = try await cutter.cut(
                    table.relations, key: table.source.key, mayCutByPages: table.mayCutByPages(in: selection))
                new += chunks.map { (table.source.name, $0) }
                records = chunks.map { Ledger.ChunkRecord(chunk: $0) }
            }
            let isBegun = records.contains { $0.counts != nil }
            if isBegun, table.canBeginAnew(in: selection) { resumed.insert(index) }
            shown.append(CopyProgress.Table(table, records))
            for record in records where record.counts == nil {
                tasks.append((.init(table: index, chunk: record.chunk), table.pages))
            }
        }
        try await ledger.add(new)
        progress.update { [shown] in $0.tables = shown }
        let inOrder = tasks.sorted { left, right in
            (right.pages, left.task.table, left.task.chunk.number) < (
                left.pages, right.task.table, right.task.chunk.number
            )
        }
        return (inOrder.map(\.task), resumed)
    }

    /// How a table was cut by an earlier run, chunks that are copied with their counts. What cannot be gone on with is
    /// forgotten, to begin anew.
    private func keptRecords(
        _ table: SelectedTable, _ known: Ledger.Relation?, _ selection: TableSelection
    ) async throws(ReplicationError) -> [Ledger.ChunkRecord] {
        guard let known, !known.chunks.isEmpty else { return [] }
        let isUseful = known.isCopied || known.chunks.allSatisfy(\.chunk.range.isStable)
        if isUseful, !anew.contains(known.source) { return known.chunks }
        if known.isStarted {
            try await ledger.forget(table, known, in: selection)
        } else {
            try await ledger.forget(table.source.name, emptying: nil)
        }
        return []
    }

    private func deferred(_ moment: Int?) async throws(ReplicationError) -> DeferredSteps {
        guard let moment, let position = try await ledger.stream()?.position else { return .none }
        let relations = try await ledger.relations()
        let snapshots = CopySnapshots(relations, try await ledger.snapshotPositions(), next: moment)
        return DeferredSteps(snapshots, relations, at: position)
    }

    private func queue(
        _ tasks: [WorkQueue<SchemaStep>.ChunkTask], _ mappings: [TableMapping], _ schema: SchemaPlan,
        _ deferred: DeferredSteps, workers: Int
    ) -> WorkQueue<SchemaStep> {
        let targets = Set(mappings.map(\.target.name))
        let stages = deferred.remove(from: schema.postData, tables: targets)
        progress.update {
            $0.steps = stages.reduce(0) { $0 + $1.count }
            $0.stepsDone = 0
        }
        return WorkQueue(tasks, targets: mappings.map(\.target.name), stages: stages, workers: workers)
    }
}

extension CopyProgress.Table {
    init(_ table: SelectedTable, _ records: [Ledger.ChunkRecord]) {
        let counts = records.compactMap(\.counts)
        self.init(
            source: table.source.name, target: table.targetName, estimatedRows: table.estimatedRows,
            chunks: records.count, chunksDone: counts.count, rows: counts.reduce(0) { $0 + $1.read },
            bytes: counts.reduce(0) { $0 + $1.bytes }, deadLetters: counts.reduce(0) { $0 + $1.deadLetters },
            chunksRunning: 0, isKept: counts.count == records.count)
    }
}
