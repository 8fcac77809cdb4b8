import PostgresProtocol
import Replication
import TestSupport
import Testing

extension StreamTests {
    /// Pipelines with `where`.
    @Suite struct Filters {
        private func options(_ filter: String) -> TableOptions {
            var options = TableOptions()
            options.filter = filter
            return options
        }

        @Test(arguments: [5, 60], ["default", "full"])
        func rowsEnterAndLeaveTheSet(rows: Int, identity: String) async throws {
            let filter = "t.region = 'eu' and \"Sum\" > (select 1) and created < now() + interval '1 day'"
            let harness = try CopyHarness()
            try harness.run(
                onSource:
                    "create table t (id int primary key, region text, \"Sum\" numeric, created timestamptz default now(), v text)",
                "alter table t replica identity \(identity)",
                "insert into t select i, (array['eu', 'us'])[1 + i % 2], i, now() from generate_series(1, \(rows)) i")
            try await harness.follow(options(filter))
            try harness.run(
                onSource:
                    "insert into t select i, (array['eu', 'us'])[1 + i % 2], i % 5, now() from generate_series(1001, 1000 + \(rows)) i",
                "update t set v = 'seen'", "update t set region = 'us' where id % 3 = 0",
                "update t set region = 'eu' where id % 5 = 0", "begin", "update t set id = -id where id % 7 = 0",
                "insert into t values (5000, 'us', 9), (5001, 'eu', 9)", "update t set region = 'eu' where id = 5000",
                "update t set region = 'us' where id = 5001", "commit", "delete from t where id % 4 = 0")
            try await harness.follow(options(filter))

            let source = try harness.server.run("select * from t where \(filter) order by 1", in: harness.source)
            #expect(try harness.server.run("select * from t order by 1", in: harness.target) == source)
        }

        @Test func aLargeValueThatDoesNotComeIsAClearError() async throws {
            let harness = try CopyHarness()
            try harness.run(
                onSource: "create table t (id int primary key, n int, large text)",
                "alter table t alter large set storage external",
                "insert into t select i, i, repeat('x', 9000) from generate_series(1, 5) i")
            try await harness.follow(options("n > 2"))
            try harness.run(onSource: "update t set n = n + 1 where id > 2")
            try await harness.follow(options("n > 2"))
            try harness.run(onSource: "update t set n = n + 1 where id > 2")

            let error = await #expect(throws: ReplicationError.self) {
                try await harness.follow(options("length(large) > 2"))
            }
            #expect(error?.description.contains("the large values of \"large\" do not come with it") == true)
            try harness.run(onSource: "alter table t replica identity full")
        }
    }
}
