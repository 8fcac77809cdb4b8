import CLibpq
import PostgresProtocol

extension Connection {
    /// Runs `COPY … TO STDOUT`, a single statement, and streams what it sends.
    package func copyOut(
        _ sql: String, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> CopyOutStream {
        let answer = try await startCopy(sql, expecting: PGRES_COPY_OUT, until: deadline)
        defer { PQclear(answer) }
        return CopyOutStream(self, query: sql, answer: answer)
    }

    /// Runs `COPY … FROM STDIN`, a single statement, and takes the data from the writer.
    package func copyIn(
        _ sql: String, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> CopyInWriter {
        let answer = try await startCopy(sql, expecting: PGRES_COPY_IN, until: deadline)
        defer { PQclear(answer) }
        return CopyInWriter(self, query: sql, answer: answer)
    }

    /// The server's answer, with the connection taken for the COPY. The caller clears it.
    func startCopy(
        _ sql: String, expecting status: ExecStatusType, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> OpaquePointer {
        guard !sql.utf8.contains(0), SQLScanner.isSingle(sql) else {
            throw .unusable(reason: "COPY from or to the client takes a single statement")
        }
        try await begin(until: deadline)
        do {
            try sendSimple(sql)
            try await flush(until: deadline)
            let answer = try await copyAnswer(sql, expecting: status, until: deadline)
            openings += 1
            activity = .open(openings)
            return answer
        } catch {
            await settle(after: error)
            throw error
        }
    }

    private func copyAnswer(
        _ sql: String, expecting status: ExecStatusType, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> OpaquePointer {
        guard let answer = try await nextResult(until: deadline) else { throw .unexpected("no result") }
        if PQresultStatus(answer) == status { return answer }
        defer { PQclear(answer) }
        if PQresultStatus(answer) == PGRES_FATAL_ERROR { throw error(of: answer, query: sql) }
        switch status {
        case PGRES_COPY_OUT: throw .unusable(reason: "the statement is not a COPY to the client")
        case PGRES_COPY_IN: throw .unusable(reason: "the statement is not a COPY from the client")
        default: throw .unusable(reason: "the statement starts no replication")
        }
    }

    /// Ends the data of a COPY from the client; with `message` the server fails it with these words.
    func endCopyIn(_ message: String?, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        let raw = try self.raw()
        while true {
            let sent = message.map { PQputCopyEnd(raw, $0) } ?? PQputCopyEnd(raw, nil)
            if sent == 1 { break }
            guard sent == 0 else { throw lost() }
            try await waitToFlush(until: deadline)
        }
        try await flush(until: deadline)
    }
}
