import PostgresProtocol
import Scripting

/// What `\d name` says of a relation.
struct TableDescription {
    private let backend: ReplBackend

    init(_ backend: ReplBackend) { self.backend = backend }

    /// nil if there is no such relation.
    func text(_ name: String) async -> Result<String?, FailureReport> {
        let condition = NamePattern(name).condition(
            schema: "n.nspname", name: "c.relname", visible: "pg_table_is_visible(c.oid)")
        let sql = """
            SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(condition) AND c.relkind <> 't' ORDER BY 2, 3
            """
        switch await backend.texts(sql) {
        case .failure(let report): return .failure(report)
        case .success(let rows):
            var texts: [String] = []
            for row in rows {
                switch await text(row.map { $0 ?? "" }) {
                case .success(let text): texts.append(text)
                case .failure(let report): return .failure(report)
                }
            }
            return .success(texts.isEmpty ? nil : texts.joined(separator: "\n"))
        }
    }

    /// `relation`: OID, schema, name, kind.
    private func text(_ relation: [String]) async -> Result<String, FailureReport> {
        let oid = relation[0]
        let name = QualifiedName(schema: relation[1], name: relation[2]).description
        var text = "\(Self.kind(relation[3])) \(TerminalText.escaped(name))\n"
        switch await backend.texts(Self.columns(oid)) {
        case .failure(let report): return .failure(report)
        case .success(let rows):
            text += ResultTable.lines(
                columns: ["Column", "Type", "Nullable", "Default"].map { ResultTable.Column($0) },
                rows: rows.map { $0.map { $0 ?? "" } })
        }
        for (title, sql) in Self.sections(oid) {
            switch await backend.texts(sql) {
            case .failure(let report): return .failure(report)
            case .success(let rows) where rows.isEmpty: continue
            case .success(let rows):
                text += "\(title):\n"
                for row in rows { text += "    \(TerminalText.escaped((row.first ?? nil) ?? ""))\n" }
            }
        }
        return .success(text)
    }

    private static func kind(_ letter: String) -> String {
        switch letter {
        case "r": "Table"
        case "p": "Partitioned table"
        case "v": "View"
        case "m": "Materialized view"
        case "S": "Sequence"
        case "i", "I": "Index"
        case "f": "Foreign table"
        default: "Relation"
        }
    }

    private static func columns(_ oid: String) -> String {
        """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
          CASE WHEN a.attidentity <> '' THEN 'generated ' || CASE a.attidentity WHEN 'a' THEN 'always' ELSE 'by default' END
            || ' as identity' WHEN a.attgenerated <> '' THEN 'generated always as (' || pg_get_expr(d.adbin, d.adrelid)
            || ') stored' ELSE pg_get_expr(d.adbin, d.adrelid) END
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = \(oid) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
        """
    }

    private static func sections(_ oid: String) -> [(title: String, sql: String)] {
        [
            (
                "Partition of",
                "SELECT inhparent::regclass || ' ' || coalesce(pg_get_expr(c.relpartbound, c.oid), '') FROM "
                    + "pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhrelid = \(oid)"
            ),
            ("Partition key", "SELECT pg_get_partkeydef(\(oid)) WHERE pg_get_partkeydef(\(oid)) IS NOT NULL"),
            (
                "Indexes",
                """
                SELECT format('%I ', c.relname) || CASE WHEN i.indisprimary THEN 'PRIMARY KEY, ' WHEN i.indisunique THEN
                  'UNIQUE, ' ELSE '' END || substring(pg_get_indexdef(i.indexrelid) FROM ' USING (.*)$')
                  || CASE WHEN i.indisreplident THEN ' REPLICA IDENTITY' ELSE '' END
                  || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
                FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = \(oid)
                ORDER BY NOT i.indisprimary, NOT i.indisunique, c.relname
                """
            ),
            ("Check constraints", constraints(oid, "contype = 'c' AND conrelid")),
            ("Foreign keys", constraints(oid, "contype = 'f' AND conrelid")),
            (
                "Referenced by",
                """
                SELECT format('TABLE %s CONSTRAINT %I ', conrelid::regclass, conname) || pg_get_constraintdef(oid)
                FROM pg_constraint WHERE contype = 'f' AND confrelid = \(oid) ORDER BY 1
                """
            ),
            (
                "Triggers",
                "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = \(oid) AND NOT tgisinternal "
                    + "ORDER BY tgname"
            ),
            (
                "Partitions",
                "SELECT inhrelid::regclass || ' ' || coalesce(pg_get_expr(c.relpartbound, c.oid), '') FROM "
                    + "pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = \(oid) ORDER BY 1"
            ),
            (
                "Replica identity",
                "SELECT CASE relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END FROM pg_class WHERE "
                    + "oid = \(oid) AND relreplident IN ('f', 'n') AND relkind IN ('r', 'p')"
            ),
            (
                "Publications",
                "SELECT pubname FROM pg_publication_tables t JOIN pg_class c ON c.relname = t.tablename JOIN "
                    + "pg_namespace n ON n.oid = c.relnamespace AND n.nspname = t.schemaname WHERE c.oid = \(oid) ORDER BY 1"
            ),
            (
                "Definition",
                "SELECT pg_get_viewdef(\(oid), true) FROM pg_class WHERE oid = \(oid) AND relkind IN ('v', 'm')"
            ),
            ("Definition", "SELECT pg_get_indexdef(\(oid)) FROM pg_class WHERE oid = \(oid) AND relkind IN ('i', 'I')"),
        ]
    }

    private static func constraints(_ oid: String, _ condition: String) -> String {
        "SELECT format('%I ', conname) || pg_get_constraintdef(oid) FROM pg_constraint WHERE \(condition) = \(oid) "
            + "ORDER BY conname"
    }
}
