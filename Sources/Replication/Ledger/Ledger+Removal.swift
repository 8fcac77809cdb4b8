import Postgres
package import PostgresProtocol

extension Ledger {
    /// Forgets the pipeline: progress, dead letters, state of its functions. Copied tables stay.
    package func remove() async throws(ReplicationError) {
        _ = try await query(
            """
            WITH letters AS (DELETE FROM replhost.dead_letter WHERE pipeline = $1),
              states AS (DELETE FROM replhost.state WHERE pipeline = $1)
            DELETE FROM replhost.pipeline WHERE name = $1
            """, [.text(pipeline)], "removing the pipeline's ledger")
        let others = try await query(
            """
            SELECT EXISTS (SELECT FROM replhost.pipeline) OR EXISTS (SELECT FROM replhost.dead_letter)
              OR EXISTS (SELECT FROM replhost.state)
            """, [], "reading the ledger")
        let isUsed = try reading { () throws(PostgresError) in try others.isTrue(0, 0) }
        guard !isUsed else { return }
        try await connection.run("DROP SCHEMA replhost CASCADE", on: .target, doing: "removing the empty ledger")
    }

    /// How many values its functions keep (`rh.state`).
    package func stateCount() async throws(ReplicationError) -> Int {
        let result = try await query(
            "SELECT count(*)::int8 FROM replhost.state WHERE pipeline = $1", [.text(pipeline)], "reading the ledger")
        return try reading { () throws(PostgresError) in try result.number(0, 0) ?? 0 }
    }

    /// Empties a target table and forgets what was copied into it, in one transaction.
    package func forget(
        _ source: QualifiedName, emptying target: QualifiedName?
    ) async throws(ReplicationError) {
        let doing = "emptying \(target ?? source), to copy it anew"
        try await connection.run("BEGIN", on: .target, doing: doing)
        do throws(ReplicationError) {
            if let target { try await empty(target, doing) }
            try await removeChunks(of: source)
            try await connection.run("COMMIT", on: .target, doing: doing)
        } catch {
            if !connection.isBroken { try? await connection.rollback() }
            throw error
        }
    }

    private func empty(_ target: QualifiedName, _ doing: String) async throws(ReplicationError) {
        let rows = try await CatalogReader(connection, .target).tables([target])[target]?.rowsSQL ?? target.sql
        try await connection.run("SAVEPOINT emptying", on: .target, doing: doing)
        do throws(PostgresError) { _ = try await connection.query("TRUNCATE \(rows)", []) } catch {
            // Refused for tables that others refer to.
            guard error.sqlstate == "0A000" else { throw .database(.target, error, doing: doing) }
            try await connection.run("ROLLBACK TO emptying", on: .target, doing: doing)
            try await delete(rows, of: target, doing)
        }
    }

    /// Leaves tables alone that refer to the rows, which come back: no foreign key may delete theirs, or refuse.
    private func delete(
        _ rows: String, of target: QualifiedName, _ doing: String
    ) async throws(ReplicationError) {
        do throws(PostgresError) {
            _ = try await connection.query("SET LOCAL session_replication_role = replica", [])
        } catch {
            guard error.sqlstate == "42501" else { throw .database(.target, error, doing: doing) }
            throw .mismatch(
                code: "RH3411",
                "\(target) cannot be emptied to copy it anew: foreign keys refer to it, and may not be turned off",
                hint:
                    "Grant the right (GRANT SET ON PARAMETER session_replication_role TO …, from PostgreSQL 15 on), or "
                    + "drop the foreign keys until the copy is done.")
        }
        try await connection.run("DELETE FROM \(rows)", on: .target, doing: doing)
    }
}
