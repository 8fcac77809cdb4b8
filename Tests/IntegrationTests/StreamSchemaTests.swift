import PostgresProtocol
import Replication
import TestSupport
import Testing

extension StreamTests {
    /// Tables of the source that change.
    @Suite struct SchemaChanges {
        private func harness(_ sql: String...) async throws -> CopyHarness {
            let harness = try CopyHarness()
            try harness.run(
                onSource: "create table t (id int primary key, v int, w varchar(5) not null)",
                "insert into t select i, i, 'w' from generate_series(1, 50) i")
            try await harness.follow()
            return harness
        }

        private func follow(_ harness: CopyHarness, _ policy: StreamOptions.SchemaPolicy) async throws {
            try await harness.follow { $0.stream.schemaPolicy = policy }
        }

        private let before = "insert into t select i, i, 'w' from generate_series(101, 150) i"
        private let after = "update t set n = id where id % 2 = 0"

        @Test(arguments: [true, false]) func aNewColumnStopsBeforeItsFirstChange(whileRunning: Bool) async throws {
            let harness = try await harness()
            let change = "alter table t add n int"
            try harness.run(onSource: before)
            if !whileRunning { try await harness.follow() }
            try harness.run(onSource: change, after)

            for _ in 1...2 {
                let error = await #expect(throws: ReplicationError.self) { try await harness.follow() }
                #expect(error?.description == "public.t has changed on the source: new column \"n\"")
            }
            #expect(try harness.server.run("select count(*) from t", in: harness.target) == "100")
            try harness.run(onTarget: change)
            try await harness.follow()
            try harness.expectEqual("t")
        }

        @Test(arguments: [true, false]) func aNewColumnIsAddedWithWhatRowsHaveInIt(whileRunning: Bool) async throws {
            let harness = try await harness()
            try harness.run(onSource: before)
            if !whileRunning { try await follow(harness, .apply) }
            try harness.run(
                onSource:
                    "begin; update t set v = 0 where id < 40; alter table t add n int, add c text default 'it''s', "
                    + "add d timestamptz default now(), add l int[] default '{1,2}', add j json; "
                    + "update t set v = 1, c = 'x' where id < 30; commit", after,
                "alter table t alter d set default null",
                "insert into t select i, i, 'w' from generate_series(201, 250) i")

            try await follow(harness, .apply)
            try harness.expectEqual("t")
            try harness.run(onSource: "alter table t add o text", "update t set o = 'o' where id = 3")
            try await follow(harness, .apply)
            try harness.expectEqual("t")
        }

        @Test func whatCannotBeFollowedStops() async throws {
            for change in [
                "alter table t add n serial", "alter table t rename v to n",
                "alter table t alter v type text using 'x' || v",
            ] {
                let harness = try await harness()
                try harness.run(onSource: "update t set v = 0 where id = 1")
                let options: (inout PipelineDefinition) -> Void = { $0.stream.schemaPolicy = .apply }
                let error: ReplicationError?
                if change.contains("serial") {
                    try harness.run(onSource: change, "update t set w = 'x' where id = 2")
                    error = await #expect(throws: ReplicationError.self) { try await harness.follow(change: options) }
                } else {
                    try harness.run(
                        onSource:
                            "begin; update t set w = 'y' where id = 3; \(change); update t set w = 'x' where id = 2; commit"
                    )
                    error = await #expect(throws: ReplicationError.self) { try await harness.follow(change: options) }
                }
                #expect(
                    error?.description.contains("which cannot be followed") == true,
                    "\(change): \(String(describing: error))")
                #expect(try harness.server.run("select v from t where id = 1", in: harness.target) == "0")
            }
        }

        @Test func newColumnsMayBeIgnored() async throws {
            let harness = try await harness()
            try harness.run(onSource: before, "alter table t add n int", after, "update t set v = -id")
            try await follow(harness, .ignore)

            let sides = try harness.answers("select count(*), sum(v) from t")
            #expect(sides.source == sides.target)
        }

        @Test func widerTypesAndDroppedColumnsAreFollowed() async throws {
            let harness = try await harness()
            try harness.run(
                onSource: before,
                "begin; update t set v = 1 where id < 40; alter table t alter v type bigint; update t set v = 10000000000 + id; commit",
                "begin; alter table t alter w type varchar(50); update t set w = 'longer than before' where id < 3; commit",
                "begin; alter table t drop w; insert into t values (7777, 7); commit", "delete from t where id = 50")
            try await follow(harness, .apply)

            let sides = try harness.answers("select count(*), sum(v), min(pg_typeof(v)::text) from t")
            #expect(sides.source == sides.target)
        }

        @Test func aDroppedColumnStopsUnlessToldOtherwise() async throws {
            let harness = try await harness()
            try harness.run(
                onSource: "update t set v = 0 where id = 1", "alter table t drop v", "update t set w = 'x' where id = 1"
            )

            let error = await #expect(throws: ReplicationError.self) { try await harness.follow() }
            #expect(error?.description == "public.t has changed on the source: dropped column \"v\"")
            #expect(try harness.server.run("select v from t where id = 1", in: harness.target) == "0")
        }

        @Test func renamedColumnsAreFollowed() async throws {
            let harness = try CopyHarness()
            var options = TableOptions()
            options.columns = [
                ColumnMapping(source: "v", target: "value"), ColumnMapping(source: "id", target: "number"),
            ]
            try harness.run(
                onSource:
                    "create table t (id int primary key, v int, w text); insert into t select i, i, 'w' from generate_series(1, 50) i"
            )
            try await harness.follow(options)
            try harness.run(
                onSource: "update t set v = -v", "update t set id = id + 1000 where id < 5",
                "delete from t where id = 7",
                "insert into t values (0, 0, 'x')", "alter table t add other int",
                "update t set other = 3, v = 8 where id = 8")
            try await harness.follow(options)

            let source = try harness.server.run("select id, v from t order by 1", in: harness.source)
            #expect(try harness.server.run("select number, value from t order by 1", in: harness.target) == source)
        }
    }
}
