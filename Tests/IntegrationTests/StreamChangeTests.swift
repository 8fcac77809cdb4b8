import PostgresProtocol
import Replication
import TestSupport
import Testing

extension StreamTests {
    /// What can happen to rows.
    @Suite struct Changes {
        /// Few changes are made one by one, many set-wise.
        private static let sizes = [5, 60]

        private func check(_ tables: String..., make: [String], change: [String]) async throws {
            let harness = try CopyHarness()
            try harness.run(fileOnSource: make)
            try await harness.follow()
            try harness.run(fileOnSource: change)
            try await harness.follow()
            for table in tables { try harness.expectEqual(table) }
        }

        @Test(arguments: sizes, ["default", "full"]) func largeValuesThatHaveNotChangedStay(
            rows: Int, identity: String
        ) async throws {
            let large = "(select string_agg(md5((i * x)::text), '') from generate_series(1, 200) x)"
            let insert = { (from: Int) in
                "insert into t select i, \(large), 'b' || \(large), i from generate_series(\(from), \(from + rows)) i"
            }
            try await check(
                "t",
                make: [
                    "create table t (id int primary key, a text, b text, n int)",
                    "alter table t alter a set storage external, alter b set storage external",
                    "alter table t replica identity \(identity)", insert(1),
                ],
                change: [
                    "update t set n = n + 1", "update t set a = 'small' where id % 3 = 0",
                    "begin", insert(1001), "update t set n = -n where id > 1000",
                    "update t set b = 'b2' where id % 2 = 0",
                    "update t set n = n + 1, a = a || 'x' where id % 2 = 0", "update t set n = 0 where id % 5 = 0",
                    "commit", "begin", "update t set id = id + 100000 where id % 4 = 0",
                    "update t set n = n + 7 where id > 100000", "commit", "update t set id = id where id = 1",
                ])
        }

        @Test(arguments: sizes) func rowsWithoutAKeyAreFoundByAllTheirValues(rows: Int) async throws {
            try await check(
                "t", "u",
                make: [
                    "create table t (a int, j json, p point, n numeric, f float8, x xml, c circle, k jsonb)",
                    "alter table t replica identity full",
                    "create table u (a text, b int) partition by list (b)",
                    "create table u1 partition of u for values in (1, null); create table u2 partition of u default",
                    "alter table u replica identity full; alter table u1 replica identity full; alter table u2 replica identity full",
                    """
                    insert into t select nullif(i % 3, 0), '{"a":  1}', '(1,2)', (array['1.0', '1.00', 'NaN'])[1 + i % 3]::numeric,
                      'NaN', '<a/>', (array['<(0,0),1>', '<(5,5),1>'])[1 + i % 2]::circle, '1.10' from generate_series(1, \(rows)) i
                    """,
                    "insert into t select from generate_series(1, 3)",
                    "insert into u select 'x', nullif(i % 3, 0) from generate_series(1, \(rows)) i",
                ],
                change: [
                    "delete from t where ctid in (select ctid from t limit 2)", "update t set a = 7 where n = 1",
                    "begin", "insert into t (a, j) select i, '[1]' from generate_series(1, \(rows)) i",
                    "update t set j = '[2]' where j::text = '[1]'", "delete from t where a = 2",
                    "update t set p = null where c::text = '<(5,5),1>'", "commit",
                    "update t set a = 0 where a is null", "update u set b = 2 where b is null",
                    "delete from u where ctid in (select ctid from u1 limit 1)", "update u set a = null",
                ])
        }

        @Test func tablesWithoutAnIdentityTakeInserts() async throws {
            let harness = try CopyHarness()
            try harness.run(
                onSource:
                    "create table t (a int); create unlogged table quick (a int); create table other (id int primary key)",
                "insert into t values (1); insert into quick values (1)")
            try await harness.follow()
            try harness.run(
                onSource: "insert into t values (2); insert into quick values (2); insert into other values (3)",
                "update t set a = 5 where a = 1", "delete from t where a = 5", "truncate other")
            try await harness.follow()

            #expect(try harness.server.run("select * from t order by 1", in: harness.target) == "1\n2")
            #expect(try harness.server.run("select * from quick", in: harness.target) == "1")
            try harness.expectEqual("other")
        }

        @Test(arguments: sizes) func anIndexMayBeTheIdentity(rows: Int) async throws {
            try await check(
                "t",
                make: [
                    "create table t (id int primary key, u text not null, v int, constraint t_u unique (u))",
                    "alter table t replica identity using index t_u",
                    "insert into t select i, 'u' || i, i from generate_series(1, \(rows)) i",
                ],
                change: [
                    "update t set v = -v", "update t set id = id + 1000", "update t set u = u || 'x' where id % 2 = 0",
                    "begin", "insert into t values (1, 'new', 1)", "update t set id = 2 where u = 'new'",
                    "update t set u = 'newer' where id = 2", "commit", "delete from t where id % 5 = 0",
                ])
        }

        @Test(arguments: sizes) func keysChangeInChains(rows: Int) async throws {
            try await check(
                "t", "d",
                make: [
                    "create table t (id int primary key, u int unique, v text)",
                    "create table d (id int primary key deferrable initially deferred, u int unique deferrable, v text)",
                    "alter table d replica identity full",
                    "insert into t select i, i, 'v' || i from generate_series(1, \(rows)) i",
                    "insert into d select * from t",
                ],
                change: [
                    "begin", "update t set id = id + 1000000 where id <= 3",
                    "update t set id = 1000004 - id where id > 1000000",
                    "update t set id = -9 where id = 2", "update t set id = 2 where id = -9",
                    "update t set v = 'chain' where id <= 4", "commit",
                    "begin", "update t set u = -1 where id = 4", "update t set u = 4 where id = 5",
                    "update t set u = 5 where id = 4", "update t set v = v || '!'", "commit",
                    "begin", "delete from t where id = 3", "insert into t values (3, 333, 'again')",
                    "delete from t where id = 3", "insert into t values (3, 334, 'at last')",
                    "update t set v = 'really' where id = 3", "commit",
                    "begin", "insert into t values (-1, -1, 'a')", "delete from t where id = -1", "commit",
                    "begin", "update d set id = \(rows + 1) - id", "update d set v = v || id", "commit",
                    "begin", "set constraints all deferred",
                    "update d set u = \(rows + 1) - u where id % 2 = 0 or id % 2 = 1",
                    "update d set id = id + 1", "commit",
                ])
        }
    }
}
