import Postgres
package import PostgresProtocol

/// How a table of the source differs from what its changes looked like before, or from what the target has room for.
package struct SchemaChange: Sendable {
    package let table: QualifiedName
    package let added: [String]
    package let dropped: [String]
    /// Columns of another type than before.
    package let retyped: [String]

    /// Nil if there is no difference that matters.
    init?(_ message: RelationMessage, _ mapping: TableMapping, before: RelationMessage?) {
        table = message.name
        added = RelationColumns(message, mapping).homeless.map(\.name)
        let earlier = before?.columns ?? []
        let copied = Set(mapping.columns.map(\.source))
        dropped = earlier.filter { column in
            copied.contains(column.name) && !message.columns.contains { $0.name == column.name }
        }.map(\.name)
        retyped = message.columns.filter { column in
            earlier.contains {
                $0.name == column.name && ($0.type != column.type || $0.modifier != column.modifier)
            } && copied.contains(column.name)
        }.map(\.name)
        if added.isEmpty && dropped.isEmpty && retyped.isEmpty { return nil }
    }

    var error: ReplicationError {
        .mismatch(
            code: "RH3612", "\(table) has changed on the source: \(summary)",
            hint: "Change the target in the same way and start again: the stream goes on where it has stopped. Or say "
                + "on_schema_change = \"apply\" or \"ignore\".")
    }

    private var summary: String {
        let parts = [("new column", added), ("dropped column", dropped), ("other type of column", retyped)]
        return parts.filter { !$0.1.isEmpty }.map { what, names in
            "\(what)\(names.count > 1 ? "s" : "") " + names.map { "\"\($0)\"" }.joined(separator: ", ")
        }.joined(separator: "; ")
    }
}

/// Asks the catalogs what a change of a table is to be in the target.
struct SchemaChangeReader {
    private let worker: any PipelineWorker

    init(_ worker: any PipelineWorker) { self.worker = worker }

    /// Columns as they are on the source now. One that is gone again by now is not added; what was dropped stays.
    func statements(for change: SchemaChange, _ mapping: TableMapping) async throws(ReplicationError) -> [String] {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let source = try await connections.source()
        guard let table = try await CatalogReader(source, .source).tables([change.table])[change.table] else { return [] }
        let name = mapping.target.name.sql
        var statements: [String] = []
        for column in change.added.compactMap(table.column) where !column.isGenerated {
            statements.append("ALTER TABLE \(name) ADD COLUMN IF NOT EXISTS \(column.quotedName) \(column.typeName)")
        }
        for column in change.retyped.compactMap(table.column) {
            for target in mapping.columns where target.source == column.name && mapping.options.types[target.target] == nil {
                let quoted = SQLText.quoteIdentifier(target.target)
                statements.append(
                    "ALTER TABLE \(name) ALTER COLUMN \(quoted) TYPE \(column.typeName) USING \(quoted)::\(column.typeName)"
                )
            }
        }
        return statements
    }

    func table(_ name: QualifiedName, on target: Connection) async throws(ReplicationError) -> CatalogTable {
        guard let table = try await CatalogReader(target, .target).tables([name])[name] else {
            throw .unknownTable(name, .target, known: [])
        }
        return table
    }
}
