import EventLoops
import Postgres
import PostgresProtocol

/// One try at following the changes, over the coordinating connections and one more for each side.
struct StreamAttempt {
    private let run: PipelineRun
    private let session: PipelineSession
    private let control: StreamControl

    init(_ run: PipelineRun, _ session: PipelineSession, _ control: StreamControl) {
        self.run = run
        self.session = session
        self.control = control
    }

    private var definition: PipelineDefinition { run.definition }
    private var worker: any PipelineWorker { run.workers[0] }

    /// Nil: something is to be copied first.
    func run() async throws(ReplicationError) -> StreamControl.End? {
        do throws(ReplicationError) { return try await stream() } catch {
            await session.note(error)
            throw error
        }
    }

    /// Makes slot and publications.
    func prepare() async throws(ReplicationError) { _ = try await begin(try await session.names()) }

    private func stream() async throws(ReplicationError) -> StreamControl.End? {
        run.streamProgress.enter(.connecting)
        let names = try await session.names()
        let position = try await begin(names)
        guard let plan = try await plan(names, from: position) else { return nil }
        let format = StreamTables.format(of: plan.mappings)
        do throws(ReplicationError) { return try await stream(plan, format) } catch {
            // Values come as text if they must; the target may have got further meanwhile.
            guard error.isAboutFormat, format == .binary else { throw error }
            guard let plan = try await self.plan(names, from: try await begin(names)) else { return nil }
            return try await stream(plan, .text)
        }
    }

    private func stream(_ plan: StreamPlan, _ format: DataFormat) async throws(ReplicationError) -> StreamControl.End? {
        if control.isOnce, !control.hasGoal { control.finish(at: try await SourceLog.end(session.source)) }
        let watch = StreamWatch(run, session, control, plan)
        let task = run.coordinator.actor.begin { await watch.run() }
        let outcome = await run(plan, format, until: watch)
        task.cancel()
        await task.value
        if let failure = watch.failure {
            if failure.isOverBudget { try await SlotState.drop(plan.names.slot, on: session.source) }
            throw failure
        }
        let end = try outcome.get()
        if let consistent = plan.consistentFrom, run.streamProgress.state.position >= consistent { return nil }
        return watch.wantsCopy && end == .interrupted ? nil : end
    }

    /// Until it ends, or the watch gives up.
    private func run(
        _ plan: StreamPlan, _ format: DataFormat, until watch: StreamWatch
    ) async -> Result<StreamControl.End, ReplicationError> {
        var outcome: Result<StreamControl.End, ReplicationError> = .failure(.cancelled)
        let engine = run.coordinator.actor.begin { outcome = await run(plan, format) }
        watch.giveUp = { engine.cancel() }
        await withTaskCancellationHandler {
            await engine.value
        } onCancel: {
            engine.cancel()
        }
        return outcome
    }

    /// The engine works on the worker's loop, the watch on this one.
    private func run(_ plan: StreamPlan, _ format: DataFormat) async -> Result<StreamControl.End, ReplicationError> {
        let (worker, control, progress) = (self.worker, control, run.streamProgress)
        return await worker.actor.run { actor in
            let session = StreamSession(plan, worker, control, progress)
            do throws(ReplicationError) { return .success(try await session.run(format, on: actor)) } catch {
                return .failure(error)
            }
        }
    }

    /// Nil if there is a table that was not copied yet.
    private func plan(_ names: StreamNames, from position: LSN) async throws(ReplicationError) -> StreamPlan? {
        let selection = try await PipelineCatalog.selection(definition, on: session.source)
        let relations = try await session.ledger.relations()
        let copied = Set(relations.filter(\.isCopied).map(\.source))
        let isWhole = selection.tables.allSatisfy { copied.contains($0.source.name) }
        guard isWhole || definition.snapshot.mode == .never else { return nil }
        try await Publications(session.source, names).publish(selection.tables)
        let snapshots = CopySnapshots(relations, try await session.ledger.snapshotPositions())
        let isDone = try await session.ledger.record()?.isCopied ?? true
        return StreamPlan(
            definition: definition, mappings: try await mappings(selection), windows: snapshots.windows,
            shapes: try await session.ledger.shapes(), position: position,
            consistentFrom: isDone ? nil : snapshots.newest,
            isReplica: try await session.mayBeReplica(), settings: session.source.settings, names: names)
    }

    // MARK: Where to begin

    /// The position that the target has.
    private func begin(_ names: StreamNames) async throws(ReplicationError) -> LSN {
        let identity = try await session.identify(try await session.ledger.record())
        try await StreamRequirements.check(session.source)
        var record = try await session.ledger.stream()
        if record?.position == nil {
            // Without a copy the stream begins now.
            let selection = try await PipelineCatalog.selection(definition, on: session.source)
            try await Publications(session.source, names).publish(selection.tables)
            let anchor = try await session.anchor(names, identity)
            anchor.close()
            record = try await session.ledger.stream()
        }
        guard let record, let position = record.position else {
            throw .mismatch(code: "RH3603", "the ledger has no position of the stream", hint: nil)
        }
        try await waitForSlot(record.slot, identity, position)
        try await session.ledger.endEarlierWork()
        // Until all of its indexes are there the copy is not done.
        let isCopying = try await session.ledger.record()?.state == "finishing"
        if !isCopying { try await session.ledger.note(state: "streaming") }
        return position
    }

    /// A walsender that has lost its client may take a while to notice.
    private func waitForSlot(
        _ slot: String, _ identity: SourceIdentity, _ position: LSN
    ) async throws(ReplicationError) {
        while true {
            guard let state = try await SlotState.read(slot, on: session.source) else {
                throw SlotState.missing(slot, position: position)
            }
            try state.check(slot, database: identity.database, position: position)
            guard let pid = state.activePID else { return }
            run.streamProgress.enter(
                .standby, note: "replication slot \"\(slot)\" is in use by pid \(pid) of the source")
            // Ours, as the pipeline is locked: its client is gone.
            try? await session.source.run(
                "SELECT pg_terminate_backend(\(pid))", on: .source, doing: "ending an earlier session")
            do { try await session.source.loop.sleep(until: .now + .milliseconds(200)) } catch { throw .cancelled }
        }
    }

    private func mappings(_ selection: TableSelection) async throws(ReplicationError) -> [TableMapping] {
        let targets = try await CatalogReader(session.target, .target).tables(selection.tables.map(\.targetName))
        var mappings: [TableMapping] = []
        for table in selection.tables {
            guard let target = targets[table.targetName] else { throw .missingTarget(table.targetName) }
            var table = table
            // What becomes of columns that the target has no room for is decided where their changes come.
            if table.options.columns == nil { table.source.columns.removeAll { target.column($0.name) == nil } }
            mappings.append(try TableMapping(table, target: target))
        }
        return mappings
    }
}

/// What a stream is to do.
struct StreamPlan: Sendable {
    let definition: PipelineDefinition
    let mappings: [TableMapping]
    let windows: [QualifiedName: CopyWindow]
    let shapes: [QualifiedName: RelationShape]
    let position: LSN
    /// What was copied at different times fits together from here on, and indexes can be made that need it.
    let consistentFrom: LSN?
    let isReplica: Bool
    /// Of the source.
    let settings: ConnectionSettings
    let names: StreamNames
}

enum SourceLog {
    /// Where the source's log ends now.
    static func end(_ source: Connection) async throws(ReplicationError) -> LSN {
        try await read("pg_current_wal_lsn()", source)
    }

    /// The same, with what is not written to the disk yet: after everything that the transaction's snapshot shows.
    static func insertEnd(_ source: Connection) async throws(ReplicationError) -> LSN {
        try await read("pg_current_wal_insert_lsn()", source)
    }

    private static func read(_ function: String, _ source: Connection) async throws(ReplicationError) -> LSN {
        let sql = "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE \(function) END)::text"
        do throws(PostgresError) {
            guard let position = LSN(try await source.query(sql, []).text(of: 0)) else {
                throw .unexpected("no position of the log")
            }
            return position
        } catch {
            throw .database(.source, error, doing: "reading the position of the log")
        }
    }
}
