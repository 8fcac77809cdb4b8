import CLibpq

extension Connection {
    /// Runs one or several statements without parameters and drops their rows. The command tag of the last one.
    @discardableResult
    package func execute(
        _ sql: String, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> String {
        guard !sql.utf8.contains(0) else { throw .unusable(reason: "the SQL text contains a zero byte") }
        if StatementTraits(sql).dirties { isDirty = true }
        return try await command(sql, until: deadline)
    }

    /// As `execute`, for statements of our own: they leave the session as clean as it was.
    @discardableResult
    func command(_ sql: String, until deadline: ContinuousClock.Instant?) async throws(PostgresError) -> String {
        try await statement(until: deadline) { _ throws(PostgresError) in try await simple(sql, until: deadline) }
    }

    /// The exchange of `execute`, for callers that have taken the connection.
    @discardableResult
    func simple(_ sql: String, until deadline: ContinuousClock.Instant?) async throws(PostgresError) -> String {
        let raw = try self.raw()
        guard PQsendQuery(raw, sql) == 1 else { throw lost() }
        try await flush(until: deadline)
        var tag = ""
        var failure: PostgresError?
        while let result = try await nextResult(until: deadline) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_FATAL_ERROR: failure = failure ?? error(of: result, query: sql)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                throw .unusable(reason: "COPY needs a stream of its own")
            default: tag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
            }
            noteCommand(PQcmdStatus(result))
        }
        if let failure { throw failure }
        return tag
    }
}
