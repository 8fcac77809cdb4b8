import Postgres
import PostgresProtocol

/// One try at finishing a copy, over one pair of coordinating connections.
struct CopyAttempt {
    private let run: CopyRun
    private let source: Connection
    private let target: Connection
    private let ledger: Ledger

    init(_ run: CopyRun, source: Connection, target: Connection) {
        self.run = run
        self.source = source
        self.target = target
        ledger = Ledger(target, pipeline: run.definition.name)
    }

    private var definition: PipelineDefinition { run.definition }

    func run(
        _ workers: [any PipelineWorker], _ throttle: Throttle
    ) async throws(ReplicationError) -> CopyRun.Result {
        run.progress.enter(.preparing)
        try await target.run(WorkerConnections.patience, on: .target, doing: "preparing a session")
        try await ledger.prepare()
        try await lock()
        do throws(ReplicationError) { return try await copy(workers, throttle) } catch {
            await note(error)
            throw error
        }
    }

    private func copy(
        _ workers: [any PipelineWorker], _ throttle: Throttle
    ) async throws(ReplicationError) -> CopyRun.Result {
        let record = try await ledger.record()
        let identity = try await identify(record)
        let snapshotName = try await Snapshot.take(on: source)
        let selection = try await PipelineCatalog.selection(definition, on: source)
        if record?.state == "done", let result = try await finishedResult(selection) { return result }
        let number = try await ledger.noteSnapshot(identity, scriptHash: definition.scriptHash)
        try await ledger.endEarlierWork()
        let planner = CopyPlanner(definition, ledger: ledger, source: source, target: target, progress: run.progress)
        let plan = try await planner.plan(selection, workers: workers.count)
        let session = CopySession(
            PipelineContext(pipeline: definition.name, scriptHash: definition.scriptHash),
            plan.chunks.isEmpty ? nil : Snapshot(name: snapshotName, number: number), plan.mappings, throttle,
            run.progress, isReplica: try await mayBeReplica(), plan.queue)
        let crew = try await session.open(workers)
        // The workers hold it now: nothing keeps the source from cleaning up longer than they need it.
        try await source.run("COMMIT", on: .source, doing: "handing the snapshot over")
        run.progress.enter(plan.chunks.isEmpty ? .finishing : .copying)
        try await session.run(crew)
        run.progress.enter(.finishing)
        try await finish(plan, selection)
        try await ledger.note(state: "done")
        run.progress.enter(.done)
        return try await result()
    }

    /// For `status`. The ledger may be out of reach.
    private func note(_ error: ReplicationError) async {
        guard !error.isCancellation, !target.isBroken else { return }
        try? await ledger.note(error: "\(error)")
    }

    // MARK: Steps

    private func lock() async throws(ReplicationError) {
        defer { run.session = Int(target.pid) }
        guard try await !ledger.lock() else { return }
        let owner = try await ledger.owner()
        if let owner, owner == run.session {
            try await ledger.end([owner])
            if try await ledger.lock() { return }
        }
        let session = owner.map { " (its session on the target has pid \($0))" } ?? ""
        throw .mismatch(
            code: "RH3401", "pipeline \"\(definition.name)\" is being run by another replhost\(session)",
            hint: "Wait for it or stop it; two would do the same work twice. If it is gone, end its session there: "
                + "SELECT pg_terminate_backend(\(owner.map(String.init) ?? "pid")).")
    }

    /// Refuses to go on with another source than the one that the ledger knows.
    private func identify(_ record: Ledger.Record?) async throws(ReplicationError) -> SourceIdentity {
        let identity = try await SourceIdentity.read(source)
        guard let record else { return identity }
        let isSame =
            record.sourceDatabase == identity.database
            && (record.sourceSystem == identity.system || record.sourceSystem.isEmpty || identity.system.isEmpty)
        guard isSame else {
            throw .mismatch(
                code: "RH3402",
                "pipeline \"\(definition.name)\" was begun with another source: database \"\(record.sourceDatabase)\" "
                    + "of system \(record.sourceSystem), now \"\(identity.database)\" of \(identity.system)",
                hint: "Go on with the old source, give the pipeline another name, or forget its progress with "
                    + "\"replhost drop\".")
        }
        return identity
    }

    private func mayBeReplica() async throws(ReplicationError) -> Bool {
        do { return try await ReplicaRole.isAllowed(on: target) } catch {
            throw .database(.target, error, doing: "reading the rights on the target")
        }
    }

    private func finish(_ plan: CopyPlan, _ selection: TableSelection) async throws(ReplicationError) {
        try await ledger.note(state: "finishing")
        let made = Set(try await ledger.relations().filter(\.isMade).map(\.target))
        _ = try await SequenceCopier.copy(
            selection.tables.map(SchemaRequest.init), made: made, source: source, target: target)
        for mapping in plan.mappings { try await ledger.noteFinished(mapping.source.name) }
    }

    // MARK: Results

    /// Nil if there is a table that the ledger does not know as copied to where it belongs.
    private func finishedResult(_ selection: TableSelection) async throws(ReplicationError) -> CopyRun.Result? {
        let known = try await ledger.relations()
        let targets = Dictionary(
            known.filter(\.isCopied).map { ($0.source, $0.target) }, uniquingKeysWith: { first, _ in first })
        guard selection.tables.allSatisfy({ targets[$0.source.name] == $0.targetName }) else { return nil }
        run.progress.enter(.done)
        var result = try await result()
        result.wasComplete = true
        return result
    }

    private func result() async throws(ReplicationError) -> CopyRun.Result {
        var result = CopyRun.Result()
        for relation in try await ledger.relations() {
            result.tables += 1
            for case let counts? in relation.chunks.map(\.counts) { result.counts += counts }
        }
        return result
    }
}

extension SourceIdentity {
    /// The system is empty where the user may not see its identifier.
    static func read(_ source: Connection) async throws(ReplicationError) -> SourceIdentity {
        do throws(PostgresError) {
            let database = try await source.query("SELECT current_database()::text", []).text(of: 0)
            let mayAsk = try await source.query(
                "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')", []
            ).isTrue(0, 0)
            let sql = "SELECT system_identifier::text FROM pg_control_system()"
            let system = mayAsk ? try await source.query(sql, []).text(of: 0) : ""
            return SourceIdentity(system: system, database: database)
        } catch {
            throw .database(.source, error, doing: "identifying the source")
        }
    }
}

extension ChunkOutput.Counts {
    static func += (left: inout ChunkOutput.Counts, right: ChunkOutput.Counts) {
        left.read += right.read
        left.written += right.written
        left.dropped += right.dropped
        left.skipped += right.skipped
        left.deadLetters += right.deadLetters
        left.bytes += right.bytes
    }
}
