import Postgres
package import PostgresProtocol

/// How a table of the source differs from what its changes looked like before, or from what the target has room for.
package struct SchemaChange: Sendable {
    package let table: QualifiedName
    package let added: [String]
    package let dropped: [String]
    /// Columns of another type than before.
    package let retyped: [String]

    /// As they are from here on.
    let columns: [String: RelationMessage.Column]

    /// Nil if there is no difference that matters.
    init?(_ message: RelationMessage, _ mapping: TableMapping, before: RelationMessage?) {
        table = message.name
        added = RelationColumns(message, mapping).homeless.map(\.name)
        let earlier = before?.columns ?? []
        let copied = before.map { RelationColumns($0, mapping).copied } ?? []
        dropped = earlier.filter { column in
            copied.contains(column.name) && !message.columns.contains { $0.name == column.name }
        }.map(\.name)
        let others = message.columns.filter { column in
            earlier.contains {
                $0.name == column.name && ($0.type != column.type || $0.modifier != column.modifier)
            } && copied.contains(column.name)
        }
        retyped = others.map(\.name)
        columns = Dictionary(message.columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        if added.isEmpty && dropped.isEmpty && retyped.isEmpty { return nil }
    }

    var error: ReplicationError {
        .mismatch(
            code: "RH3612", "\(table) has changed on the source: \(summary)",
            hint: Self.mending + " Or say on_schema_change = \"apply\" or \"ignore\".")
    }

    /// It cannot be said by itself what the target's rows are to become.
    func cannotBeFollowed(_ reason: String) -> ReplicationError {
        .mismatch(
            code: "RH3616", "\(table) has changed on the source: \(summary), which cannot be followed: \(reason)",
            hint: Self.mending)
    }

    private static let mending =
        "Change the target in the same way and start again: the stream goes on where it has stopped."

    private var summary: String {
        let parts = [("new column", added), ("dropped column", dropped), ("other type of column", retyped)]
        return parts.filter { !$0.1.isEmpty }.map { what, names in
            "\(what)\(names.count > 1 ? "s" : "") " + names.map { "\"\($0)\"" }.joined(separator: ", ")
        }.joined(separator: "; ")
    }
}
