import EventLoops
import Logging
import Postgres
import PostgresProtocol

/// Making a replication slot takes until every transaction that is open then has ended: says which ones these are. Lives
/// on the loop of `source`, which nobody else uses meanwhile.
struct SlotWait {
    private static let logger = Logger(label: "replhost")
    private static let tick: Duration = .seconds(1)
    private static let longestList = 10

    private let slot: String
    private let source: Connection
    private let begun = ContinuousClock.now
    /// Gets what is waited for, for people; nil when there is nothing any more.
    private let note: (String?) -> Void

    init(_ slot: String, _ source: Connection, note: @escaping (String?) -> Void) {
        self.slot = slot
        self.source = source
        self.note = note
    }

    /// What `body` returns, which makes the slot.
    func watching<Value: Sendable>(
        on actor: LoopActor, _ body: () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let task = actor.begin { await watch() }
        let result: Result<Value, PostgresError>
        do throws(PostgresError) { result = .success(try await body()) } catch { result = .failure(error) }
        task.cancel()
        await task.value
        note(nil)
        return try result.get()
    }

    /// Until the task is cancelled. Who cannot be named is not worth an error.
    private func watch() async {
        var said: String?
        while true {
            do { try await source.loop.sleep(until: .now + Self.tick) } catch { return }
            guard let found = try? await holders() else { return }
            let text = found.isEmpty ? nil : "waiting for the end of transactions on the source: \(found)"
            note(text)
            if let text, text != said { Self.logger.warning("replication slot \"\(slot)\": \(text)") }
            said = text
        }
    }

    /// Nobody, unless the slot's session waits: the one that it waits for now, and others that it will wait for.
    private func holders() async throws(PostgresError) -> String {
        let result = try await source.query(
            """
            WITH blocking (pid) AS (
              SELECT unnest(pg_blocking_pids(active_pid)) FROM pg_replication_slots WHERE slot_name = $1),
            holder (pid, name) AS (
              SELECT pid, 'pid ' || pid || coalesce(' (' || nullif(concat_ws(', ', datname, usename, state), '') || ')', '')
              FROM pg_stat_activity
              WHERE pid IN (SELECT pid FROM blocking)
                OR (backend_xid IS NOT NULL AND xact_start < clock_timestamp() - $2::text::float8 * interval '1 s')
              UNION ALL
              SELECT 0, 'prepared transaction ' || quote_literal(gid) FROM pg_prepared_xacts
              WHERE prepared < clock_timestamp() - $2::text::float8 * interval '1 s')
            SELECT name FROM holder WHERE EXISTS (SELECT FROM blocking) ORDER BY pid
            """, [.text(slot), .text(String((ContinuousClock.now - begun) / .seconds(1)))])
        var names: [String] = []
        for row in 0..<result.count { names.append(try result.text(of: 0, row: row)) }
        let rest = names.count - Self.longestList
        return names.prefix(Self.longestList).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
