import Postgres
import PostgresProtocol

/// The differences of a task, in a temporary table of the target. While a stream goes on, rows may just have been
/// changed: only what is the same in all looks, each at another moment of both sides, is a difference.
struct DifferenceTable {
    private static let name = "pg_temp.replhost_difference"

    private let target: Connection

    init(_ target: Connection) { self.target = target }

    /// Makes it, or empties it.
    func prepare() async throws(ReplicationError) {
        try await target.run(
            """
            SET client_min_messages = warning; DROP TABLE IF EXISTS \(Self.name); RESET client_min_messages;
            CREATE TEMP TABLE replhost_difference (
              look integer, target text, kind text, key text[], columns text[], content text)
            """, on: .target, doing: "comparing")
    }

    /// - Parameter rows: a query for keys, names of columns, and what tells contents apart.
    /// - Returns: how many there are.
    func note(
        _ kind: Verification.Kind, in table: QualifiedName, _ rows: String, look: Int
    ) async throws(ReplicationError) -> Int {
        let sql = """
            INSERT INTO \(Self.name) SELECT \(look), \(SQLText.quoteLiteral("\(table)")), '\(kind)', key, columns, content
            FROM (\(rows)) AS found (key, columns, content)
            """
        do { return try await target.query(sql, []).affected ?? 0 } catch {
            throw .database(.target, error, doing: "comparing \(table)")
        }
    }

    /// Differences of one kind in one table.
    struct Group {
        let target: String
        let kind: Verification.Kind
        let count: Int
        /// The first ones: keys and names of columns.
        var shown: [(key: [String], columns: [String])] = []
    }

    /// What all of the first `looks` have seen.
    func found(looks: Int) async throws(ReplicationError) -> [Group] {
        let common = (1...looks).map {
            "SELECT target, kind, key, columns, content FROM \(Self.name) WHERE look = \($0)"
        }
        let sql = """
            SELECT target, kind, count, key, columns FROM (
              SELECT *, count(*) OVER (PARTITION BY target, kind) AS count,
                row_number() OVER (PARTITION BY target, kind ORDER BY key) AS number
              FROM (\(common.joined(separator: " INTERSECT ALL "))) AS common
            ) AS numbered WHERE number <= \(Verification.shown) ORDER BY target, kind, number
            """
        do throws(PostgresError) { return try groups(try await target.query(sql, [])) } catch {
            throw .database(.target, error, doing: "comparing")
        }
    }

    private func groups(_ result: ResultSet) throws(PostgresError) -> [Group] {
        var groups: [Group] = []
        for row in 0..<result.count {
            let table = try result.text(of: 0, row: row)
            guard let kind = Verification.Kind(rawValue: try result.text(of: 1, row: row)) else { continue }
            if groups.last?.target != table || groups.last?.kind != kind {
                groups.append(Group(target: table, kind: kind, count: try result.number(row, 2) ?? 0))
            }
            groups[groups.count - 1].shown.append((try result.strings(row, 3), try result.strings(row, 4)))
        }
        return groups
    }
}
