import CLibpq
import EventLoops

extension Connection {
    /// Waits for the socket; errors in this layer's words.
    func wait(for event: SocketEvent, until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        let socket = PQsocket(try raw())
        guard socket >= 0 else { throw lost() }
        do {
            try await loop.wait(for: event, on: socket, until: deadline)
        } catch {
            throw Self.error(for: error, what: "waiting for the server")
        }
    }

    static func error(for error: WaitError, what: String) -> PostgresError {
        switch error {
        case .timedOut: .timedOut(what: what)
        case .cancelled: .cancelled
        case .stopped: .unusable(reason: "the event loop has been stopped")
        }
    }

    /// Sends what libpq has buffered, reading meanwhile: a server that cannot get rid of its answers reads nothing.
    func flush(until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        while try flushOnce() == false { try await waitToFlush(until: deadline) }
    }

    /// True when libpq's buffer is empty. Does not wait.
    func flushOnce() throws(PostgresError) -> Bool {
        switch PQflush(try raw()) {
        case 0: return true
        case 1: return false
        default: throw lost()
        }
    }

    /// Waits until sending may go on, having read what has come.
    func waitToFlush(until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        try await wait(for: .readableOrWritable, until: deadline)
        try consumeInput()
    }

    /// Reads what the socket has. Does not wait.
    func consumeInput() throws(PostgresError) {
        let raw = try raw()
        guard PQconsumeInput(raw) == 1 else { throw lost() }
        // OpenSSL may hold the rest of a record, which poll(2) does not see.
        guard !usesTLS || PQconsumeInput(raw) == 1 else { throw lost() }
    }

    /// Waits until the next result can be taken without blocking.
    func waitForResult(until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        while PQisBusy(try self.raw()) == 1 {
            try await wait(for: .readable, until: deadline)
            try consumeInput()
        }
    }

    /// The next result, nil at the end of a statement's results. The caller clears it.
    func nextResult(until deadline: ContinuousClock.Instant?) async throws(PostgresError) -> OpaquePointer? {
        try await waitForResult(until: deadline)
        return PQgetResult(try raw())
    }

    /// The connection is gone: notes it and says why, in the server's words if it said good-bye.
    func lost() -> PostgresError {
        guard let handle else { return .unusable(reason: "the connection is closed") }
        // The good-bye may have been read together with the end of the stream, and wait for somebody to take it.
        while PQisBusy(handle) == 0, let result = PQgetResult(handle) {
            defer { PQclear(result) }
            if let error = ServerError(result: result), error.endsSession {
                return lost(error.message, sqlstate: error.sqlstate)
            }
            if PQstatus(handle) != CONNECTION_BAD { break }
        }
        return lost(PQerrorMessage(handle).map { String(cString: $0) } ?? "", sqlstate: nil)
    }

    /// Notes that the connection is gone. The server's good-bye, if it came, is a better reason than `message`.
    func lost(_ message: String, sqlstate: String?) -> PostgresError {
        let farewell = notices.farewell
        let reason = farewell?.message ?? ConnectMessage(libpqMessage: settings.redacted(message)).reason
        let error = PostgresError.connectionLost(reason: reason, sqlstate: sqlstate ?? farewell?.sqlstate)
        fail(error)
        return error
    }

    /// The error that a result carries. One that ends the session breaks the connection.
    func error(of result: OpaquePointer, query: String?) -> PostgresError {
        guard let error = ServerError(result: result, query: query) else {
            guard let handle, PQstatus(handle) == CONNECTION_OK else { return lost() }
            let text = PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
            return .unexpected(ConnectMessage(libpqMessage: text).reason)
        }
        return error.endsSession ? lost(error.message, sqlstate: error.sqlstate) : .server(error)
    }
}
