import CLibpq
import EventLoops
package import PostgresProtocol

/// Feeds `COPY … FROM STDIN` with raw bytes, cut wherever the caller likes.
///
///     if try writer.write(bytes) == .mustWait { try await writer.wait() }
///     let count = try await writer.finish()
///
/// The connection is taken until `finish`, `abort` or an error. Used on the connection's loop only.
package final class CopyInWriter {
    package enum Step: Sendable, Equatable {
        /// More may be written at once.
        case ready
        /// The server is slower: `wait()` before writing more, or memory grows.
        case mustWait
    }

    private enum State {
        case writing
        case failed(PostgresError)
        case ended
    }

    /// Bytes gathered before libpq gets them.
    private static let batchSize = 1 << 16

    package let format: DataFormat
    package let columnCount: Int
    private let hold: Hold
    private var connection: Connection { hold.connection }
    private let query: String
    private var state = State.writing
    private var batch: [UInt8] = []
    private var early: EarlyError

    /// `answer` is the server's `PGRES_COPY_IN`; the caller keeps it.
    init(_ connection: Connection, query: String, answer: OpaquePointer) {
        self.hold = Hold(on: connection, for: "COPY")
        self.query = query
        self.format = PQbinaryTuples(answer) == 1 ? .binary : .text
        self.columnCount = Int(PQnfields(answer))
        self.early = EarlyError(usesTLS: connection.usesTLS)
        batch.reserveCapacity(Self.batchSize)
    }

    /// Takes all of `bytes`, which may be freed afterwards. Keep a piece below a few megabytes: what the socket does not
    /// take at once is buffered.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Step {
        let raw = try handle()
        if batch.count + bytes.count < Self.batchSize {
            batch.append(contentsOf: bytes)
            return .ready
        }
        try put(raw)
        if bytes.count >= Self.batchSize {
            guard Self.put(raw, bytes) else { throw connection.lost() }
        } else {
            batch.append(contentsOf: bytes)
        }
        guard try connection.flushOnce() else { return .mustWait }
        return early.isWaiting(on: raw) ? .mustWait : .ready
    }

    /// Waits until more may be written. An error of the server in the middle is thrown here. On a deadline or
    /// cancellation the COPY is given up, the connection cleaned up, and the writer is over.
    package func wait(until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        let raw = try handle()
        do throws(PostgresError) {
            while true {
                if early.isWaiting(on: raw) {
                    // As a failure: should it be no error after all, nothing of the data stays.
                    _ = try await end(failing: "the server has said something else", until: deadline)
                    throw .unexpected("the server has ended the COPY")
                }
                if try connection.flushOnce() { return }
                try await connection.wait(for: early.event, until: deadline)
            }
        } catch {
            await fail(error)
            throw error
        }
    }

    /// Ends the data and returns how many rows the server took.
    package func finish(until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) -> Int {
        let raw = try handle()
        do {
            try put(raw)
            let count = try await end(until: deadline)
            state = .ended
            connection.finish()
            return count
        } catch {
            await fail(error)
            throw error
        }
    }

    /// Makes the server give the COPY up; nothing of it stays. Idempotent, also after `finish`.
    package func abort(_ message: String = "given up by the client") async {
        guard case .writing = state else { return }
        state = .ended
        guard hold.isCurrent, !connection.isBroken else { return }
        await connection.settle(cancelling: false, until: .now + Connection.grace, copyFailure: message)
    }

    private func handle() throws(PostgresError) -> OpaquePointer {
        switch state {
        case .writing: break
        case .failed(let error): throw error
        case .ended: throw .unusable(reason: "the COPY has ended")
        }
        return try hold.handle()
    }

    private func fail(_ error: PostgresError) async {
        state = .failed(error)
        await connection.settle(after: error)
    }

    /// Hands the batch to libpq.
    private func put(_ raw: OpaquePointer) throws(PostgresError) {
        guard !batch.isEmpty else { return }
        let isTaken = batch.withUnsafeBytes { Self.put(raw, $0) }
        batch.removeAll(keepingCapacity: true)
        guard isTaken else { throw connection.lost() }
    }

    /// A non-blocking libpq takes what it is given, unless memory is out.
    private static func put(_ raw: OpaquePointer, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let length = min(rest.count, 1 << 20)
            guard PQputCopyData(raw, rest.assumingMemoryBound(to: CChar.self).baseAddress, CInt(length)) == 1 else {
                return false
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
        return true
    }

    /// Ends the data and reads the command's result. Rows taken.
    private func end(
        failing message: String? = nil, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Int {
        try await connection.endCopyIn(message, until: deadline)
        var count = 0
        var failure: PostgresError?
        while let result = try await connection.nextResult(until: deadline) {
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_FATAL_ERROR {
                failure = failure ?? connection.error(of: result, query: query)
            } else {
                count = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
            }
        }
        if let failure { throw failure }
        return count
    }
}
