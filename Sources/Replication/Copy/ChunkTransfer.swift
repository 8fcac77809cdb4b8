import EventLoops
import Postgres
import PostgresProtocol

/// Reads a chunk and hands its rows to the function, or as they are to the output.
struct ChunkTransfer {
    private let source: Connection
    private let loop: EventLoop

    /// - Parameter source: is inside the snapshot.
    init(_ source: Connection, on loop: EventLoop) {
        self.source = source
        self.loop = loop
    }

    func run(
        _ chunk: Chunk, _ transform: (any RowTransform)?, to output: ChunkOutput, _ meter: ChunkMeter
    ) async throws(ReplicationError) {
        let mapping = output.mapping
        let stream: CopyOutStream
        do { stream = try await source.copyOut(chunk.copyStatement(mapping)) } catch {
            throw .database(.source, error, doing: "reading \(mapping.source.name)")
        }
        let input = ChunkInput(stream, mapping, meter, on: loop)
        do throws(ReplicationError) {
            if let transform {
                try await transform.run(input, output)
            } else {
                try await Self.passThrough(input, output)
            }
        } catch {
            await input.close()
            throw error
        }
        try await checkFile(of: chunk.relation, mapping.source.name)
        output.counts.read = input.rows
        output.counts.bytes = input.bytes
    }

    /// TRUNCATE and ALTER TABLE take rows away from snapshots that were taken before. Reading keeps them off from its
    /// beginning on, so that what was read is right if the file is still the one that the snapshot knows.
    private func checkFile(of relation: QualifiedName, _ table: QualifiedName) async throws(ReplicationError) {
        let name = SQLText.quoteLiteral(relation.sql)
        let isSame: Bool
        do throws(PostgresError) {
            let result = try await source.query(
                "SELECT pg_relation_filenode(oid) = relfilenode FROM pg_class WHERE oid = \(name)::regclass", [])
            isSame = result.count == 1 ? try result.isTrue(0, 0) : false
        } catch {
            throw .database(.source, error, doing: "reading the catalog")
        }
        guard !isSame else { return }
        throw .stale(
            table,
            why: "was truncated or rewritten since the snapshot was taken, which does not show its rows any more")
    }

    private static func passThrough(_ input: ChunkInput, _ output: ChunkOutput) async throws(ReplicationError) {
        let mapping = output.mapping
        let lane = try output.lane(mapping.target, columns: mapping.columns.map(\.target), format: mapping.format)
        while true {
            switch try input.next() {
            case .row(let row):
                lane.buffer.append(row)
                if output.rowWritten(to: lane), try !output.tryFlush(lane) { try await output.flush(lane) }
            case .pending: try await input.wait()
            case .end: return
            }
        }
    }
}
