import Postgres
package import PostgresProtocol

extension Ledger {
    /// By table of the target.
    package func conflicts() async throws(ReplicationError) -> [QualifiedName: ConflictCounts] {
        let result = try await query(
            "SELECT target, existing, missing FROM replhost.conflict WHERE pipeline = $1", [.text(pipeline)],
            "reading the ledger")
        return try reading { () throws(PostgresError) in
            var conflicts: [QualifiedName: ConflictCounts] = [:]
            for row in 0..<result.count {
                guard let table = QualifiedName(parsing: try result.text(of: 0, row: row)) else { continue }
                var counts = ConflictCounts()
                counts.existing = try result.number(row, 1) ?? 0
                counts.missing = try result.number(row, 2) ?? 0
                conflicts[table] = counts
            }
            return conflicts
        }
    }

    /// Goes with the changes that met them.
    func add(_ conflicts: [QualifiedName: ConflictCounts]) async throws(ReplicationError) {
        let tables = Array(conflicts)
        _ = try await query(
            """
            INSERT INTO replhost.conflict (pipeline, target, existing, missing)
            SELECT $1, * FROM unnest($2::text[], $3::text[]::int8[], $4::text[]::int8[])
            ON CONFLICT (pipeline, target) DO UPDATE
            SET existing = conflict.existing + EXCLUDED.existing, missing = conflict.missing + EXCLUDED.missing
            """,
            [
                .text(pipeline), .texts(tables.map(\.key.description)),
                .texts(tables.map { String($0.value.existing) }),
                .texts(tables.map { String($0.value.missing) }),
            ], "writing the ledger")
    }
}
