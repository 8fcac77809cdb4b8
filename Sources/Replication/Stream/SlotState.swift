import Postgres
package import PostgresProtocol

/// A replication slot as the source's catalog shows it.
package struct SlotState: Sendable {
    package var plugin: String
    package var database: String
    /// The backend that streams from it.
    package var activePID: Int?
    package var confirmed: LSN?
    package var isLost: Bool
    /// Bytes of log that are kept for it.
    package var retained: Int

    /// Nil if there is no such slot.
    static func read(_ name: String, on source: Connection) async throws(ReplicationError) -> SlotState? {
        do throws(PostgresError) {
            let result = try await source.query(
                """
                SELECT coalesce(plugin::text, ''), coalesce(database::text, ''), active_pid::int8,
                  confirmed_flush_lsn::text, coalesce(wal_status = 'lost', false),
                  coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                    ELSE pg_current_wal_lsn() END, restart_lsn)::int8, 0)
                FROM pg_replication_slots WHERE slot_name = $1
                """, [.text(name)])
            guard result.count == 1 else { return nil }
            return SlotState(
                plugin: try result.text(of: 0), database: try result.text(of: 1), activePID: try result.number(0, 2),
                confirmed: try result.string(0, 3).flatMap(LSN.init), isLost: try result.isTrue(0, 4),
                retained: try result.number(0, 5) ?? 0)
        } catch {
            throw .database(.source, error, doing: "reading replication slots")
        }
    }

    /// Throws unless a stream can go on from `position`, the last one that the target has.
    func check(_ name: String, database: String, position: LSN) throws(ReplicationError) {
        if plugin != "pgoutput" || self.database != database {
            throw .mismatch(
                code: "RH3604",
                "replication slot \"\(name)\" is not ours: plugin \"\(plugin)\", database \"\(self.database)\"",
                hint: "Give the pipeline another name, or drop the slot if nobody uses it.")
        }
        if isLost {
            throw .mismatch(
                code: "RH3605",
                "replication slot \"\(name)\" was invalidated: the source has removed log that was not streamed yet",
                hint: Self.beginAnew + " A larger max_slot_wal_keep_size keeps more.")
        }
        if let confirmed, confirmed > position {
            throw .mismatch(
                code: "RH3606",
                "replication slot \"\(name)\" is at \(confirmed), the target at \(position): changes between are lost",
                hint: "Somebody else has read from the slot, or the target was set back. " + Self.beginAnew)
        }
    }

    /// Waits until nobody streams from it any more.
    static func drop(_ name: String, on source: Connection) async throws(ReplicationError) {
        let doing = "dropping replication slot \"\(name)\""
        do throws(PostgresError) {
            let walsender = try await Connection.connectForReplication(
                source.settings, purpose: "drop", on: source.loop, until: .now + .seconds(30))
            defer { walsender.close() }
            try await walsender.dropReplicationSlot(name, waiting: true, until: .now + .seconds(30))
        } catch {
            throw .database(.source, error, doing: doing)
        }
    }

    static func missing(_ name: String, position: LSN) -> ReplicationError {
        .mismatch(
            code: "RH3603",
            "replication slot \"\(name)\" is gone from the source: changes since \(position) cannot be had any more",
            hint: beginAnew)
    }

    static let beginAnew =
        "Begin anew: \"replhost drop\" forgets the pipeline, then empty the target's tables and run it again."
}
