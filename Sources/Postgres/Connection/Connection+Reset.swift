import CLibpq
import DequeModule

extension Connection {
    /// `reset` would have nothing to do. No round trip, no system call.
    package func isClean(for level: ResetLevel) -> Bool {
        guard let handle, failure == nil, activity == .idle, cancelRequest == nil,
            PQpipelineStatus(handle) == PQ_PIPELINE_OFF, PQtransactionStatus(handle) == PQTRANS_IDLE
        else { return false }
        switch level {
        case .none, .rollback: return true
        case .clean: return !isDirty
        case .discard: return false
        }
    }

    /// Makes the session fit for the next borrower: ends streams, COPY, pipeline and what runs on the server, rolls an
    /// open transaction back, then does what `level` says. Throws when the connection cannot be kept: close it then.
    package func reset(_ level: ResetLevel, until deadline: ContinuousClock.Instant) async throws(PostgresError) {
        let raw = try self.raw()
        guard activity != .statement else {
            // Somebody still waits for its end, perhaps on another loop: two may not use one connection.
            abort("the connection was returned while a call was running on it")
            throw .unusable(reason: "returned while a call was running")
        }
        try await waitForCancelRequest(until: deadline)
        if activity != .idle || PQpipelineStatus(raw) != PQ_PIPELINE_OFF || PQtransactionStatus(raw) == PQTRANS_ACTIVE {
            await settle(cancelling: true, until: deadline)
        }
        _ = try self.raw()
        switch transactionStatus {
        case .idle: break
        case .inTransaction, .inError: try await command("ROLLBACK", until: deadline)
        case .active, .unknown: throw .unusable(reason: "the connection could not be cleaned up")
        }
        try await undoSessionState(level, until: deadline)
        notifications.removeAll()
        onNotice = nil
    }

    private func undoSessionState(
        _ level: ResetLevel, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        guard let sql = level.sql, level == .discard || isDirty else { return }
        try await command(sql, until: deadline)
        if level == .discard { statements.forgetAll() }
        try await applySessionDefaults(until: deadline)
        isDirty = false
    }
}
