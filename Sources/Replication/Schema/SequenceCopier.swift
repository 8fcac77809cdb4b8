package import Postgres
package import PostgresProtocol

/// Sets the target's sequences to where the source's are.
package enum SequenceCopier {
    /// Sequences that the tables' columns own (serial, identity) or use in their defaults, by column. In tables of
    /// `made`, exactly; in others only forwards. The number of sequences that were set.
    package static func copy(
        _ requests: [SchemaRequest], made: Set<QualifiedName> = [], source: Connection, target: Connection
    ) async throws(ReplicationError) -> Int {
        let from = SequenceReader(session: SchemaSession(connection: source, side: .source))
        let to = SequenceReader(session: SchemaSession(connection: target, side: .target))
        let sources = try await from.sequences(of: requests.map(\.source.name.inSchema))
        let targets = try await to.sequences(of: requests.map(\.target.inSchema))
        let pairs = requests.flatMap { Self.pairs($0, sources, targets, mayGoBack: made.contains($0.target)) }
        guard !pairs.isEmpty else { return 0 }
        let read = try await from.positions(of: pairs.map(\.source))
        let present = try await to.positions(of: pairs.map(\.target))
        var wanted: [OID: SequencePosition] = [:]
        for pair in pairs {
            guard let position = read[pair.source.oid], let old = present[pair.target.oid], position != old else {
                continue
            }
            guard pair.mayGoBack || position.isAhead(of: old, descending: pair.target.isDescending) else { continue }
            let other = wanted[pair.target.oid]
            if other.map({ position.isAhead(of: $0, descending: pair.target.isDescending) }) ?? true {
                wanted[pair.target.oid] = position
            }
        }
        try await to.set(wanted)
        return wanted.count
    }

    private struct Pair {
        let source: SequenceReader.Found
        let target: SequenceReader.Found
        let mayGoBack: Bool
    }

    private static func pairs(
        _ request: SchemaRequest, _ sources: [SequenceReader.Column: [SequenceReader.Found]],
        _ targets: [SequenceReader.Column: [SequenceReader.Found]], mayGoBack: Bool
    ) -> [Pair] {
        let mappings =
            request.columns ?? request.source.columns.map { ColumnMapping(source: $0.name, target: $0.name) }
        return mappings.flatMap { mapping in
            let mine = SequenceReader.Column(table: request.source.name.inSchema, name: mapping.source)
            let other = SequenceReader.Column(table: request.target.inSchema, name: mapping.target)
            return zip(sources[mine] ?? [], targets[other] ?? []).map {
                Pair(source: $0, target: $1, mayGoBack: mayGoBack)
            }
        }
    }
}

/// What a sequence's row says.
struct SequencePosition: Equatable {
    let last: Int64
    let isCalled: Bool

    func isAhead(of other: SequencePosition, descending: Bool) -> Bool {
        guard last != other.last else { return isCalled && !other.isCalled }
        return (last > other.last) != descending
    }
}

struct SequenceReader {
    struct Column: Hashable {
        let table: QualifiedName
        let name: String
    }

    struct Found {
        let oid: OID
        let name: QualifiedName
        let isDescending: Bool
    }

    let session: SchemaSession

    /// By column: the one of the default first, then what it owns.
    func sequences(of tables: [QualifiedName]) async throws(ReplicationError) -> [Column: [Found]] {
        let sql = """
            SELECT u.schema, u.name, a.attname::text, s.seqrelid::text, x.nspname::text, q.relname::text,
                (s.seqincrement < 0)::text
            FROM unnest($1::text[], $2::text[]) u(schema, name)
                JOIN pg_namespace n ON n.nspname = u.schema
                JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = u.name
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                CROSS JOIN LATERAL (
                    SELECT oid, min(rank) AS rank FROM (
                        SELECT d.refobjid, 1 FROM pg_attrdef e JOIN pg_depend d
                            ON d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid
                                AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> e.adrelid
                        WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum
                        UNION ALL
                        SELECT d.objid, 2 FROM pg_depend d
                        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
                            AND d.refobjsubid = a.attnum AND d.classid = 'pg_class'::regclass
                            AND d.deptype IN ('a', 'i')) f(oid, rank)
                    GROUP BY oid) f
                JOIN pg_sequence s ON s.seqrelid = f.oid
                JOIN pg_class q ON q.oid = s.seqrelid JOIN pg_namespace x ON x.oid = q.relnamespace
            ORDER BY f.rank, x.nspname, q.relname
            """
        let parameters = [tables.map { $0.schema ?? "public" }.arrayText(), tables.map(\.name).arrayText()]
        let found = try await session.rows(sql, parameters) { row in
            let column = Column(table: row.name(), name: row.string())
            return (column, Found(oid: row.oid(), name: row.name(), isDescending: row.flag()))
        }
        return Dictionary(grouping: found, by: \.0).mapValues { $0.map(\.1) }
    }

    /// From the sequences themselves: views of them do not say whether `last_value` was given out.
    func positions(of sequences: [Found]) async throws(ReplicationError) -> [OID: SequencePosition] {
        var result: [OID: SequencePosition] = [:]
        var rest = sequences[...]
        while !rest.isEmpty {
            let selects = rest.prefix(200).map {
                "SELECT '\($0.oid)', last_value::text, is_called::text FROM \($0.name.sql)"
            }
            rest = rest.dropFirst(200)
            let found = try await session.rows(selects.joined(separator: " UNION ALL ")) { row in
                (row.oid(), SequencePosition(last: Int64(row.number()), isCalled: row.flag()))
            }
            result.merge(found) { first, _ in first }
        }
        return result
    }

    func set(_ positions: [OID: SequencePosition]) async throws(ReplicationError) {
        guard !positions.isEmpty else { return }
        let sql = """
            SELECT setval(u.oid::regclass, u.last, u.called)::text
            FROM unnest($1::oid[], $2::int8[], $3::bool[]) u(oid, last, called)
            """
        let ordered = positions.sorted { $0.key < $1.key }
        let parameters = [
            ordered.map(\.key).arrayText(), ordered.map { Int($0.value.last) }.arrayText(),
            ordered.map { $0.value.isCalled ? "t" : "f" }.arrayText(),
        ]
        _ = try await session.rows(sql, parameters) { _ in () }
    }
}
