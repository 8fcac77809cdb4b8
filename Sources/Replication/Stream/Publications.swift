import Postgres
import PostgresProtocol

/// The publications of a pipeline on the source: exactly its tables, those without an identity for inserts only, as the
/// source would refuse their updates otherwise.
struct Publications {
    private let source: Connection
    private let names: StreamNames

    init(_ source: Connection, _ names: StreamNames) {
        self.source = source
        self.names = names
    }

    /// Makes or changes them so that they have these tables.
    func publish(_ tables: [SelectedTable]) async throws(ReplicationError) {
        let identities = try await identities(tables.map(\.source))
        let logged = tables.map(\.source).filter(\.isLogged)
        let identified = logged.filter { identities[$0.oid] != nil }
        let others = logged.filter { identities[$0.oid] == nil }
        // A table that moves is never in none of them.
        try await add(identified, to: names.publication, "insert, update, delete, truncate")
        try await add(others, to: names.insertsPublication, "insert, truncate")
        try await removeOthers(than: identified, from: names.publication)
        try await removeOthers(than: others, from: names.insertsPublication)
    }

    func drop() async throws(ReplicationError) {
        for name in [names.publication, names.insertsPublication] {
            try await source.run(
                "DROP PUBLICATION IF EXISTS \(SQLText.quoteIdentifier(name))", on: .source,
                doing: "dropping publication \"\(name)\"")
        }
    }

    private func add(_ tables: [CatalogTable], to name: String, _ actions: String) async throws(ReplicationError) {
        let doing = "making publication \"\(name)\""
        let quoted = SQLText.quoteIdentifier(name)
        guard let published = try await published(in: name) else {
            let list = tables.isEmpty ? "" : " FOR TABLE \(tables.map(\.rowsSQL).joined(separator: ", "))"
            return try await source.run(
                "CREATE PUBLICATION \(quoted)\(list) WITH (publish = '\(actions)', publish_via_partition_root = true)",
                on: .source, doing: doing)
        }
        let missing = tables.filter { published[$0.oid] == nil }
        guard !missing.isEmpty else { return }
        try await source.run(
            "ALTER PUBLICATION \(quoted) ADD TABLE \(missing.map(\.rowsSQL).joined(separator: ", "))", on: .source,
            doing: doing)
    }

    private func removeOthers(than tables: [CatalogTable], from name: String) async throws(ReplicationError) {
        let wanted = Set(tables.map(\.oid))
        let surplus = try await published(in: name)?.filter { !wanted.contains($0.key) }.values.map { "ONLY " + $0 }
        guard let surplus, !surplus.isEmpty else { return }
        try await source.run(
            "ALTER PUBLICATION \(SQLText.quoteIdentifier(name)) DROP TABLE \(surplus.joined(separator: ", "))",
            on: .source, doing: "changing publication \"\(name)\"")
    }

    /// Names for SQL by OID; nil if there is no such publication.
    private func published(in name: String) async throws(ReplicationError) -> [OID: String]? {
        do throws(PostgresError) {
            let result = try await source.query(
                """
                SELECT r.prrelid::int8, r.prrelid::regclass::text FROM pg_publication p
                LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname = $1
                """, [.text(name)])
            guard result.count > 0 else { return nil }
            var tables: [OID: String] = [:]
            for row in 0..<result.count {
                guard let oid = try result.number(row, 0) else { continue }
                tables[OID(UInt32(oid))] = try result.text(of: 1, row: row)
            }
            return tables
        } catch {
            throw .database(.source, error, doing: "reading publications")
        }
    }

    /// The columns of old rows that the server can send, by table; none for a table whose rows it cannot tell apart. Of a
    /// partitioned table all partitions have to have an identity.
    func identities(_ tables: [CatalogTable]) async throws(ReplicationError) -> [OID: [String]] {
        do throws(PostgresError) {
            let result = try await source.query(
                """
                WITH part AS (
                  SELECT t.oid AS root, p.oid FROM unnest($1::text[]::oid[]) AS t (oid)
                  CROSS JOIN LATERAL (SELECT t.oid UNION SELECT relid FROM pg_partition_tree(t.oid)) AS p (oid)),
                identity AS (
                  SELECT part.root, part.oid, c.relreplident, i.indexrelid, i.indkey::int2[] AS keys
                  FROM part JOIN pg_class c ON c.oid = part.oid
                  LEFT JOIN pg_index i ON i.indrelid = c.oid
                    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
                SELECT root::int8, a.attname::text FROM identity
                JOIN pg_attribute a ON a.attrelid = identity.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND (relreplident = 'f' OR a.attnum = ANY (keys))
                WHERE identity.oid = root AND root NOT IN (
                  SELECT root FROM identity WHERE relreplident <> 'f' AND indexrelid IS NULL)
                """, [.texts(tables.map(\.oid.description))])
            var found: [OID: [String]] = [:]
            for row in 0..<result.count {
                guard let oid = try result.number(row, 0) else { continue }
                found[OID(UInt32(oid)), default: []].append(try result.text(of: 1, row: row))
            }
            return found
        } catch {
            throw .database(.source, error, doing: "reading replica identities")
        }
    }
}
