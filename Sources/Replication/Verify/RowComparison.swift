import PostgresProtocol

/// SQL that compares rows as they should be, in a stage, with those of a table.
struct RowComparison {
    private let stage: Stage
    /// All with rows for the table: rows of it that are in none of them are extra.
    private let stages: [Stage]
    private let table: CatalogTable
    /// Empty: rows are compared as a whole.
    private let key: [CatalogColumn]
    /// Restricts the table to what the stage is about.
    private let range: String?

    /// - Parameters:
    ///   - stages: the table's, `stage` among them.
    ///   - range: in terms of the table's columns.
    init(_ stage: Stage, among stages: [Stage], key: [String], range: String?) {
        self.stage = stage
        self.stages = stages
        self.range = range
        table = stage.lane.table
        let columns = stage.lane.columns
        let found = key.compactMap { name in columns.first { $0.name == name } }
        self.key = found.count == key.count ? found : []
    }

    var hasKey: Bool { !key.isEmpty }
    private var others: [CatalogColumn] {
        stage.lane.columns.filter { column in
            !key.contains { $0.name == column.name } || Self.mayBeEqualAndDiffer(column)
        }
    }

    // MARK: Finding. Each answers with: the key's values, the names of differing columns, what tells contents apart.

    var missing: String {
        hasKey
            ? select(
                "s", "'{}'", content("s"), from: "\(stage.name.sql) s",
                where: "NOT EXISTS (SELECT FROM \(tableSQL) t WHERE \(match))")
            : wholeRows(from: (stage.name.sql, nil), without: (table.rowsSQL, range))
    }

    var extra: String {
        guard hasKey else { return wholeRows(from: (table.rowsSQL, range), without: (stage.name.sql, nil)) }
        return select("t", "'{}'", content("t"), from: "\(tableSQL) t", where: isExtra)
    }

    /// Nil if there is nothing beside the key.
    var different: String? {
        guard hasKey, !others.isEmpty else { return nil }
        let names = others.map { "CASE WHEN \(Self.differs($0)) THEN \(SQLText.quoteLiteral($0.name)) END" }
        return select(
            "s", "array_remove(ARRAY[\(names.joined(separator: ", "))]::text[], NULL)",
            "\(content("s")) || \(content("t"))",
            from: "\(stage.name.sql) s JOIN \(table.rowsSQL) t ON \(match)", where: anyDiffers)
    }

    // MARK: Mending, in this order

    /// - Parameters:
    ///   - removesExtra: rows that are in no stage go.
    ///   - replaces: rows that differ are changed.
    func repairs(removesExtra: Bool, replaces: Bool) -> [String] {
        guard hasKey else { return removesExtra ? wholeRowRepairs : Array(wholeRowRepairs.dropFirst()) }
        var statements: [String] = []
        if removesExtra {
            statements.append("DELETE FROM \(table.rowsSQL) t WHERE \(range.map { "\($0) AND " } ?? "")\(isExtra)")
        }
        let changes = others.filter { $0.identity != .always }.map { column in
            let name = SQLText.quoteIdentifier(column.name)
            return "\(name) = s.\(name)"
        }
        if replaces, !changes.isEmpty {
            statements.append(
                """
                UPDATE \(table.rowsSQL) t SET \(changes.joined(separator: ", "))
                FROM \(stage.name.sql) s WHERE \(match) AND (\(anyDiffers))
                """)
        }
        statements.append(
            """
            INSERT INTO \(table.name.sql)\(stage.lane.columnClause) OVERRIDING SYSTEM VALUE
            SELECT \(stage.lane.columnList) FROM \(stage.name.sql) s
            WHERE NOT EXISTS (SELECT FROM \(table.rowsSQL) t WHERE \(match))
            """)
        return statements
    }

    /// Of several staged rows with the same key, leaves the one that counts by `policy`.
    func removingDuplicates(_ policy: ConflictPolicy) -> String {
        let same = key.map { column in
            let name = SQLText.quoteIdentifier(column.name)
            return "s.\(name) = other.\(name)"
        }
        return """
            DELETE FROM \(stage.name.sql) s USING \(stage.name.sql) other
            WHERE \(same.joined(separator: " AND "))
              AND s.\(stage.order) \(policy == .upsert ? "<" : ">") other.\(stage.order)
            """
    }

    // MARK: Parts

    private var tableSQL: String {
        range.map { "(SELECT * FROM \(table.rowsSQL) WHERE \($0))" } ?? table.rowsSQL
    }

    private var isExtra: String {
        stages.map { "NOT EXISTS (SELECT FROM \($0.name.sql) s WHERE \(match))" }.joined(separator: " AND ")
    }

    private var match: String {
        key.map { column in
            let name = SQLText.quoteIdentifier(column.name)
            return "t.\(name) = s.\(name)"
        }.joined(separator: " AND ")
    }

    private var anyDiffers: String { others.map(Self.differs).joined(separator: " OR ") }

    /// As in citext. Of the built-in types of text only collations make it so that do not tell all texts apart.
    private static func mayBeEqualAndDiffer(_ column: CatalogColumn) -> Bool {
        !column.kind.hasExactEquality && !column.isOrdered
    }

    /// Types without an equality, and those whose equality overlooks differences, are compared by their text.
    private static func differs(_ column: CatalogColumn) -> String {
        let name = SQLText.quoteIdentifier(column.name)
        guard column.kind.hasExactEquality else {
            return "t.\(name)::text COLLATE \"C\" IS DISTINCT FROM s.\(name)::text COLLATE \"C\""
        }
        return "t.\(name) IS DISTINCT FROM s.\(name)"
    }

    private func select(
        _ alias: String, _ columns: String, _ content: String, from: String, where condition: String
    ) -> String {
        let values = key.map { "\(alias).\(SQLText.quoteIdentifier($0.name))::text" }
        return """
            SELECT ARRAY[\(values.joined(separator: ", "))]::text[], (\(columns))::text[], \(content)
            FROM \(from) WHERE \(condition)
            """
    }

    /// Without a key, rows are the same when their texts are, and as many.
    private func wholeRows(
        from: (sql: String, range: String?), without: (sql: String, range: String?)
    ) -> String {
        func texts(_ relation: (sql: String, range: String?)) -> String {
            "SELECT \(rowText("r")) FROM \(relation.sql) r\(relation.range.map { " WHERE \($0)" } ?? "")"
        }
        return """
            SELECT '{}'::text[], '{}'::text[], md5(text)
            FROM (\(texts(from)) EXCEPT ALL \(texts(without))) AS rest (text)
            """
    }

    private func content(_ alias: String) -> String { "md5(\(rowText(alias)))" }

    private var wholeRowRepairs: [String] {
        func numbered(_ sql: String) -> String {
            """
            SELECT r.tableoid AS relation, r.ctid AS identity, \(rowText("r")) AS text,
              row_number() OVER (PARTITION BY \(rowText("r"))) AS copy FROM \(sql) r
            """
        }
        let (table, stage) = (self.table.rowsSQL, self.stage.name.sql)
        return [
            """
            DELETE FROM \(table) WHERE (tableoid, ctid) IN (
              SELECT t.relation, t.identity FROM (\(numbered(table))) t
              WHERE NOT EXISTS (SELECT FROM (\(numbered(stage))) s WHERE s.text = t.text AND s.copy = t.copy))
            """,
            """
            INSERT INTO \(self.table.name.sql)\(self.stage.lane.columnClause) OVERRIDING SYSTEM VALUE
            SELECT \(self.stage.lane.columnList) FROM \(stage) WHERE ctid = ANY (ARRAY(
              SELECT s.identity FROM (\(numbered(stage))) s
              WHERE NOT EXISTS (SELECT FROM (\(numbered(table))) t WHERE s.text = t.text AND s.copy = t.copy)))
            """,
        ]
    }

    private func rowText(_ alias: String) -> String {
        let columns = stage.lane.columns.map { "\(alias).\(SQLText.quoteIdentifier($0.name))" }
        return "ROW(\(columns.joined(separator: ", ")))::text COLLATE \"C\""
    }
}

extension ValueKind {
    /// `=` exists and holds for the same values only, as people see them.
    fileprivate var hasExactEquality: Bool {
        switch self {
        case .text, .other, .char, .interval: false
        case .array(let element): ValueKind(element).hasExactEquality
        default: true
        }
    }
}
