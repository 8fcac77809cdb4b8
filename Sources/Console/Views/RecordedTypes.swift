import PostgresProtocol
import Scripting

/// Column types as `t.schema` of `replhost.test` reads them: by table in the order of names, a column in each line.
struct RecordedTypes {
    private let tables: [TableTypes]
    private let owner: String

    /// - Parameter owner: whose tables they are, for people.
    init(_ tables: [TableTypes], of owner: String) {
        self.owner = owner
        self.tables = tables.sorted { $0.table < $1.table }
    }

    /// Where `t.load` looks for those of a pipeline's file.
    static func path(beside file: String) -> String {
        (file.hasSuffix(".lua") ? String(file.dropLast(4)) : file) + "_schema.lua"
    }

    static let mark = "-- Column types of "

    /// Pipelines with different sources may have different tables under one name.
    var conflict: FailureReport? {
        for (table, other) in zip(tables, tables.dropFirst())
        where table.table == other.table && table.columns != other.columns {
            return FailureReport(
                code: "RH3494",
                "the sources of \"\(table.pipeline)\" and \"\(other.pipeline)\" differ in \(table.table)",
                hint: "A test can know one of them: replhost types DSN --record=FILE, and t.schema(FILE) in the test.")
        }
        return nil
    }

    var text: String {
        var text = """
            \(Self.mark)\(owner), for tests without a database. Recorded by "replhost types": do it again when they change.
            return {

            """
        var previous: QualifiedName?
        for table in tables where table.table != previous {
            text += "  [\(LuaLiteral.quoted("\(table.table)"))] = {\n"
            text += table.columns.map { "    \(Self.line($0)),\n" }.joined() + "  },\n"
            previous = table.table
        }
        return text + "}\n"
    }

    private static func line(_ column: TableTypes.Column) -> String {
        var fields = ["name = \(LuaLiteral.quoted(column.name))", "type = \(LuaLiteral.quoted(column.type))"]
        if let base = column.baseType { fields.append("base = \(LuaLiteral.quoted(base))") }
        if !column.labels.isEmpty {
            fields.append("labels = { \(column.labels.map(LuaLiteral.quoted).joined(separator: ", ")) }")
        }
        if column.isKey { fields.append("key = true") }
        if column.isNotNull { fields.append("not_null = true") }
        if column.isGenerated { fields.append("generated = true") }
        return "{ \(fields.joined(separator: ", ")) }"
    }
}
