import DequeModule
import EventLoops
import PostgresProtocol

extension Connection {
    /// Asks for what is sent to `channel`, any name.
    package func listen(to channel: String, until deadline: ContinuousClock.Instant? = nil) async throws(PostgresError)
    {
        isDirty = true
        try await command("LISTEN \(SQLText.quoteIdentifier(channel))", until: deadline)
    }

    /// Sent when the transaction commits, at once without one.
    package func notify(
        _ channel: String, _ payload: String, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) {
        _ = try await query("SELECT pg_notify($1, $2)", [.text(channel), .text(payload)], until: deadline)
    }

    /// The oldest notification that has come and was not taken yet. Does not wait.
    package func takeNotification() -> Notification? {
        if activity == .idle { collectNotifications() }
        return notifications.popFirst()
    }

    /// The next notification, in the order they came; nil when `deadline` passes. Nothing else runs meanwhile.
    package func waitForNotification(
        until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> Notification? {
        try await begin(until: deadline)
        defer { finish() }
        while true {
            collectNotifications()
            if let notification = notifications.popFirst() { return notification }
            do {
                try await wait(for: .readable, until: deadline)
            } catch .timedOut {
                return nil
            }
            try consumeInput()
            if notices.farewell != nil { throw lost() }
        }
    }
}
