import EventLoops
import Logging
import Postgres
import PostgresProtocol

/// What is done beside a stream, on the coordinator's connections: heartbeats, the size of the log that is kept for us,
/// wishes that others have left in the ledger, the pipeline's lock. Lives on the coordinator's loop.
final class StreamWatch {
    private static let logger = Logger(label: "replhost")
    private static let tick: Duration = .seconds(1)
    private static let slotInterval: Duration = .seconds(10)
    /// A heartbeat that takes longer counts as lost.
    private static let heartbeatPatience: Duration = .seconds(60)
    /// Nothing of what was received gets applied for so long.
    private static let stallNotice: Duration = .seconds(30)
    private static let stallEnd: Duration = .seconds(600)
    /// For ending after the changes that are under way.
    private static let patience: Duration = .seconds(3)
    /// A stream that has just begun may have less to keep soon.
    private static let budgetPatience: Duration = .seconds(5)

    /// Somebody wants a table copied anew, or there is a table that was not copied yet.
    private(set) var wantsCopy = false
    /// Why the stream has to end.
    private(set) var failure: ReplicationError?
    /// Ends a stream that does not end by itself.
    var giveUp: () -> Void = {}

    private let run: PipelineRun
    private let session: PipelineSession
    private let control: StreamControl
    private let plan: StreamPlan
    private var heartbeats = 0
    private var beatAt: ContinuousClock.Instant?
    private var lookedAt = ContinuousClock.now
    private var isOverBudget = false
    private let begun = ContinuousClock.now
    private var catalogState: String?

    init(_ run: PipelineRun, _ session: PipelineSession, _ control: StreamControl, _ plan: StreamPlan) {
        self.run = run
        self.session = session
        self.control = control
        self.plan = plan
    }

    private var progress: StreamProgress { run.streamProgress }
    private var options: StreamOptions { plan.definition.stream }

    /// Until the task is cancelled, or something is wrong.
    func run() async {
        do throws(ReplicationError) {
            while !Task.isCancelled {
                try await beat()
                try await look()
                try checkMovement()
                do { try await session.source.loop.sleep(until: .now + Self.tick) } catch { return }
            }
        } catch {
            guard !error.isCancellation else { return }
            failure = error
            control.interrupt()
            // The target may be what keeps the stream from ending.
            do { try await session.source.loop.sleep(until: .now + Self.patience) } catch { return }
            giveUp()
        }
    }

    // MARK: Heartbeats

    private func beat() async throws(ReplicationError) {
        let now = ContinuousClock.now
        if let beatAt, now - beatAt < options.heartbeat { return noteHeartbeats() }
        beatAt = now
        heartbeats += 1
        control.noteSent(heartbeat: heartbeats, now)
        try await session.source.run(
            "SELECT pg_logical_emit_message(false, '\(StreamControl.prefix)', '\(heartbeats)')", on: .source,
            doing: "sending a heartbeat")
        noteHeartbeats()
    }

    private func noteHeartbeats() {
        let (returned, lost) = control.heartbeats(Self.heartbeatPatience)
        progress.update { state in
            state.heartbeat = returned
            state.lostHeartbeats = lost
        }
    }

    // MARK: Slot and ledger

    private func look() async throws(ReplicationError) {
        if let budget = options.walBudget { try await check(budget) }
        guard ContinuousClock.now - lookedAt >= Self.slotInterval else {
            return try await lookForWishes()
        }
        lookedAt = .now
        _ = try await slot()
        try await lookForTables()
    }

    private func slot() async throws(ReplicationError) -> SlotState {
        if let slot = try await SlotState.read(plan.names.slot, on: session.source) {
            progress.update { $0.retained = slot.retained }
            return slot
        }
        throw SlotState.missing(plan.names.slot, position: progress.state.position)
    }

    /// One that was stopped for long may catch up before it is judged.
    private func check(_ budget: LogBudget) async throws(ReplicationError) {
        let retained = try await slot().retained
        let isOver = retained > budget.size
        defer { isOverBudget = isOver }
        guard isOver else { return }
        if budget.action == .stop, ContinuousClock.now - begun >= Self.budgetPatience {
            throw .overBudget(plan.definition.name, retained: retained, budget: budget.size)
        }
        guard !isOverBudget else { return }
        Self.logger.warning(
            "pipeline \"\(plan.definition.name)\": the source keeps \(retained) bytes of log for it, \(budget.size) are allowed"
        )
    }

    /// Tables that have been made since, and that the pipeline copies.
    private func lookForTables() async throws(ReplicationError) {
        guard plan.definition.snapshot.mode != .never else { return }
        let state: String
        do throws(PostgresError) {
            state = try await session.source.query(
                "SELECT count(*) || ' ' || max(oid::int8) FROM pg_class WHERE relkind IN ('r', 'p')", []
            ).text(of: 0)
        } catch {
            throw .database(.source, error, doing: "looking for new tables")
        }
        defer { catalogState = state }
        guard let catalogState, catalogState != state else { return }
        let selection = try await PipelineCatalog.selection(plan.definition, on: session.source)
        let known = Set(plan.mappings.map(\.source.name))
        guard selection.tables.contains(where: { !known.contains($0.source.name) }) else { return }
        wantsCopy = true
        control.interrupt()
    }

    private func lookForWishes() async throws(ReplicationError) {
        guard !wantsCopy else { return }
        let isConsistent = plan.consistentFrom.map { progress.state.position >= $0 } ?? false
        let record = try await session.ledger.stream()
        if record?.isToEnd == true { control.handOver() }
        guard isConsistent || record?.resnapshot.isEmpty == false else { return }
        wantsCopy = true
        control.interrupt()
    }

    // MARK: Movement

    /// Something is to be applied, and nothing moves.
    private func checkMovement() throws(ReplicationError) {
        let state = progress.state
        guard state.phase == .streaming, state.lag > 0 else { return }
        let still = ContinuousClock.now - state.movedAt
        if still > Self.stallEnd {
            throw .mismatch(
                code: "RH3614",
                "nothing has moved for \(still.components.seconds) s, with \(state.lag) bytes of log to apply",
                hint: "Look at pg_stat_activity on the target for what the session of \"replhost\" waits for.")
        }
        let isNoted = still > Self.stallNotice
        progress.update { $0.note = isNoted ? "nothing has moved for \(still.components.seconds) s" : nil }
    }
}

extension ReplicationError {
    private static let overBudgetCode = "RH3644"

    static func overBudget(_ pipeline: String, retained: Int, budget: Int) -> ReplicationError {
        .mismatch(
            code: overBudgetCode,
            "the source keeps \(retained) bytes of log for pipeline \"\(pipeline)\", more than its wal_budget of \(budget)",
            hint: "Its replication slot was dropped, so that the source does not run out of room. "
                + SlotState.beginAnew)
    }

    /// The slot is to be dropped.
    var isOverBudget: Bool { if case .mismatch(Self.overBudgetCode, _, _) = self { true } else { false } }
}
