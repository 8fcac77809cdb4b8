import PostgresProtocol
import Scripting

/// What a pattern like `public.ord*` means in SQL.
struct NamePattern {
    private let schema: String?
    private let name: String?

    init(_ text: String?) {
        guard let text, !text.isEmpty else {
            (schema, name) = (nil, nil)
            return
        }
        var parts = [""]
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "." where !isQuoted && parts.count == 1: parts.append("")
            case _ where isQuoted: parts[parts.count - 1] += Self.escaped(character)
            case "*": parts[parts.count - 1] += ".*"
            case "?": parts[parts.count - 1] += "."
            default: parts[parts.count - 1] += Self.escaped(Character(character.lowercased()))
            }
        }
        schema = parts.count == 2 ? parts[0] : nil
        name = parts.last
    }

    /// Without a schema: what is found without one, which is the condition `visible`.
    func condition(schema column: String, name nameColumn: String, visible: String) -> String {
        var conditions: [String] = []
        if let name { conditions.append("\(nameColumn) ~ \(SQLText.quoteLiteral("^(\(name))$"))") }
        if let schema {
            conditions.append("\(column) ~ \(SQLText.quoteLiteral("^(\(schema))$"))")
        } else {
            conditions.append(visible)
        }
        if name == nil {
            conditions.append("\(column) <> 'pg_catalog' AND \(column) <> 'information_schema'")
            conditions.append("\(column) !~ '^pg_toast'")
        }
        return conditions.joined(separator: " AND ")
    }

    /// Of objects that are in no schema, or are schemas.
    func condition(name column: String) -> String {
        guard let name else { return "\(column) !~ '^pg_(toast|temp)'" }
        return "\(column) ~ \(SQLText.quoteLiteral("^(\(name))$"))"
    }

    private static func escaped(_ character: Character) -> String {
        ".*+?^$()[]{}|\\".contains(character) ? "\\\(character)" : String(character)
    }
}

/// SQL of the commands that list things.
enum CatalogQueries {
    private static let kind = """
        CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN
        'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'i' THEN 'index' WHEN 'I' THEN
        'partitioned index' ELSE c.relkind::text END
        """

    /// nil for a command that lists nothing.
    static func sql(_ command: BackslashCommand, _ pattern: NamePattern) -> String? {
        switch command {
        case .describe: relations("'r','p','v','m','S','f'", pattern, "")
        case .tables:
            relations(
                "'r','p'", pattern,
                """
                , CASE WHEN c.reltuples < 0 THEN NULL ELSE c.reltuples::bigint END AS "Rows (about)",
                pg_size_pretty(pg_total_relation_size(c.oid)) AS "Size"
                """)
        case .views: relations("'v','m'", pattern, "")
        case .indexes:
            relations(
                "'i','I'", pattern,
                """
                , (SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = c.oid) AS "Table",
                pg_size_pretty(pg_relation_size(c.oid)) AS "Size"
                """)
        case .schemas: schemas(pattern)
        case .functions: functions(pattern)
        case .databases: databases
        case .slots: slots
        case .pub: publications
        case .sub: subscriptions
        case .lag: lag
        default: nil
        }
    }

    private static func relations(_ kinds: String, _ pattern: NamePattern, _ more: String) -> String {
        let condition = pattern.condition(
            schema: "n.nspname", name: "c.relname", visible: "pg_table_is_visible(c.oid)")
        return """
            SELECT n.nspname AS "Schema", c.relname AS "Name", \(kind) AS "Type",
              pg_get_userbyid(c.relowner) AS "Owner"\(more)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN (\(kinds)) AND \(condition) ORDER BY 1, 2
            """
    }

    private static func schemas(_ pattern: NamePattern) -> String {
        """
        SELECT n.nspname AS "Name", pg_get_userbyid(n.nspowner) AS "Owner" FROM pg_namespace n
        WHERE \(pattern.condition(name: "n.nspname")) ORDER BY 1
        """
    }

    private static func functions(_ pattern: NamePattern) -> String {
        let condition = pattern.condition(
            schema: "n.nspname", name: "p.proname", visible: "pg_function_is_visible(p.oid)")
        return """
            SELECT n.nspname AS "Schema", p.proname AS "Name", pg_get_function_result(p.oid) AS "Result",
              pg_get_function_arguments(p.oid) AS "Arguments", CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'w' THEN
              'window' WHEN 'p' THEN 'procedure' ELSE 'function' END AS "Type"
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE \(condition) ORDER BY 1, 2, 4
            """
    }

    private static let databases = """
        SELECT d.datname AS "Name", pg_get_userbyid(d.datdba) AS "Owner", pg_encoding_to_char(d.encoding) AS "Encoding",
          d.datcollate AS "Collate", CASE WHEN has_database_privilege(d.oid, 'CONNECT')
          THEN pg_size_pretty(pg_database_size(d.oid)) END AS "Size"
        FROM pg_database d ORDER BY 1
        """

    /// How far the server's log has got; on a standby, how far it was received.
    private static let now = """
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END
        """

    private static let slots = """
        SELECT slot_name AS "Slot", coalesce(plugin, slot_type) AS "Kind", database AS "Database", active AS "Active",
          restart_lsn AS "Restart LSN", confirmed_flush_lsn AS "Confirmed LSN",
          pg_size_pretty(pg_wal_lsn_diff(\(now), restart_lsn)) AS "Log kept", wal_status AS "Status"
        FROM pg_replication_slots ORDER BY 1
        """

    private static let publications = """
        SELECT p.pubname AS "Publication", pg_get_userbyid(p.pubowner) AS "Owner", concat_ws(', ', CASE WHEN p.pubinsert
          THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
          CASE WHEN p.pubtruncate THEN 'truncate' END) AS "Changes", CASE WHEN p.puballtables THEN 'all tables' ELSE
          (SELECT string_agg(format('%I.%I', t.schemaname, t.tablename), ', ' ORDER BY 1) FROM pg_publication_tables t
          WHERE t.pubname = p.pubname) END AS "Tables"
        FROM pg_publication p ORDER BY 1
        """

    private static let subscriptions = """
        SELECT s.subname AS "Subscription", s.subenabled AS "Enabled", s.subslotname AS "Slot",
          array_to_string(s.subpublications, ', ') AS "Publications", t.received_lsn AS "Received LSN",
          t.latest_end_time AS "Last message"
        FROM pg_subscription s LEFT JOIN pg_stat_subscription t ON t.subid = s.oid AND t.relid IS NULL
        WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1
        """

    private static let lag = """
        SELECT coalesce(s.slot_name, r.application_name) AS "Name", coalesce(r.state, 'not connected') AS "State",
          r.client_addr AS "Client", pg_size_pretty(pg_wal_lsn_diff(\(now),
            coalesce(s.confirmed_flush_lsn, r.flush_lsn, s.restart_lsn))) AS "Behind",
          r.write_lag AS "Write lag", r.flush_lag AS "Flush lag", r.replay_lag AS "Replay lag"
        FROM pg_replication_slots s FULL JOIN pg_stat_replication r ON r.pid = s.active_pid ORDER BY 1
        """
}
