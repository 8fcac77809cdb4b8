import PostgresProtocol

/// What can be told of a SQL text without a server.
struct StatementTraits: Equatable {
    /// Statements in the text; 0 for blanks and comments alone.
    var count: Int
    /// The planner handles it, so preparing it is worth while. Also for a text that begins with "(".
    var isPlannable: Bool
    /// It may leave something behind in the session.
    var dirties: Bool

    init(_ sql: String) {
        count = 0
        isPlannable = false
        dirties = Self.mentionsSessionState(sql)
        for statement in SQLScanner(sql) {
            count += 1
            isPlannable = statement.keyword.isEmpty || Self.plannable.contains(statement.keyword)
            if !isPlannable && !Self.harmless.contains(statement.keyword) { dirties = true }
        }
    }

    private static let plannable: Set<String> = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "WITH", "TABLE",
    ]

    /// Statements that leave nothing but what the database keeps, or a transaction.
    private static let harmless: Set<String> = [
        "ABORT", "ALTER", "ANALYZE", "BEGIN", "CHECKPOINT", "CLUSTER", "COMMENT", "COMMIT", "COPY", "CREATE", "DROP",
        "END", "EXPLAIN", "FETCH", "GRANT", "LOCK", "MOVE", "NOTIFY", "REASSIGN", "REFRESH", "REINDEX", "RELEASE",
        "REVOKE", "ROLLBACK", "SAVEPOINT", "SHOW", "START", "TRUNCATE", "VACUUM",
    ]

    /// Words inside a statement that change the session: `set_config`, advisory locks, temporary tables.
    private static func mentionsSessionState(_ sql: String) -> Bool {
        var sql = sql
        return sql.withUTF8 { bytes in
            words.contains { Self.contains(UnsafeRawBufferPointer(bytes), word: $0) }
        }
    }

    private static let words: [[UInt8]] = ["temp", "set_config", "advisory", "setseed"].map { Array($0.utf8) }

    /// Whether `word` (lower case letters, "_") occurs, whatever its case.
    private static func contains(_ text: UnsafeRawBufferPointer, word: [UInt8]) -> Bool {
        guard text.count >= word.count else { return false }
        var start = 0
        while start <= text.count - word.count {
            var matched = 0
            while matched < word.count, text[start + matched] | 0x20 == word[matched] | 0x20 { matched += 1 }
            if matched == word.count { return true }
            start += 1
        }
        return false
    }
}
