import Postgres
package import PostgresProtocol

extension Ledger {
    /// A table of the pipeline with its chunks.
    package struct Relation: Sendable {
        package var source: QualifiedName
        package var target: QualifiedName
        /// We have made the target table.
        package var isMade: Bool
        package var estimatedRows: Int?
        package var startedAt: String?
        package var finishedAt: String?
        package var chunks: [ChunkRecord] = []
        /// The snapshot that `verify --repair` has made all rows those of; counts where it is newer than a chunk's.
        package var mended: Int?
        /// The one that it was at work with when it ended: some rows are of that moment.
        package var mending: Int?

        /// A table that is to be copied anew has no chunks until they are cut; one without partitions never has any.
        package var isCopied: Bool {
            chunks.isEmpty ? finishedAt != nil : chunks.allSatisfy { $0.counts != nil }
        }

        package var isStarted: Bool { chunks.contains { $0.counts != nil } }
    }

    package struct ChunkRecord: Sendable {
        package var chunk: Chunk
        /// Nil until it was copied.
        package var counts: ChunkOutput.Counts?
        /// Of the snapshot that it shows.
        package var snapshot: Int?
    }

    /// By source name, with chunks in order.
    package func relations() async throws(ReplicationError) -> [Relation] {
        let tables = try await query(
            """
            SELECT source, target, made, estimated_rows, started_at::text, finished_at::text, mended::int8,
              mending::int8
            FROM replhost.relation WHERE pipeline = $1 ORDER BY source
            """, [.text(pipeline)], "reading the ledger")
        let chunks = try await chunkRecords()
        return try reading { () throws(PostgresError) in
            var relations: [Relation] = []
            for row in 0..<tables.count {
                let source = try tables.text(of: 0, row: row)
                relations.append(
                    Relation(
                        source: try Self.name(source), target: try Self.name(try tables.text(of: 1, row: row)),
                        isMade: try tables.isTrue(row, 2), estimatedRows: try tables.number(row, 3),
                        startedAt: try tables.string(row, 4), finishedAt: try tables.string(row, 5),
                        chunks: chunks[source] ?? [], mended: try tables.number(row, 6),
                        mending: try tables.number(row, 7)))
            }
            return relations
        }
    }

    private func chunkRecords() async throws(ReplicationError) -> [String: [ChunkRecord]] {
        let result = try await query(
            """
            SELECT source, number::int8, relation, cut, key_column, key_type, lower, upper, snapshot::int8, rows_read,
              rows_written, rows_dropped, rows_skipped, dead_letters, bytes
            FROM replhost.chunk WHERE pipeline = $1 ORDER BY source, number
            """, [.text(pipeline)], "reading the ledger")
        return try reading { () throws(PostgresError) in
            var records: [String: [ChunkRecord]] = [:]
            for row in 0..<result.count {
                records[try result.text(of: 0, row: row), default: []].append(try Self.record(result, row))
            }
            return records
        }
    }

    private static func record(_ result: ResultSet, _ row: Int) throws(PostgresError) -> ChunkRecord {
        let chunk = Chunk(
            number: try result.number(row, 1) ?? 0, relation: try name(try result.text(of: 2, row: row)),
            range: try range(result, row))
        guard let read = try result.number(row, 9) else { return ChunkRecord(chunk: chunk) }
        var counts = ChunkOutput.Counts()
        counts.read = read
        counts.written = try result.number(row, 10) ?? 0
        counts.dropped = try result.number(row, 11) ?? 0
        counts.skipped = try result.number(row, 12) ?? 0
        counts.deadLetters = try result.number(row, 13) ?? 0
        counts.bytes = try result.number(row, 14) ?? 0
        return ChunkRecord(chunk: chunk, counts: counts, snapshot: try result.number(row, 8))
    }

    private static func range(_ result: ResultSet, _ row: Int) throws(PostgresError) -> Chunk.Range {
        let (lower, upper) = (try result.string(row, 6), try result.string(row, 7))
        switch try result.text(of: 3, row: row) {
        case "key":
            return .key(
                column: try result.text(of: 4, row: row), type: try result.text(of: 5, row: row), lower: lower,
                upper: upper)
        case "pages": return .pages(from: lower.flatMap { Int($0) } ?? 0, to: upper.flatMap { Int($0) })
        default: return .whole
        }
    }

    private static func name(_ text: String) throws(PostgresError) -> QualifiedName {
        guard let name = QualifiedName(parsing: text) else { throw .unexpected("\"\(text)\" is no table name") }
        return name
    }

    // MARK: Writing

    /// Notes tables that are about to be made or filled.
    package func add(_ relations: [Relation]) async throws(ReplicationError) {
        guard !relations.isEmpty else { return }
        func texts(_ value: (Relation) -> String) -> Parameter { .texts(relations.map(value)) }
        // Empty stands for NULL.
        _ = try await query(
            """
            INSERT INTO replhost.relation (pipeline, source, target, made, estimated_rows)
            SELECT $1, source, target, made::boolean, nullif(rows, '')::bigint
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS new (source, target, made, rows)
            ON CONFLICT (pipeline, source) DO UPDATE
            SET target = excluded.target, made = relation.made OR excluded.made, estimated_rows = excluded.estimated_rows
            """,
            [
                .text(pipeline), texts { $0.source.description }, texts { $0.target.description },
                texts { String($0.isMade) }, texts { $0.estimatedRows.map { String($0) } ?? "" },
            ], "writing the ledger")
    }

    /// Notes how tables are cut.
    package func add(_ chunks: [(source: QualifiedName, chunk: Chunk)]) async throws(ReplicationError) {
        guard !chunks.isEmpty else { return }
        let sources = Set(chunks.map(\.source.description)).sorted()
        _ = try await query(
            "UPDATE replhost.relation SET started_at = now() WHERE pipeline = $1 AND source = ANY ($2::text[])",
            [.text(pipeline), .texts(sources)], "writing the ledger")
        func texts(_ value: (Chunk) -> String) -> Parameter { .texts(chunks.map { value($0.chunk) }) }
        // Empty stands for NULL: no bound, and no column.
        _ = try await query(
            """
            INSERT INTO replhost.chunk (pipeline, source, number, relation, cut, key_column, key_type, lower, upper)
            SELECT $1, source, number::integer, relation, cut, nullif(key_column, ''), nullif(key_type, ''),
              CASE WHEN left(lower, 1) = '=' THEN substr(lower, 2) END, CASE WHEN left(upper, 1) = '=' THEN substr(upper, 2) END
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
              AS new (source, number, relation, cut, key_column, key_type, lower, upper)
            """,
            [
                .text(pipeline), .texts(chunks.map(\.source.description)), texts { String($0.number) },
                texts { $0.relation.description }, texts { $0.range.name }, texts { $0.range.column },
                texts { $0.range.type }, texts { $0.range.bounds.lower.map { "=" + $0 } ?? "" },
                texts { $0.range.bounds.upper.map { "=" + $0 } ?? "" },
            ], "writing the ledger")
    }

    /// Forgets a table.
    package func removeRelation(_ source: QualifiedName) async throws(ReplicationError) {
        _ = try await query(
            "DELETE FROM replhost.relation WHERE pipeline = $1 AND source = $2",
            [.text(pipeline), .text(source.description)], "writing the ledger")
    }

    /// Forgets how a table was cut and what was copied of it.
    package func removeChunks(of source: QualifiedName) async throws(ReplicationError) {
        _ = try await query(
            "DELETE FROM replhost.chunk WHERE pipeline = $1 AND source = $2",
            [.text(pipeline), .text(source.description)], "writing the ledger")
        _ = try await query(
            "UPDATE replhost.relation SET finished_at = NULL WHERE pipeline = $1 AND source = $2",
            [.text(pipeline), .text(source.description)], "writing the ledger")
    }

    /// Inside the chunk's transaction: it was copied. False if somebody else has copied it, or has begun to.
    package func finish(
        _ chunk: Chunk, of source: QualifiedName, snapshot: Int, _ counts: ChunkOutput.Counts
    ) async throws(ReplicationError) -> Bool {
        func number(_ value: Int) -> Parameter { .typed(.int8, Array(String(value).utf8)) }
        let result = try await query(
            """
            UPDATE replhost.chunk
            SET snapshot = $4, rows_read = $5, rows_written = $6, rows_dropped = $7, rows_skipped = $8, dead_letters = $9,
              bytes = $10, copied_at = clock_timestamp()
            WHERE pipeline = $1 AND source = $2 AND number = $3 AND copied_at IS NULL
              AND EXISTS (SELECT FROM replhost.pipeline WHERE name = $1 AND snapshots = $4)
            """,
            [
                .text(pipeline), .text(source.description), .integer(Int64(chunk.number)),
                .integer(Int64(snapshot)), number(counts.read), number(counts.written), number(counts.dropped),
                number(counts.skipped), number(counts.deadLetters), number(counts.bytes),
            ], "writing the ledger")
        return result.affected == 1
    }

    /// All their rows are there, and what follows them.
    package func noteFinished(_ sources: [QualifiedName]) async throws(ReplicationError) {
        _ = try await query(
            """
            UPDATE replhost.relation SET finished_at = coalesce(finished_at, now())
            WHERE pipeline = $1 AND source = ANY ($2::text[])
            """, [.text(pipeline), .texts(sources.map(\.description))], "writing the ledger")
    }
}

extension Chunk.Range {
    /// As the ledger calls it.
    fileprivate var name: String {
        switch self {
        case .whole: "whole"
        case .key: "key"
        case .pages: "pages"
        }
    }

    fileprivate var column: String { if case .key(let column, _, _, _) = self { column } else { "" } }

    fileprivate var type: String { if case .key(_, let type, _, _) = self { type } else { "" } }

    fileprivate var bounds: (lower: String?, upper: String?) {
        switch self {
        case .whole: (nil, nil)
        case .key(_, _, let lower, let upper): (lower, upper)
        case .pages(let first, let end): (String(first), end.map { String($0) })
        }
    }
}
