import CLibpq
import PostgresProtocol

extension Connection {
    /// Runs a single statement and streams its rows. Returns when the first row, the end or an error has come.
    package func rows(
        _ sql: String, _ parameters: [Parameter] = [], until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> RowStream {
        try await begin(until: deadline)
        do {
            let (first, shape) = try await open(sql, parameters, until: deadline)
            openings += 1
            activity = .open(openings)
            return RowStream(self, query: sql, shape: shape ?? ResultShape(first), first: first)
        } catch {
            await settle(after: error)
            throw error
        }
    }

    /// Sends the statement and waits for its first result.
    private func open(
        _ sql: String, _ parameters: [Parameter], until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> (first: OpaquePointer, shape: ResultShape?) {
        let key: StatementCache.Key
        switch try plan(sql, parameters) {
        case .prepared(let planned): key = planned
        case .unprepared(let types):
            try sendUnprepared(sql, parameters, types)
            return (try await firstResult(sql, until: deadline), nil)
        case .simple:
            guard StatementTraits(sql).count == 1 else {
                throw .unusable(reason: "only a single statement can be streamed")
            }
            try sendUnprepared(sql, parameters, [])
            return (try await firstResult(sql, until: deadline), nil)
        }
        let wasCached = statements.find(key) != nil
        do {
            return try await openPrepared(key, parameters, until: deadline)
        } catch {
            guard wasCached, forgetUseless(key, error) else { throw error }
            await settle(cancelling: false, until: .now + Self.grace)
            guard transactionStatus == .idle else { throw error }
            activity = .statement
            return try await openPrepared(key, parameters, until: deadline)
        }
    }

    private func openPrepared(
        _ key: StatementCache.Key, _ parameters: [Parameter], until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> (first: OpaquePointer, shape: ResultShape?) {
        let statement = try await prepared(key, until: deadline)
        try sendPrepared(statement, parameters)
        return (try await firstResult(key.sql, until: deadline), statement.shape)
    }

    /// The first row or the end of the result; the caller clears it.
    func firstResult(
        _ sql: String, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> OpaquePointer {
        PQsetSingleRowMode(try self.raw())
        try await flush(until: deadline)
        guard let result = try await nextResult(until: deadline) else { throw .unexpected("no result") }
        switch PQresultStatus(result) {
        case PGRES_FATAL_ERROR:
            defer { PQclear(result) }
            throw error(of: result, query: sql)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            PQclear(result)
            throw .unusable(reason: "COPY from or to the client needs a call of its own")
        default: return result
        }
    }
}
