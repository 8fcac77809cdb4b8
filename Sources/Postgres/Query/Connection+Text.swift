import CLibpq

extension Connection {
    /// Runs a single statement in the simple protocol, as it is, and streams its rows in PostgreSQL's text form. Returns
    /// when the first row, the end or an error has come.
    package func textRows(
        _ sql: String, until deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> RowStream {
        guard !sql.utf8.contains(0) else { throw .unusable(reason: "the SQL text contains a zero byte") }
        try await begin(until: deadline)
        do {
            if StatementTraits(sql).dirties { isDirty = true }
            try sendSimple(sql)
            let first = try await firstResult(sql, until: deadline)
            openings += 1
            activity = .open(openings)
            return RowStream(self, query: sql, shape: ResultShape(first), first: first)
        } catch {
            await settle(after: error)
            throw error
        }
    }

    /// Whether `COPY (sql) TO STDOUT` gives the same rows: one statement that only reads.
    package static func canCopy(_ sql: String) -> Bool { StatementTraits(sql).isPlainQuery }

    /// The database's name; empty once closed.
    package var database: String { handle.flatMap { PQdb($0) }.map { String(cString: $0) } ?? "" }

    /// A connection string for another database of the same server, with all secrets that were given for this one.
    package func connectionString(forDatabase name: String) -> String {
        var values = settings.values
        if let handle {
            for (keyword, value) in [("host", PQhost(handle)), ("port", PQport(handle)), ("user", PQuser(handle))] {
                if let value, values[keyword] == nil { values[keyword] = String(cString: value) }
            }
        }
        values["dbname"] = name
        return values.sorted { $0.key < $1.key }.map { keyword, value in
            "\(keyword)='\(value.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
        }.joined(separator: " ")
    }
}
