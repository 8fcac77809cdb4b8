import PostgresProtocol
import Testing

@testable import Postgres

extension RowFeed {
    var isCopy: Bool {
        if case .copy = self { true } else { false }
    }

    var columnNames: [String] {
        switch self {
        case .results(let stream): stream.columns.map(\.name)
        case .copy(_, let shape): shape.columns.map(\.name)
        }
    }

    /// Reads all rows; each as its fields, nil for NULL.
    func collect() async throws -> [[[UInt8]?]] {
        switch self {
        case .results(let stream):
            var rows: [[[UInt8]?]] = []
            let width = stream.columns.count
            try await stream.forEach { row in rows.append((0..<width).map { row[$0].map(Array.init) }) }
            return rows
        case .copy(let stream, _): return try await Self.rows(of: stream)
        }
    }

    private static func rows(of stream: CopyOutStream) async throws -> [[[UInt8]?]] {
        var rows: [[[UInt8]?]] = []
        var messages = CopyBinaryMessages()
        while true {
            switch try stream.next() {
            case .message(let message):
                guard let tuple = try messages.tuple(in: message) else { continue }
                var fields: [[UInt8]?] = []
                try tuple.forEachField { _, field in fields.append(field.map(Array.init)) }
                rows.append(fields)
            case .pending: try await stream.wait()
            case .end: return rows
            }
        }
    }
}

/// How `Connection.stream` gets the rows of a query.
@Suite(.onServer)
struct ConnectionFeedTests {
    @Test(arguments: [
        ("select i from generate_series(1, 3) i", true), ("  values (1), (2); -- two", true), ("(select 1)", true),
        ("with a as (select 1 as x) table a /* end */ ;", true), ("select 1 as updated_at", true),
        ("select 1 as a, 2 as a", true), ("select null::text, '{1,2}'::int[]", true),
        ("select 'delete' as x", false), ("insert into f values (1) returning *", false),
        ("with w as (insert into f values (2) returning a) select * from w", false),
        ("select a from f for update", false), ("show server_encoding", false), ("select point(1, 2)", false),
        ("select", false),
    ])
    func usesCopyForWhatOnlyReads(sql: String, isCopy: Bool) async throws {
        try await withConnection { connection in
            try await connection.execute("create temp table f (a int)")
            let feed = try await connection.stream(sql)
            let rows = try await feed.collect()
            let expected = try await connection.query(sql)

            #expect(feed.isCopy == isCopy)
            #expect(rows.count == expected.count)
            #expect(feed.columnNames == expected.columns.map(\.name))
            #expect(connection.activity == .idle && !connection.isBroken)
        }
    }

    @Test func givesTheSameBytesEitherWay() async throws {
        let sql = """
            select i::int2, i::int8, i % 2 = 0, i * 1.5::float8, (i * 1.01)::numeric(12, 2), 'text ' || i,
              case when i % 3 = 0 then null else md5(i::text) end, date '2024-01-01' + i,
              timestamptz '2024-01-01 00:00+00' + i * interval '1 minute', array[i, null, i + 1],
              jsonb_build_object('n', i), decode(md5(i::text), 'hex'), '00000000-0000-0000-0000-000000000001'::uuid
            from generate_series(1, 2000) i
            """
        try await withConnection { connection in
            let copy = try await connection.stream(sql)
            let copied = try await copy.collect()
            let results = try await RowFeed.results(connection.rows(sql)).collect()

            #expect(copy.isCopy)
            #expect(copied.count == 2000)
            #expect(copied == results)
        }
    }

    @Test func takesParametersAndShortResultsWithoutCopy() async throws {
        try await withConnection { connection in
            let parameterized = try await connection.stream("select $1::int", [.integer(7)])
            let seven = try await parameterized.collect()
            let first = try await connection.stream("select i from generate_series(1, 10) i")
            _ = try await first.collect()
            let second = try await connection.stream("select i from generate_series(1, 10) i")
            let rows = try await second.collect()

            #expect(!parameterized.isCopy && seven == [[[0, 0, 0, 7]]])
            #expect(first.isCopy)
            #expect(!second.isCopy && rows.count == 10)
        }
    }

    @Test func seesThatColumnsHaveChanged() async throws {
        try await withConnection { connection in
            try await connection.execute(
                "create temp table c as select i as a from generate_series(1, 2000) i; create temp view v as table c")
            _ = try await connection.stream("select * from c").collect()
            try await connection.execute("drop view v; alter table c alter a type int8; alter table c rename a to b")
            let changed = try await connection.stream("select * from c")
            let rows = try await changed.collect()

            #expect(changed.columnNames == ["b"])
            #expect(rows.count == 2000)
            #expect(rows.first?.first??.count == 8)
        }
    }

    @Test func changedColumnsDoNotEndATransaction() async throws {
        try await withConnection { connection in
            try await connection.execute("create temp table c as select i as a from generate_series(1, 500000) i")
            _ = try await connection.stream("select * from c").collect()
            try await connection.execute("alter table c alter a type int8")
            try await connection.execute("begin; insert into c values (0)")
            let rows = try await connection.stream("select * from c").collect()

            #expect(rows.count == 500_001)
            #expect(rows.first?.first??.count == 8)
            #expect(connection.transactionStatus == .inTransaction)
        }
    }

    @Test func runsVolatileFunctionsOnce() async throws {
        try await withConnection { connection in
            try await connection.execute("create temp sequence s")
            let rows = try await connection.stream(
                "select nextval('s'), (select nextval('s')) from generate_series(1, 2)"
            )
            .collect()
            let last = try await connection.query("select last_value from s")

            #expect(rows.count == 2)
            #expect(last.integer() == 3)
        }
    }

    @Test func anErrorInTheMiddleLeavesTheConnectionClean() async throws {
        try await withConnection { connection in
            let feed = try await connection.stream("select 1 / (50000 - i) from generate_series(1, 100000) i")
            let error = try await postgresError { try await feed.collect() }

            #expect(feed.isCopy)
            #expect(error.sqlstate == "22012")
            #expect(connection.isClean(for: .clean))
        }
    }
}
