import EventLoops
import Postgres
import PostgresProtocol

/// One worker's part of a copy: takes chunks and steps until there are none. Lives on the worker's loop.
final class CopyWorker {
    private static let idleTime: Duration = .milliseconds(20)
    private static let site = BorrowSite("a worker of the pipeline", isLasting: true)

    private let worker: any PipelineWorker
    private let session: CopySession
    private var reader: Lease?
    private var writer: Lease?
    /// By position of the table; nil inside if rows go through as they are.
    private var transforms: [Int: (any RowTransform)?] = [:]

    init(_ worker: any PipelineWorker, _ session: CopySession) {
        self.worker = worker
        self.session = session
    }

    private var loop: EventLoop { worker.actor.loop }

    func run() async throws(ReplicationError) {
        defer { release() }
        while true {
            if Task.isCancelled { throw .cancelled }
            switch session.next() {
            case .chunk(let task):
                try await copy(task)
                session.finished(task)
            case .step(let step):
                try await run(step)
                session.finishedStep()
            case .wait:
                do { try await loop.sleep(until: .now + Self.idleTime) } catch { throw .cancelled }
            case .finished: return
            }
        }
    }

    private func release() {
        for lease in [reader, writer].compactMap(\.self) { lease.pool?.release(lease) }
    }

    // MARK: Connections

    /// Inside the snapshot.
    private func source() async throws(ReplicationError) -> Connection {
        if let reader { return try Self.connection(of: reader, .source) }
        let lease = try await Self.borrow(worker.source, .source, on: loop)
        reader = lease
        let connection = try Self.connection(of: lease, .source)
        if let snapshot = session.snapshot {
            try await connection.run(
                """
                BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                SET TRANSACTION SNAPSHOT \(SQLText.quoteLiteral(snapshot.name))
                """, on: .source, doing: "taking the snapshot over")
        }
        return connection
    }

    private func target() async throws(ReplicationError) -> Connection {
        if let writer { return try Self.connection(of: writer, .target) }
        let lease = try await Self.borrow(worker.sink, .target, on: loop)
        writer = lease
        let connection = try Self.connection(of: lease, .target)
        if session.isReplica {
            try await connection.run(
                "SET session_replication_role = replica", on: .target, doing: "turning triggers off")
        }
        return connection
    }

    static func borrow(
        _ pool: ConnectionPool, _ side: ReplicationError.Side, on loop: EventLoop
    ) async throws(ReplicationError) -> Lease {
        do { return try await pool.acquire(on: loop, site: site) } catch { throw .pool(side, error) }
    }

    static func connection(
        of lease: Lease, _ side: ReplicationError.Side
    ) throws(ReplicationError) -> Connection {
        do { return try lease.connection } catch { throw .pool(side, error) }
    }

    // MARK: Chunks

    private func copy(_ task: WorkQueue<SchemaStep>.ChunkTask) async throws(ReplicationError) {
        let mapping = session.mappings[task.table]
        let (source, target) = (try await source(), try await target())
        let meter = ChunkMeter(session.progress, session.throttle, table: task.table)
        let sink = CopySink(target, mapping.options.onConflict, session.context)
        let output = ChunkOutput(mapping, sink)
        do throws(ReplicationError) {
            try await target.run(
                "BEGIN; SET LOCAL synchronous_commit = off", on: .target, doing: "writing \(mapping.target.name)")
            try await transfer(task, from: source, to: output, meter)
            try await output.finish()
            try await sink.finish()
            try await commit(task, target, output.counts)
            meter.finish()
        } catch {
            meter.undo()
            await sink.abandon()
            throw error
        }
    }

    private func transfer(
        _ task: WorkQueue<SchemaStep>.ChunkTask, from source: Connection, to output: ChunkOutput, _ meter: ChunkMeter
    ) async throws(ReplicationError) {
        let mapping = output.mapping
        let stream: CopyOutStream
        do { stream = try await source.copyOut(task.chunk.copyStatement(mapping)) } catch {
            throw .database(.source, error, doing: "reading \(mapping.source.name)")
        }
        let input = ChunkInput(stream, mapping, meter, on: loop)
        do throws(ReplicationError) {
            if let transform = try transform(task.table) {
                try await transform.run(input, output)
            } else {
                try await PassThrough.run(input, output)
            }
        } catch {
            await input.close()
            throw error
        }
        output.counts.read = input.rows
        output.counts.bytes = input.bytes
    }

    private func commit(
        _ task: WorkQueue<SchemaStep>.ChunkTask, _ target: Connection, _ counts: ChunkOutput.Counts
    ) async throws(ReplicationError) {
        let ledger = Ledger(target, pipeline: session.context.pipeline)
        let source = session.mappings[task.table].source.name
        guard try await ledger.finish(task.chunk, of: source, snapshot: session.snapshot?.number ?? 0, counts) else {
            throw .mismatch(
                code: "RH3403", "chunk \(task.chunk.number) of \(source) was copied by somebody else",
                hint: "Another replhost works on this pipeline; let one of them do it.")
        }
        try await target.run("COMMIT", on: .target, doing: "committing a chunk of \(source)")
    }

    private func transform(_ table: Int) throws(ReplicationError) -> (any RowTransform)? {
        if let known = transforms[table] { return known }
        let mapping = session.mappings[table]
        let made = mapping.options.hasTransform ? try worker.makeTransform(mapping) : nil
        transforms[table] = .some(made)
        return made
    }

    // MARK: Steps

    private func run(_ step: SchemaStep) async throws(ReplicationError) {
        let target = try await target()
        try await target.run(
            "SET maintenance_work_mem = '256MB'; \(step.sql)", on: .target, doing: "making \(step.kind) \(step.name)")
    }
}

/// Rows that no function sees.
enum PassThrough {
    static func run(_ input: ChunkInput, _ output: ChunkOutput) async throws(ReplicationError) {
        let mapping = output.mapping
        let lane = try output.lane(
            mapping.target, columns: mapping.columns.map(\.target), format: mapping.format)
        while true {
            switch try input.next() {
            case .row(let row):
                lane.buffer.append(row)
                if output.rowWritten(to: lane), try !output.tryFlush(lane) { try await output.flush(lane) }
            case .pending: try await input.wait()
            case .end: return
            }
        }
    }
}

extension Connection {
    /// Runs statements for their effect.
    func run(_ sql: String, on side: ReplicationError.Side, doing: String) async throws(ReplicationError) {
        do { _ = try await query(sql, []) } catch { throw .database(side, error, doing: doing) }
    }
}

extension ReplicationError {
    /// Somebody wanted the work to end.
    package var isCancellation: Bool {
        switch self {
        case .cancelled, .database(_, .cancelled, _), .pool(_, .cancelled): true
        case .transform(let failure): failure.isInterrupt
        case .database, .pool, .mismatch, .unknownTable, .unknownColumn, .damaged: false
        }
    }
}
