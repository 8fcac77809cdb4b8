package import Postgres
package import PostgresProtocol

/// Writes the lanes of a chunk into the target, in the transaction that is open on its connection: one COPY after the
/// other, as only one can be under way.
package final class CopySink: LaneSink {
    /// libpq moves all that the socket has not taken, again and again: a large row is given to it in pieces.
    private static let largestPiece = 4 << 20

    package enum Purpose: Sendable, Equatable {
        /// Rows for a table that is to be merged go into a temporary table first.
        case write(ConflictPolicy)
        /// Rows stay in temporary tables, and dead letters are forgotten.
        case compare
    }

    private let connection: Connection
    private let purpose: Purpose
    private let letters: DeadLetterLane
    private let pipeline: String
    private var changes: [StateChange] = []
    private var current: (lane: OutputLane, writer: CopyInWriter)?
    private(set) var stages: [Stage] = []
    private var tables: [QualifiedName: CatalogTable] = [:]

    package init(_ connection: Connection, _ purpose: Purpose, _ context: PipelineContext) {
        self.connection = connection
        self.purpose = purpose
        letters = DeadLetterLane(context)
        pipeline = context.pipeline
    }

    package func tryTake(_ lane: OutputLane) throws(ReplicationError) -> Bool {
        guard let current, current.lane === lane, lane.buffer.count <= Self.largestPiece else { return false }
        let step: CopyInWriter.Step
        do { step = try current.writer.write(lane.buffer.bytes) } catch { throw failed(error, lane) }
        lane.clear()
        return step == .ready
    }

    package func take(_ lane: OutputLane) async throws(ReplicationError) {
        do throws(PostgresError) {
            let writer = try await open(lane)
            var written = 0
            while written < lane.buffer.count {
                let piece = lane.buffer.bytes[written...].prefix(Self.largestPiece)
                _ = try writer.write(UnsafeRawBufferPointer(rebasing: piece))
                written += piece.count
                try await writer.wait()
            }
            lane.clear()
            try await writer.wait()
        } catch {
            throw failed(error, lane)
        }
    }

    package func take(_ letter: DeadLetter, of mapping: TableMapping) async throws(ReplicationError) {
        guard purpose != .compare else { return }
        letters.append(letter, of: mapping)
        if letters.lane.buffer.count >= 1 << 18 { try await take(letters.lane) }
    }

    package func table(_ name: QualifiedName) async throws(ReplicationError) -> CatalogTable {
        if let known = tables[name] { return known }
        try await endCurrent()
        guard let table = try await CatalogReader(connection, .target).tables([name])[name] else {
            throw .unknownTable(name, .target, known: [])
        }
        tables[name] = table
        return table
    }

    /// Ends the last COPY and merges what was staged. The transaction is still open.
    package func finish() async throws(ReplicationError) {
        if letters.lane.rows > 0 { try await take(letters.lane) }
        try await endCurrent()
        guard case .write(let policy) = purpose else { return }
        for stage in stages { try await run(stage.mergeStatement(policy), stage.lane) }
        stages = []
        try await writeChanges()
    }

    /// Gives up what is under way; the transaction is the caller's to roll back.
    package func abandon() async {
        await current?.writer.abort()
        current = nil
    }

    // MARK: Durable values

    package func values(ofStore store: String) async throws(ReplicationError) -> [String: String] {
        try await endCurrent()
        return try await StateStatements.values(ofStore: store, of: pipeline, on: connection)
    }

    package func take(_ changes: [StateChange]) { self.changes += changes }

    private func writeChanges() async throws(ReplicationError) {
        guard !changes.isEmpty else { return }
        do throws(PostgresError) {
            _ = try await connection.query(StateStatements.lock, [.text(pipeline)])
            for (sql, json) in StateStatements.writing(changes) {
                _ = try await connection.query(sql, [.text(pipeline), .text(json)])
            }
            changes = []
        } catch {
            throw .database(.target, error, doing: "writing replhost.state")
        }
    }

    // MARK: COPY

    private func open(_ lane: OutputLane) async throws(PostgresError) -> CopyInWriter {
        if let current, current.lane === lane { return current.writer }
        try await finishCurrent()
        let writer = try await connection.copyIn(try await statement(for: lane))
        current = (lane, writer)
        if lane.format == .binary {
            var header = ByteBuffer()
            CopyBinaryWriter.appendHeader(to: &header)
            _ = try writer.write(header.bytes)
        }
        return writer
    }

    private func statement(for lane: OutputLane) async throws(PostgresError) -> String {
        guard purpose != .write(.error), lane !== letters.lane else { return lane.copyStatement() }
        if let stage = stages.first(where: { $0.holds(lane) }) { return lane.copyStatement(into: stage.name) }
        let stage = Stage(lane, number: stages.count + 1)
        for statement in stage.makeStatements { _ = try await connection.query(statement, []) }
        stages.append(stage)
        return lane.copyStatement(into: stage.name)
    }

    private func endCurrent() async throws(ReplicationError) {
        guard let lane = current?.lane else { return }
        do { try await finishCurrent() } catch { throw failed(error, lane) }
    }

    private func finishCurrent() async throws(PostgresError) {
        guard let (lane, writer) = current else { return }
        if lane.format == .binary {
            var trailer = ByteBuffer()
            CopyBinaryWriter.appendTrailer(to: &trailer)
            _ = try writer.write(trailer.bytes)
        }
        _ = try await writer.finish()
        current = nil
    }

    private func run(_ sql: String, _ lane: OutputLane) async throws(ReplicationError) {
        do { _ = try await connection.query(sql, []) } catch { throw failed(error, lane) }
    }

    private func failed(_ error: PostgresError, _ lane: OutputLane) -> ReplicationError {
        .database(.target, error, doing: "writing \(lane.table.name)")
    }
}
