import CLibpq
import EventLoops

extension Connection {
    /// Cancels the statement that is running, if one is. The request has been delivered when this returns, and nothing
    /// else is sent to the server before that, so it never hits a later statement.
    package func cancelRunning() async {
        guard activity != .idle, !isBroken else { return }
        requestCancel()
        _ = await cancelRequest?.wait(on: loop, until: .now + Self.grace)
    }

    /// Sends a cancel request from the helper thread: before libpq 17 it blocks.
    func requestCancel() {
        guard cancelRequest == nil, let handle, let cancel = PQgetCancel(handle) else { return }
        let request = CancelHandle(raw: cancel)
        let arrival = Arrival<Void>()
        cancelRequest = arrival
        let loop = loop
        Task {
            await LoopActor.runShielded(on: loop) { _ in
                // Not among the look-ups: a server that says nothing may keep it for ever.
                await loop.offload(to: .cancels) { request.send() }
                if self.cancelRequest === arrival { self.cancelRequest = nil }
                arrival.deliver(())
            }
        }
    }

    /// Waits for a request that is on its way.
    func waitForCancelRequest(until deadline: ContinuousClock.Instant) async throws(PostgresError) {
        guard let request = cancelRequest else { return }
        guard await request.wait(on: loop, until: deadline) != nil else {
            throw .timedOut(what: "delivering a cancel request")
        }
    }
}

/// Safe: owned by one helper thread from creation to the end of `send`.
private struct CancelHandle: @unchecked Sendable {
    let raw: OpaquePointer

    /// Blocks until the server has taken the request, or failed to. Frees the handle.
    func send() {
        var message = [CChar](repeating: 0, count: 256)
        // A refused request has no consequence but that the statement goes on; whoever waits has a deadline.
        _ = PQcancel(raw, &message, CInt(message.count))
        PQfreeCancel(raw)
    }
}
