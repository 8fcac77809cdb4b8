import CLibpq
import PostgresProtocol

extension Connection {
    /// Asked before a result takes more memory; false refuses, and the query fails with `.resultTooLarge`.
    package typealias Reserve = (_ bytes: Int) -> Bool

    /// Runs a text and collects the result of its last statement.
    ///
    /// A single statement that the planner handles is prepared once for this session. Several statements run as one
    /// implicit transaction, in PostgreSQL's simple protocol, and take no parameters.
    package func query(
        _ sql: String, _ parameters: [Parameter] = [], until deadline: ContinuousClock.Instant? = nil,
        reserve: Reserve? = nil
    ) async throws(PostgresError) -> ResultSet {
        let results = try await queryAll(sql, parameters, until: deadline, reserve: reserve)
        guard let last = results.last else { throw .unexpected("no result") }
        return last
    }

    /// As `query`, with the results of all statements, in order; at least one.
    package func queryAll(
        _ sql: String, _ parameters: [Parameter] = [], until deadline: ContinuousClock.Instant? = nil,
        reserve: Reserve? = nil
    ) async throws(PostgresError) -> [ResultSet] {
        try await statement(until: deadline) { _ throws(PostgresError) in
            let collector = ResultCollector(reserve: reserve)
            try await run(sql, parameters, into: collector, until: deadline)
            return collector.results
        }
    }

    private func run(
        _ sql: String, _ parameters: [Parameter], into collector: ResultCollector,
        until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) {
        let plan = try plan(sql, parameters)
        switch plan {
        case .simple: try sendSimple(sql)
        case .unprepared(let types): try sendUnprepared(sql, parameters, types)
        case .prepared(let key): return try await runPrepared(key, parameters, into: collector, until: deadline)
        }
        try await collect(sql, shape: nil, into: collector, until: deadline)
    }

    /// How a text is sent.
    enum Plan {
        /// Simple protocol: text results, several statements.
        case simple
        /// Extended protocol without a name: text results.
        case unprepared([OID])
        case prepared(StatementCache.Key)
    }

    func plan(_ sql: String, _ parameters: [Parameter]) throws(PostgresError) -> Plan {
        let key = StatementCache.Key(sql: sql, types: parameters.map(\.declaredType))
        if statements.find(key) != nil { return .prepared(key) }
        guard !sql.utf8.contains(0) else { throw .unusable(reason: "the SQL text contains a zero byte") }
        let traits = StatementTraits(sql)
        if traits.dirties { isDirty = true }
        if parameters.isEmpty, traits.count != 1 || !traits.isPlannable { return .simple }
        guard traits.count == 1 else {
            throw .unusable(
                reason: traits.count == 0
                    ? "an empty text takes no parameters" : "several statements in one text take no parameters")
        }
        // The server takes more types than there are parameters; fewer it refuses in words of its own.
        guard parameters.count <= traits.highestParameter else {
            throw .parameterCount(expected: traits.highestParameter, given: parameters.count)
        }
        return statements.capacity == 0 ? .unprepared(key.types) : .prepared(key)
    }

    func sendSimple(_ sql: String) throws(PostgresError) {
        guard PQsendQuery(try self.raw(), sql) == 1 else { throw lost() }
    }

    func sendUnprepared(_ sql: String, _ parameters: [Parameter], _ types: [OID]) throws(PostgresError) {
        let raw = try self.raw()
        let block = try ParameterBlock(parameters, types: types)
        let oids = types.map(\.rawValue)
        let isSent = block.withPointers { count, values, lengths, formats in
            PQsendQueryParams(raw, sql, count, oids, values, lengths, formats, 0) == 1
        }
        guard isSent else { throw lost() }
    }

    func sendPrepared(_ statement: PreparedStatement, _ parameters: [Parameter]) throws(PostgresError) {
        let raw = try self.raw()
        let block = try ParameterBlock(parameters, types: statement.parameterTypes)
        if statement.dirties { isDirty = true }
        let isSent = block.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(
                raw, statement.name, count, values, lengths, formats, CInt(statement.format.rawValue)) == 1
        }
        guard isSent else { throw lost() }
    }

    /// Runs a prepared statement; prepares it anew, once, when the server's copy has become useless.
    private func runPrepared(
        _ key: StatementCache.Key, _ parameters: [Parameter], into collector: ResultCollector,
        until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) {
        let wasCached = statements.find(key) != nil
        let statement = try await prepared(key, until: deadline)
        do {
            try sendPrepared(statement, parameters)
            try await collect(key.sql, shape: statement.shape, into: collector, until: deadline)
        } catch {
            guard wasCached, forgetUseless(key, error), transactionStatus == .idle else { throw error }
            let fresh = try await prepared(key, until: deadline)
            try sendPrepared(fresh, parameters)
            try await collect(key.sql, shape: fresh.shape, into: collector, until: deadline)
        }
    }

    /// "cached plan must not change result type" and "prepared statement does not exist": true if the error was one of
    /// them; the statement is prepared again at its next use.
    func forgetUseless(_ key: StatementCache.Key, _ error: PostgresError) -> Bool {
        guard case .server(let server) = error else { return false }
        switch server.sqlstate {
        case "0A000" where server.message.hasPrefix("cached plan"): statements.remove(key, serverHasIt: true)
        case "26000": statements.remove(key, serverHasIt: false)
        default: return false
        }
        return true
    }

    /// Collects all results of what was sent; to the end, whatever is among them.
    private func collect(
        _ sql: String, shape: ResultShape?, into collector: ResultCollector, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) {
        PQsetSingleRowMode(try self.raw())
        try await flush(until: deadline)
        var failure: PostgresError?
        while let result = try await nextResult(until: deadline) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_FATAL_ERROR: failure = failure ?? error(of: result, query: sql)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                throw .unusable(reason: "COPY from or to the client needs a call of its own")
            default: try collector.add(result, shape: shape)
            }
            noteCommand(PQcmdStatus(result))
        }
        if let failure { throw failure }
    }

    /// Forgets prepared statements when the command tag says that the server has.
    func noteCommand(_ tag: UnsafePointer<CChar>?) {
        guard let tag, tag[0] == CChar(bitPattern: UInt8(ascii: "D")) else { return }
        let text = String(cString: tag)
        if text == "DISCARD ALL" || text == "DEALLOCATE ALL" { statements.forgetAll() }
    }
}
