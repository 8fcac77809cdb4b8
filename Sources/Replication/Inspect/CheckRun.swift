import EventLoops
import Postgres
package import PostgresProtocol

/// Something that a run would stumble over, or do harm with.
package enum CheckNote: Sendable {
    /// A run would fail.
    case failure(ReplicationError)
    /// A row of the sample failed in the script's function.
    case rowFailure(ReplicationError)
    case unusedPattern(String)
    case noKey(QualifiedName, isLarge: Bool)
    case notEmpty(QualifiedName)
    case noSelectRight(QualifiedName)
    case noInsertRight(QualifiedName)
    case noCreateRight(schema: String)
    /// A column of the target that must have a value and gets none.
    case unfilledColumn(String, of: QualifiedName)
    case typeChange(column: String, of: QualifiedName, from: String, to: String)
    /// Different values of a unique column become the same.
    case uniquenessLost(column: String, of: QualifiedName, examples: Int)
    case oldServer(ReplicationError.Side, version: Int)
    /// The target has triggers or foreign keys, which fire for each row.
    case triggersFire(QualifiedName)
    case leftOut(String)
    case fewConnections(ReplicationError.Side, max: Int, workers: Int)
    /// The target's pool has no room for so many connections that write changes.
    case fewApplying(max: Int, connections: Int)
    /// Changes of old rows cannot be told apart: only inserts are followed.
    case insertsOnly(QualifiedName)
    /// The source does not send the target's key with updates and deletes.
    case keyNotSent(QualifiedName, columns: [String])
    case noFreeSlot(used: Int, of: Int)
}

/// Looks for what would go wrong, without changing anything. Lives on its worker's loop.
package struct CheckRun {
    /// Rows of each table that go through its function.
    private static let sample = 200
    private static let oldestVersion = 140_000

    private let definition: PipelineDefinition
    private let worker: any PipelineWorker

    package init(_ definition: PipelineDefinition, _ worker: any PipelineWorker) {
        self.definition = definition
        self.worker = worker
    }

    package func run() async throws(ReplicationError) -> [CheckNote] {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let (source, target) = (try await connections.source(), try await connections.target())
        var notes = versions(source, target) + poolSizes()
        let selection: TableSelection
        do throws(ReplicationError) {
            selection = try await PipelineCatalog.selection(definition, on: source)
        } catch {
            guard !error.isTransient else { throw error }
            return notes + [.failure(error)]
        }
        notes += selection.unused.map { .unusedPattern(definition.rules[$0].pattern.text) }
        let existing = try await CatalogReader(target, .target).tables(selection.tables.map(\.targetName))
        notes += try await rights(selection, existing, source, target)
        let ledger = Ledger(target, pipeline: definition.name)
        let relations = try await ledger.exists() ? try await ledger.relations() : []
        let begun = Set(relations.filter { !$0.chunks.isEmpty }.map(\.source))
        for table in selection.tables {
            notes += try await check(table, existing[table.targetName], begun, source, target)
        }
        notes += try await schema(selection, source, target)
        if definition.isStreaming {
            notes += try await StreamCheck(definition, source, target).notes(selection, existing)
        }
        return notes
    }

    private func versions(_ source: Connection, _ target: Connection) -> [CheckNote] {
        let sides: [(ReplicationError.Side, Int)] = [(.source, source.serverVersion), (.target, target.serverVersion)]
        return sides.filter { $0.1 < Self.oldestVersion }.map { .oldServer($0.0, version: $0.1) }
    }

    private func poolSizes() -> [CheckNote] {
        let sink = worker.sink.statistics().max
        var notes: [CheckNote] = []
        if let workers = definition.snapshot.workers {
            let sides: [(ReplicationError.Side, Int)] = [(.source, worker.source.statistics().max), (.target, sink)]
            notes += sides.filter { $0.1 < workers + 1 }.map { .fewConnections($0.0, max: $0.1, workers: workers) }
        }
        if let connections = definition.apply.connections, connections > 1,
            sink < connections + ApplyOptions.otherConnections
        {
            notes.append(.fewApplying(max: sink, connections: connections))
        }
        return notes
    }

    // MARK: Tables

    private func check(
        _ table: SelectedTable, _ existing: CatalogTable?, _ begun: Set<QualifiedName>, _ source: Connection,
        _ target: Connection
    ) async throws(ReplicationError) -> [CheckNote] {
        let mapping: TableMapping
        do throws(ReplicationError) {
            if existing == nil, !table.options.creates { throw .missingTarget(table.targetName) }
            mapping = try TableMapping(table, target: existing ?? table.expectedTarget)
        } catch {
            return [.failure(error)]
        }
        var notes: [CheckNote] = []
        if mapping.key.isEmpty {
            notes.append(.noKey(table.source.name, isLarge: table.pages * 8192 > 256 << 20))
        }
        if let existing { notes += try await compare(mapping, existing, begun, target) }
        if table.options.hasTransform { notes += await tryFunction(mapping, source, target) }
        return notes
    }

    /// - Parameter begun: tables that the pipeline has begun to copy.
    private func compare(
        _ mapping: TableMapping, _ existing: CatalogTable, _ begun: Set<QualifiedName>, _ target: Connection
    ) async throws(ReplicationError) -> [CheckNote] {
        var notes: [CheckNote] = []
        let filled = Set(mapping.columns.map(\.target))
        for column in existing.columns where column.isNotNull && !filled.contains(column.name) {
            guard !column.hasDefault, column.identity == nil, !column.isGenerated else { continue }
            guard !mapping.options.hasTransform else { continue }
            notes.append(.unfilledColumn(column.name, of: existing.name))
        }
        for pair in mapping.columns {
            guard let from = mapping.source.column(pair.source), let to = existing.column(pair.target),
                from.typeName != to.typeName
            else { continue }
            notes.append(.typeChange(column: pair.target, of: existing.name, from: from.typeName, to: to.typeName))
        }
        let mustBeEmpty = mapping.options.onConflict == .error && !begun.contains(mapping.source.name)
        if mustBeEmpty, try await hasRows(existing, target) {
            notes.append(.notEmpty(existing.name))
        }
        return notes
    }

    private func hasRows(_ table: CatalogTable, _ target: Connection) async throws(ReplicationError) -> Bool {
        do { return try await target.query("SELECT EXISTS (SELECT FROM \(table.rowsSQL))", []).isTrue(0, 0) } catch {
            // The right to look is missing: that is a note of its own.
            if error.sqlstate == "42501" { return false }
            throw .database(.target, error, doing: "looking into \(table.name)")
        }
    }

    // MARK: Functions

    /// Sends a sample through the function: the first row that fails, and unique columns that do not stay unique.
    private func tryFunction(
        _ mapping: TableMapping, _ source: Connection, _ target: Connection
    ) async -> [CheckNote] {
        do throws(ReplicationError) {
            let rows = try await PreviewRun(definition, worker).rows(Self.sample, of: mapping, source, target).rows
            if let failure = rows.compactMap(\.failure).first { return [.rowFailure(failure)] }
            return mapping.target.key.count == 1 ? lostUniqueness(mapping.target.key[0], mapping, rows) : []
        } catch {
            return [.failure(error)]
        }
    }

    private func lostUniqueness(
        _ column: String, _ mapping: TableMapping, _ rows: [PreviewRun.Row]
    ) -> [CheckNote] {
        let values = rows.flatMap { row in
            row.after.filter { $0.table == mapping.target.name }.compactMap { output in
                output.fields.first { $0.column == column }?.value
            }
        }
        let repeated = values.count - Set(values).count
        guard repeated > 0, mapping.options.onConflict == .error else { return [] }
        return [.uniquenessLost(column: column, of: mapping.target.name, examples: repeated)]
    }

    // MARK: The target's schema

    private func schema(
        _ selection: TableSelection, _ source: Connection, _ target: Connection
    ) async throws(ReplicationError) -> [CheckNote] {
        do throws(ReplicationError) {
            let plan = try await SchemaPlanner.plan(
                selection.tables.map(SchemaRequest.init), made: [], source: source, target: target)
            return plan.leftOut.map { .leftOut($0) }
        } catch {
            guard !error.isTransient else { throw error }
            return [.failure(error)]
        }
    }
}

extension ReplicationError {
    static func missingTarget(_ name: QualifiedName) -> ReplicationError {
        .mismatch(
            code: "RH3308", "there is no table \(name) in the target, and create = false",
            hint: "Create it, or leave \"create\" out.")
    }
}
