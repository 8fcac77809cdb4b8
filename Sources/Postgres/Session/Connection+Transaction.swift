import PostgresProtocol

extension Connection {
    /// Opens a transaction; there must be none.
    package func beginTransaction(
        _ options: TransactionOptions = TransactionOptions(), until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) {
        guard transactionStatus == .idle else {
            _ = try raw()
            throw .unusable(reason: "a transaction is open already")
        }
        try await command(options.sql, until: deadline)
    }

    /// Throws `.commitRolledBack` if the server answers with ROLLBACK, as it does after a failed statement.
    package func commit(until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        let tag = try await command("COMMIT", until: deadline)
        guard tag != "ROLLBACK" else { throw .commitRolledBack }
    }

    package func rollback(until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        try await command("ROLLBACK", until: deadline)
    }

    package func savepoint(_ name: String, until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        try await command("SAVEPOINT \(SQLText.quoteIdentifier(name))", until: deadline)
    }

    /// Undoes everything since the savepoint, and drops it.
    package func rollback(
        to name: String, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) {
        let savepoint = SQLText.quoteIdentifier(name)
        try await command("ROLLBACK TO SAVEPOINT \(savepoint); RELEASE SAVEPOINT \(savepoint)", until: deadline)
    }

    /// Drops the savepoint and keeps what was done since.
    package func release(_ name: String, until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        try await command("RELEASE SAVEPOINT \(SQLText.quoteIdentifier(name))", until: deadline)
    }
}
