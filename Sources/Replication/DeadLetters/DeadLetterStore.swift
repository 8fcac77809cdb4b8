import Postgres
package import PostgresProtocol

/// A row of `replhost.dead_letter`.
package struct StoredLetter: Sendable {
    package var id: Int
    /// As the ledger writes table names.
    package var source: String
    package var operation: String
    package var key: [(column: String, value: String?)]
    /// Before the function saw it, in PostgreSQL's text form.
    package var row: [(column: String, value: String?)]
    package var code: String
    package var message: String
    package var position: String?
    package var traceback: String
    package var scriptHash: String
    package var createdAt: String
}

/// Which dead letters are meant; all criteria must fit.
package struct LetterSelection: Sendable {
    package var source: QualifiedName?
    /// Empty: all.
    package var ids: [Int]
    package var limit: Int?

    package init(source: QualifiedName? = nil, ids: [Int] = [], limit: Int? = nil) {
        self.source = source
        self.ids = ids
        self.limit = limit
    }
}

extension Ledger {
    /// Oldest first.
    package func letters(_ selection: LetterSelection) async throws(ReplicationError) -> [StoredLetter] {
        let result = try await query(
            """
            SELECT id::int8, source, operation, \(Self.pairs("key")), \(Self.pairs("row")), code, message, position,
              traceback, script_hash, created_at::text
            FROM replhost.dead_letter WHERE \(Self.condition) ORDER BY id\(selection.limit.map { " LIMIT \($0)" } ?? "")
            """, parameters(selection), "reading dead letters")
        return try reading { () throws(PostgresError) in
            var letters: [StoredLetter] = []
            for row in 0..<result.count { letters.append(try Self.letter(result, row)) }
            return letters
        }
    }

    /// How many there are for each source table.
    package func letterCounts() async throws(ReplicationError) -> [String: Int] {
        let result = try await query(
            "SELECT source, count(*)::int8 FROM replhost.dead_letter WHERE pipeline = $1 GROUP BY source",
            [.text(pipeline)], "reading dead letters")
        return try reading { () throws(PostgresError) in
            var counts: [String: Int] = [:]
            for row in 0..<result.count { counts[try result.text(of: 0, row: row)] = try result.number(row, 1) }
            return counts
        }
    }

    /// How many were removed.
    @discardableResult
    package func removeLetters(_ selection: LetterSelection) async throws(ReplicationError) -> Int {
        try await query(
            "DELETE FROM replhost.dead_letter WHERE \(Self.condition)", parameters(selection), "removing dead letters"
        ).affected ?? 0
    }

    private static let condition = """
        pipeline = $1 AND ($2 = '' OR source = $2)
        AND (cardinality($3::text[]) = 0 OR id = ANY ($3::text[]::bigint[]))
        """

    private func parameters(_ selection: LetterSelection) -> [Parameter] {
        [.text(pipeline), .text(selection.source?.description ?? ""), .texts(selection.ids.map { String($0) })]
    }

    /// A flat JSON object as its names, then as its values; those that are not NULL begin with "=".
    private static func pairs(_ column: String) -> String {
        """
        ARRAY(SELECT p.key FROM json_each_text(\(column)) p),
        ARRAY(SELECT coalesce('=' || p.value, '') FROM json_each_text(\(column)) p)
        """
    }

    private static func letter(_ result: ResultSet, _ row: Int) throws(PostgresError) -> StoredLetter {
        StoredLetter(
            id: try result.number(row, 0) ?? 0, source: try result.text(of: 1, row: row),
            operation: try result.text(of: 2, row: row), key: try fields(result, row, 3),
            row: try fields(result, row, 5), code: try result.text(of: 7, row: row),
            message: try result.text(of: 8, row: row), position: try result.string(row, 9),
            traceback: try result.text(of: 10, row: row), scriptHash: try result.text(of: 11, row: row),
            createdAt: try result.text(of: 12, row: row))
    }

    private static func fields(
        _ result: ResultSet, _ row: Int, _ column: Int
    ) throws(PostgresError) -> [(column: String, value: String?)] {
        zip(try result.strings(row, column), try result.strings(row, column + 1)).map { name, value in
            (name, value.isEmpty ? nil : String(value.dropFirst()))
        }
    }
}
