import CLibpq
import EventLoops
package import PostgresProtocol

/// What `COPY … TO STDOUT` sends, message by message: a message is one row (and in binary format also the header and
/// the trailer) as the server made it. Used like `RowStream`.
package final class CopyOutStream {
    package enum Step {
        /// Valid until the next call.
        case message(UnsafeRawBufferPointer)
        /// Nothing has come yet: `wait()`, then ask again.
        case pending
        /// All has come; the connection is free.
        case end
    }

    private enum State {
        case reading
        /// The data has ended; the command's result is still on its way.
        case ending(PostgresError?)
        case failed(PostgresError)
        case ended
    }

    package let format: DataFormat
    package let columnCount: Int
    /// As the server counted them, after `.end`.
    package private(set) var rowCount: Int?
    private let hold: Hold
    private var connection: Connection { hold.connection }
    private let query: String
    private var state = State.reading
    /// The message handed out last; libpq's memory.
    private var message: UnsafeMutablePointer<CChar>?

    /// `answer` is the server's `PGRES_COPY_OUT`; the caller keeps it.
    /// - Parameter savepoint: was made before the COPY, in the same message.
    init(_ connection: Connection, query: String, answer: OpaquePointer, savepoint: String? = nil) {
        self.hold = Hold(on: connection, for: "COPY stream", savepoint: savepoint)
        self.query = query
        self.format = PQbinaryTuples(answer) == 1 ? .binary : .text
        self.columnCount = Int(PQnfields(answer))
    }

    deinit { PQfreemem(message) }

    /// The next message if it is here. Does not wait.
    package func next() throws(PostgresError) -> Step {
        switch state {
        case .reading: break
        case .ending: return try takeResult(try hold.handle())
        case .failed(let error): throw error
        case .ended: return .end
        }
        let raw = try hold.handle()
        PQfreemem(message)
        message = nil
        var length = PQgetCopyData(raw, &message, 1)
        if length == 0 {
            try connection.consumeInput()
            length = PQgetCopyData(raw, &message, 1)
        }
        if length > 0 { return .message(UnsafeRawBufferPointer(start: message, count: Int(length))) }
        guard length < 0 else { return .pending }
        guard length == -1 else { throw connection.lost() }
        state = .ending(nil)
        return try takeResult(raw)
    }

    /// Waits until `next()` is worth asking. On a deadline or cancellation the COPY is cancelled on the server, the
    /// connection cleaned up, and the stream is over.
    package func wait(until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        _ = try hold.handle()
        do {
            try await connection.wait(for: .readable, until: deadline)
            try connection.consumeInput()
        } catch {
            state = .failed(error)
            await connection.settle(after: error)
            throw error
        }
    }

    /// Ends the stream early: cancels the COPY and drops what is on its way. The connection is free (or broken)
    /// afterwards. Idempotent.
    package func close() async {
        switch state {
        case .failed, .ended: return
        case .reading, .ending: break
        }
        state = .ended
        PQfreemem(message)
        message = nil
        await hold.giveUp()
    }

    /// As `close()`, but a transaction that was open fails: somebody wants the statement to end now.
    package func cancel() async {
        switch state {
        case .failed, .ended: return
        case .reading, .ending: break
        }
        state = .ended
        PQfreemem(message)
        message = nil
        await connection.settle(cancelling: true, until: .now + Connection.grace)
    }

    /// Reads the results behind the data, as far as they are here.
    private func takeResult(_ raw: OpaquePointer) throws(PostgresError) -> Step {
        while PQisBusy(raw) == 0 {
            guard let result = PQgetResult(raw) else { return try finish() }
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_FATAL_ERROR {
                state = .ending(connection.error(of: result, query: query))
            } else {
                // The savepoint's RELEASE follows, without a count.
                rowCount = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? rowCount
            }
        }
        return .pending
    }

    private func finish() throws(PostgresError) -> Step {
        connection.finish()
        if case .ending(let error?) = state {
            state = .failed(error)
            throw error
        }
        state = .ended
        if let rowCount { connection.noteStreamed(rowCount, query) }
        return .end
    }
}
