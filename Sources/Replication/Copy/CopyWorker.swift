import EventLoops
import Postgres
import PostgresProtocol

/// One worker's part of a copy: takes chunks and steps until there are none.
// Safe: used on the worker's loop only.
final class CopyWorker: @unchecked Sendable {
    private static let idleTime: Duration = .milliseconds(20)

    private let worker: any PipelineWorker
    private let session: CopySession
    private let connections: WorkerConnections
    /// By position of the table; nil inside if rows go through as they are.
    private var transforms: [Int: (any RowTransform)?] = [:]

    init(_ worker: any PipelineWorker, _ session: CopySession) {
        self.worker = worker
        self.session = session
        connections = WorkerConnections(worker, snapshot: session.snapshot?.name, isReplica: session.isReplica)
    }

    var actor: LoopActor { worker.actor }
    private var loop: EventLoop { worker.actor.loop }

    /// Takes the snapshot over.
    func open() async throws(ReplicationError) { _ = try await connections.source() }

    func close() { connections.release() }

    func run() async throws(ReplicationError) {
        while true {
            if Task.isCancelled { throw .cancelled }
            switch session.next() {
            case .chunk(let task):
                try await copy(task)
                session.finished(task)
            case .step(let task, let isAlone):
                connections.releaseSource()
                try await run(task.step, isAlone: isAlone)
                session.finished(task)
            case .wait:
                connections.releaseSource()
                do { try await loop.sleep(until: .now + Self.idleTime) } catch { throw .cancelled }
            case .finished: return
            }
        }
    }

    // MARK: Chunks

    private func copy(_ task: WorkQueue<SchemaStep>.ChunkTask) async throws(ReplicationError) {
        let mapping = session.mappings[task.table]
        let (source, target) = (try await connections.source(), try await connections.target())
        let meter = ChunkMeter(session.progress, session.throttle, table: task.table)
        let ledger = Ledger(target, pipeline: session.context.pipeline)
        let sink = CopySink(target, .write(mapping.options.onConflict), session.context)
        let output = ChunkOutput(mapping, sink)
        do throws(ReplicationError) {
            // The rows and the ledger's note of them are lost or kept together.
            try await target.run(
                "BEGIN; SET LOCAL synchronous_commit = off; \(ledger.workLock)", on: .target,
                doing: "writing \(mapping.target.name)")
            try await ChunkTransfer(source, on: loop).run(task.chunk, try transform(task.table), to: output, meter)
            try await output.finish()
            try await sink.finish()
            try await commit(task, ledger, output.counts)
            meter.finish(output.counts)
        } catch {
            meter.undo()
            await sink.abandon()
            guard session.resumed.contains(task.table), error.contradiction != nil else { throw error }
            throw .torn(mapping.source.name)
        }
    }

    private func commit(
        _ task: WorkQueue<SchemaStep>.ChunkTask, _ ledger: Ledger, _ counts: ChunkOutput.Counts
    ) async throws(ReplicationError) {
        let source = session.mappings[task.table].source.name
        guard try await ledger.finish(task.chunk, of: source, snapshot: session.snapshot?.number ?? 0, counts) else {
            throw .mismatch(
                code: "RH3403", "chunk \(task.chunk.number) of \(source) was copied by somebody else",
                hint: "Another replhost works on this pipeline; let one of them do it.")
        }
        try await ledger.connection.run("COMMIT", on: .target, doing: "committing a chunk of \(source)")
    }

    private func transform(_ table: Int) throws(ReplicationError) -> (any RowTransform)? {
        if let known = transforms[table] { return known }
        let mapping = session.mappings[table]
        let made = mapping.options.hasTransform ? try worker.makeTransform(mapping) : nil
        transforms[table] = .some(made)
        return made
    }

    // MARK: Steps

    /// What the server has committed is what the next plan finds, so a step may be lost with the server and be made
    /// anew; the ledger's "done", which is not written in this way, comes to the disk after all of them. Several steps at
    /// once keep the cores busy: more processes for each would be in each other's way.
    private func run(_ step: SchemaStep, isAlone: Bool) async throws(ReplicationError) {
        let target = try await connections.target()
        let lock = Ledger(target, pipeline: session.context.pipeline).workLock
        let parallel = isAlone ? "" : "SET LOCAL max_parallel_maintenance_workers = 0; "
        try await target.run(
            """
            SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL synchronous_commit = off; \(parallel)\(lock);
            \(step.sql)
            """, on: .target, doing: step.activity)
    }
}

extension ReplicationError {
    /// Somebody wanted the work to end.
    package var isCancellation: Bool {
        switch self {
        case .cancelled, .database(_, .cancelled, _), .pool(_, .cancelled): true
        case .transform(let failure): failure.isInterrupt
        case .database, .pool, .mismatch, .unknownTable, .unknownColumn, .damaged, .stale: false
        }
    }
}
