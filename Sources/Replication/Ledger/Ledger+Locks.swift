import Postgres
import PostgresProtocol

/// One replhost works on a pipeline at a time, and none begins before what an earlier one has left on the server is
/// over: a commit that nobody waits for any more still happens.
extension Ledger {
    /// Of another session, while this one may come to an end by itself.
    private static let patience = "3s"

    /// Keeps others from working on the pipeline, as long as the connection lives; false if somebody else does. One
    /// that has just been killed is waited for.
    package func lock() async throws(ReplicationError) -> Bool {
        try await wait(for: "pg_advisory_lock(\(key("replhost")))", "locking the pipeline")
    }

    package func unlock() async throws(ReplicationError) {
        _ = try await query("SELECT pg_advisory_unlock(\(key("replhost")))", [], "unlocking the pipeline")
    }

    /// The backend that has the pipeline locked.
    package func owner() async throws(ReplicationError) -> Int? { try await holders("replhost").first }

    /// In SQL, the first thing in a transaction that writes for the pipeline.
    package var workLock: String { "SELECT pg_advisory_xact_lock_shared(\(key("replhost work")))" }

    /// Returns when transactions of earlier runs are over; those that do not end are ended. Requires the pipeline's
    /// lock, and a new snapshot's number, without which they could commit chunks that they begin now.
    func endEarlierWork() async throws(ReplicationError) {
        let doing = "waiting for what an earlier run has left on the server"
        let barrier = "pg_advisory_xact_lock(\(key("replhost work")))"
        if try await wait(for: barrier, doing) { return }
        try await end(try await holders("replhost work"))
        if try await wait(for: barrier, doing) { return }
        let pids = try await holders("replhost work").map(String.init).joined(separator: ", ")
        throw .mismatch(
            code: "RH3410", "sessions of an earlier run are still at work on the target (pids \(pids))",
            hint: "End them there: SELECT pg_terminate_backend(pid).")
    }

    /// Ends sessions on the server.
    func end(_ pids: [Int]) async throws(ReplicationError) {
        for pid in pids { _ = try await query("SELECT pg_terminate_backend(\(pid))", [], "ending an earlier session") }
    }

    /// False if that takes too long.
    private func wait(for lock: String, _ doing: String) async throws(ReplicationError) -> Bool {
        do throws(PostgresError) {
            _ = try await connection.query("SET LOCAL lock_timeout = '\(Self.patience)'; SELECT \(lock)", [])
            return true
        } catch {
            guard error.isLockTimeout else { throw .database(.target, error, doing: doing) }
            return false
        }
    }

    private func holders(_ purpose: String) async throws(ReplicationError) -> [Int] {
        let sql = """
            SELECT pid::int8 FROM pg_locks, (SELECT \(key(purpose)) AS key) AS wanted
            WHERE locktype = 'advisory' AND granted AND objsubid = 1
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND (classid::int8 << 32) | objid::int8 = key
            """
        let result = try await query(sql, [], "reading locks")
        return try reading { () throws(PostgresError) in
            var pids: [Int] = []
            for row in 0..<result.count {
                if let pid = try result.number(row, 0) { pids.append(pid) }
            }
            return pids
        }
    }

    private func key(_ purpose: String) -> String {
        "hashtextextended(\(SQLText.quoteLiteral("\(purpose) \(pipeline)")), 0)"
    }
}
