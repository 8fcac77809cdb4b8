import PostgresProtocol

/// What the target has already.
struct TargetState {
    struct Relation {
        let oid: OID
        let kind: String
        /// Of an index its table, of a partition its partitioned table, of a sequence the table whose column owns it.
        let owner: OID
        /// Of an index: whether it can be used.
        let isValid: Bool
        let isClustered: Bool
        let isReplicaIdentity: Bool
        /// Of a table: it was analyzed before.
        let isAnalyzed: Bool
        let replicaIdentity: String
    }

    struct Member: Hashable {
        let table: OID
        let name: String
    }

    var relations: [QualifiedName: Relation] = [:]
    /// With what is true of a valid one.
    var constraints: [Member: Bool] = [:]
    var triggers: Set<Member> = []
    var statistics: [QualifiedName: OID] = [:]
    /// Tables and columns with a comment; the table's own has an empty name.
    var comments: Set<Member> = []

    func oid(_ name: QualifiedName) -> OID? { relations[name]?.oid }

    func has(_ name: String, of table: QualifiedName, in members: Set<Member>) -> Bool {
        oid(table).map { members.contains(Member(table: $0, name: name)) } ?? false
    }

    /// Nil if there is none, else whether it is validated.
    func constraint(_ name: String, of table: QualifiedName) -> Bool? {
        oid(table).flatMap { constraints[Member(table: $0, name: name)] }
    }
}

struct TargetReader {
    let session: SchemaSession

    /// All relations of some schemas.
    func relations(in schemas: Set<String>) async throws(ReplicationError) -> [QualifiedName: TargetState.Relation] {
        let sql = """
            SELECT n.nspname::text, c.relname::text, c.oid::text, c.relkind::text,
                coalesce(i.indrelid, h.inhparent, d.refobjid)::text, i.indisvalid::text, i.indisclustered::text,
                i.indisreplident::text, (c.relkind IN ('r', 'p') AND coalesce(pg_stat_get_last_analyze_time(c.oid),
                    pg_stat_get_last_autoanalyze_time(c.oid)) IS NOT NULL)::text, c.relreplident::text
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_index i ON i.indexrelid = c.oid
                LEFT JOIN pg_inherits h ON h.inhrelid = c.oid AND c.relispartition AND c.relkind IN ('r', 'p')
                LEFT JOIN pg_depend d ON c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
            WHERE n.nspname = ANY ($1::text[])
            """
        let found = try await session.rows(sql, [schemas.sorted().arrayText()]) { row in
            let name = row.name()
            let relation = TargetState.Relation(
                oid: row.oid(), kind: row.string(), owner: row.oid(), isValid: row.flag(), isClustered: row.flag(),
                isReplicaIdentity: row.flag(), isAnalyzed: row.flag(), replicaIdentity: row.string())
            return (name, relation)
        }
        return Dictionary(found) { first, _ in first }
    }

    /// Fills in what belongs to tables.
    func readMembers(of tables: [OID], into state: inout TargetState) async throws(ReplicationError) {
        let oids = tables.arrayText()
        let constraints = try await session.rows(
            """
            SELECT conrelid::text, conname::text, convalidated::text FROM pg_constraint
            WHERE conrelid = ANY ($1::oid[])
            """,
            [oids]
        ) { row in (TargetState.Member(table: row.oid(), name: row.string()), row.flag()) }
        state.constraints = Dictionary(constraints) { first, _ in first }
        let triggers =
            "SELECT tgrelid::text, tgname::text FROM pg_trigger WHERE tgrelid = ANY ($1::oid[]) AND NOT tgisinternal"
        state.triggers = Set(try await session.rows(triggers, [oids]) { TargetState.Member(&$0) })
        let comments = """
            SELECT d.objoid::text, coalesce(a.attname::text, '')
            FROM pg_description d LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
                AND d.objsubid > 0
            WHERE d.classoid = 'pg_class'::regclass AND d.objoid = ANY ($1::oid[])
            """
        state.comments = Set(try await session.rows(comments, [oids]) { TargetState.Member(&$0) })
    }

    func statistics(in schemas: Set<String>) async throws(ReplicationError) -> [QualifiedName: OID] {
        let sql = """
            SELECT n.nspname::text, s.stxname::text, s.stxrelid::text
            FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE n.nspname = ANY ($1::text[])
            """
        let found = try await session.rows(sql, [schemas.sorted().arrayText()]) { ($0.name(), $0.oid()) }
        return Dictionary(found) { first, _ in first }
    }

    /// `pg_type.typcategory` of types by their texts; the server refuses a text that is no type.
    func categories(_ types: Set<String>) async throws(ReplicationError) -> [String: String] {
        guard !types.isEmpty else { return [:] }
        let sql = "SELECT x, t.typcategory::text FROM unnest($1::text[]) x JOIN pg_type t ON t.oid = to_regtype(x)"
        let found = try await session.rows(sql, [types.sorted().arrayText()]) { ($0.string(), $0.string()) }
        return Dictionary(found) { first, _ in first }
    }

    /// Columns of the unique indexes a foreign key can refer to, by table name.
    func keys(of tables: [QualifiedName]) async throws(ReplicationError) -> [QualifiedName: [Set<String>]] {
        guard !tables.isEmpty else { return [:] }
        let sql = """
            SELECT n.nspname::text, c.relname::text, array_to_string(ARRAY(SELECT a.attname FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])), E'\\x1f')
            FROM unnest($1::text[], $2::text[]) u(schema, name) JOIN pg_namespace n ON n.nspname = u.schema
                JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = u.name
                JOIN pg_index i ON i.indrelid = c.oid
            WHERE i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
            """
        let parameters = [tables.map { $0.schema ?? "public" }.arrayText(), tables.map(\.name).arrayText()]
        let found = try await session.rows(sql, parameters) { ($0.name(), Set($0.list())) }
        return Dictionary(grouping: found, by: \.0).mapValues { $0.map(\.1) }
    }
}

extension TargetState.Member {
    init(_ row: inout CatalogRow) { self.init(table: row.oid(), name: row.string()) }
}
