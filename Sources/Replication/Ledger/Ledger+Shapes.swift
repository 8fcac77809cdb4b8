import Postgres
import PostgresProtocol

/// What tables of the source looked like when their changes were followed last.
extension Ledger {
    func shapes() async throws(ReplicationError) -> [QualifiedName: RelationShape] {
        let result = try await query(
            "SELECT source, columns FROM replhost.shape WHERE pipeline = $1", [.text(pipeline)], "reading the ledger")
        return try reading { () throws(PostgresError) in
            var shapes: [QualifiedName: RelationShape] = [:]
            for row in 0..<result.count {
                guard let name = QualifiedName(parsing: try result.text(of: 0, row: row)) else { continue }
                shapes[name] = RelationShape(texts: try result.strings(row, 1))
            }
            return shapes
        }
    }

    /// Goes with the changes that show it.
    func noting(_ shape: RelationShape, of table: QualifiedName) -> PipelineStatement {
        PipelineStatement(
            """
            INSERT INTO replhost.shape (pipeline, source, columns) VALUES ($1, $2, $3)
            ON CONFLICT (pipeline, source) DO UPDATE SET columns = EXCLUDED.columns
            """, [.text(pipeline), .text(table.description), .texts(shape.texts)])
    }

    /// Notes what tables look like under the snapshot that `source` is in. What was copied under an earlier one keeps the
    /// note of that.
    func noteShapes(of tables: [CatalogTable], on source: Connection) async throws(ReplicationError) {
        var shapes: ResultSet
        do throws(PostgresError) {
            shapes = try await source.query(
                """
                SELECT a.attrelid::int8, array_agg(\(RelationShape.attributeSQL) ORDER BY a.attnum)::text
                FROM pg_attribute a
                WHERE a.attrelid = ANY ($1::text[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                GROUP BY 1
                """, [.texts(tables.map(\.oid.description))])
        } catch {
            throw .database(.source, error, doing: "reading the catalog")
        }
        let names = Dictionary(tables.map { ($0.oid.description, $0.name) }, uniquingKeysWith: { first, _ in first })
        let (sources, columns) = try reading { () throws(PostgresError) in
            var (sources, columns): ([String], [String]) = ([], [])
            for row in 0..<shapes.count {
                guard let name = names[try shapes.text(of: 0, row: row)] else { continue }
                sources.append(name.description)
                columns.append(try shapes.text(of: 1, row: row))
            }
            return (sources, columns)
        }
        _ = try await query(
            """
            INSERT INTO replhost.shape (pipeline, source, columns)
            SELECT $1, source, columns::text[] FROM unnest($2::text[], $3::text[]) AS seen (source, columns)
            ON CONFLICT (pipeline, source) DO UPDATE SET columns = EXCLUDED.columns
            WHERE NOT EXISTS (
              SELECT FROM replhost.chunk
              WHERE chunk.pipeline = shape.pipeline AND chunk.source = shape.source AND chunk.copied_at IS NOT NULL)
            """, [.text(pipeline), .texts(sources), .texts(columns)], "writing the ledger")
    }
}
