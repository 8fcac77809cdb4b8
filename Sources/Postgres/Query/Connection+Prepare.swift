import CLibpq
package import PostgresProtocol

extension Connection {
    /// How many prepared statements the server keeps for this session; 0 prepares nothing, for poolers that move
    /// sessions between servers. Values then travel as text.
    package var preparedStatementLimit: Int {
        get { statements.capacity }
        set { statements.resize(to: newValue) }
    }

    /// Statements that are prepared now.
    package var preparedStatementCount: Int { statements.count }

    /// Has the server parse a statement, unless it has already, and describe its parameters and columns. It is kept like
    /// those of `query`, so a later `query` with the same text finds it.
    package func prepare(
        _ sql: String, types: [OID] = [], until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> PreparedStatement {
        try await statement(until: deadline) { _ throws(PostgresError) in
            try await prepared(StatementCache.Key(sql: sql, types: types), until: deadline)
        }
    }

    /// The columns that a query has now: unlike `prepare`, asks the server also when the text is known.
    package func describe(_ sql: String, until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError)
        -> ResultShape
    {
        try await statement(until: deadline) { _ throws(PostgresError) in
            let key = StatementCache.Key(sql: sql, types: [])
            let answer = try await exchangePrepare(key, name: "", forgetting: [], until: deadline)
            defer { PQclear(answer) }
            return ResultShape(answer)
        }
    }

    /// From the cache, or prepared in one round trip. The caller has taken the connection.
    func prepared(
        _ key: StatementCache.Key, forgetsEvicted: Bool = true, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> PreparedStatement {
        if let statement = statements.find(key) { return statement }
        let name = statements.makeName()
        let evicted = forgetsEvicted ? statements.takeEvicted() : []
        let answer: OpaquePointer
        do {
            answer = try await exchangePrepare(key, name: name, forgetting: evicted, until: deadline)
        } catch {
            // The server skips what follows an error.
            statements.keepEvicted(evicted)
            throw error
        }
        defer { PQclear(answer) }
        let types = (0..<PQnparams(answer)).map { OID(PQparamtype(answer, $0)) }
        let statement = PreparedStatement(
            sql: key.sql, name: name, parameterTypes: types, described: ResultShape(answer))
        statements.insert(statement, for: key)
        return statement
    }

    /// Parse, Describe, then DEALLOCATE for what the cache has dropped, in one pipeline. The answer to Describe.
    private func exchangePrepare(
        _ key: StatementCache.Key, name: String, forgetting evicted: [String], until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> OpaquePointer {
        let raw = try self.raw()
        let types = key.types.map(\.rawValue)
        var isSent = PQenterPipelineMode(raw) == 1
        isSent = isSent && PQsendPrepare(raw, name, key.sql, CInt(types.count), types) == 1
        isSent = isSent && PQsendDescribePrepared(raw, name) == 1
        for old in evicted {
            isSent = isSent && PQsendQueryParams(raw, "DEALLOCATE \(old)", 0, nil, nil, nil, nil, 0) == 1
        }
        guard isSent, PQpipelineSync(raw) == 1 else { throw lost() }
        try await flush(until: deadline)
        return try await takeDescription(raw, query: key.sql, until: deadline)
    }

    /// Reads the pipeline to its end: the second result is the description. The caller clears it.
    private func takeDescription(
        _ raw: OpaquePointer, query: String, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> OpaquePointer {
        var description: OpaquePointer?
        var failure: PostgresError?
        var position = 0
        do throws(PostgresError) {
            while let result = try await nextPipelineResult(until: deadline) {
                position += 1
                if PQresultStatus(result) == PGRES_FATAL_ERROR, failure == nil, position <= 2 {
                    failure = error(of: result, query: query)
                }
                if position == 2, failure == nil { description = result } else { PQclear(result) }
            }
        } catch {
            if let description { PQclear(description) }
            throw error
        }
        if failure == nil, let description { return description }
        if let description { PQclear(description) }
        throw failure ?? .unexpected("no description of a prepared statement")
    }

    /// The next result of a pipeline; nil when the answer to Sync has come, with pipeline mode left.
    func nextPipelineResult(until deadline: ContinuousClock.Instant?) async throws(PostgresError) -> OpaquePointer? {
        while true {
            guard let result = try await nextResult(until: deadline) else {
                guard let handle, PQstatus(handle) == CONNECTION_OK else { throw lost() }
                continue
            }
            guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else { return result }
            PQclear(result)
            guard PQexitPipelineMode(try self.raw()) == 1 else { throw .unexpected("the pipeline has not ended") }
            return nil
        }
    }
}
