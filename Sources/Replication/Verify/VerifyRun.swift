import EventLoops
import Logging
import Postgres
package import PostgresProtocol
import Synchronization

/// Compares what a pipeline's rows become with what is in the target. Lives on the loop of its coordinator.
package final class VerifyRun {
    private static let logger = Logger(label: "replhost")

    private let definition: PipelineDefinition
    private let coordinator: any PipelineWorker
    private let workers: [any PipelineWorker]
    private let repairs: Bool
    private let only: QualifiedName?
    private let isAtRest: Bool
    package let progress: CopyProgress

    /// - Parameters:
    ///   - repairs: mends what differs in the target.
    ///   - only: one table of the source.
    ///   - isAtRest: nobody changes anything meanwhile.
    package init(
        _ definition: PipelineDefinition, coordinator: any PipelineWorker, workers: [any PipelineWorker],
        repairs: Bool, only: QualifiedName? = nil, isAtRest: Bool = false, progress: CopyProgress
    ) {
        self.definition = definition
        self.coordinator = coordinator
        self.workers = workers
        self.repairs = repairs
        self.only = only
        self.isAtRest = isAtRest
        self.progress = progress
    }

    /// By target table.
    package func run() async throws(ReplicationError) -> [Verification] {
        let loop = coordinator.actor.loop
        let (source, sink) = (coordinator.source, coordinator.sink)
        let reader = try await WorkerConnections.borrow(source, .source, on: loop)
        defer { source.release(reader) }
        let writer = try await WorkerConnections.borrow(sink, .target, on: loop)
        defer { sink.release(writer, discard: repairs) }
        return try await run(
            source: try WorkerConnections.connection(of: reader, .source),
            target: try WorkerConnections.connection(of: writer, .target))
    }

    /// Over connections of the caller, outside of transactions.
    func run(source: Connection, target: Connection) async throws(ReplicationError) -> [Verification] {
        let ledger = Ledger(target, pipeline: definition.name)
        if repairs { try await lock(ledger) }
        let anchor = repairs ? try await anchor(ledger, source) : nil
        let snapshot = try await Snapshot.take(anchor?.snapshotName, on: source)
        anchor?.close()
        let stream = try await stream(ledger)
        let selection = try await PipelineCatalog.selection(definition, on: source)
        let tables = try chosen(selection)
        let targets = try await CatalogReader(target, .target).tables(tables.map(\.targetName))
        let session = try VerifySession(
            definition, snapshot, tables, targets, progress, repairs: repairs, follower: stream.follower)
        let cutter = ChunkCutter(
            source, definition.snapshot, workers: workers.count, bytes: selection.pages * 8192)
        let mending: Int? =
            if let anchor { try await ledger.noteMending(session.mappings, at: anchor.position) } else { nil }
        let found = try await verify(session, tables, cutter)
        remark(on: found, stream)
        if let mending { try await ledger.noteMended(at: mending) }
        try await source.run("ROLLBACK", on: .source, doing: "giving the snapshot up")
        return found
    }

    /// With those that share a target with the one that is asked for: rows of theirs are not extra.
    private func chosen(_ selection: TableSelection) throws(ReplicationError) -> [SelectedTable] {
        guard let only else { return selection.tables }
        let targets = Set(
            selection.tables.filter { $0.source.name == only || $0.targetName == only }.map(\.targetName))
        guard !targets.isEmpty else { throw .unknownTable(only, .source, known: selection.tables.map(\.source.name)) }
        return selection.tables.filter { targets.contains($0.targetName) }
    }

    /// Nobody else changes what is being mended.
    private func lock(_ ledger: Ledger) async throws(ReplicationError) {
        guard try await ledger.exists(), try await !ledger.lock() else { return }
        throw .mismatch(
            code: "RH3401", "pipeline \"\(definition.name)\" is being run by another replhost", hint: "Stop it first.")
    }

    /// A stream leaves out later what is in the rows that are mended. Nil without a stream.
    private func anchor(_ ledger: Ledger, _ source: Connection) async throws(ReplicationError) -> StreamAnchor? {
        guard try await ledger.exists(), try await ledger.stream()?.position != nil else { return nil }
        let identity = try await SourceIdentity.identify(source, of: definition.name, try await ledger.record())
        let names = try await StreamNames.read(definition.name, ledger, source: source, target: ledger.connection)
        return try await StreamAnchor.take(
            names, ledger, identity, scriptHash: definition.scriptHash, source: source, on: coordinator.actor
        ) { [progress] text in progress.update { $0.note = text } }
    }

    /// Of the pipeline, while rows are compared.
    private enum Stream {
        case none
        case running(StreamFollower)
        /// Up to here its changes are in the target.
        case stopped(LSN)

        var follower: StreamFollower? { if case .running(let follower) = self { follower } else { nil } }
    }

    private func stream(_ ledger: Ledger) async throws(ReplicationError) -> Stream {
        guard !repairs, !isAtRest, try await ledger.exists(), let position = try await ledger.stream()?.position else {
            return .none
        }
        return try await ledger.owner() == nil
            ? .stopped(position) : .running(StreamFollower(pipeline: definition.name))
    }

    private func remark(on found: [Verification], _ stream: Stream) {
        guard case .stopped(let position) = stream, !found.allSatisfy(\.isEqual) else { return }
        Self.logger.notice(
            "pipeline \"\(definition.name)\" is not being run: what has changed since \(position) differs, too")
    }

    private func verify(
        _ session: VerifySession, _ tables: [SelectedTable], _ cutter: ChunkCutter
    ) async throws(ReplicationError) -> [Verification] {
        var spread = Set<Int>()
        var tasks: [VerifyTask] = []
        for (index, table) in tables.enumerated() {
            guard session.canBeCut(index) else {
                spread.insert(index)
                continue
            }
            let chunks = try await cutter.cut(table.relations, key: table.source.key, mayCutByPages: false)
            progress.update(table: index) { $0.chunks = chunks.count }
            tasks += chunks.map { .range(table: index, $0) }
        }
        let outcomes = try await session.run(tasks, workers)
        var foreign: Set<QualifiedName> = []
        for case .spread(let table, let targets) in outcomes {
            spread.insert(table)
            foreign.formUnion(targets)
        }
        spread = session.closure(of: spread, foreign)
        var found = session.merged(outcomes, without: spread)
        if !spread.isEmpty {
            found += session.merged(try await session.run([.whole(tables: spread.sorted())], workers), without: [])
        }
        return found.sorted { $0.target < $1.target }
    }
}

/// What the workers of a verification share.
final class VerifySession: Sendable {
    let context: PipelineContext
    /// What the source shows; nil if every look takes a new one.
    let snapshot: String?
    /// Of a stream that goes on meanwhile.
    let follower: StreamFollower?
    let mappings: [TableMapping]
    /// What is read of each table.
    let relations: [[QualifiedName]]
    let throttle: Throttle
    let progress: CopyProgress
    let repairs: Bool
    /// How many tables go there.
    private let sources: [QualifiedName: Int]

    init(
        _ definition: PipelineDefinition, _ snapshot: String, _ tables: [SelectedTable],
        _ targets: [QualifiedName: CatalogTable], _ progress: CopyProgress, repairs: Bool,
        follower: StreamFollower?
    ) throws(ReplicationError) {
        context = PipelineContext(pipeline: definition.name, scriptHash: definition.scriptHash)
        self.snapshot = follower == nil ? snapshot : nil
        self.follower = follower
        var mappings: [TableMapping] = []
        for table in tables {
            guard let target = targets[table.targetName] else {
                throw .unknownTable(table.targetName, .target, known: Array(targets.keys))
            }
            mappings.append(try TableMapping(table, target: target))
        }
        self.mappings = mappings
        sources = Dictionary(mappings.map { ($0.target.name, 1) }, uniquingKeysWith: +)
        relations = tables.map { $0.relations.map(\.name) }
        throttle = Throttle(definition.throttle)
        self.progress = progress
        self.repairs = repairs
        progress.update { state in state.tables = tables.map { CopyProgress.Table($0, []) } }
        progress.enter(.verifying)
    }

    /// The table's rows, and they alone, are in the same ranges of the same key in the target.
    func canBeCut(_ table: Int) -> Bool {
        let mapping = mappings[table]
        guard !mapping.key.isEmpty, sources[mapping.target.name] == 1 else { return false }
        let keyColumn = mapping.columns.first { $0.source == mapping.source.key.first }
        return mapping.source.kind == .plain && keyColumn?.target == mapping.key.first
    }

    /// With all tables that share a target with one of them.
    func closure(of tables: Set<Int>, _ foreign: Set<QualifiedName>) -> Set<Int> {
        let targets = foreign.union(tables.map { mappings[$0].target.name })
        return tables.union(mappings.indices.filter { targets.contains(mappings[$0].target.name) })
    }

    func merged(_ outcomes: [VerifyOutcome], without tables: Set<Int>) -> [Verification] {
        let left = Set(tables.map { mappings[$0].target.name })
        var merged: [QualifiedName: Verification] = [:]
        for case .compared(let found) in outcomes {
            for one in found where !left.contains(one.target) {
                if merged[one.target]?.add(one) == nil { merged[one.target] = one }
            }
        }
        return Array(merged.values)
    }

    /// Spreads tasks over workers.
    func run(
        _ tasks: [VerifyTask], _ workers: [any PipelineWorker]
    ) async throws(ReplicationError) -> [VerifyOutcome] {
        let queue = Mutex(tasks[...])
        let outcomes = Mutex<[VerifyOutcome]>([])
        let failure = await Crew.run(workers, on: { $0.actor }) { _, worker throws(ReplicationError) in
            let connections = WorkerConnections(worker, snapshot: self.snapshot)
            defer { connections.release() }
            while let task = queue.withLock({ $0.popFirst() }) {
                if Task.isCancelled { throw .cancelled }
                let run = VerifyTaskRun(
                    worker, self, source: try await connections.source(), target: try await connections.target())
                let outcome = try await run.run(task)
                outcomes.withLock { $0.append(outcome) }
            }
        }
        if let failure { throw failure }
        return outcomes.withLock { $0 }
    }
}
