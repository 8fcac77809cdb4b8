package import Postgres
package import PostgresProtocol

/// Reads descriptions of tables, of many at once.
package struct CatalogReader {
    let connection: Connection
    let side: ReplicationError.Side

    package init(_ connection: Connection, _ side: ReplicationError.Side) {
        self.connection = connection
        self.side = side
    }

    /// All tables of the database that can be copied, partitions included; without those of the system, of extensions
    /// and of replhost. By name.
    package func allTables() async throws(ReplicationError) -> [CatalogTable] {
        try await tables(
            where: """
                c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'replhost')
                AND n.nspname NOT LIKE 'pg\\_toast%' AND c.relpersistence <> 't'
                AND NOT EXISTS (
                  SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
                """, [])
    }

    /// Those of the relations that exist.
    package func tables(_ names: [QualifiedName]) async throws(ReplicationError) -> [QualifiedName: CatalogTable] {
        guard !names.isEmpty else { return [:] }
        let found = try await tables(
            where: """
                c.relkind IN ('r', 'p', 'v', 'm', 'f')
                AND (n.nspname, c.relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))
                """, [.texts(names.map { $0.schema ?? "public" }), .texts(names.map(\.name))])
        return Dictionary(found.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func tables(
        where condition: String, _ parameters: [Parameter]
    ) async throws(ReplicationError) -> [CatalogTable] {
        do throws(PostgresError) {
            let relations = try await connection.query(Self.relations(condition), parameters)
            let oids = try (0..<relations.count).map { row throws(PostgresError) in try relations.text(of: 0, row: row)
            }
            let columns = try await self.columns(of: oids)
            var tables: [CatalogTable] = []
            for (row, oid) in oids.enumerated() {
                tables.append(try Self.table(relations, row, columns[oid] ?? []))
            }
            return tables
        } catch {
            throw .database(side, error, doing: "reading the catalog")
        }
    }

    /// By the relation's OID as text.
    private func columns(of oids: [String]) async throws(PostgresError) -> [String: [CatalogColumn]] {
        let result = try await connection.query(Self.columns, [.texts(oids)])
        var columns: [String: [CatalogColumn]] = [:]
        for row in 0..<result.count {
            columns[try result.text(of: 0, row: row), default: []].append(try Self.column(result, row))
        }
        return columns
    }

    private static func table(
        _ result: ResultSet, _ row: Int, _ columns: [CatalogColumn]
    ) throws(PostgresError) -> CatalogTable {
        let kind: CatalogTable.Kind =
            switch try result.text(of: 3, row: row) {
            case "r": .plain
            case "p": .partitioned
            default: .other
            }
        let root = try result.string(row, 5).map { name throws(PostgresError) in
            QualifiedName(schema: try result.text(of: 4, row: row), name: name)
        }
        return CatalogTable(
            name: QualifiedName(schema: try result.text(of: 1, row: row), name: try result.text(of: 2, row: row)),
            oid: OID(UInt32(try result.number(row, 0) ?? 0)), kind: kind, columns: columns,
            key: try result.strings(row, 8), root: root, pages: try result.number(row, 6) ?? 0,
            rows: Double(try result.text(of: 7, row: row)) ?? -1, isLogged: try result.isTrue(row, 9),
            hasOnlyItsKey: try result.isTrue(row, 10), firesAlways: try result.isTrue(row, 11))
    }

    private static func column(_ result: ResultSet, _ row: Int) throws(PostgresError) -> CatalogColumn {
        let type = OID(UInt32(try result.number(row, 3) ?? 0))
        let isText = try result.isTrue(row, 5)
        let identity: CatalogColumn.Identity? =
            switch try result.text(of: 8, row: row) {
            case "a": .always
            case "d": .byDefault
            default: nil
            }
        let kind = isText ? .text : ValueKind(type)
        return CatalogColumn(
            name: try result.text(of: 1, row: row), number: try result.number(row, 2) ?? 0, type: type,
            typeName: try result.text(of: 4, row: row), bareTypeName: try result.text(of: 10, row: row), kind: kind,
            isNotNull: try result.isTrue(row, 6),
            isGenerated: try result.isTrue(row, 7), identity: identity, hasDefault: try result.isTrue(row, 9),
            isOrdered: Self.isOrdered(type, kind))
    }

    /// Types whose order is that of their default B-tree, with a text form that gives the value back.
    private static func isOrdered(_ type: OID, _ kind: ValueKind) -> Bool {
        switch kind {
        case .int16, .int32, .int64, .uuid, .timestamp, .timestamptz, .date, .numeric: true
        case .text: [.text, .varchar, .bpchar].contains(type)
        default: false
        }
    }
}

extension CatalogReader {
    private static func relations(_ condition: String) -> String {
        """
        SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, rn.nspname::text, r.relname::text,
          CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 END,
          c.reltuples::float8::text,
          (SELECT array_agg(a.attname::text ORDER BY k.position)
           FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position), pg_attribute a
           WHERE i.indexrelid = key.indexrelid AND k.position <= i.indnkeyatts
             AND a.attrelid = c.oid AND a.attnum = k.attnum),
          c.relpersistence = 'p',
          NOT EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = ANY (family.oids) AND (i.indisunique OR i.indisexclusion)
              AND coalesce(pg_partition_root(i.indexrelid)::oid, i.indexrelid) IS DISTINCT FROM key.indexrelid)
          AND NOT EXISTS (
            SELECT FROM pg_attribute a JOIN pg_collation o ON o.oid = a.attcollation
            WHERE a.attrelid = c.oid AND NOT o.collisdeterministic),
          EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = ANY (family.oids) AND t.tgenabled IN ('A', 'R'))
            OR EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_enabled IN ('A', 'R'))
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid)
        LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
        LEFT JOIN LATERAL (
          SELECT i.indexrelid FROM pg_index i
          WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
            AND NOT EXISTS (
              SELECT FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)
          ORDER BY i.indisprimary DESC, i.indisreplident DESC, i.indnkeyatts, i.indexrelid LIMIT 1) key ON true
        CROSS JOIN LATERAL (
          SELECT c.oid || CASE WHEN c.relkind = 'p' THEN (SELECT array_agg(relid::oid) FROM pg_partition_tree(c.oid)) END
            AS oids) family
        WHERE \(condition)
        ORDER BY 2, 3
        """
    }

    /// Domains are followed to their base; a type is text when both its forms are its characters.
    private static let columns = """
        WITH RECURSIVE attribute AS (
          SELECT attrelid, attname, attnum, atttypid, atttypmod, attnotnull, attgenerated, attidentity, atthasdef
          FROM pg_attribute
          WHERE attrelid = ANY ($1::text[]::oid[]) AND attnum > 0 AND NOT attisdropped),
        base(type, base) AS (
          SELECT DISTINCT atttypid, atttypid FROM attribute
          UNION ALL
          SELECT b.type, t.typbasetype FROM base b JOIN pg_type t ON t.oid = b.base WHERE t.typtype = 'd')
        SELECT a.attrelid::int8, a.attname::text, a.attnum::int8, t.oid::int8, format_type(a.atttypid, a.atttypmod),
          t.typtype = 'e' OR (t.typname = 'citext' AND t.typoutput::regproc::text ~ 'citextout$'), a.attnotnull,
          a.attgenerated <> '', a.attidentity::text, a.atthasdef, format_type(a.atttypid, -1)
        FROM attribute a JOIN base b ON b.type = a.atttypid JOIN pg_type t ON t.oid = b.base AND t.typtype <> 'd'
        ORDER BY a.attrelid, a.attnum
        """
}
