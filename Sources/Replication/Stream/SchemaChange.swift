import Postgres
package import PostgresProtocol

/// How a table of the source differs from what its changes looked like before, or from what the target has room for.
package struct SchemaChange: Sendable {
    package let table: QualifiedName
    package let added: [String]
    package let dropped: [String]
    /// Columns of another type than before.
    package private(set) var retyped: [String]

    /// As they are from here on.
    let columns: [String: RelationMessage.Column]

    /// Nil if there is no difference that matters.
    init?(_ message: RelationMessage, _ mapping: TableMapping, before: RelationShape?) {
        table = message.name
        columns = Dictionary(message.columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        added = RelationColumns(message, mapping).homeless.map(\.name)
        let copied = (before?.columns ?? []).filter { RelationColumns.isCopied($0.name, mapping) }
        dropped = copied.filter { [columns] in columns[$0.name] == nil }.map(\.name)
        retyped = copied.filter { [columns] column in
            guard let now = columns[column.name] else { return false }
            return now.type != column.type || now.modifier != column.modifier
        }.map(\.name)
        if isEmpty { return nil }
    }

    /// The same without columns that the target has room for as they are now; nil if nothing is left.
    func settling(_ names: Set<String>) -> SchemaChange? {
        var change = self
        change.retyped.removeAll(where: names.contains)
        return change.isEmpty ? nil : change
    }

    private var isEmpty: Bool { added.isEmpty && dropped.isEmpty && retyped.isEmpty }

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

    /// For people.
    package var summary: String {
        let parts = [("new column", added), ("dropped column", dropped), ("other type of column", retyped)]
        return parts.filter { !$0.1.isEmpty }.map { what, names in
            "\(what)\(names.count > 1 ? "s" : "") " + names.map { "\"\($0)\"" }.joined(separator: ", ")
        }.joined(separator: "; ")
    }
}

/// What is done about a table of the source that has changed, before the first change that the new columns show in.
struct SchemaResponse {
    /// For the target; nil if the change is not followed there.
    var statements: [String]?
    /// What is remembered of the table from here on; nil if that is known already, or does not matter yet.
    var shape: RelationShape?

    static let none = SchemaResponse()
}
