import PostgresProtocol
import Scripting

/// Column types for programs.
struct TypesView {
    var tables: [TableTypes]

    var json: String { JSONText.array(tables.map(Self.object)) }

    private static func object(_ table: TableTypes) -> String {
        JSONText.object([
            ("pipeline", JSONText.string(table.pipeline.isEmpty ? nil : table.pipeline)),
            ("table", JSONText.string("\(table.table)")), ("comment", JSONText.string(table.comment)),
            ("columns", JSONText.array(table.columns.map(object))), ("row", JSONText.array(table.row.map(object))),
        ])
    }

    private static func object(_ column: TableTypes.Column) -> String {
        JSONText.object([
            ("name", JSONText.string(column.name)), ("type", JSONText.string(column.type)),
            ("base_type", JSONText.string(column.baseType)), ("target_type", JSONText.string(column.targetType)),
            ("lua_type", JSONText.string(column.luaType)), ("nullable", String(!column.isNotNull)),
            ("key", String(column.isKey)),
            ("generated", String(column.isGenerated)), ("labels", JSONText.strings(column.labels)),
            ("comment", JSONText.string(column.comment)),
        ])
    }
}

extension TableTypes {
    /// As queries see it.
    var withoutPipeline: TableTypes {
        TableTypes(pipeline: "", table: table, comment: comment, columns: columns, row: columns)
    }
}
