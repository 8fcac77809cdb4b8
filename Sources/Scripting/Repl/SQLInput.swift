import PostgresProtocol

/// What was typed, looked at as SQL.
package struct SQLInput: Equatable, Sendable {
    /// The first word, as it was written.
    package var word: String
    /// Each with its own text, without the `;`.
    package var statements: [String]
    /// Every statement ends with `;`.
    package var isComplete: Bool

    /// nil unless the text begins with a word that begins SQL statements.
    package init?(_ text: String) {
        let found = SQLScanner.statements(in: text)
        guard let first = found.first, Self.keywords.contains(first.keyword) else { return nil }
        let bytes = Array(text.utf8)
        statements = found.map { String(decoding: bytes[$0.range], as: UTF8.self) }
        word = String(statements[0].prefix { $0.isLetter || $0 == "_" })
        isComplete = SQLScanner.isComplete(text)
    }

    private static let keywords: Set<String> = [
        "ABORT", "ALTER", "ANALYZE", "BEGIN", "CALL", "CHECKPOINT", "CLOSE", "CLUSTER", "COMMENT", "COMMIT", "COPY",
        "CREATE", "DEALLOCATE", "DECLARE", "DELETE", "DISCARD", "DO", "DROP", "END", "EXECUTE", "EXPLAIN", "FETCH",
        "GRANT", "IMPORT", "INSERT", "LISTEN", "LOAD", "LOCK", "MERGE", "MOVE", "NOTIFY", "PREPARE", "REASSIGN",
        "REFRESH", "REINDEX", "RELEASE", "RESET", "REVOKE", "ROLLBACK", "SAVEPOINT", "SECURITY", "SELECT", "SET",
        "SHOW", "START", "TABLE", "TRUNCATE", "UNLISTEN", "UPDATE", "VACUUM", "VALUES", "WITH",
    ]
}
