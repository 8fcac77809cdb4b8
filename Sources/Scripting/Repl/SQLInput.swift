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
        guard !found.isEmpty else { return nil }
        let bytes = Array(text.utf8)
        statements = found.map { String(decoding: bytes[$0.range], as: UTF8.self) }
        // A query may stand in parentheses.
        let start = statements[0].drop { $0 == "(" || $0.isWhitespace }
        word = String(start.prefix { $0.isLetter || $0 == "_" })
        let isQuery = start.count < statements[0].count
        guard (isQuery ? Self.queries : Self.keywords).contains(word.uppercased()) else { return nil }
        isComplete = SQLScanner.isComplete(text)
    }

    private static let queries: Set<String> = ["SELECT", "VALUES", "WITH", "TABLE"]

    private static let keywords: Set<String> = [
        "ABORT", "ALTER", "ANALYZE", "BEGIN", "CALL", "CHECKPOINT", "CLOSE", "CLUSTER", "COMMENT", "COMMIT", "COPY",
        "CREATE", "DEALLOCATE", "DECLARE", "DELETE", "DISCARD", "DO", "DROP", "END", "EXECUTE", "EXPLAIN", "FETCH",
        "GRANT", "IMPORT", "INSERT", "LISTEN", "LOAD", "LOCK", "MERGE", "MOVE", "NOTIFY", "PREPARE", "REASSIGN",
        "REFRESH", "REINDEX", "RELEASE", "RESET", "REVOKE", "ROLLBACK", "SAVEPOINT", "SECURITY", "SELECT", "SET",
        "SHOW", "START", "TABLE", "TRUNCATE", "UNLISTEN", "UPDATE", "VACUUM", "VALUES", "WITH",
    ]
}
