import EventLoops
import Postgres
import PostgresProtocol

/// A receiver, an applier and the engine between them, on the worker's loop.
struct StreamSession {
    private let plan: StreamPlan
    private let worker: any PipelineWorker
    private let control: StreamControl
    private let progress: StreamProgress

    init(_ plan: StreamPlan, _ worker: any PipelineWorker, _ control: StreamControl, _ progress: StreamProgress) {
        self.plan = plan
        self.worker = worker
        self.control = control
        self.progress = progress
    }

    func run(_ format: DataFormat, on actor: LoopActor) async throws(ReplicationError) -> StreamControl.End {
        let tables = StreamTables(plan.definition, plan.mappings, plan.windows, plan.shapes, format, worker)
        let sessions = ApplySessions(plan, tables.plan, worker)
        defer { sessions.release() }
        let first = try await sessions.make()
        let receiver = StreamReceiver(
            plan.settings,
            StreamRequest(
                slot: plan.names.slot, start: plan.position,
                publications: [plan.names.publication, plan.names.insertsPublication], isBinary: format == .binary))
        try await receiver.start(until: .now + .seconds(30))
        let mailbox = receiver.mailbox
        control.begin { mailbox.ring() }
        let applier = Applier(
            first, tables.plan, position: plan.position, most: sessions.most, mailbox, on: actor,
            connect: { try? await sessions.make() }, onCommit: note, onWrite: noteMovement)
        progress.update { [plan] in
            $0.tables = plan.mappings.map { ($0.source.name, $0.target.name) }
            $0.position = plan.position
        }
        progress.enter(.streaming)
        let outcome: Result<StreamControl.End, ReplicationError>
        do throws(ReplicationError) {
            outcome = .success(try await StreamEngine(mailbox, applier, tables, control, progress).run())
        } catch {
            outcome = .failure(error)
        }
        await applier.stop()
        await receiver.stop()
        do { return try outcome.get() } catch { throw tables.tornCopy(error, at: applier.position) ?? error }
    }

    private func noteMovement() { progress.update { $0.movedAt = .now } }

    private func note(_ advance: StreamCommit, _ applied: AppliedChanges) async {
        progress.update { state in
            state.position = advance.position
            state.transactions += advance.transactions
            state.changes += advance.changes
            state.commitTime = advance.commitTime ?? state.commitTime
            state.applied += applied.tables
            state.replays += applied.replays
            state.overlaps += applied.overlaps
            state.conflicts += applied.conflicts
            state.movedAt = .now
        }
        if advance.transactions > 0 { await worker.committed(advance) }
    }
}

/// Makes the sessions that changes are written over. Lives on the worker's loop.
private final class ApplySessions {
    /// Rows are found by their keys, whatever the planner believes of tables that have just been filled.
    private static let settings = """
        SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
        SET jit = off; SET plan_cache_mode = force_generic_plan; SET synchronous_commit = on;
        SET default_transaction_isolation = 'read committed'
        """

    /// How many there may be.
    let most: Int
    private let plan: StreamPlan
    private let tables: ApplyPlan
    private let worker: any PipelineWorker
    private var connections: [WorkerConnections] = []

    init(_ plan: StreamPlan, _ tables: ApplyPlan, _ worker: any PipelineWorker) {
        self.plan = plan
        self.tables = tables
        self.worker = worker
        let room = worker.sink.statistics().max - ApplyOptions.otherConnections
        most = plan.isReplica ? max(1, min(plan.definition.apply.connections ?? 4, room)) : 1
    }

    func make() async throws(ReplicationError) -> ApplySession {
        let made = WorkerConnections(worker, snapshot: nil, isReplica: plan.isReplica)
        connections.append(made)
        let target = try await made.target()
        try await target.run(Self.settings, on: .target, doing: "preparing a session")
        return try await ApplySession(
            target, tables, pipeline: plan.definition.name, isReplica: plan.isReplica, hasSiblings: most > 1)
    }

    func release() { for each in connections { each.release() } }
}
