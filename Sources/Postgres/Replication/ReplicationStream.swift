import CLibpq
import EventLoops
package import PostgresProtocol

/// What a walsender streams, CopyData by CopyData, and the way back for the client's progress.
///
/// Used on the connection's loop only, by one task that reads; others may `send` meanwhile. A deadline or cancellation
/// of a call leaves the stream as it was. After an error of the stream every call throws that error: `.server` and the
/// connection is free again (closed, if the server was still streaming), `.connectionLost` and it is broken.
package final class ReplicationStream {
    private enum State {
        case streaming
        /// The server has ended the stream; the reason may still be on its way.
        case ending(PostgresError?)
        case failed(PostgresError)
        case stopped
    }

    private let hold: Hold
    private var connection: Connection { hold.connection }
    private let command: String
    private var state = State.streaming
    /// The message handed out last; libpq's memory.
    private var message: UnsafeMutablePointer<CChar>?
    /// Waits for room in the socket.
    private var unsent: StandbyStatus?
    private var outgoing = ByteBuffer()
    /// From PostgreSQL 18 on a publication that is not there is no error, and its changes are just not sent: the server
    /// only warns, before the first of them.
    private var omission: PostgresError?

    /// For a connection on which `command` has just begun to stream.
    init(_ connection: Connection, command: String) {
        self.hold = Hold(on: connection, for: "replication stream")
        self.command = command
        connection.onNotice = { [weak self] notice in
            guard notice.severity == "WARNING", notice.sqlstate == "55000" else { return }
            self?.omission = .server(notice)
        }
    }

    deinit { PQfreemem(message) }

    /// Waits for the next CopyData (see `StreamFrame`). Valid until the next call.
    package func next(
        until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> UnsafeRawBufferPointer {
        guard !Task.isCancelled else { throw .cancelled }
        while true {
            if let message = try nextAvailable() { return message }
            try await connection.wait(for: .readable, until: deadline)
        }
    }

    /// The next CopyData if it is here, else nil. Does not wait. Valid until the next call.
    package func nextAvailable() throws(PostgresError) -> UnsafeRawBufferPointer? {
        do throws(PostgresError) {
            switch state {
            case .streaming: return try take(try hold.handle())
            case .ending: try connection.consumeInput()
            case .failed(let error): throw error
            case .stopped: throw .unusable(reason: "the replication stream has been stopped")
            }
            try readEnd(try hold.handle())
            return nil
        } catch {
            fail(error)
            throw error
        }
    }

    /// Tells the server how far the client is. Of several that wait for a full socket only the last one is sent, asking
    /// for a reply if any of them does.
    package func send(
        _ status: StandbyStatus, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) {
        _ = try handleForSending()
        unsent = status.replacing(unsent)
        // A write that has to wait makes libpq read, and the reader would not be woken for what came that way.
        try await connection.wait(for: .writable, until: deadline)
        let raw = try handleForSending()
        guard let last = unsent else { return }
        unsent = nil
        outgoing.removeAll()
        last.append(to: &outgoing)
        let bytes = outgoing.bytes
        let isTaken = PQputCopyData(raw, bytes.assumingMemoryBound(to: CChar.self).baseAddress, CInt(bytes.count)) == 1
        guard isTaken else { throw connection.lost() }
        while try !connection.flushOnce() { try await connection.wait(for: .writable, until: deadline) }
    }

    /// Ends the stream: the connection is free for other commands afterwards, or broken if the server went on sending
    /// (a large transaction) until `deadline`, 5 s from now if nil. Idempotent.
    package func stop(until deadline: ContinuousClock.Instant? = nil) async {
        switch state {
        case .failed, .stopped: return
        case .streaming, .ending: break
        }
        state = .stopped
        release()
        guard hold.isCurrent else { return }
        connection.hasStreamed = true
        await connection.settle(cancelling: false, until: deadline ?? .now + Connection.grace)
    }

    private func take(_ raw: OpaquePointer) throws(PostgresError) -> UnsafeRawBufferPointer? {
        release()
        var length = PQgetCopyData(raw, &message, 1)
        if length == 0 {
            try connection.consumeInput()
            length = PQgetCopyData(raw, &message, 1)
        }
        if let omission {
            connection.close()
            throw omission
        }
        if length > 0 { return UnsafeRawBufferPointer(start: message, count: Int(length)) }
        guard length < 0 else { return nil }
        guard length == -1 else { throw connection.lost() }
        state = .ending(nil)
        try readEnd(raw)
        return nil
    }

    /// Reads the results behind the stream, as far as they are here; throws the reason at their end.
    private func readEnd(_ raw: OpaquePointer) throws(PostgresError) {
        while PQisBusy(raw) == 0 {
            guard let result = PQgetResult(raw) else { throw endReason }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_FATAL_ERROR: state = .ending(connection.error(of: result, query: command))
            case PGRES_COPY_IN: guard PQputCopyEnd(raw, nil) == 1 else { throw connection.lost() }
            default: break
            }
        }
    }

    private var endReason: PostgresError {
        if case .ending(let error?) = state { return error }
        return .unexpected("the server has ended the replication stream")
    }

    private func handleForSending() throws(PostgresError) -> OpaquePointer {
        switch state {
        case .streaming: return try hold.handle()
        case .ending(let error): throw error ?? endReason
        case .failed(let error): throw error
        case .stopped: throw .unusable(reason: "the replication stream has been stopped")
        }
    }

    private func fail(_ error: PostgresError) {
        switch state {
        case .failed, .stopped: return
        case .streaming, .ending: state = .failed(error)
        }
        release()
        if hold.isCurrent { connection.finish() }
    }

    private func release() {
        PQfreemem(message)
        message = nil
    }
}
