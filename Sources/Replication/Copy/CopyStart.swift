import Postgres
import PostgresProtocol

/// The moment that a copy shows: held by a transaction that is open on the source's coordinating connection.
struct CopyStart {
    let snapshotName: String
    let selection: TableSelection
    /// Of a pipeline that streams: holds the snapshot until others do.
    let anchor: StreamAnchor?

    /// Commits from here on are streamed; nil without a stream.
    var position: LSN? { anchor?.position }

    /// Tables may be made while we look: then we look again.
    private static let attempts = 5

    static func take(
        _ definition: PipelineDefinition, _ session: PipelineSession, _ identity: SourceIdentity
    ) async throws(ReplicationError) -> CopyStart {
        guard definition.isStreaming else {
            let name = try await Snapshot.take(nil, on: session.source)
            return CopyStart(
                snapshotName: name, selection: try await PipelineCatalog.selection(definition, on: session.source),
                anchor: nil)
        }
        try await StreamRequirements.check(session.source)
        for _ in 1...attempts {
            if let start = try await takeStreaming(definition, session, identity) { return start }
        }
        throw .mismatch(
            code: "RH3613", "tables of the source come and go too fast to begin a copy", hint: "Try again later.")
    }

    /// Nil if a table appeared after the others were published: its changes could be missed.
    private static func takeStreaming(
        _ definition: PipelineDefinition, _ session: PipelineSession, _ identity: SourceIdentity
    ) async throws(ReplicationError) -> CopyStart? {
        let source = session.source
        let names = try await session.names()
        let published = try await PipelineCatalog.selection(definition, on: source)
        try await Publications(source, names).publish(published.tables)
        let anchor = try await session.anchor(names, identity)
        let name = try await Snapshot.take(anchor.snapshotName, on: source)
        let selection = try await PipelineCatalog.selection(definition, on: source)
        let known = Set(published.tables.map(\.source.oid))
        guard selection.tables.allSatisfy({ known.contains($0.source.oid) }) else {
            anchor.close()
            try await source.run("ROLLBACK", on: .source, doing: "giving a snapshot up")
            return nil
        }
        return CopyStart(snapshotName: name, selection: selection, anchor: anchor)
    }
}

/// What a source has to be able to do for a stream.
enum StreamRequirements {
    static func check(_ source: Connection) async throws(ReplicationError) {
        let level: String
        do { level = try await source.query("SHOW wal_level", []).text(of: 0) } catch {
            throw .database(.source, error, doing: "reading settings")
        }
        guard level != "logical" else { return }
        throw .mismatch(
            code: "RH3601", "the source cannot stream changes: its wal_level is \"\(level)\"",
            hint:
                "Set it (ALTER SYSTEM SET wal_level = logical) and restart that server; or say stream = false to copy "
                + "once.")
    }
}
