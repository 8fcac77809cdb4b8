import PostgresProtocol

/// An object of the source's catalog, as `pg_depend` names it.
struct CatalogObject: Hashable, Comparable {
    /// As in `pg_type`.
    let catalog: String
    let oid: OID

    static func < (left: CatalogObject, right: CatalogObject) -> Bool {
        (left.oid, left.catalog) < (right.oid, right.catalog)
    }
}

/// What depends on what, as far as tables, types, functions, collations, sequences and extensions go.
struct DependencyGraph {
    private(set) var needs: [CatalogObject: [CatalogObject]] = [:]
    /// Objects that an extension makes.
    private(set) var extensions: [CatalogObject: CatalogObject] = [:]

    mutating func add(_ object: CatalogObject, needs other: CatalogObject, asMember: Bool) {
        if asMember { extensions[object] = other } else { needs[object, default: []].append(other) }
    }

    /// Everything under `roots`, what is needed before what needs it. Circles are cut somewhere.
    func sorted(from roots: [CatalogObject]) -> [CatalogObject] {
        var seen: Set<CatalogObject> = []
        var order: [CatalogObject] = []
        // Without recursion: chains of views of types can be long.
        var stack = roots.reversed().map { (object: $0, isDone: false) }
        while let (object, isDone) = stack.popLast() {
            if isDone {
                order.append(object)
                continue
            }
            guard seen.insert(object).inserted else { continue }
            stack.append((object, true))
            for other in before(object).reversed() where !seen.contains(other) { stack.append((other, false)) }
        }
        return order
    }

    private func before(_ object: CatalogObject) -> [CatalogObject] {
        if let owner = extensions[object] { return [owner] }
        return (needs[object] ?? []).sorted()
    }

    /// Everything that something needs, and what needs it.
    var objects: [CatalogObject] { Set(needs.keys).union(needs.values.joined()).sorted() }
}

extension SourceReader {
    /// What the tables to be made need, and the indexes, triggers and statistics of all of them. `unused`: columns
    /// whose types and defaults are not needed.
    func dependencies(
        of made: [OID], allTables: [OID], unused: [(table: OID, column: Int)]
    ) async throws(ReplicationError) -> DependencyGraph {
        let parameters = [
            made.arrayText(), allTables.arrayText(), unused.map(\.table).arrayText(), unused.map(\.column).arrayText(),
        ]
        let edges = try await session.rows(Self.dependencies, parameters) { row in
            (row.object(), row.object(), row.flag())
        }
        var graph = DependencyGraph()
        for (object, other, isMember) in edges { graph.add(object, needs: other, asMember: isMember) }
        return graph
    }

    private static let dependencies = """
        WITH RECURSIVE unused AS (SELECT * FROM unnest($3::oid[], $4::int[]) u(relid, number)),
        seed(classid, objid) AS (
            SELECT 'pg_class'::regclass::oid, o FROM unnest($1::oid[]) o
            UNION ALL
            SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef
            WHERE adrelid = ANY ($1::oid[]) AND (adrelid, adnum) NOT IN (SELECT relid, number FROM unused)
            UNION ALL
            SELECT 'pg_constraint'::regclass, oid FROM pg_constraint
            WHERE conrelid = ANY ($1::oid[]) AND contype = 'c'
            UNION ALL
            SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = ANY ($2::oid[])
            UNION ALL
            SELECT 'pg_constraint'::regclass, oid FROM pg_constraint
            WHERE conrelid = ANY ($2::oid[]) AND contype IN ('p', 'u', 'x')
            UNION ALL
            SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE tgrelid = ANY ($2::oid[]) AND NOT tgisinternal
            UNION ALL
            SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid = ANY ($2::oid[])),
        edge(classid, objid, refclassid, refobjid, ismember) AS (
            SELECT NULL::oid, NULL::oid, classid, objid, false FROM seed
            UNION
            SELECT e.refclassid, e.refobjid, d.refclassid, d.refobjid, d.deptype = 'e'
            FROM edge e CROSS JOIN LATERAL (
                SELECT refclassid, refobjid, deptype FROM pg_depend
                WHERE pg_depend.classid = e.refclassid AND pg_depend.objid = e.refobjid
                    AND (e.refclassid <> 'pg_class'::regclass OR objsubid = 0
                        OR (objid, objsubid) NOT IN (SELECT relid, number FROM unused))
                UNION ALL
                SELECT 'pg_class'::regclass, typrelid, 'n' FROM pg_type
                WHERE e.refclassid = 'pg_type'::regclass AND pg_type.oid = e.refobjid AND typtype = 'c'
                UNION ALL
                SELECT 'pg_constraint'::regclass, oid, 'n' FROM pg_constraint
                WHERE e.refclassid = 'pg_type'::regclass AND contypid = e.refobjid) d
            WHERE d.refclassid IN ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_collation'::regclass,
                    'pg_extension'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_operator'::regclass,
                    'pg_am'::regclass, 'pg_language'::regclass, 'pg_ts_config'::regclass, 'pg_ts_dict'::regclass,
                    'pg_constraint'::regclass)
                OR (d.refclassid = 'pg_class'::regclass AND (d.refobjid = ANY ($1::oid[])
                    OR (SELECT relkind IN ('S', 'c') FROM pg_class WHERE oid = d.refobjid))))
        SELECT CASE WHEN a.oid IS NOT NULL OR k.conrelid <> 0 THEN 'pg_class' WHEN k.contypid <> 0 THEN 'pg_type'
                ELSE e.classid::regclass::text END,
            coalesce(a.adrelid, nullif(k.conrelid, 0), nullif(k.contypid, 0), e.objid)::text,
            e.refclassid::regclass::text, e.refobjid::text, bool_or(e.ismember)::text
        FROM edge e LEFT JOIN pg_attrdef a ON e.classid = 'pg_attrdef'::regclass AND a.oid = e.objid
            LEFT JOIN pg_constraint k ON e.classid = 'pg_constraint'::regclass AND k.oid = e.objid
        WHERE e.classid IS NOT NULL
            AND NOT (e.refclassid = 'pg_class'::regclass AND e.refobjid = coalesce(a.adrelid, k.conrelid, 0))
        GROUP BY 1, 2, 3, 4
        """
}

extension CatalogRow {
    fileprivate mutating func object() -> CatalogObject { CatalogObject(catalog: string(), oid: oid()) }
}
