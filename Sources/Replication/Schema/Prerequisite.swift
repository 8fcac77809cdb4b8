import PostgresProtocol

/// Something that tables need and that is made under its own name: an extension, type, collation or function.
struct Prerequisite: Hashable {
    var kind: SchemaStep.Kind
    var name: QualifiedName
    /// Of a function, its arguments: they tell functions of one name apart.
    var arguments = ""
    var sql: String

    /// What a target can have already.
    struct Identity: Hashable {
        let kind: SchemaStep.Kind
        let name: QualifiedName
        let arguments: String
    }

    var identity: Identity { Identity(kind: kind, name: name, arguments: arguments) }
}

extension SourceReader {
    /// Statements for those of `objects` that replhost can make.
    func prerequisites(
        _ objects: [CatalogObject]
    ) async throws(ReplicationError) -> [CatalogObject: Prerequisite] {
        let numbers = Dictionary(grouping: objects, by: \.catalog).mapValues { $0.map(\.oid).arrayText() }
        var found: [(CatalogObject, Prerequisite)] = []
        if let oids = numbers["pg_extension"] { found += try await extensions(oids) }
        if let oids = numbers["pg_collation"] { found += try await collations(oids) }
        if let oids = numbers["pg_proc"] { found += try await functions(oids) }
        if let oids = numbers["pg_type"] {
            found += try await enums(oids)
            found += try await domains(oids)
            found += try await composites(oids)
            found += try await ranges(oids)
        }
        return Dictionary(found) { first, _ in first }
    }

    private typealias Found = [(CatalogObject, Prerequisite)]

    private func extensions(_ oids: String) async throws(ReplicationError) -> Found {
        let sql = """
            SELECT e.oid::text, e.extname::text, n.nspname::text FROM pg_extension e
                JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.oid = ANY ($1::oid[])
            """
        return try await session.rows(sql, [oids]) { row in
            let (oid, name, schema) = (row.oid(), row.string(), row.string())
            let place = schema == "pg_catalog" ? "" : " WITH SCHEMA \(SQLText.quoteIdentifier(schema))"
            let create = "CREATE EXTENSION IF NOT EXISTS \(SQLText.quoteIdentifier(name))\(place)"
            // Extensions have no schema of their own: the one in the name is where their objects go.
            let object = CatalogObject(catalog: "pg_extension", oid: oid)
            let qualified = QualifiedName(schema: schema, name: name)
            return (object, Prerequisite(kind: .extension, name: qualified, sql: create))
        }
    }

    private func collations(_ oids: String) async throws(ReplicationError) -> Found {
        let locale =
            switch session.version {
            case 170_000...: "l.colllocale"
            case 150_000...: "l.colliculocale"
            default: "NULL::text"
            }
        let sql = """
            SELECT l.oid::text, n.nspname::text, l.collname::text, l.collprovider::text,
                coalesce(\(locale), l.collcollate)::text, coalesce(l.collctype, l.collcollate)::text,
                l.collisdeterministic::text
            FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE l.oid = ANY ($1::oid[])
            """
        return try await session.rows(sql, [oids]) { row in
            let (oid, name, provider) = (row.oid(), row.name(), row.string())
            let (locale, type, isDeterministic) = (row.string(), row.string(), row.flag())
            var options = ["provider = \(["i": "icu", "c": "libc", "b": "builtin"][provider] ?? "libc")"]
            options.append(
                provider == "c"
                    ? "lc_collate = \(SQLText.quoteLiteral(locale))" : "locale = \(SQLText.quoteLiteral(locale))")
            if provider == "c" { options.append("lc_ctype = \(SQLText.quoteLiteral(type))") }
            if !isDeterministic { options.append("deterministic = false") }
            let create = "CREATE COLLATION \(name.sql) (\(options.joined(separator: ", ")))"
            let object = CatalogObject(catalog: "pg_collation", oid: oid)
            return (object, Prerequisite(kind: .collation, name: name, sql: create))
        }
    }

    /// Functions and procedures; aggregates have no text that the server would give.
    private func functions(_ oids: String) async throws(ReplicationError) -> Found {
        let sql = """
            SELECT p.oid::text, n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid),
                pg_get_functiondef(p.oid)
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE p.oid = ANY ($1::oid[]) AND p.prokind <> 'a'
            """
        return try await session.rows(sql, [oids]) { row in
            let (oid, name, arguments) = (row.oid(), row.name(), row.string())
            var body = row.string()
            while body.utf8.last == UInt8(ascii: "\n") { body.removeLast() }
            let create = "SET LOCAL check_function_bodies = off;\n" + body
            let object = CatalogObject(catalog: "pg_proc", oid: oid)
            return (object, Prerequisite(kind: .function, name: name, arguments: arguments, sql: create))
        }
    }

    private func enums(_ oids: String) async throws(ReplicationError) -> Found {
        let labels =
            "ARRAY(SELECT quote_literal(l.enumlabel) FROM pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder)"
        return try await types(oids, where: "t.typtype = 'e'", "array_to_string(\(labels), ', ')") { name, definition in
            "CREATE TYPE \(name) AS ENUM (\(definition))"
        }
    }

    private func domains(_ oids: String) async throws(ReplicationError) -> Found {
        let constraints = """
            SELECT string_agg(format(E'\\n    CONSTRAINT %I %s', k.conname,
                regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')), '' ORDER BY k.conname)
            FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'
            """
        let definition = """
            concat(format_type(t.typbasetype, t.typtypmod), \(Self.collation("t.typcollation", of: "t.typbasetype")),
                ' DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)),
                CASE WHEN t.typnotnull THEN ' NOT NULL' END, (\(constraints)))
            """
        return try await types(oids, where: "t.typtype = 'd'", definition) { name, definition in
            "CREATE DOMAIN \(name) AS \(definition)"
        }
    }

    private func composites(_ oids: String) async throws(ReplicationError) -> Found {
        let attributes = """
            SELECT string_agg(concat(quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod),
                \(Self.collation("a.attcollation", of: "a.atttypid"))), E',\\n    ' ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            """
        let isOwn = "t.typtype = 'c' AND (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = t.typrelid)"
        return try await types(oids, where: isOwn, "(\(attributes))") { name, definition in
            "CREATE TYPE \(name) AS (\n    \(definition)\n)"
        }
    }

    /// A range type's multirange comes with it.
    private func ranges(_ oids: String) async throws(ReplicationError) -> Found {
        let name = "(SELECT quote_ident(x.nspname) || '.'"
        let definition = """
            (SELECT concat('subtype = ', format_type(r.rngsubtype, NULL),
                ', multirange_type_name = ' || \(name) || quote_ident(m.typname) FROM pg_type m
                    JOIN pg_namespace x ON x.oid = m.typnamespace WHERE m.oid = r.rngmultitypid),
                ', subtype_opclass = ' || \(name) || quote_ident(o.opcname) FROM pg_opclass o
                    JOIN pg_namespace x ON x.oid = o.opcnamespace WHERE o.oid = r.rngsubopc AND NOT o.opcdefault),
                CASE WHEN r.rngcollation <> (SELECT s.typcollation FROM pg_type s WHERE s.oid = r.rngsubtype) THEN
                    ', collation = ' || \(name) || quote_ident(l.collname) FROM pg_collation l
                    JOIN pg_namespace x ON x.oid = l.collnamespace WHERE l.oid = r.rngcollation) END,
                ', canonical = ' || nullif(r.rngcanonical::oid, 0)::regproc,
                ', subtype_diff = ' || nullif(r.rngsubdiff::oid, 0)::regproc)
            FROM pg_range r WHERE r.rngtypid = t.oid)
            """
        return try await types(oids, where: "t.typtype = 'r'", definition) { name, definition in
            "CREATE TYPE \(name) AS RANGE (\(definition))"
        }
    }

    private static func collation(_ collation: String, of type: String) -> String {
        """
        CASE WHEN \(collation) <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = \(type)) THEN
            (SELECT ' COLLATE ' || quote_ident(x.nspname) || '.' || quote_ident(l.collname)
             FROM pg_collation l JOIN pg_namespace x ON x.oid = l.collnamespace WHERE l.oid = \(collation)) END
        """
    }

    private func types(
        _ oids: String, where condition: String, _ definition: String, _ create: (String, String) -> String
    ) async throws(ReplicationError) -> Found {
        let sql = """
            SELECT t.oid::text, n.nspname::text, t.typname::text, \(definition)
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE t.oid = ANY ($1::oid[]) AND \(condition)
            """
        return try await session.rows(sql, [oids]) { row in
            let (oid, name) = (row.oid(), row.name())
            let create = create(name.sql, row.string())
            return (CatalogObject(catalog: "pg_type", oid: oid), Prerequisite(kind: .type, name: name, sql: create))
        }
    }
}

extension TargetReader {
    /// Which of them are there already, whatever their definition.
    func existing(_ wanted: [Prerequisite]) async throws(ReplicationError) -> Set<Prerequisite.Identity> {
        let schemas = Set(wanted.compactMap(\.name.schema)).sorted().arrayText()
        let names = Set(wanted.map(\.name.name)).sorted().arrayText()
        let sql = """
            SELECT 'type', n.nspname::text, t.typname::text, '' FROM pg_type t
                JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE n.nspname = ANY ($1::text[]) AND t.typname = ANY ($2::text[])
            UNION ALL
            SELECT 'collation', n.nspname, l.collname, '' FROM pg_collation l
                JOIN pg_namespace n ON n.oid = l.collnamespace
            WHERE n.nspname = ANY ($1::text[]) AND l.collname = ANY ($2::text[])
            UNION ALL
            SELECT 'function', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid) FROM pg_proc p
                JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = ANY ($1::text[]) AND p.proname = ANY ($2::text[])
            """
        let found = try await session.rows(sql, [schemas, names]) { row in
            Prerequisite.Identity(
                kind: SchemaStep.Kind(rawValue: row.string()) ?? .type, name: row.name(), arguments: row.string())
        }
        let extensions = Set(try await session.rows("SELECT extname::text FROM pg_extension") { $0.string() })
        let installed = wanted.filter { $0.kind == .extension && extensions.contains($0.name.name) }.map(\.identity)
        return Set(found).union(installed)
    }

    func schemas() async throws(ReplicationError) -> Set<String> {
        Set(try await session.rows("SELECT nspname::text FROM pg_namespace") { $0.string() })
    }
}
