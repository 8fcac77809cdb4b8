import PostgresProtocol

/// Reads tables and what belongs to them from the source's catalog: one query for each kind of object.
struct SourceReader {
    let session: SchemaSession

    private var version: Int { session.version }

    /// Numbers of the columns that a stored expression mentions. `pg_depend` cannot say: it does not tell an index's
    /// key columns from those of its predicate.
    private static func mentioned(_ tree: String) -> String {
        """
        array_to_string(ARRAY(SELECT DISTINCT m[1] FROM regexp_matches(\(tree), ':varattno (-?[0-9]+)', 'g') m), ',')
        """
    }

    private static func list(_ array: String) -> String { "array_to_string(\(array), E'\\x1f')" }

    /// The tables and all partitions below them, parents first.
    func tables(_ roots: [OID]) async throws(ReplicationError) -> [SourceTable] {
        let sql = """
            WITH RECURSIVE tree AS (
                SELECT o AS oid, NULL::oid AS parent, o AS root, 0 AS level FROM unnest($1::oid[]) o
                UNION ALL
                SELECT i.inhrelid, i.inhparent, t.root, t.level + 1
                FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid JOIN pg_class c ON c.oid = i.inhrelid
                WHERE c.relispartition AND c.relkind IN ('r', 'p'))
            SELECT t.oid::text, t.parent::text, t.root::text, n.nspname::text, c.relname::text,
                quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind::text,
                (c.relpersistence = 'u')::text, c.relreplident::text, coalesce(a.amname, 'heap')::text,
                \(Self.list("c.reloptions || ARRAY(SELECT 'toast.' || o FROM unnest(x.reloptions) o)")),
                pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid),
                concat_ws(',', array_to_string(array_remove(p.partattrs::int2[], 0::int2), ','),
                    \(Self.mentioned("p.partexprs::text"))),
                CASE WHEN NOT c.relispartition THEN array_to_string(ARRAY(SELECT i.inhparent FROM pg_inherits i
                    WHERE i.inhrelid = c.oid ORDER BY i.inhseqno), ',') END, d.description
            FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_class x ON x.oid = c.reltoastrelid
                LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
                LEFT JOIN pg_description d
                    ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
            ORDER BY t.level, n.nspname, c.relname
            """
        return try await session.rows(sql, [roots.arrayText()]) { row in
            let (oid, parent, root) = (row.oid(), row.text().flatMap { UInt32($0) }.map { OID($0) }, row.oid())
            return SourceTable(
                oid: oid, parent: parent, root: root, name: row.name(), quoted: row.string(), kind: row.string(),
                isUnlogged: row.flag(), replicaIdentity: row.string(), accessMethod: row.string(), options: row.list(),
                bound: row.text(), partitionKey: row.text(), keyColumns: row.numbers(),
                parents: row.numbers().map { OID(UInt32($0)) }, comment: row.text())
        }
    }

    func columns(_ tables: [OID]) async throws(ReplicationError) -> [SourceColumn] {
        let sql = """
            SELECT a.attrelid::text, a.attnum::text, a.attname::text, quote_ident(a.attname),
                format_type(a.atttypid, a.atttypmod), t.typcategory::text,
                CASE WHEN a.attcollation <> t.typcollation THEN
                    (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname)
                     FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                     WHERE l.oid = a.attcollation) END,
                a.attnotnull::text, a.attislocal::text, a.attidentity::text, a.attgenerated::text,
                pg_get_expr(e.adbin, e.adrelid),
                CASE WHEN a.attgenerated <> '' THEN \(Self.mentioned("e.adbin::text")) END,
                CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END, a.attcompression::text,
                coalesce(a.attstattarget, -1)::text, \(Self.list("a.attoptions")), d.description
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
                LEFT JOIN pg_description d
                    ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
            WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attrelid, a.attnum
            """
        return try await session.rows(sql, [tables.arrayText()]) { row in
            SourceColumn(
                table: row.oid(), number: row.number(), name: row.string(), quoted: row.string(), type: row.string(),
                category: row.string(), collation: row.text(), isNotNull: row.flag(), isLocal: row.flag(),
                identity: row.string(), generation: Self.generation(row.string()), expression: row.text(),
                mentioned: row.numbers(), storage: row.text(), compression: Self.compression(row.string()),
                statisticsTarget: row.number(), options: row.list(), comment: row.text())
        }
    }

    private static func generation(_ code: String) -> SourceColumn.Generation? {
        switch code {
        case "s": .stored
        case "v": .virtual
        default: nil
        }
    }

    private static func compression(_ code: String) -> String? {
        switch code {
        case "p": "pglz"
        case "l": "lz4"
        default: nil
        }
    }

    /// Without those that belong to a partitioned table's index, which makes them.
    func indexes(_ tables: [OID]) async throws(ReplicationError) -> [SourceIndex] {
        // The part before USING is known, so that the rest can be cut off exactly.
        let head = """
            'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || quote_ident(c.relname)
            || ' ON ' || CASE WHEN c.relkind = 'I' THEN 'ONLY ' ELSE '' END || quote_ident(n.nspname) || '.'
            || quote_ident(r.relname) || ' USING '
            """
        let sql = """
            SELECT i.indexrelid::text, i.indrelid::text, c.relname::text,
                substr(pg_get_indexdef(i.indexrelid), 1 + length(\(head))), i.indisunique::text, i.indisprimary::text,
                i.indisvalid::text, i.indisclustered::text, i.indisreplident::text, (i.indpred IS NOT NULL)::text,
                array_to_string(i.indkey::int2[], ','), i.indnkeyatts::text,
                \(Self.mentioned("concat(i.indexprs::text, i.indpred::text)")), pg_get_constraintdef(k.oid),
                \(Self.list("c.reloptions")), pg_relation_size(i.indexrelid)::text
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class r ON r.oid = i.indrelid
                JOIN pg_namespace n ON n.oid = r.relnamespace
                LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
                    AND k.contype IN ('p', 'u', 'x')
            WHERE i.indrelid = ANY ($1::oid[]) AND i.indislive
                AND NOT EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid = i.indexrelid AND h.inhparent IN
                    (SELECT p.indexrelid FROM pg_index p WHERE p.indrelid = ANY ($1::oid[])))
            ORDER BY i.indrelid, NOT i.indisprimary, c.relname
            """
        return try await session.rows(sql, [tables.arrayText()]) { row in
            SourceIndex(
                oid: row.oid(), table: row.oid(), name: row.string(), definition: row.string(), isUnique: row.flag(),
                isPrimary: row.flag(), isValid: row.flag(), isClustered: row.flag(), isReplicaIdentity: row.flag(),
                isPartial: row.flag(), columns: row.numbers(), keyCount: row.number(), mentioned: row.numbers(),
                constraint: row.text(), options: row.list(), size: row.number())
        }
    }

    /// CHECK and foreign keys, without those that a partitioned table's make.
    func constraints(_ tables: [OID]) async throws(ReplicationError) -> [SourceConstraint] {
        let setColumns = version >= 150_000 ? "array_to_string(k.confdelsetcols, ',')" : "NULL"
        let names = "SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY u(number, place) JOIN pg_attribute a "
        let sql = """
            SELECT k.conrelid::text, k.conname::text, (k.contype = 'f')::text, k.convalidated::text, k.conislocal::text,
                pg_get_constraintdef(k.oid), array_to_string(k.conkey, ','), k.confrelid::text, n.nspname::text,
                r.relname::text,
                \(Self.list("ARRAY(\(names) ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)")),
                array_to_string(k.confkey, ','), \(setColumns), k.conindid::text
            FROM pg_constraint k LEFT JOIN pg_class r ON r.oid = k.confrelid
                LEFT JOIN pg_namespace n ON n.oid = r.relnamespace
            WHERE k.conrelid = ANY ($1::oid[]) AND k.contype IN ('c', 'f')
                AND NOT EXISTS (SELECT 1 FROM pg_constraint p
                    WHERE p.oid = k.conparentid AND (p.conrelid = ANY ($1::oid[])))
            ORDER BY k.conrelid, k.conname
            """
        return try await session.rows(sql, [tables.arrayText()]) { row in
            SourceConstraint(
                table: row.oid(), name: row.string(), isForeignKey: row.flag(), isValid: row.flag(),
                isLocal: row.flag(), definition: row.string(), columns: row.numbers(), referenced: row.oid(),
                referencedName: row.name(), referencedColumns: row.list(), referencedNumbers: row.numbers(),
                setColumns: row.numbers(), index: row.oid())
        }
    }

    /// Without those of the system, and those that a partitioned table's makes.
    func triggers(_ tables: [OID]) async throws(ReplicationError) -> [SourceTrigger] {
        let sql = """
            SELECT t.tgrelid::text, t.tgname::text, t.tgenabled::text, pg_get_triggerdef(t.oid),
                array_to_string(t.tgattr::int2[], ','), \(Self.mentioned("t.tgqual::text"))
            FROM pg_trigger t
            WHERE t.tgrelid = ANY ($1::oid[]) AND NOT t.tgisinternal
                AND NOT EXISTS (SELECT 1 FROM pg_trigger p WHERE p.oid = t.tgparentid AND p.tgrelid = ANY ($1::oid[]))
            ORDER BY t.tgrelid, t.tgname
            """
        return try await session.rows(sql, [tables.arrayText()]) { row in
            SourceTrigger(
                table: row.oid(), name: row.string(), enabled: row.string(), definition: row.string(),
                columns: row.numbers(), mentioned: row.numbers())
        }
    }

    func statistics(_ tables: [OID]) async throws(ReplicationError) -> [SourceStatistics] {
        let sql = """
            SELECT s.stxrelid::text, n.nspname::text, s.stxname::text, array_to_string(s.stxkeys::int2[], ','),
                array_to_string(s.stxkind, ','), \(Self.list("pg_get_statisticsobjdef_expressions(s.oid)")),
                \(Self.mentioned("s.stxexprs::text")), coalesce(s.stxstattarget, -1)::text
            FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
            WHERE s.stxrelid = ANY ($1::oid[])
            ORDER BY s.stxrelid, s.stxname
            """
        return try await session.rows(sql, [tables.arrayText()]) { row in
            SourceStatistics(
                table: row.oid(), name: row.name(), columns: row.numbers(),
                kinds: row.string().split(separator: ",").map(String.init), expressions: row.list(),
                mentioned: row.numbers(), target: row.number())
        }
    }

    /// Those that the tables' columns own, and others by number.
    func sequences(ownedBy tables: [OID], and others: [OID]) async throws(ReplicationError) -> [SourceSequence] {
        let sql = """
            SELECT s.seqrelid::text, n.nspname::text, c.relname::text,
                quote_literal(quote_ident(n.nspname) || '.' || quote_ident(c.relname)) || '::regclass',
                format_type(s.seqtypid, NULL), format('INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s',
                    s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache)
                    || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END,
                (c.relpersistence = 'u')::text, d.refobjid::text, d.refobjsubid::text, (d.deptype = 'i')::text
            FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
                    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
            WHERE s.seqrelid = ANY ($2::oid[]) OR d.refobjid = ANY ($1::oid[])
            ORDER BY n.nspname, c.relname
            """
        return try await session.rows(sql, [tables.arrayText(), others.arrayText()]) { row in
            SourceSequence(
                oid: row.oid(), name: row.name(), constant: row.string(), type: row.string(),
                parameters: row.string(), isUnlogged: row.flag(), owner: row.oid(), ownerColumn: row.number(),
                isIdentity: row.flag())
        }
    }
}

extension CatalogRow {
    mutating func name() -> QualifiedName {
        let schema = text()
        return QualifiedName(schema: schema, name: string())
    }
}
