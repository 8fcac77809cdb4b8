import CLibpq
import EventLoops

extension Connection {
    /// Runs one exchange with the server: refuses to overlap, and leaves the connection clean or broken.
    func statement<Value>(
        until deadline: ContinuousClock.Instant?, _ body: (OpaquePointer) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await begin(until: deadline)
        do {
            let value = try await body(try raw())
            finish()
            return value
        } catch {
            await settle(after: error)
            throw error
        }
    }

    /// Takes the connection for an exchange.
    func begin(until deadline: ContinuousClock.Instant?) async throws(PostgresError) {
        _ = try raw()
        guard activity == .idle else {
            throw .unusable(reason: "another statement is running on this connection")
        }
        activity = .statement
        beganInTransaction = transactionStatus == .inTransaction
        while let request = cancelRequest, await request.wait(on: loop, until: deadline ?? .now + Self.grace) == nil {
            activity = .idle
            guard !Task.isCancelled else { throw .cancelled }
            let error = PostgresError.timedOut(what: "waiting for a cancel request")
            if deadline == nil { fail(error) }
            throw error
        }
    }

    /// Releases the connection after an exchange whose results have been read to the end.
    func finish() {
        activity = .idle
        collectNotifications()
    }

    /// After an error: ends what still runs on the server and reads the rest, or breaks the connection.
    func settle(after error: PostgresError) async {
        await settle(cancelling: error.leavesStatementRunning, until: .now + Self.grace)
    }

    /// Reads the rest of what runs, having cancelled it if asked; also when the calling task is cancelled.
    func settle(
        cancelling: Bool, until deadline: ContinuousClock.Instant,
        copyFailure: String = "the connection is being cleaned up"
    ) async {
        defer { finish() }
        guard let handle, !isBroken, needsDraining(handle) else { return }
        await LoopActor.runShielded(on: loop) { _ in
            if cancelling { self.requestCancel() }
            do throws(PostgresError) {
                try await self.drain(copyFailure: copyFailure, until: deadline)
                try await self.waitForCancelRequest(until: deadline)
            } catch {
                self.fail(.unusable(reason: "the connection could not be cleaned up: \(error)"))
            }
        }
    }

    /// libpq counts a session as active until the last result has been taken, COPY included.
    private func needsDraining(_ raw: OpaquePointer) -> Bool {
        PQtransactionStatus(raw) == PQTRANS_ACTIVE || PQpipelineStatus(raw) != PQ_PIPELINE_OFF
    }

    /// Moves notifications from libpq to the queue.
    func collectNotifications() {
        guard let handle else { return }
        while let arrived = PQnotifies(handle) {
            notifications.append(
                Notification(
                    channel: String(cString: arrived.pointee.relname), payload: String(cString: arrived.pointee.extra),
                    pid: arrived.pointee.be_pid))
            PQfreemem(arrived)
        }
    }
}

extension PostgresError {
    /// The caller went away while the server was still at work.
    var leavesStatementRunning: Bool {
        switch self {
        case .timedOut, .cancelled, .resultTooLarge, .unusable: true
        case .invalidSettings, .unknownSetting, .connectFailed, .connectionLost, .server, .invalidParameter,
            .parameterCount, .commitRolledBack, .pipelineAborted, .unexpected:
            false
        }
    }
}
