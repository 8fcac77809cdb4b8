import EventLoops
import Postgres
import PostgresProtocol

/// Where copy and stream meet: a snapshot of the source, and the position from which on the stream tells what is not in it.
/// The first time this is the permanent slot's own beginning; later a temporary slot's, which lives as long as this.
// Safe: used on the coordinator's loop only.
final class StreamAnchor: @unchecked Sendable {
    let position: LSN
    let snapshotName: String
    private let connection: Connection

    private init(_ connection: Connection, _ slot: CreatedSlot, _ snapshotName: String) {
        self.connection = connection
        position = slot.consistentPoint
        self.snapshotName = snapshotName
    }

    /// The snapshot is held by others from now on.
    func close() { connection.close() }

    /// - Parameters:
    ///   - source: for questions; not the session of the slot.
    ///   - actor: of its loop.
    ///   - note: gets what the making of the slot waits for.
    static func take(
        _ names: StreamNames, _ ledger: Ledger, _ identity: SourceIdentity, scriptHash: String, source: Connection,
        on actor: LoopActor, note: @escaping (String?) -> Void
    ) async throws(ReplicationError) -> StreamAnchor {
        let record = try await ledger.stream()
        let isFirst = record?.position == nil
        if isFirst { try await prepare(names.slot, record, ledger, identity, scriptHash, source) }
        let (connection, slot) = try await makeSlot(
            isFirst ? names.slot : "\(names.slot)_\(source.pid)", isTemporary: !isFirst, source, on: actor, note)
        guard let snapshotName = slot.snapshotName else {
            throw .database(.source, .unexpected("a slot without a snapshot"), doing: "making a replication slot")
        }
        if isFirst { try await ledger.noteSlotMade(at: slot.consistentPoint) }
        return StreamAnchor(connection, slot, snapshotName)
    }

    /// A slot of that name is left from an attempt that came to nothing, or it is somebody else's.
    private static func prepare(
        _ name: String, _ record: Ledger.StreamRecord?, _ ledger: Ledger, _ identity: SourceIdentity,
        _ scriptHash: String, _ source: Connection
    ) async throws(ReplicationError) {
        if try await SlotState.read(name, on: source) != nil {
            guard record?.slot == name else {
                throw .mismatch(
                    code: "RH3602",
                    "replication slot \"\(name)\" exists on the source, and this target knows nothing of it",
                    hint:
                        "Another target streams from it, or it is left over: give the pipeline another name, or drop the "
                        + "slot: SELECT pg_drop_replication_slot('\(name)').")
            }
            try await SlotState.drop(name, on: source)
        }
        try await ledger.noteSlot(name, identity, scriptHash: scriptHash)
    }

    private static func makeSlot(
        _ name: String, isTemporary: Bool, _ source: Connection, on actor: LoopActor,
        _ note: @escaping (String?) -> Void
    ) async throws(ReplicationError) -> (Connection, CreatedSlot) {
        do throws(PostgresError) {
            let connection = try await Connection.connectForReplication(
                source.settings, purpose: "slot", on: source.loop, until: .now + .seconds(30))
            let wait = SlotWait(name, source, note: note)
            let slot = try await wait.watching(on: actor) { () async throws(PostgresError) in
                try await connection.createReplicationSlot(name, isTemporary: isTemporary, exportsSnapshot: true)
            }
            return (connection, slot)
        } catch {
            throw .database(.source, error, doing: "making replication slot \"\(name)\"")
        }
    }
}
