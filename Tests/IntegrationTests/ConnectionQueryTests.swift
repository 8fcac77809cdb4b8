import EventLoops
import Postgres
import PostgresProtocol
import TestSupport
import Testing

@Suite(.onServer)
struct ConnectionQueryTests {
    @Test func returnsBinaryValuesForTypesThatHaveAPortableForm() async throws {
        try await withConnection { connection in
            let result = try await connection.query("select 7::int8 as seven, null::text as nothing, 'x'::text as x")

            #expect(result.columns.map(\.name) == ["seven", "nothing", "x"])
            #expect(result.columns.allSatisfy { $0.format == .binary })
            #expect(result.columns[0].type == .int8)
            #expect(result.integer() == 7)
            #expect(result.field(0, 1) == nil)
            #expect(result.text(0, 2) == "x")
            #expect(result.command == "SELECT 1")
            #expect(result.affected == 1)
        }
    }

    @Test func returnsTextWhenAColumnHasNoPortableForm() async throws {
        try await withConnection { connection in
            let result = try await connection.query("select 7 as seven, '(1,2)'::point as p")

            #expect(result.columns.allSatisfy { $0.format == .text })
            #expect(result.text(0, 0) == "7")
            #expect(result.text(0, 1) == "(1,2)")
        }
    }

    @Test func typesParametersAsLiterals() async throws {
        try await withConnection { connection in
            let types = try await connection.query(
                "select pg_typeof($1)::text, pg_typeof($2)::text, pg_typeof($3)::text, pg_typeof($4)::text, "
                    + "pg_typeof($5)::text",
                [.integer(1), .integer(1 << 40), .float(1.5), .boolean(true), .bytes([0, 1])])
            let inferred = try await connection.query(
                "select $1::numeric + 1, length($2::bytea), $3::date, $4::int[]",
                [.text("1.5"), .text([0, 1, 2]), .text("2024-02-29"), .text("{1,2}")])

            #expect((0..<5).map { types.text(0, $0) } == ["integer", "bigint", "double precision", "boolean", "bytea"])
            #expect(inferred.integer(0, 1) == 3)
        }
    }

    @Test func preparesAStatementOnce() async throws {
        try await withConnection { connection in
            for number in 0..<5 {
                let result = try await connection.query("select $1::int4 + 1", [.integer(Int64(number))])
                #expect(result.integer() == number + 1)
            }
            let prepared = try await connection.query("select count(*) from pg_prepared_statements")

            #expect(prepared.integer() == 2)
            #expect(connection.preparedStatementCount == 2)
        }
    }

    @Test func evictsTheLeastRecentlyUsedStatementOnTheServerToo() async throws {
        try await withConnection { connection in
            connection.preparedStatementLimit = 3
            for number in 0..<10 { _ = try await connection.query("select \(number)") }
            let prepared = try await connection.query("select count(*)::int from pg_prepared_statements")

            #expect(try #require(prepared.integer()) <= 4)
        }
    }

    @Test func preparesNothingWithALimitOfZero() async throws {
        try await withConnection { connection in
            connection.preparedStatementLimit = 0
            let result = try await connection.query("select $1::int + 1", [.integer(4)])
            let prepared = try await connection.query("select count(*) from pg_prepared_statements")

            #expect(result.text() == "5")
            #expect(prepared.text() == "0")
        }
    }

    @Test func runsSeveralStatementsAndReturnsAllResults() async throws {
        try await withConnection { connection in
            let results = try await connection.queryAll(
                "create temp table t (a int); insert into t values (1), (2); table t")
            let last = try await connection.query("select 1; select 2")
            let empty = try await connection.query("  -- nothing")

            #expect(results.map(\.command) == ["CREATE TABLE", "INSERT 0 2", "SELECT 2"])
            #expect(results[1].affected == 2)
            #expect(results[2].text(1, 0) == "2")
            #expect(last.text() == "2")
            #expect(empty.count == 0)
            #expect(empty.command == "")
        }
    }

    @Test func refusesParametersForSeveralStatements() async throws {
        try await withConnection { connection in
            let error = try await postgresError { try await connection.query("select 1; select 2", [.integer(1)]) }

            #expect(error == .unusable(reason: "several statements in one text take no parameters"))
            #expect(try await connection.query("select 1").count == 1)
        }
    }

    @Test func saysHowManyParametersAStatementHas() async throws {
        try await withConnection { connection in
            let error = try await postgresError {
                try await connection.query("select $1::int, $2::int", [.integer(1)])
            }

            #expect(error == .parameterCount(expected: 2, given: 1))
            #expect(!connection.isBroken)
            #expect(try await connection.query("select 1").count == 1)
        }
    }

    @Test func keepsTheCaretForPreparedStatements() async throws {
        try await withConnection { connection in
            let error = try await postgresError {
                try await connection.query("select 1,\n  nowhere from pg_class where oid = $1", [.integer(1)])
            }

            guard case .server(let server) = error else { return #expect(Bool(false), "\(error)") }
            #expect(server.sqlstate == "42703")
            #expect(
                server.rendered
                    == """
                    ERROR:  column "nowhere" does not exist
                    LINE 2:   nowhere from pg_class where oid = $1
                              ^
                    """)
            #expect(connection.transactionStatus == .idle)
        }
    }

    @Test func reportsAllFieldsOfAnError() async throws {
        try await withConnection { connection in
            try await connection.execute("create temp table u (id int constraint u_key primary key)")
            let error = try await postgresError { try await connection.query("insert into u values (1), (1)") }

            guard case .server(let server) = error else { return #expect(Bool(false), "\(error)") }
            #expect(server.severity == "ERROR")
            #expect(server.sqlstate == "23505")
            #expect(server.constraint == "u_key")
            #expect(server.table == "u")
            #expect(server.detail == "Key (id)=(1) already exists.")
            #expect(server.query == "insert into u values (1), (1)")
        }
    }

    @Test func preparesAgainWhenAResultTypeChanged() async throws {
        try await withConnection { connection in
            try await connection.execute("create temp table r (a int); insert into r values (1)")
            _ = try await connection.query("select * from r where a = $1", [.integer(1)])
            try await connection.execute("alter table r add b text default 'new'")
            let result = try await connection.query("select * from r where a = $1", [.integer(1)])
            try await connection.execute("alter table r add c text default 'newer'")
            let stream = try await connection.rows("select * from r where a = $1", [.integer(1)])
            var widths: [Int] = []
            try await stream.forEach { row in widths.append(row[2]?.count ?? -1) }

            #expect(result.columns.map(\.name) == ["a", "b"])
            #expect(result.text(0, 1) == "new")
            #expect(widths == [5])
        }
    }

    @Test func preparesAgainAfterTheServerForgot() async throws {
        try await withConnection { connection in
            _ = try await connection.query("select 1 + $1", [.integer(1)])
            try await connection.execute("deallocate all")
            let afterTag = connection.preparedStatementCount
            _ = try await connection.query("select 1 + $1", [.integer(1)])
            try await connection.execute("do $$ begin execute 'deallocate all'; end $$")
            let result = try await connection.query("select 1 + $1", [.integer(41)])

            #expect(afterTag == 0)
            #expect(result.integer() == 42)
        }
    }

    @Test func refusesAResultThatDoesNotFitAndGoesOn() async throws {
        try await withConnection { connection in
            var budget = 5_000_000
            let error = try await postgresError {
                try await connection.query(
                    "select i, repeat('x', 100) from generate_series(1, 3000000) i",
                    reserve: { bytes in
                        budget -= bytes
                        return budget >= 0
                    })
            }

            guard case .resultTooLarge(let bytes) = error else { return #expect(Bool(false), "\(error)") }
            #expect(bytes > 4_000_000 && bytes < 9_000_000)
            #expect(!connection.isBroken)
            #expect(try await connection.query("select 5").integer() == 5)
        }
    }

    @Test func streamsMoreRowsThanAreBuffered() async throws {
        try await withConnection { connection in
            let stream = try await connection.rows(
                "select i, 'row ' || i from generate_series(1, $1) i", [.integer(100_000)])
            var sum = 0
            let count = try await stream.forEach { row in
                sum += row[0]?.reduce(0) { $0 << 8 | Int($1) } ?? 0
            }

            #expect(count == 100_000)
            #expect(sum == 5_000_050_000)
            #expect(stream.command == "SELECT 100000")
            #expect(connection.isClean(for: .clean))
        }
    }

    @Test func refusesToOverlapAndGoesOnAfterAnEarlyClose() async throws {
        try await withConnection { connection in
            let stream = try await connection.rows(
                "select repeat('x', 1000) from generate_series(1, 5000) a, generate_series(1, 5000) b")
            guard case .row = try stream.next() else { return #expect(Bool(false)) }
            let error = try await postgresError { try await connection.query("select 1") }
            await stream.close()
            await stream.close()

            #expect(error == .unusable(reason: "another statement is running on this connection"))
            #expect(connection.transactionStatus == .idle)
            #expect(try await connection.query("select 1").integer() == 1)
            #expect(throws: Never.self) { _ = try stream.next() }
        }
    }

    @Test func throwsAnErrorInTheMiddleOfAStream() async throws {
        try await withConnection { connection in
            let stream = try await connection.rows("select 1 / (50000 - i) from generate_series(1, 100000) i")
            let error = try await postgresError { try await stream.forEach() }

            #expect(error.sqlstate == "22012")
            #expect(connection.isClean(for: .clean))
        }
    }

    @Test func aStreamOfAnEarlierBorrowerIsOver() async throws {
        try await withConnection { connection in
            let stream = try await connection.rows("select repeat('x', 1000) from generate_series(1, 1000000)")
            try await connection.reset(.clean, until: .now + .seconds(10))
            let error = try await postgresError { try stream.next() }
            let later = try await connection.rows("select 1")
            let stillOver = try await postgresError { try stream.next() }
            await later.close()

            #expect(error == .unusable(reason: "the row stream is no longer open"))
            #expect(stillOver == error)
        }
    }

    @Test func streamsUtilityStatementsAsText() async throws {
        try await withConnection { connection in
            let stream = try await connection.rows("show server_encoding")
            var values: [String] = []
            try await stream.forEach { row in values.append(row[0].map { String(decoding: $0, as: UTF8.self) } ?? "") }

            #expect(values == ["UTF8"])
        }
    }

    @Test func laysRowsOutWithTheirWireBytes() async throws {
        try await withConnection { connection in
            let result = try await connection.query("select 1::int4, null::int4, 'ab'::text")
            let row = result[0]
            let wire = RowLayout.wireBytes(of: 0..<3, in: try #require(row.baseAddress))

            #expect(Array(wire) == [0, 0, 0, 4, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 2, 97, 98])
        }
    }

    @Test func pipelinesStatementsWithLargeAnswersBothWays() async throws {
        try await withConnection { connection in
            let padding = String(repeating: "p", count: 5000)
            let batch = (0..<2000).map {
                PipelineStatement("select $1::int4, $2::text", [.integer(Int64($0)), .text(padding)])
            }
            let results = try await connection.pipeline(batch, until: .now + .seconds(30))

            #expect(results.count == 2000)
            for (index, result) in results.enumerated() { #expect(try result.get().integer() == index) }
            #expect(connection.isClean(for: .clean))
        }
    }

    @Test func aFailedPipelineIsUndone() async throws {
        try await withConnection { connection in
            try await connection.execute("create temp table p (a int)")
            let results = try await connection.pipeline([
                PipelineStatement("insert into p values ($1)", [.integer(1)]),
                PipelineStatement("select 1 / $1", [.integer(0)]),
                PipelineStatement("insert into p values ($1)", [.integer(2)]),
            ])
            let refused = try await connection.pipeline([
                PipelineStatement("select 1"), PipelineStatement("select nonsense"), PipelineStatement("select 2"),
            ])
            let dependent = try await connection.pipeline([
                PipelineStatement("create temp table q (a int)"),
                PipelineStatement("insert into q values ($1)", [.integer(2)]),
            ])

            #expect(try results[0].get().affected == 1)
            #expect(throws: PostgresError.self) { try results[1].get() }
            #expect(throws: PostgresError.pipelineAborted) { try results[2].get() }
            #expect(try await connection.query("select count(*) from p").integer() == 0)
            #expect(throws: PostgresError.pipelineAborted) { try refused[0].get() }
            #expect(throws: PostgresError.self) { try refused[1].get() }
            #expect(try dependent[1].get().affected == 1)
            #expect(connection.transactionStatus == .idle)
        }
    }
}
