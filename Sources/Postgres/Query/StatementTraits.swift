import PostgresProtocol

/// What can be told of a SQL text without a server.
struct StatementTraits: Equatable {
    /// Statements in the text; 0 for blanks and comments alone.
    var count: Int
    /// The greatest `n` of its `$n`.
    var highestParameter: Int
    /// The planner handles it, so preparing it is worth while. Also for a text that begins with "(".
    var isPlannable: Bool
    /// It may leave something behind in the session.
    var dirties: Bool

    /// It is COPY, which streams of its own may need.
    var isCopy = false
    /// It reads only: no part of it, as far as its words tell, writes or locks.
    var isPlainQuery: Bool

    init(_ sql: String) {
        count = 0
        highestParameter = 0
        isPlannable = false
        dirties = Self.mentionsSessionState(sql)
        isPlainQuery = false
        for statement in SQLScanner(sql) {
            count += 1
            highestParameter = max(highestParameter, statement.highestParameter)
            if statement.keyword == "COPY" { isCopy = true }
            isPlannable = statement.keyword.isEmpty || Self.plannable.contains(statement.keyword)
            if !isPlannable && !Self.harmless.contains(statement.keyword) { dirties = true }
            isPlainQuery = Self.queries.contains(statement.keyword)
        }
        isPlainQuery = isPlainQuery && count == 1 && !Self.mentionsWriting(sql)
    }

    private static let queries: Set<String> = ["", "SELECT", "VALUES", "WITH", "TABLE"]

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
            sessionWords.contains { Self.contains(UnsafeRawBufferPointer(bytes), $0) }
        }
    }

    /// Words that make a query write, lock or make a table.
    private static func mentionsWriting(_ sql: String) -> Bool {
        var sql = sql
        return sql.withUTF8 { bytes in
            writingWords.contains { Self.contains(UnsafeRawBufferPointer(bytes), $0, asWord: true) }
        }
    }

    private static let sessionWords: [[UInt8]] = ["temp", "set_config", "advisory", "setseed"].map { Array($0.utf8) }
    private static let writingWords: [[UInt8]] = ["insert", "update", "delete", "merge", "into", "share"].map {
        Array($0.utf8)
    }

    /// Whether `word` (lower case letters, "_") occurs, whatever its case; if asked, as a word of its own.
    private static func contains(_ text: UnsafeRawBufferPointer, _ word: [UInt8], asWord: Bool = false) -> Bool {
        guard text.count >= word.count else { return false }
        for start in 0...(text.count - word.count) {
            var matched = 0
            while matched < word.count, text[start + matched] | 0x20 == word[matched] | 0x20 { matched += 1 }
            guard matched == word.count else { continue }
            if !asWord { return true }
            let isPart = start > 0 && SQLScanner.continuesName(text[start - 1])
            let goesOn = start + matched < text.count && SQLScanner.continuesName(text[start + matched])
            if !isPart && !goesOn { return true }
        }
        return false
    }
}
