import Postgres
package import PostgresProtocol

/// What the catalog says of a column to those who write code for it.
package struct ColumnNotes: Sendable, Equatable {
    package var comment: String?
    /// Of a domain, the type that it is made of.
    package var baseTypeName: String?
    /// Of an enum, in its order.
    package var labels: [String] = []
    /// It is of a domain that takes no NULL.
    package var refusesNull = false

    package init() {}
}

package struct TableNotes: Sendable, Equatable {
    package var comment: String?
    /// By name; those that there is nothing to say of are not in it.
    package var columns: [String: ColumnNotes] = [:]

    package init() {}
}

extension CatalogReader {
    /// By the tables' OIDs.
    package func notes(on tables: [CatalogTable]) async throws(ReplicationError) -> [OID: TableNotes] {
        do throws(PostgresError) {
            let oids = Parameter.texts(tables.map { "\($0.oid.rawValue)" })
            var notes = Dictionary(tables.map { ($0.oid, TableNotes()) }, uniquingKeysWith: { first, _ in first })
            let comments = try await connection.query(Self.comments, [oids])
            for row in 0..<comments.count {
                notes[try Self.oid(comments, row)]?.comment = try comments.text(of: 1, row: row)
            }
            let columns = try await connection.query(Self.columnNotes, [oids])
            for row in 0..<columns.count {
                let name = try columns.text(of: 1, row: row)
                notes[try Self.oid(columns, row)]?.columns[name] = try Self.notes(columns, row)
            }
            return notes
        } catch {
            throw .database(side, error, doing: "reading the catalog")
        }
    }

    private static func oid(_ result: ResultSet, _ row: Int) throws(PostgresError) -> OID {
        OID(UInt32(try result.number(row, 0) ?? 0))
    }

    private static func notes(_ result: ResultSet, _ row: Int) throws(PostgresError) -> ColumnNotes {
        var notes = ColumnNotes()
        notes.comment = try result.string(row, 2)
        notes.baseTypeName = try result.string(row, 3)
        notes.labels = try result.strings(row, 4)
        notes.refusesNull = try result.isTrue(row, 5)
        return notes
    }

    private static let comments = """
        SELECT objoid::int8, description FROM pg_description
        WHERE classoid = 'pg_class'::regclass AND objsubid = 0 AND objoid = ANY ($1::text[]::oid[])
        """

    /// A domain's modifier is that of the innermost one.
    private static let columnNotes = """
        WITH RECURSIVE attribute AS (
          SELECT attrelid, attname, attnum, atttypid FROM pg_attribute
          WHERE attrelid = ANY ($1::text[]::oid[]) AND attnum > 0 AND NOT attisdropped),
        base(type, base, modifier, refuses_null) AS (
          SELECT DISTINCT atttypid, atttypid, -1, false FROM attribute
          UNION ALL
          SELECT b.type, t.typbasetype, t.typtypmod, b.refuses_null OR t.typnotnull
          FROM base b JOIN pg_type t ON t.oid = b.base WHERE t.typtype = 'd')
        SELECT a.attrelid::int8, a.attname::text, d.description,
          CASE WHEN b.base <> b.type THEN format_type(b.base, b.modifier) END,
          (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
          b.refuses_null
        FROM attribute a JOIN base b ON b.type = a.atttypid JOIN pg_type t ON t.oid = b.base AND t.typtype <> 'd'
        LEFT JOIN pg_description d
          ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
        WHERE b.base <> b.type OR t.typtype = 'e' OR d.description IS NOT NULL
        """
}
