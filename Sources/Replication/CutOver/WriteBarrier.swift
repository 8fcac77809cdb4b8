import EventLoops
import Logging
import Postgres
import PostgresProtocol

/// Keeps applications from writing into a database: transactions are read-only unless they say otherwise, and the sessions
/// that are there are ended, as they do not hear of it. Used on its connection's loop.
struct WriteBarrier {
    private static let setting = "default_transaction_read_only"
    private static let pause: Duration = .milliseconds(50)
    private static let patience: Duration = .seconds(30)
    private static let logger = Logger(label: "replhost")

    private let connection: Connection
    private let side: ReplicationError.Side

    init(_ connection: Connection, _ side: ReplicationError.Side) {
        self.connection = connection
        self.side = side
    }

    /// Sessions that begin now cannot write unless they say so.
    func isRaised() async throws(ReplicationError) -> Bool {
        let rows = """
            pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND setrole = 0 AND '\(Self.setting)=on' = ANY (setconfig)
            """
        return try await count(rows) > 0
    }

    /// Returns when no other session can commit anything any more.
    func raise() async throws(ReplicationError) {
        let name = try await databaseName()
        guard try await count("pg_prepared_xacts WHERE database = current_database()") == 0 else {
            throw .mismatch(
                code: "RH3622", "database \"\(name)\" has prepared transactions, which may be committed later",
                hint: "Commit them or roll them back: see pg_prepared_xacts.")
        }
        try await set(name, "SET \(Self.setting) = on")
        try await endOthers(name)
    }

    /// Whoever has raised it.
    func lower() async throws(ReplicationError) { try await set(try await databaseName(), "RESET \(Self.setting)") }

    /// Lowers what a cut-over that was killed has raised. With the pipeline locked.
    static func lowerAbandoned(_ ledger: Ledger, _ source: Connection) async throws(ReplicationError) {
        guard try await ledger.stream()?.barsSource == true,
            try await ledger.record()?.state != Ledger.Record.cutOver
        else { return }
        try await WriteBarrier(source, .source).lower()
        try await ledger.note(barsSource: false)
        logger.notice(
            "pipeline \"\(ledger.pipeline)\": the source is writable again: a cut-over was killed before its end")
    }

    /// This session can write from now on, in any case.
    private func set(_ name: String, _ change: String) async throws(ReplicationError) {
        try await run("SET \(Self.setting) = off")
        try await run("ALTER DATABASE \(SQLText.quoteIdentifier(name)) \(change)")
    }

    /// Sessions that begin now know of the setting. Ours come again by themselves.
    private func endOthers(_ name: String) async throws(ReplicationError) {
        let others = """
            pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
              AND pid <> pg_backend_pid() AND backend_start < \(SQLText.quoteLiteral(try await text("clock_timestamp()")))
            """
        let deadline = ContinuousClock.now + Self.patience
        while try await count("(SELECT pg_terminate_backend(pid) FROM \(others)) AS ended") > 0 {
            guard ContinuousClock.now < deadline else {
                throw .mismatch(
                    code: "RH3623", "sessions of database \"\(name)\" do not end",
                    hint: "See pg_stat_activity for what they wait for.")
            }
            do { try await connection.loop.sleep(until: .now + Self.pause) } catch { throw .cancelled }
        }
    }

    private func databaseName() async throws(ReplicationError) -> String { try await text("current_database()") }

    private func text(_ expression: String) async throws(ReplicationError) -> String {
        do { return try await connection.query("SELECT (\(expression))::text", []).text(of: 0) } catch {
            throw failed(error)
        }
    }

    private func count(_ rows: String) async throws(ReplicationError) -> Int {
        do { return try await connection.query("SELECT count(*)::int8 FROM \(rows)", []).number(0, 0) ?? 0 } catch {
            throw failed(error)
        }
    }

    private func run(_ sql: String) async throws(ReplicationError) {
        do { _ = try await connection.query(sql, []) } catch { throw failed(error) }
    }

    private func failed(_ error: PostgresError) -> ReplicationError {
        .database(side, error, doing: "making the database read-only, or writable again")
    }
}
