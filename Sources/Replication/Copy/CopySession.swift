import EventLoops
import Postgres
import PostgresProtocol
import Synchronization

/// What the workers of one attempt at copying share.
final class CopySession: Sendable {
    let context: PipelineContext
    let snapshot: Snapshot?
    /// By position in the progress.
    let mappings: [TableMapping]
    let throttle: Throttle
    let progress: CopyProgress
    /// Triggers and foreign keys of the target do not fire.
    let isReplica: Bool
    /// Positions of tables of which an earlier run has copied parts, under another snapshot; all of them can be copied
    /// anew.
    let resumed: Set<Int>
    private let queue: Mutex<WorkQueue<SchemaStep>>

    init(
        _ context: PipelineContext, _ snapshot: Snapshot?, _ mappings: [TableMapping], _ throttle: Throttle,
        _ progress: CopyProgress, isReplica: Bool, resumed: Set<Int>, _ queue: WorkQueue<SchemaStep>
    ) {
        self.context = context
        self.snapshot = snapshot
        self.mappings = mappings
        self.throttle = throttle
        self.progress = progress
        self.isReplica = isReplica
        self.resumed = resumed
        self.queue = Mutex(queue)
    }

    func next() -> WorkQueue<SchemaStep>.Work { queue.withLock { $0.next() } }

    func finished(_ task: WorkQueue<SchemaStep>.ChunkTask) { queue.withLock { $0.finished(task) } }

    func finished(_ task: WorkQueue<SchemaStep>.StepTask) {
        queue.withLock { $0.finished(task) }
        progress.update { $0.stepsDone += 1 }
    }

    /// Lets all workers take the snapshot over; it is theirs then.
    func open(_ workers: [any PipelineWorker]) async throws(ReplicationError) -> [CopyWorker] {
        let crew = workers.map { CopyWorker($0, self) }
        guard snapshot != nil else { return crew }
        let failure = await Crew.run(crew, on: \.actor) { _, worker throws(ReplicationError) in try await worker.open()
        }
        if let failure {
            await close(crew)
            throw failure
        }
        return crew
    }

    /// Runs all workers to the end of the work, or to the first error.
    func run(_ crew: [CopyWorker]) async throws(ReplicationError) {
        let failure = await Crew.run(crew, on: \.actor) { _, worker throws(ReplicationError) in try await worker.run() }
        await close(crew)
        if let failure { throw failure }
    }

    private func close(_ crew: [CopyWorker]) async {
        _ = await Crew.run(crew, on: \.actor) { _, worker throws(ReplicationError) in worker.close() }
    }
}

/// What all readers see: the state of the source at one moment.
struct Snapshot: Sendable {
    /// As `pg_export_snapshot` names it.
    let name: String
    /// Counted in the ledger.
    let number: Int

    /// For a transaction that reads: rows that a policy hides are an error, they must not be missing silently.
    static let isWhole = "SET LOCAL row_security = off"

    /// Begins a transaction that holds a snapshot for others to take over, and gives its name.
    /// - Parameter other: is taken over; else it is a new one.
    static func take(_ other: String?, on source: Connection) async throws(ReplicationError) -> String {
        let takeOver = other.map { "SET TRANSACTION SNAPSHOT \(SQLText.quoteLiteral($0)); " } ?? ""
        try await source.run(
            """
            \(WorkerConnections.patience);
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \(takeOver)\(Self.isWhole)
            """, on: .source, doing: "taking a snapshot")
        do {
            return try await source.query("SELECT pg_export_snapshot()", []).text(of: 0)
        } catch {
            throw .database(.source, error, doing: "taking a snapshot")
        }
    }
}
