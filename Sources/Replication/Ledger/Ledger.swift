package import Postgres
import PostgresProtocol

/// What the target knows of one pipeline: the only truth about its progress, written in the transactions that hold the
/// data. Used on its connection's loop.
package struct Ledger {
    package let connection: Connection
    package let pipeline: String

    package init(_ connection: Connection, pipeline: String) {
        self.connection = connection
        self.pipeline = pipeline
    }

    /// Makes the ledger's tables where they are missing.
    package func prepare() async throws(ReplicationError) {
        // The newest of its tables.
        let exists = try await query("SELECT to_regclass('replhost.shape') IS NOT NULL", [], "reading the ledger")
        guard try !isTrue(exists) else { return }
        _ = try await query(
            """
            BEGIN;
            SET LOCAL client_min_messages = warning;
            SELECT pg_advisory_xact_lock(\(LedgerSchema.lock));
            -- Opening a relation lets the session know what others have made while it waited for the lock.
            SELECT FROM pg_catalog.pg_namespace LIMIT 0;
            \(LedgerSchema.statements)
            COMMIT
            """, [], "making the ledger (schema \"replhost\")")
    }

    /// One of an earlier replhost gets what it lacks.
    package func exists() async throws(ReplicationError) -> Bool {
        let exists = try await query("SELECT to_regclass('replhost.pipeline') IS NOT NULL", [], "reading the ledger")
        guard try isTrue(exists) else { return false }
        try await prepare()
        return true
    }

    // MARK: The pipeline

    package struct Record: Sendable {
        package var sourceSystem: String
        package var sourceDatabase: String
        package var state: String
        package var snapshots: Int
        package var startedAt: String?
        package var finishedAt: String?
        package var lastError: String?

        static let cutOver = "cut over"

        /// All tables that the pipeline had then were copied.
        package var isCopied: Bool { state == "done" || state == "streaming" }
    }

    package func record() async throws(ReplicationError) -> Record? {
        let result = try await query(
            """
            SELECT source_system, source_database, state, snapshots::int8, started_at::text, finished_at::text, last_error
            FROM replhost.pipeline WHERE name = $1
            """, [.text(pipeline)], "reading the ledger")
        guard result.count == 1 else { return nil }
        return try reading { () throws(PostgresError) in
            Record(
                sourceSystem: try result.text(of: 0), sourceDatabase: try result.text(of: 1),
                state: try result.text(of: 2), snapshots: try result.number(0, 3) ?? 0,
                startedAt: try result.string(0, 4), finishedAt: try result.string(0, 5),
                lastError: try result.string(0, 6))
        }
    }

    /// Notes that a snapshot was taken, the pipeline's first or another one; its number.
    package func noteSnapshot(
        _ identity: SourceIdentity, scriptHash: String
    ) async throws(ReplicationError) -> Int {
        let result = try await query(
            """
            INSERT INTO replhost.pipeline (name, source_system, source_database, script_hash, state, snapshots)
            VALUES ($1, $2, $3, $4, 'copying', 1)
            ON CONFLICT (name) DO UPDATE
            SET script_hash = $4, state = 'copying', snapshots = pipeline.snapshots + 1, finished_at = NULL,
              last_error = NULL
            RETURNING snapshots::int8
            """,
            [.text(pipeline), .text(identity.system), .text(identity.database), .text(scriptHash)], "writing the ledger"
        )
        return try reading { () throws(PostgresError) in try result.number(0, 0) ?? 1 }
    }

    package func note(state: String) async throws(ReplicationError) {
        _ = try await query(
            """
            UPDATE replhost.pipeline
            SET state = $2, finished_at = CASE WHEN $2 IN ('done', 'cut over') THEN now() END, last_error = NULL WHERE name = $1
            """, [.text(pipeline), .text(state)], "writing the ledger")
    }

    package func note(error: String) async throws(ReplicationError) {
        _ = try await query(
            "UPDATE replhost.pipeline SET last_error = $2 WHERE name = $1", [.text(pipeline), .text(error)],
            "writing the ledger")
    }

    // MARK: Errors

    func query(
        _ sql: String, _ parameters: [Parameter], _ doing: String
    ) async throws(ReplicationError) -> ResultSet {
        do { return try await connection.query(sql, parameters) } catch {
            throw .database(.target, error, doing: doing)
        }
    }

    func reading<Value>(_ body: () throws(PostgresError) -> Value) throws(ReplicationError) -> Value {
        do { return try body() } catch { throw .database(.target, error, doing: "reading the ledger") }
    }

    private func isTrue(_ result: ResultSet) throws(ReplicationError) -> Bool {
        try reading { () throws(PostgresError) in try result.isTrue(0, 0) }
    }
}

/// Which database a pipeline reads, whatever its address.
package struct SourceIdentity: Sendable, Equatable {
    package var system: String
    package var database: String

    package init(system: String, database: String) {
        self.system = system
        self.database = database
    }
}
