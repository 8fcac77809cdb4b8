import CLibpq
package import EventLoops

/// The commands of a walsender (PostgreSQL manual, "Streaming Replication Protocol"), for connections that
/// `connectForReplication` has made. These run no statements with parameters.
extension Connection {
    /// Opens a session with a walsender for the database in `settings`, which may be those of a pool.
    ///
    /// - Parameter purpose: the server shows it in `application_name`, after "replhost ".
    package static func connectForReplication(
        _ settings: ConnectionSettings, purpose: String, on loop: EventLoop, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Connection {
        var settings = settings
        try settings.set("replication", to: "database")
        try settings.set("application_name", to: "replhost \(purpose)")
        return try await connect(settings, on: loop, until: deadline)
    }

    package func identifySystem(
        until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> SystemIdentity {
        try SystemIdentity(await query(ReplicationCommand.identifySystem, until: deadline))
    }

    /// Makes a slot for `pgoutput`. Takes until every transaction that is open now has ended.
    ///
    /// - Parameter exportsSnapshot: of the database at the slot's consistent point. Other sessions may take it (SET
    ///   TRANSACTION SNAPSHOT) until this connection runs another command or ends.
    package func createReplicationSlot(
        _ name: String, isTemporary: Bool = false, exportsSnapshot: Bool, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> CreatedSlot {
        let command = ReplicationCommand.createSlot(name, isTemporary: isTemporary, exportsSnapshot: exportsSnapshot)
        return try CreatedSlot(await query(command, until: deadline))
    }

    /// - Parameter waiting: until nobody uses the slot any more; else one that is in use is an error (55006).
    package func dropReplicationSlot(
        _ name: String, waiting: Bool = false, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) {
        _ = try await query(ReplicationCommand.dropSlot(name, waiting: waiting), until: deadline)
    }

    /// Begins to stream. The connection is taken until the stream is stopped or has failed, and streams no second time.
    package func startReplication(
        _ request: StreamRequest, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> ReplicationStream {
        // The server remembers that the first stream was to end, and ends the second one at once.
        guard !hasStreamed else { throw .unusable(reason: "a session with a walsender streams only once") }
        let command = ReplicationCommand.start(request)
        PQclear(try await startCopy(command, expecting: PGRES_COPY_BOTH, until: deadline))
        return ReplicationStream(self, command: command)
    }
}
