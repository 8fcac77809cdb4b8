import LuaRuntime
import Postgres
import PostgresProtocol

/// A table's columns as COPY names and types them.
private struct CopyTarget {
    let shape: ResultShape
    /// The columns in SQL, in parentheses.
    var list: String { "(\(shape.columns.map { SQLText.quoteIdentifier($0.name) }.joined(separator: ", ")))" }
    var isPortable: Bool { shape.columns.allSatisfy { $0.type.hasPortableBinary } }
    var format: DataFormat { isPortable ? .binary : .text }
}

extension ConnectionObject {
    static func copyMethods(_ worker: ScriptWorker) -> [String: HostFunction] {
        [
            "copy_out": { [unowned worker] stack throws(ScriptError) in
                let object = try stack.receiver(type, "conn:copy_out")
                let text = try stack.requireString(2, "conn:copy_out", "table name or SQL text")
                return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
                    let (stream, target) = try await openCopyOut(text, connection)
                    return { stack throws(ScriptError) in
                        let columns = target.shape.columns.map {
                            RowShape.Column(
                                name: $0.name, type: $0.type, kind: ValueKind($0.type), format: stream.format)
                        }
                        let factory = worker.rows.factory(columns, in: stack)
                        return StreamObject.push(
                            RowSource(CopySupply(stream), factory, object, worker), to: stack)
                    }
                }
            },
            "copy_in": { [unowned worker] stack throws(ScriptError) in
                let object = try stack.receiver(type, "conn:copy_in")
                let table = try tableName(try stack.requireString(2, "conn:copy_in", "table name"))
                let names = try columnNames(3, stack)
                return try worker.wait(stack, on: object) { connection async throws(PostgresError) in
                    let (writer, target) = try await openCopyIn(table, names, connection)
                    return { stack in
                        let columns = target.shape.columns.map {
                            RowShape.Column(
                                name: $0.name, type: $0.type, kind: ValueKind($0.type), format: writer.format)
                        }
                        stack.push(CopyWriterObject(writer, columns, object, worker), CopyWriterObject.type)
                        return 1
                    }
                }
            },
        ]
    }

    // MARK: Out

    /// A plain table is copied itself; a view, a partitioned table or a query through SELECT.
    private static func openCopyOut(
        _ text: String, _ connection: Connection
    ) async throws(PostgresError) -> (CopyOutStream, CopyTarget) {
        guard !text.hasBareSpace, let name = QualifiedName(parsing: text) else {
            let query = text.trimmedSQL
            let target = CopyTarget(shape: try await connection.describe(query))
            return (try await copyOut(target, of: query, from: "(\n\(query)\n)", connection), target)
        }
        let query = "SELECT * FROM \(name.sql)"
        let target = CopyTarget(shape: try await connection.describe(query))
        let isPlain = try await isPlainTable(name, connection)
        let source = isPlain ? "\(name.sql) \(target.list)" : "(\(query))"
        return (try await copyOut(target, of: query, from: source, connection), target)
    }

    private static func copyOut(
        _ target: CopyTarget, of query: String, from source: String, _ connection: Connection
    ) async throws(PostgresError) -> CopyOutStream {
        let options = target.isPortable ? " (FORMAT binary)" : ""
        return try await connection.copyOut("COPY \(source) TO STDOUT\(options)", of: query, as: target.shape)
    }

    /// COPY takes tables without generated columns as they are.
    private static func isPlainTable(_ name: QualifiedName, _ connection: Connection) async throws(PostgresError)
        -> Bool
    {
        let sql = """
            SELECT c.relkind = 'r' AND NOT EXISTS (
              SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped)
            FROM pg_class c WHERE c.oid = $1::regclass
            """
        let result = try await connection.query(sql, [.text(name.sql)])
        guard result.count == 1, let field = result.field(0, 0), let format = result.columns.first?.format else {
            return false
        }
        return (try? FieldDecoder.boolean(field, format)) ?? false
    }

    // MARK: In

    private static func openCopyIn(
        _ table: QualifiedName, _ names: [String], _ connection: Connection
    ) async throws(PostgresError) -> (CopyInWriter, CopyTarget) {
        // What there is of it is said in terms of the table, not of the catalog.
        if names.isEmpty { _ = try await connection.describe("SELECT FROM \(table.sql)") }
        let columns = names.isEmpty ? try await writableColumns(table, connection) : names
        let list = columns.map(SQLText.quoteIdentifier).joined(separator: ", ")
        let target = CopyTarget(shape: try await connection.describe("SELECT \(list) FROM \(table.sql)"))
        let options = target.isPortable ? " (FORMAT binary)" : ""
        return (try await connection.copyIn("COPY \(table.sql) \(target.list) FROM STDIN\(options)"), target)
    }

    private static func writableColumns(
        _ table: QualifiedName, _ connection: Connection
    ) async throws(PostgresError) -> [String] {
        let sql = """
            SELECT attname::text FROM pg_attribute
            WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
            """
        let result = try await connection.query(sql, [.text(table.sql)])
        return (0..<result.count).compactMap { row in
            result.field(row, 0).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private static func tableName(_ text: String) throws(ScriptError) -> QualifiedName {
        if !text.hasBareSpace, let name = QualifiedName(parsing: text) { return name }
        throw ScriptError(
            code: "RH2211", "conn:copy_in: \"\(text)\" is not a table name",
            hint: "Write \"schema.table\"; names with other characters go in double quotes.")
    }

    private static func columnNames(_ index: Int32, _ stack: LuaStack) throws(ScriptError) -> [String] {
        guard !stack.isNil(at: index) else { return [] }
        try stack.requireTable(index, "conn:copy_in")
        var names: [String] = []
        for position in 0..<stack.rawCount(at: index) {
            stack.pushElement(position + 1, of: index)
            defer { stack.pop() }
            guard let name = stack.string(at: -1) else {
                throw .argument(Int(index), of: "conn:copy_in", "a list of column names expected")
            }
            names.append(name)
        }
        return names
    }
}

extension String {
    /// A blank outside of double quotes: a query, not a name.
    fileprivate var hasBareSpace: Bool {
        var isQuoted = false
        for character in self {
            if character == "\"" { isQuoted.toggle() }
            if character.isWhitespace && !isQuoted { return true }
        }
        return false
    }

    /// Without blanks and semicolons at the end.
    fileprivate var trimmedSQL: String {
        var text = self
        while let last = text.last, last == ";" || last.isWhitespace { text.removeLast() }
        return text
    }
}
