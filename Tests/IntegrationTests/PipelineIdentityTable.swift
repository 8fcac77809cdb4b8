import PostgresProtocol
import TestSupport

/// A random table: how it is made and filled.
struct IdentityTable: Sendable {
    struct Column: Sendable {
        let name: String
        let type: IdentityType
    }

    let name: QualifiedName
    /// Names of the key's columns; empty if there is none.
    let key: [String]
    /// Without the key's.
    let columns: [Column]
    let statements: [String]

    private static let names = [
        "plain", "Upper Case", "quote\"quote", "new\nline", "tab\tname", "select", "dots.in.it", "jméno", "日本",
        "'apostrophe'",
        String(repeating: "long", count: 15) + "xyz", "back\\slash", "$dollar$", "%s*?", "-- comment", "end", " blank ",
        "n", "bounds", "copy", "columns", "1", "table",
    ]
    static let schemas = ["public", "Odd Schema", "new\nline.schema\"ž"]

    /// Types of key columns, with SQL over `i` that gives each row another value.
    static let keys: [(types: [String], values: [String])] = [
        (["bigint"], ["i * 7919 - 100000"]),
        (["int2"], ["i - 900"]),
        (["text"], ["(ARRAY['ž','A','a','_','''','\"','\\','é','ß','日本','-',E'\\n',E'\\t','\\N'])[1 + i % 14] || i"]),
        (["text COLLATE \"en-x-icu\""], ["(ARRAY['ž','A','a','_','-','Z','é','ß','co-op','coop'])[1 + i % 10] || i"]),
        (["varchar(40) COLLATE \"C\""], ["(ARRAY['ž','A','a','Z'])[1 + i % 4] || ' ' || i"]),
        (["char(12)"], ["(ARRAY['ž','A','a b','Z'])[1 + i % 4] || i"]),
        (["uuid"], ["md5(i::text)::uuid"]),
        (
            ["numeric"],
            ["CASE i WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' ELSE (i - 500) / 7.0 END"]
        ),
        (
            ["timestamp"],
            ["CASE i WHEN 1 THEN 'infinity' ELSE timestamp '4000-03-15 BC' + i * interval '1700 days 3 h' END"]
        ),
        (["timestamptz(3)"], ["timestamptz '1900-03-15' + i * interval '17 days 3 h'"]),
        (
            ["date"],
            ["CASE i WHEN 1 THEN '-infinity' WHEN 2 THEN 'infinity' ELSE date '4000-01-01 BC' + i::int4 * 1031 END"]
        ),
        (["bytea"], ["decode(md5(i::text), 'hex')"]),
        (["interval"], ["i * interval '1 h'"]),
        (["citext"], ["'Key ' || i"]),
        (["\"Odd Schema\".keydomain"], ["i * 3"]),
        (["float8"], ["i / 3.0"]),
        (["text", "int4"], ["'dup ' || (i % 5)", "i"]),
        (["int4", "text", "uuid"], ["i / 300", "'k' || i % 10", "md5(i::text)::uuid"]),
        (["timestamp", "text"], ["timestamp '2024-01-01' + i % 3 * interval '1 day'", "i"]),
    ]

    static func random(_ number: Int, _ generator: inout SeededGenerator) -> IdentityTable {
        let schema = schemas[number % schemas.count]
        let name = QualifiedName(
            schema: schema, name: (names.randomElement(using: &generator) ?? "t").limited + "\(number)")
        var used = names.shuffled(using: &generator)
        let kind =
            number < keys.count
            ? keys[number] : Bool.random(using: &generator) ? nil : keys.randomElement(using: &generator)
        let key = (kind?.types ?? []).map { (used.removeLast(), $0) }
        let types = (IdentityType.all + IdentityType.arrays).shuffled(using: &generator)
        let columns = types.prefix(Int.random(in: 1...15, using: &generator)).map { type in
            Column(name: used.popLast() ?? "column of \(type.name)".limited, type: type)
        }
        let rows = [0, 1, 100, 400, 1000].randomElement(using: &generator) ?? 0
        let values = (kind?.values ?? []) + columns.map { $0.type.sql(Int.random(in: 1...9999, using: &generator)) }
        return IdentityTable(
            name: name, key: key.map(\.0), columns: columns,
            statements: statements(name, key, columns, values, rows: kind == nil ? rows : max(rows, 500), &generator))
    }

    private static func statements(
        _ name: QualifiedName, _ key: [(name: String, type: String)], _ columns: [Column], _ values: [String],
        rows: Int, _ generator: inout SeededGenerator
    ) -> [String] {
        var definitions = key.map { "\($0.name.quoted) \($0.type)" }
        definitions += columns.map { "\($0.name.quoted) \($0.type.name)" }
        // Holes in the attribute numbers.
        definitions.insert("dropped text", at: Int.random(in: 0...definitions.count, using: &generator))
        if !key.isEmpty { definitions.append("PRIMARY KEY (\(key.map(\.name.quoted).joined(separator: ", ")))") }
        let unlogged = Int.random(in: 0..<5, using: &generator) == 0 ? "UNLOGGED " : ""
        let list = (key.map(\.name) + columns.map(\.name)).map(\.quoted).joined(separator: ", ")
        return [
            "CREATE \(unlogged)TABLE \(name.sql) (\(definitions.joined(separator: ", ")))",
            "ALTER TABLE \(name.sql) DROP COLUMN dropped",
            "INSERT INTO \(name.sql) (\(list)) SELECT \(values.joined(separator: ", ")) FROM generate_series(1::int8, \(rows)) i",
        ]
    }
}

extension String {
    var quoted: String { SQLText.quoteIdentifier(self) }

    fileprivate var limited: String {
        var text = self
        while text.utf8.count > 60 { text.removeLast() }
        return text
    }
}
