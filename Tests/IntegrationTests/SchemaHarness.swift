import EventLoops
import Postgres
import PostgresProtocol
import Sandbox
import TestSupport
import Testing

@testable import Replication

/// Two databases of the shared server: one to plan from, one to make it in.
struct SchemaHarness: Sendable {
    let server: TestServer
    let source: String
    let target: String

    init(_ statements: [String]) throws {
        server = try TestServer.shared()
        source = try server.makeDatabase()
        target = try server.makeDatabase()
        try server.run(statements.joined(separator: ";\n"), in: source)
    }

    /// Runs `body` with a connection to each side, on one loop.
    func connected<Value: Sendable>(
        _ body: @escaping @Sendable (Connection, Connection) async throws -> Value
    ) async throws -> Value {
        let (source, target) = (source, target)
        let pinned = Pinned()
        return try await pinned.run { pinned in
            let from = try await Connection.connect(
                ConnectionSettings(source), on: pinned.loop, until: .now + .seconds(20))
            defer { from.close() }
            let to = try await Connection.connect(
                ConnectionSettings(target), on: pinned.loop, until: .now + .seconds(20))
            defer { to.close() }
            return try await body(from, to)
        }
    }

    /// What is to be dumped of a side; all user schemas.
    func dump(_ conninfo: String, _ options: [String] = []) throws -> [String] {
        let command = [
            server.cluster.binaries.path("pg_dump"), "--schema-only", "--no-owner", "--no-privileges", "-d", conninfo,
        ]
        let output = try Command(command + options, as: ServerAccount.current()).runChecked()
        return output.split(separator: "\n").map(String.init).filter { line in
            // The token after \restrict differs from run to run.
            !line.hasPrefix("--") && !line.hasPrefix("\\restrict") && !line.hasPrefix("\\unrestrict")
        }
    }
}

/// All ordinary and partitioned tables of some schemas but partitions, as requests under their own names.
func schemaRequests(_ connection: Connection, in schemas: String = "public") async throws -> [SchemaRequest] {
    let list = schemas.split(separator: ",").map { SQLText.quoteLiteral(String($0)) }.joined(separator: ", ")
    let result = try await connection.query(
        """
        SELECT c.oid::text, n.nspname::text, c.relname::text, array_to_string(ARRAY(SELECT a.attname
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), E'\\x1f')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN (\(list)) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY n.nspname, c.relname
        """)
    return (0..<result.count).map { row in
        let name = QualifiedName(schema: result.text(row, 1), name: result.text(row, 2) ?? "")
        let columns = (result.text(row, 3) ?? "").split(separator: "\u{1f}").enumerated().map { index, column in
            CatalogColumn(
                name: String(column), number: index + 1, type: .text, typeName: "text", kind: .text, isNotNull: false,
                isGenerated: false, identity: nil, hasDefault: false, isOrdered: true)
        }
        let table = CatalogTable(
            name: name, oid: OID(UInt32(result.text(row, 0) ?? "") ?? 0), kind: .plain, columns: columns, key: [],
            root: nil, pages: 0, rows: -1)
        return SchemaRequest(source: table, target: name)
    }
}

extension SchemaPlan {
    var steps: [SchemaStep] { preData + postData.joined() }
}

/// Runs steps one by one; an error names the step.
func make(_ steps: some Sequence<SchemaStep>, in target: Connection) async throws {
    for step in steps {
        do {
            try await target.execute(step.sql)
        } catch {
            throw StepFailed(step: step, error: "\(error)")
        }
    }
}

struct StepFailed: Error {
    let step: SchemaStep
    let error: String
}
