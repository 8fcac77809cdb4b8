import CLibpq
import EventLoops
import PostgresProtocol

/// The rows of one query, taken one by one as they come: memory does not grow with their number.
///
///     while true {
///         switch try rows.next() {
///         case .row(let row): use(row)
///         case .pending: try await rows.wait()
///         case .end: return
///         }
///     }
///
/// The connection is taken until `.end`, an error, or `close()`. Used on the connection's loop only.
package final class RowStream {
    package enum Step {
        /// Valid until the next call.
        case row(ResultRow)
        /// Nothing has come yet: `wait()`, then ask again.
        case pending
        /// No more rows; the connection is free.
        case end
    }

    private enum State {
        case reading
        /// The server has refused; what is left of its answer is read before the error is thrown.
        case failing(PostgresError)
        case failed(PostgresError)
        case ended
    }

    package let shape: ResultShape
    /// As in `SELECT 3`, after `.end`.
    package private(set) var command = ""
    /// Rows that the command returned or changed, after `.end`.
    package private(set) var affected: Int?
    private let hold: Hold
    private var connection: Connection { hold.connection }
    private let query: String
    private let format: DataFormat
    private var state = State.reading
    /// The row handed out last, or the first one, not handed out yet.
    private var result: OpaquePointer?
    private var isFirst: Bool

    /// `first` is the first result of `query`; the stream clears it.
    init(_ connection: Connection, query: String, shape: ResultShape, first: OpaquePointer) {
        self.hold = Hold(on: connection, for: "row stream")
        self.query = query
        self.shape = shape
        self.format = shape.columns.first?.format ?? .text
        self.result = first
        self.isFirst = true
    }

    deinit { PQclear(result) }

    package var columns: [Column] { shape.columns }

    /// The next row if it is here. Does not wait.
    package func next() throws(PostgresError) -> Step {
        switch state {
        case .reading, .failing: break
        case .failed(let error): throw error
        case .ended: return .end
        }
        let raw = try hold.handle()
        if isFirst {
            isFirst = false
            if let step = take(result) { return step }
        }
        while true {
            if PQisBusy(raw) == 1 {
                try connection.consumeInput()
                if PQisBusy(raw) == 1 { return .pending }
            }
            PQclear(result)
            result = PQgetResult(raw)
            guard result != nil else { return try finish() }
            if let step = take(result) { return step }
        }
    }

    /// Waits until `next()` is worth asking. On a deadline or cancellation the query is cancelled on the server, the
    /// connection cleaned up, and the stream is over.
    package func wait(until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        let raw = try hold.handle()
        do {
            while PQisBusy(raw) == 1 {
                try await connection.wait(for: .readable, until: deadline)
                try connection.consumeInput()
            }
        } catch {
            state = .failed(error)
            await connection.settle(after: error)
            throw error
        }
    }

    /// Ends the stream early: cancels the query and drops what is on its way. The connection is free (or broken)
    /// afterwards. Idempotent.
    package func close() async {
        switch state {
        case .failed, .ended: return
        case .reading, .failing: break
        }
        state = .ended
        PQclear(result)
        result = nil
        await hold.giveUp()
    }

    /// As `close()`, but a transaction that was open fails: somebody wants the statement to end now.
    package func cancel() async {
        switch state {
        case .failed, .ended: return
        case .reading, .failing: break
        }
        state = .ended
        PQclear(result)
        result = nil
        await connection.settle(cancelling: true, until: .now + Connection.grace)
    }

    /// What a result means; nil to go on with the next.
    private func take(_ taken: OpaquePointer?) -> Step? {
        guard let taken else { return nil }
        let status = PQresultStatus(taken)
        if status == PGRES_SINGLE_TUPLE {
            return .row(ResultRow(result: taken, row: 0, columns: shape.columns.count, format: format))
        }
        if status == PGRES_FATAL_ERROR {
            state = .failing(connection.error(of: taken, query: query))
            return nil
        }
        command = PQcmdStatus(taken).map { String(cString: $0) } ?? ""
        affected = PQcmdTuples(taken).flatMap { Int(String(cString: $0)) }
        connection.noteCommand(PQcmdStatus(taken))
        return nil
    }

    private func finish() throws(PostgresError) -> Step {
        connection.finish()
        if case .failing(let error) = state {
            state = .failed(error)
            throw error
        }
        state = .ended
        if let affected { connection.noteStreamed(affected, query) }
        return .end
    }
}
