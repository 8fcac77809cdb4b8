import EventLoops
import Postgres
import PostgresProtocol

/// Runs the same work on several workers.
enum Crew {
    /// Each on its own loop; the first error ends the others' work, and is the answer.
    static func run<Member: Sendable>(
        _ members: [Member], on actor: (Member) -> LoopActor,
        _ work: @escaping @Sendable (isolated LoopActor, Member) async throws(ReplicationError) -> Void
    ) async -> ReplicationError? {
        await withTaskGroup(of: ReplicationError?.self) { group in
            for member in members {
                let actor = actor(member)
                group.addTask {
                    await actor.run { actor in
                        do throws(ReplicationError) {
                            try await work(actor, member)
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
            }
            var first: ReplicationError?
            for await failure in group {
                guard let failure else { continue }
                if first == nil || first?.isCancellation == true { first = failure }
                group.cancelAll()
            }
            return first
        }
    }
}

/// A worker's connections, made when they are first asked for. On the worker's loop.
final class WorkerConnections {
    private static let site = BorrowSite("a worker of the pipeline", isLasting: true)

    /// Work takes as long as it takes, whatever is usual for the user.
    static let patience = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 0"

    private let worker: any PipelineWorker
    private let snapshot: String?
    private let isReplica: Bool
    private var reader: Lease?
    private var writer: Lease?

    /// - Parameters:
    ///   - snapshot: what the source shows, as `pg_export_snapshot` names it.
    ///   - isReplica: triggers and foreign keys of the target do not fire.
    init(_ worker: any PipelineWorker, snapshot: String?, isReplica: Bool = false) {
        self.worker = worker
        self.snapshot = snapshot
        self.isReplica = isReplica
    }

    func release() {
        for lease in [reader, writer].compactMap(\.self) { lease.pool?.release(lease) }
        (reader, writer) = (nil, nil)
    }

    /// Gives the snapshot up.
    func releaseSource() {
        if let reader { reader.pool?.release(reader) }
        reader = nil
    }

    /// Inside the snapshot.
    func source() async throws(ReplicationError) -> Connection {
        if let reader { return try Self.connection(of: reader, .source) }
        let lease = try await Self.borrow(worker.source, .source, on: worker.actor.loop)
        reader = lease
        let connection = try Self.connection(of: lease, .source)
        if let snapshot { try await Self.enter(snapshot, on: connection) }
        return connection
    }

    private static func enter(_ snapshot: String, on source: Connection) async throws(ReplicationError) {
        let doing = "taking the snapshot over"
        let sql = """
            \(Self.patience); BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
            SET TRANSACTION SNAPSHOT \(SQLText.quoteLiteral(snapshot)); \(Snapshot.isWhole)
            """
        do throws(PostgresError) { _ = try await source.query(sql, []) } catch {
            guard let state = error.sqlstate, lostSnapshot.contains(state) else {
                throw .database(.source, error, doing: doing)
            }
            throw .database(
                .source, .connectionLost(reason: "the session that held the snapshot has ended", sqlstate: nil),
                doing: doing)
        }
    }

    /// There is none of that name, or its transaction is over.
    private static let lostSnapshot: Set = ["22023", "42704", "55000"]

    func target() async throws(ReplicationError) -> Connection {
        if let writer { return try Self.connection(of: writer, .target) }
        let lease = try await Self.borrow(worker.sink, .target, on: worker.actor.loop)
        writer = lease
        let connection = try Self.connection(of: lease, .target)
        let role = isReplica ? "; SET session_replication_role = replica" : ""
        try await connection.run(Self.patience + worker.sinkSettings + role, on: .target, doing: "preparing a session")
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
}

extension Connection {
    /// Runs statements for their effect.
    func run(_ sql: String, on side: ReplicationError.Side, doing: String) async throws(ReplicationError) {
        do { _ = try await query(sql, []) } catch { throw .database(side, error, doing: doing) }
    }
}
