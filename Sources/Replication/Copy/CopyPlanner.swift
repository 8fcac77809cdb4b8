import Logging
import Postgres
import PostgresProtocol

/// What one attempt has to do.
struct CopyPlan: Sendable {
    let mappings: [TableMapping]
    let chunks: [WorkQueue<SchemaStep>.ChunkTask]
    let queue: WorkQueue<SchemaStep>
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

    init(
        _ definition: PipelineDefinition, ledger: Ledger, source: Connection, target: Connection,
        progress: CopyProgress
    ) {
        self.definition = definition
        self.ledger = ledger
        self.source = source
        self.target = target
        self.progress = progress
    }

    func plan(_ selection: TableSelection, workers: Int) async throws(ReplicationError) -> CopyPlan {
        let known = Dictionary(
            uniqueKeysWithValues: try await ledger.relations().map { ($0.source, $0) })
        let existing = try await CatalogReader(target, .target).tables(selection.tables.map(\.targetName))
        try check(selection, known, existing)
        try await note(selection, known, existing)
        let schema = try await makeTables(selection, known)
        let mappings = try await mappings(selection)
        try await checkEmpty(selection, known, existing)
        let tasks = try await cut(selection, mappings, known, workers: workers)
        let queue = queue(tasks, mappings, schema, workers: workers)
        return CopyPlan(mappings: mappings, chunks: tasks, queue: queue)
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

    /// Before a table is made the ledger says so: made by us, it is completed after a crash.
    private func note(
        _ selection: TableSelection, _ known: [QualifiedName: Ledger.Relation],
        _ existing: [QualifiedName: CatalogTable]
    ) async throws(ReplicationError) {
        let new = selection.tables.filter { known[$0.source.name] == nil }
        guard !new.isEmpty else { return }
        // One commit for all of them.
        try await target.run("BEGIN", on: .target, doing: "writing the ledger")
        for table in new {
            try await ledger.add(
                table.source.name, target: table.targetName, isMade: existing[table.targetName] == nil,
                estimatedRows: table.estimatedRows)
        }
        try await target.run("COMMIT", on: .target, doing: "writing the ledger")
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
            try await target.run(step.sql, on: .target, doing: "making \(step.kind.rawValue) \(step.name)")
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
        let begun = Set(known.values.filter(\.isStarted).map(\.target))
        for table in selection.tables {
            let isNew = known[table.source.name].map { $0.chunks.isEmpty } ?? true
            guard isNew, let target = existing[table.targetName], table.options.onConflict == .error else { continue }
            guard !begun.contains(table.targetName), try await hasRows(target) else { continue }
            throw .mismatch(
                code: "RH3309", "\(table.targetName) in the target is not empty",
                hint:
                    "Empty it, or say with on_conflict = \"upsert\" or \"skip\" what becomes of rows with the same key."
            )
        }
    }

    private func hasRows(_ table: CatalogTable) async throws(ReplicationError) -> Bool {
        do { return try await target.query("SELECT EXISTS (SELECT FROM \(table.rowsSQL))", []).isTrue(0, 0) } catch {
            throw .database(.target, error, doing: "looking into \(table.name)")
        }
    }

    // MARK: Chunks

    private func cut(
        _ selection: TableSelection, _ mappings: [TableMapping], _ known: [QualifiedName: Ledger.Relation],
        workers: Int
    ) async throws(ReplicationError) -> [WorkQueue<SchemaStep>.ChunkTask] {
        let cutter = ChunkCutter(
            source, definition.snapshot, workers: workers, bytes: selection.pages * 8192)
        var tasks: [(task: WorkQueue<SchemaStep>.ChunkTask, pages: Int)] = []
        var shown: [CopyProgress.Table] = []
        for (index, table) in selection.tables.enumerated() {
            let records = try await records(table, mappings[index], known[table.source.name], selection, cutter)
            shown.append(CopyProgress.Table(table, records))
            for record in records where record.counts == nil {
                tasks.append((.init(table: index, chunk: record.chunk), table.pages))
            }
        }
        progress.update { [shown] in $0.tables = shown }
        return tasks.sorted { left, right in
            (right.pages, left.task.table, left.task.chunk.number) < (
                left.pages, right.task.table, right.task.chunk.number
            )
        }.map(\.task)
    }

    /// The chunks of a table, those that are copied with their counts. What cannot be gone on with begins anew.
    private func records(
        _ table: SelectedTable, _ mapping: TableMapping, _ known: Ledger.Relation?, _ selection: TableSelection,
        _ cutter: ChunkCutter
    ) async throws(ReplicationError) -> [Ledger.ChunkRecord] {
        if let known, !known.chunks.isEmpty {
            if known.isCopied || known.chunks.allSatisfy(\.chunk.range.isStable) { return known.chunks }
            try await ledger.forget(table.source.name, emptying: known.isStarted ? table.targetName : nil)
        }
        let chunks = try await cutter.cut(
            table.relations, key: table.source.key,
            mayCutByPages: table.mayCutByPages(in: selection))
        try await ledger.add(chunks, of: table.source.name)
        return chunks.map { Ledger.ChunkRecord(chunk: $0) }
    }

    private func queue(
        _ tasks: [WorkQueue<SchemaStep>.ChunkTask], _ mappings: [TableMapping], _ schema: SchemaPlan,
        workers: Int
    ) -> WorkQueue<SchemaStep> {
        let targets = Set(mappings.map(\.target.name))
        let first = schema.postData.first ?? []
        let steps = Dictionary(grouping: first.filter { $0.table.map(targets.contains) ?? false }) {
            $0.table ?? $0.name
        }
        // Those of partitions wait for all data.
        let later = first.filter { !($0.table.map(targets.contains) ?? false) }
        progress.update {
            $0.steps = schema.postData.reduce(0) { $0 + $1.count }
            $0.stepsDone = 0
        }
        return WorkQueue(
            tasks, targets: mappings.map(\.target.name), steps: steps, stages: [later] + schema.postData.dropFirst(),
            workers: workers)
    }
}

extension CopyProgress.Table {
    init(_ table: SelectedTable, _ records: [Ledger.ChunkRecord]) {
        let counts = records.compactMap(\.counts)
        self.init(
            source: table.source.name, target: table.targetName, estimatedRows: table.estimatedRows,
            chunks: records.count, chunksDone: counts.count, rows: counts.reduce(0) { $0 + $1.read },
            bytes: counts.reduce(0) { $0 + $1.bytes }, chunksRunning: 0, isKept: counts.count == records.count)
    }
}
