import Postgres
import PostgresProtocol

/// What the stream does not tell is asked from the source: what a changed table is to be in the target, and which rows
/// pass a filter.
struct StreamSource {
    private let worker: any PipelineWorker

    init(_ worker: any PipelineWorker) { self.worker = worker }

    func failing(
        _ candidates: [RowFilter.Candidate], _ filter: RowFilter, _ batch: ChangeBatch
    ) async throws(ReplicationError) -> Set<UInt32> {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        return try await filter.failing(candidates, batch, on: try await connections.source())
    }

    /// Columns as they are on the source now. One that is gone again by now is not added; what was dropped stays. Throws if
    /// rows that are there have new values on the source, which the stream does not tell.
    func statements(for change: SchemaChange, _ mapping: TableMapping) async throws(ReplicationError) -> [String] {
        guard change.added.isEmpty || change.dropped.isEmpty else {
            throw change.cannotBeFollowed("a column may have got another name")
        }
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let source = try await connections.source()
        guard let table = try await CatalogReader(source, .source).tables([change.table])[change.table] else {
            return []
        }
        let reader = ColumnReader(source, table)
        var statements: [String] = []
        for column in change.added.compactMap({ change.columns[$0] }) {
            statements += try add(column, try await reader.facts(of: column), change, mapping)
        }
        for column in change.retyped.compactMap({ change.columns[$0] }) {
            statements += try widen(column, try await reader.facts(of: column), change, mapping)
        }
        return statements + release(change.dropped, mapping)
    }

    /// Columns of another type than before that the target has room for as it is.
    func settled(_ change: SchemaChange, _ mapping: TableMapping) async throws(ReplicationError) -> Set<String> {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        let reader = ColumnReader(try await connections.source(), mapping.source)
        var settled: Set<String> = []
        for column in change.retyped.compactMap({ change.columns[$0] }) {
            let typeName = try await reader.facts(of: column).typeName
            let targets = RelationColumns.targets(of: column.name, mapping)
            let isSettled = targets.allSatisfy { name in
                guard mapping.options.types[name] == nil, let target = mapping.target.column(name) else { return true }
                return target.typeName == typeName || Self.hasRoom(target, for: column)
            }
            if isSettled { settled.insert(column.name) }
        }
        return settled
    }

    /// Whatever the column's values are.
    private static func hasRoom(_ target: CatalogColumn, for column: RelationMessage.Column) -> Bool {
        guard target.typeName == target.bareTypeName else { return false }
        let isSame = target.type == column.type && column.type < .firstUserDefined
        return isSame || (column.type != .text && wider[column.type]?.contains(target.type) == true)
    }

    /// Nil if it is gone.
    func table(_ name: QualifiedName) async throws(ReplicationError) -> CatalogTable? {
        let connections = WorkerConnections(worker, snapshot: nil)
        defer { connections.release() }
        return try await CatalogReader(try await connections.source(), .source).tables([name])[name]
    }

    func table(_ name: QualifiedName, on target: Connection) async throws(ReplicationError) -> CatalogTable {
        guard let table = try await CatalogReader(target, .target).tables([name])[name] else {
            throw .unknownTable(name, .target, known: [])
        }
        return table
    }

    // MARK: Statements

    /// With what the rows that are there have on the source.
    private func add(
        _ column: RelationMessage.Column, _ facts: ColumnReader.Facts, _ change: SchemaChange, _ mapping: TableMapping
    ) throws(ReplicationError) -> [String] {
        let table = "ALTER TABLE \(mapping.target.name.sql)"
        let name = SQLText.quoteIdentifier(column.name)
        let add = "\(table) ADD COLUMN IF NOT EXISTS \(name) \(facts.typeName)"
        if let missing = facts.missing {
            let literal = "\(SQLText.quoteLiteral(missing))::\(facts.typeName)"
            return ["\(add) DEFAULT \(literal)", "\(table) ALTER COLUMN \(name) DROP DEFAULT"]
        }
        guard !facts.hasDefault else {
            throw change.cannotBeFollowed("rows may have values of their own in column \"\(column.name)\"")
        }
        return [add]
    }

    private func widen(
        _ column: RelationMessage.Column, _ facts: ColumnReader.Facts, _ change: SchemaChange, _ mapping: TableMapping
    ) throws(ReplicationError) -> [String] {
        var statements: [String] = []
        for name in RelationColumns.targets(of: column.name, mapping) where mapping.options.types[name] == nil {
            guard let known = mapping.target.column(name), known.typeName != facts.typeName else { continue }
            guard known.type == column.type || Self.wider[known.type]?.contains(column.type) == true else {
                throw change.cannotBeFollowed("\(facts.typeName) is not a wider type than \(known.typeName)")
            }
            statements.append(
                """
                ALTER TABLE \(mapping.target.name.sql) ALTER COLUMN \(known.quotedName) TYPE \(facts.typeName) \
                USING \(known.quotedName)::\(facts.typeName)
                """)
        }
        return statements
    }

    /// Types whose values other types have room for, written in the same way.
    private static let wider: [OID: Set<OID>] = [
        .int2: [.int4, .int8, .numeric], .int4: [.int8, .numeric], .int8: [.numeric], .float4: [.float8],
        .varchar: [.text], .bpchar: [.text, .varchar], .text: [.varchar],
    ]

    /// Rows come without what was dropped.
    private func release(_ dropped: [String], _ mapping: TableMapping) -> [String] {
        dropped.flatMap { RelationColumns.targets(of: $0, mapping) }.compactMap(mapping.target.column).filter {
            $0.isNotNull && $0.identity == nil && !mapping.target.key.contains($0.name)
        }.map { "ALTER TABLE \(mapping.target.name.sql) ALTER COLUMN \($0.quotedName) DROP NOT NULL" }
    }
}

/// What the source's catalog says of a column in the stream, which may be gone from the table by now.
private struct ColumnReader {
    struct Facts {
        var typeName: String
        /// New rows have something in it that is not said.
        var hasDefault: Bool
        /// What rows have in it that were there before it was; as text.
        var missing: String?
    }

    private let source: Connection
    private let table: CatalogTable

    init(_ source: Connection, _ table: CatalogTable) {
        self.source = source
        self.table = table
    }

    func facts(of column: RelationMessage.Column) async throws(ReplicationError) -> Facts {
        do throws(PostgresError) {
            let result = try await source.query(
                """
                SELECT format_type($1::text::oid, $2::text::int4), coalesce(bool_or(a.atthasdef OR a.attidentity <> ''), false),
                  min((a.attmissingval::text::text[])[1])
                FROM (SELECT $3::text::oid UNION SELECT relid FROM pg_partition_tree($3::text::oid)) part (oid)
                LEFT JOIN pg_attribute a ON a.attrelid = part.oid AND a.attname = $4 AND NOT a.attisdropped
                """,
                [
                    .text(column.type.description), .text(String(column.modifier)), .text(table.oid.description),
                    .text(column.name),
                ])
            return Facts(
                typeName: try result.text(of: 0), hasDefault: try result.isTrue(0, 1), missing: try result.string(0, 2))
        } catch {
            throw .database(.source, error, doing: "reading the catalog")
        }
    }
}
