import CLibpq
import PostgresProtocol

/// How the rows of a query come.
package enum RowFeed {
    case results(RowStream)
    /// Binary, in the columns of the shape.
    case copy(CopyOutStream, ResultShape)
}

extension Connection {
    /// Runs a single statement and streams its rows in the way that costs least.
    ///
    /// For a SELECT without parameters that is binary COPY: libpq makes no result object for each row, which is most of
    /// the work of reading one. COPY does not describe its columns, so the same message asks for those first: the two
    /// statements are one transaction, and what the first one has seen nobody can change before the second.
    package func stream(
        _ sql: String, _ parameters: [Parameter] = [], until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> RowFeed {
        guard parameters.isEmpty, case .prepared(let key) = try plan(sql, parameters) else {
            return .results(try await rows(sql, parameters, until: deadline))
        }
        try await begin(until: deadline)
        do {
            if let feed = try await openCopy(of: key, until: deadline) { return feed }
        } catch {
            await settle(after: error)
            throw error
        }
        finish()
        return .results(try await rows(sql, parameters, until: deadline))
    }

    /// Nil when COPY cannot run the query, or is not worth while; nothing runs then.
    private func openCopy(
        of key: StatementCache.Key, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> RowFeed? {
        let statement = try await prepared(key, until: deadline)
        guard statement.isPlainQuery, statement.parameterTypes.isEmpty, statement.format == .binary,
            !statements.returnsFew(key)
        else { return nil }
        if statement.dirties { isDirty = true }
        let copy = "COPY (\n\(SQLScanner.firstStatement(of: key.sql))\n) TO STDOUT (FORMAT binary)"
        guard let answer = try await startCopy(copy, of: key.sql, as: statement.shape, until: deadline) else {
            statements.remove(key, serverHasIt: true)
            let mustUndo = beganInTransaction
            await settle(after: .columnsChanged)
            if mustUndo, transactionStatus == .inError { try await rollback(to: Self.streamSavepoint, until: deadline) }
            return nil
        }
        defer { PQclear(answer) }
        return .copy(open(answer, of: key.sql), statement.shape)
    }

    /// Runs `copy`, a `COPY … TO STDOUT` of what `query` returns, and streams what it sends. Throws if the query's
    /// columns, by name and type, are not those of `shape`: COPY itself does not tell.
    package func copyOut(
        _ copy: String, of query: String, as shape: ResultShape, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> CopyOutStream {
        guard StatementTraits(query).isPlainQuery else { return try await copyOut(copy, until: deadline) }
        try await begin(until: deadline)
        do throws(PostgresError) {
            guard let answer = try await startCopy(copy, of: query, as: shape, until: deadline) else {
                throw .columnsChanged
            }
            defer { PQclear(answer) }
            return open(answer, of: copy)
        } catch {
            await settle(after: error)
            throw error
        }
    }

    /// Lets a stream be left early inside a transaction: cancelling it fails what came since.
    private static let streamSavepoint = "replhost_stream"

    private func open(_ answer: OpaquePointer, of query: String) -> CopyOutStream {
        openings += 1
        activity = .open(openings)
        return CopyOutStream(
            self, query: query, answer: answer, savepoint: beganInTransaction ? Self.streamSavepoint : nil)
    }

    /// The answer to `copy`, which the caller clears; nil, and COPY runs, if the query's columns are others.
    private func startCopy(
        _ copy: String, of query: String, as shape: ResultShape, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> OpaquePointer? {
        // Line breaks end what may be a comment.
        let statements = "SELECT * FROM (\n\(SQLScanner.firstStatement(of: query))\n) AS columns LIMIT 0; \(copy)"
        let name = Self.streamSavepoint
        try sendSimple(
            beganInTransaction ? "SAVEPOINT \(name); \(statements); RELEASE SAVEPOINT \(name)" : statements)
        try await flush(until: deadline)
        if beganInTransaction {
            guard let made = try await nextResult(until: deadline) else { throw .unexpected("no savepoint") }
            defer { PQclear(made) }
            guard PQresultStatus(made) == PGRES_COMMAND_OK else { throw error(of: made, query: nil) }
        }
        guard try await describesItself(as: shape, until: deadline) else { return nil }
        guard let answer = try await nextResult(until: deadline) else { throw .unexpected("no answer to COPY") }
        if PQresultStatus(answer) == PGRES_COPY_OUT { return answer }
        defer { PQclear(answer) }
        throw error(of: answer, query: nil)
    }

    /// A stream of a query has been read to its end.
    func noteStreamed(_ count: Int, _ sql: String) {
        statements.noteStreamed(count, StatementCache.Key(sql: sql, types: []))
    }

    private func describesItself(
        as shape: ResultShape, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Bool {
        guard let description = try await nextResult(until: deadline) else { throw .unexpected("no description") }
        defer { PQclear(description) }
        guard PQresultStatus(description) == PGRES_TUPLES_OK else { throw error(of: description, query: nil) }
        return ResultShape(description).columns.elementsEqual(shape.columns) {
            $0.name == $1.name && $0.type == $1.type
        }
    }
}

extension SQLScanner {
    /// The text of the first statement, without the comments and the `;` around it.
    fileprivate static func firstStatement(of sql: String) -> Substring {
        guard let range = statements(in: sql).first?.range else { return Substring(sql) }
        let utf8 = sql.utf8
        return sql[
            utf8.index(
                utf8.startIndex, offsetBy: range.lowerBound)..<utf8.index(utf8.startIndex, offsetBy: range.upperBound)]
    }
}

extension PostgresError {
    fileprivate static let columnsChanged = PostgresError.unusable(
        reason: "the columns of the query have changed since it was prepared")
}
