package import PostgresProtocol

/// What the rows of a table are: for editors, and for tests without a database.
package struct TableTypes: Sendable, Equatable {
    package struct Column: Sendable, Equatable {
        package var name: String
        /// As PostgreSQL writes it.
        package var type: String
        /// What a domain is made of.
        package var baseType: String?
        /// Of an enum, in its order.
        package var labels: [String] = []
        package var comment: String?
        /// In the target, where the pipeline gives it another one.
        package var targetType: String?
        package var isKey = false
        package var isNotNull = false
        package var isGenerated = false

        package init(name: String, type: String) {
            self.name = name
            self.type = type
        }
    }

    package var pipeline: String
    package var table: QualifiedName
    package var comment: String?
    /// The table's own, in order.
    package var columns: [Column]
    /// What a function of the pipeline sees: under the target's names, with what the pipeline adds.
    package var row: [Column]

    package init(
        pipeline: String, table: QualifiedName, comment: String? = nil, columns: [Column], row: [Column]
    ) {
        self.pipeline = pipeline
        self.table = table
        self.comment = comment
        self.columns = columns
        self.row = row
    }
}

extension TableTypes.Column {
    /// What values are in Lua, as the Lua language server writes it; nil apart.
    package var luaType: String {
        guard labels.isEmpty || labels.count > Self.mostLabels else {
            return labels.map(LuaLiteral.quoted).joined(separator: "|")
        }
        return Self.luaType(ValueKind(TypeName.oid(of: baseType ?? type)))
    }

    /// More of them are no help.
    private static let mostLabels = 24

    private static func luaType(_ kind: ValueKind) -> String {
        switch kind {
        case .boolean: "boolean"
        case .int16, .int32, .int64, .oid: "integer"
        case .float4, .float8: "number"
        case .numeric: "Decimal"
        case .array(let element): "(\(luaType(ValueKind(element)))|Null)[]"
        case .text, .char, .jsonb, .bytea, .date, .time, .timetz, .timestamp, .timestamptz, .interval, .uuid, .inet,
            .cidr, .macaddr, .macaddr8, .pgLSN, .bit, .varbit, .other:
            "string"
        }
    }
}
