import Postgres
import PostgresProtocol
import TestSupport
import Testing

/// What real servers send is decoded to what happened.
@Suite(.onServer)
struct ReplicationMessageTests {
    private static let table = "create table t (id int2 primary key, note text)"

    @Test func changesAreDecodedFromText() async throws {
        try await withWalsender([Self.table]) { walsender in
            let stream = try await walsender.stream(isBinary: false)
            try await walsender.sql.execute("insert into t values (1, 'a'), (2, null)")
            try await walsender.sql.execute("update t set note = 'b' where id = 1")
            try await walsender.sql.execute("update t set id = 3 where id = 2")
            try await walsender.sql.execute("delete from t where id = 1")
            let lines = try await stream.transactions(4)

            #expect(
                lines == [
                    "relation public.t primaryKey id*|note", "insert 1|a", "insert 2|-", "update 1|b",
                    "update key 2|- to 3|-", "delete key 1|-",
                ])
        }
    }

    @Test func changesAreDecodedFromBinary() async throws {
        try await withWalsender([Self.table]) { walsender in
            let stream = try await walsender.stream()
            try await walsender.sql.execute("insert into t values (258, 'ab')")
            try await walsender.sql.execute("update t set id = 259")
            try await walsender.sql.execute("delete from t")
            let lines = try await stream.transactions(3)

            #expect(
                lines == [
                    "relation public.t primaryKey id*|note", "insert x0102|x6162", "update key x0102|- to x0103|x6162",
                    "delete key x0103|-",
                ])
        }
    }

    @Test func typesComeBeforeTheTablesThatHaveThem() async throws {
        let statements = [
            "create type mood as enum ('fine')", "create table \"Odd|name\" (m mood, n numeric(10,2))",
        ]
        try await withWalsender(statements) { walsender in
            let stream = try await walsender.stream(isBinary: false)
            try await walsender.sql.execute("insert into \"Odd|name\" values ('fine', 1.5)")
            let lines = try await stream.transactions(1)

            #expect(
                lines == ["type public.mood", "relation public.\"Odd|name\" primaryKey m|n", "insert fine|1.50"])
        }
    }

    @Test func truncatesAndMessagesCome() async throws {
        try await withWalsender([Self.table, "create table u (id int references t)"]) { walsender in
            let stream = try await walsender.stream()
            try await walsender.sql.execute("truncate t, u restart identity cascade")
            try await walsender.sql.execute("select pg_logical_emit_message(true, 'replhost', 'é')")
            let lines = try await stream.transactions(2)

            #expect(lines.filter { $0.hasPrefix("relation") }.count == 2)
            #expect(lines.suffix(2) == ["truncate 2 cascade restart identity", "message true replhost é"])
        }
    }

    @Test func unchangedLargeValuesAreMarked() async throws {
        let statements = [
            "create table t (id int2 primary key, big text, n int2)", "alter table t alter big set storage external",
        ]
        try await withWalsender(statements) { walsender in
            let stream = try await walsender.stream(isBinary: false)
            try await walsender.sql.execute("insert into t values (1, repeat('x', 10000), 1)")
            try await walsender.sql.execute("update t set n = 2")
            let lines = try await stream.transactions(2)

            #expect(lines.last == "update 1|~|2")
        }
    }

    @Test func fullReplicaIdentitySendsTheWholeOldRow() async throws {
        try await withWalsender(["create table t (a int2, b text)", "alter table t replica identity full"]) {
            walsender in
            let stream = try await walsender.stream(isBinary: false)
            try await walsender.sql.execute("insert into t values (1, null)")
            try await walsender.sql.execute("update t set b = 'x'")
            try await walsender.sql.execute("delete from t")
            let lines = try await stream.transactions(3)

            #expect(
                lines == [
                    "relation public.t full a*|b*", "insert 1|-", "update full 1|- to 1|x", "delete full 1|x",
                ])
        }
    }

    @Test func manyChangesComeInOrder() async throws {
        try await withWalsender([Self.table]) { walsender in
            let stream = try await walsender.stream(isBinary: false)
            try await walsender.sql.execute(
                "insert into t select i, repeat('x', i % 500) from generate_series(1, 30000) i")
            let numbers = try await stream.transactions(1).compactMap { line in
                line.hasPrefix("insert ") ? Int(line.dropFirst(7).prefix { $0 != "|" }) : nil
            }

            #expect(numbers == Array(1...30000))
        }
    }
}
