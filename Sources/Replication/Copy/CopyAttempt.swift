import Postgres
import PostgresProtocol

/// One try at finishing a copy, over one pair of coordinating connections.
struct CopyAttempt {
    private let run: PipelineRun
    private let session: PipelineSession

    init(_ run: PipelineRun, _ session: PipelineSession) {
        self.run = run
        self.session = session
    }

    private var definition: PipelineDefinition { run.definition }
    private var source: Connection { session.source }
    private var target: Connection { session.target }
    private var ledger: Ledger { session.ledger }

    func run() async throws(ReplicationError) -> PipelineRun.Result {
        do throws(ReplicationError) { return try await copy() } catch {
            await session.note(error)
            throw error
        }
    }

    private func copy() async throws(ReplicationError) -> PipelineRun.Result {
        let record = try await ledger.record()
        let identity = try await session.identify(record)
        if definition.isStreaming { try await checkMoments() }
        if let record, record.isCopied, let result = try await finishedResult() { return result }
        let start = try await CopyStart.take(definition, session, identity)
        let number = try await ledger.noteSnapshot(identity, scriptHash: definition.scriptHash)
        if let position = start.position { try await ledger.note(snapshot: number, at: position) }
        try await ledger.endEarlierWork()
        let planner = CopyPlanner(
            definition, ledger: ledger, source: source, target: target, progress: run.progress,
            anew: run.stale)
        let plan = try await planner.plan(
            start.selection, workers: run.workers.count, moment: start.position == nil ? nil : number)
        if start.position != nil { try await ledger.noteShapes(of: plan.mappings.map(\.source), on: source) }
        let copying = CopySession(
            PipelineContext(pipeline: definition.name, scriptHash: definition.scriptHash),
            plan.chunks.isEmpty ? nil : Snapshot(name: start.snapshotName, number: number), plan.mappings, run.throttle,
            run.progress, isReplica: try await session.mayBeReplica(), resumed: plan.resumed, plan.queue)
        run.stale = []
        let crew = try await copying.open(run.workers)
        // The workers hold it now: nothing keeps the source from cleaning up longer than they need it.
        try await source.run("COMMIT", on: .source, doing: "handing the snapshot over")
        start.anchor?.close()
        run.progress.enter(plan.chunks.isEmpty ? .finishing : .copying)
        try await copying.run(crew)
        run.progress.enter(.finishing)
        try await finish(plan, start.selection)
        if !plan.isDeferring { try await ledger.note(state: "done") }
        run.progress.enter(.done)
        return try await result()
    }

    /// What was copied without a stream cannot be gone on with: nobody knows what has changed since.
    private func checkMoments() async throws(ReplicationError) {
        let positions = try await ledger.snapshotPositions()
        let isUnknown = try await ledger.relations().first { relation in
            relation.chunks.contains { $0.snapshot.map { positions[$0] == nil } ?? false }
        }
        guard let table = isUnknown?.source else { return }
        throw .mismatch(
            code: "RH3615", "\(table) was copied without a stream: changes since then are not known",
            hint: "Begin anew: \"replhost drop\" forgets the pipeline, then empty the target's tables and run it again."
        )
    }

    private func finish(_ plan: CopyPlan, _ selection: TableSelection) async throws(ReplicationError) {
        try await ledger.note(state: "finishing")
        let made = Set(try await ledger.relations().filter(\.isMade).map(\.target))
        _ = try await SequenceCopier.copy(
            selection.tables.map(SchemaRequest.init), made: made, source: source, target: target)
        try await ledger.noteFinished(plan.mappings.map(\.source.name))
    }

    // MARK: Results

    /// Nil if there is a table that the ledger does not know as copied to where it belongs.
    private func finishedResult() async throws(ReplicationError) -> PipelineRun.Result? {
        let selection = try await PipelineCatalog.selection(definition, on: source)
        let known = try await ledger.relations()
        let copied = Dictionary(
            known.filter(\.isCopied).map { ($0.source, $0) }, uniquingKeysWith: { first, _ in first })
        guard selection.tables.allSatisfy({ copied[$0.source.name]?.target == $0.targetName }) else { return nil }
        run.progress.update { progress in
            // Those that this run has copied are shown already.
            guard progress.tables.isEmpty else { return }
            progress.tables = selection.tables.map { CopyProgress.Table($0, copied[$0.source.name]?.chunks ?? []) }
        }
        run.progress.enter(.done)
        var result = try await result()
        result.wasComplete = true
        return result
    }

    private func result() async throws(ReplicationError) -> PipelineRun.Result {
        var result = PipelineRun.Result()
        for relation in try await ledger.relations() {
            result.tables += 1
            for case let counts? in relation.chunks.map(\.counts) { result.counts += counts }
        }
        return result
    }
}

extension SourceIdentity {
    /// The system is empty where the user may not see its identifier.
    static func read(
        _ source: Connection, _ side: ReplicationError.Side
    ) async throws(ReplicationError) -> SourceIdentity {
        do throws(PostgresError) {
            let database = try await source.query("SELECT current_database()::text", []).text(of: 0)
            let mayAsk = try await source.query(
                "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')", []
            ).isTrue(0, 0)
            let sql = "SELECT system_identifier::text FROM pg_control_system()"
            let system = mayAsk ? try await source.query(sql, []).text(of: 0) : ""
            return SourceIdentity(system: system, database: database)
        } catch {
            throw .database(side, error, doing: "identifying the server")
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
