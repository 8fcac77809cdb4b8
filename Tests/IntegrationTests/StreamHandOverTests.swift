import PostgresProtocol
import Replication
import TestSupport
import Testing

extension StreamTests {
    /// From the copy to the stream.
    @Suite struct HandOver {
        private let schema = [
            "create table t (id int primary key, u int, v text, constraint t_u unique (u))",
            "create table child (id int primary key, t int references t, k text not null)",
            "create unique index child_k on child (k) where id > 0",
            "insert into t select i, i, 'v' from generate_series(1, 10000) i",
            "insert into child select i, i, 'k' || i from generate_series(1, 10000) i", "analyze",
        ]

        /// Random changes, each its own transaction.
        private static func load(_ rounds: Int, seed: Double) -> String {
            """
            do $$ declare a int; b int; begin perform setseed(\(seed)); for i in 1..\(rounds) loop
              a := 1 + random() * 10000; b := 1 + random() * 10000;
              update t set u = -u where id in (a, b) and u > 0;
              update t set u = (select u from t where id = b) where false;
              delete from child where t = a; delete from t where id = a; commit;
              insert into t values (a, null, 'again') on conflict do nothing;
              update t set u = 100000 + (\(Int(seed * 10)) * 100000) + i where id = a;
              insert into child values (20000 + (\(Int(seed * 10)) * 100000) + i, a, 'k' || a) on conflict do nothing; commit;
              update t set v = v || i where id between b and b + 5; commit;
            end loop; end $$
            """
        }

        private func check(_ harness: CopyHarness, location: SourceLocation = #_sourceLocation) throws {
            try harness.expectEqual("t", "child", location: location)
            let state = try harness.answers(
                """
                select string_agg(indexrelid::regclass::text || indisvalid, ',' order by indexrelid::regclass::text),
                  (select string_agg(conname || convalidated, ',' order by conname) from pg_constraint where conrelid in ('t'::regclass, 'child'::regclass) and contype in ('f', 'u'))
                from pg_index where indrelid in ('t'::regclass, 'child'::regclass)
                """)
            #expect(state.source == state.target, sourceLocation: location)
        }

        @Test func aCopyUnderLoadMeetsItsStream() async throws {
            let harness = try CopyHarness()
            try harness.run(fileOnSource: schema)
            let writer = Task { @BlockingThread in
                try harness.server.run(Self.load(1500, seed: 0.1), in: harness.source)
            }

            try await harness.following {
                $0.snapshot.chunkRows = 500
            } _: {
                try harness.run(onSource: Self.load(300, seed: 0.2))
                _ = try await writer.value
            }
            try check(harness)
        }

        @Test func partsThatShowDifferentMomentsAreMadeOne() async throws {
            let harness = try CopyHarness()
            try harness.run(fileOnSource: schema)
            try harness.run(
                onSource: "create table gate ()",
                """
                create function passes(id int) returns bool language plpgsql as $$ begin
                  if id > 5000 and to_regclass('public.gate') is not null then raise 'the gate is closed'; end if;
                  return true; end $$
                """)
            let change: @Sendable (inout PipelineDefinition) -> Void = { $0.snapshot.chunkRows = 1000 }
            var options = TableOptions()
            options.filter = "passes(id)"
            let rules: @Sendable (inout PipelineDefinition) -> Void = { [options] definition in
                change(&definition)
                definition.rules = ["public.t", "public.child"].compactMap(TablePattern.init).map {
                    TableRule($0, .copy(options))
                }
            }
            await #expect(throws: ReplicationError.self) { try await harness.follow(change: rules) }
            let first = try harness.server.run("select count(*) from child", in: harness.target)
            #expect(Int(first) ?? 0 > 0)

            try harness.run(
                onSource: "drop table gate",
                "begin; update t set u = -1 where id = 10; update t set u = 10 where id = 9000; "
                    + "update t set u = 9000 where id = 10; commit",
                "delete from child where id in (11, 9001)", "delete from t where id in (11, 9001)",
                "update child set k = 'x' where id = 20", "update child set k = 'k20' where id = 9020",
                "update child set id = id + 8000 where id = 1500 + 1000",
                "insert into t values (9001, 11, 'new'), (11, 9001, 'new')")
            try await harness.following(change: rules) {
                try harness.run(onSource: Self.load(300, seed: 0.3))
            }
            try await harness.follow(change: rules)
            try check(harness)
            #expect(try harness.server.run("select state from replhost.pipeline", in: harness.target) == "streaming")
        }

        /// The target's own indexes are there from the beginning. Rows 1 to 5000 are copied at one moment, the others after
        /// the changes.
        @Test(arguments: [
            // Already in the copy.
            ["update t set u = -1 where id = 10", "update t set u = 10 where id = 9000"],
            // Not before the stream, in different batches.
            [
                "update t set u = -1 where id = 10", "update t set v = v || 1 where id <= 5000",
                "update t set v = v || 2 where id <= 5000", "update t set v = v || 3 where id <= 5000",
                "update t set u = -2 where id = 10", "update t set u = -1 where id = 9000",
            ],
        ])
        func partsThatContradictEachOtherAreCopiedAnew(changes: [String]) async throws {
            let harness = try CopyHarness()
            try harness.run(fileOnSource: schema)
            try harness.run(onTarget: "create table t (id int primary key, u int, v text, constraint t_u unique (u))")
            try harness.run(
                onSource: "create table gate ()",
                """
                create function passes(id int) returns bool language plpgsql as $$ begin
                  if id > 5000 and to_regclass('public.gate') is not null then raise 'the gate is closed'; end if;
                  return true; end $$
                """)
            let rules: @Sendable (inout PipelineDefinition) -> Void = { definition in
                definition.snapshot.chunkRows = 1000
                var options = TableOptions()
                options.filter = "passes(id)"
                definition.rules = ["public.t"].compactMap(TablePattern.init).map { TableRule($0, .copy(options)) }
            }
            await #expect(throws: ReplicationError.self) { try await harness.follow(change: rules) }
            let copied = try harness.server.run("select count(*) > 0 from t", in: harness.target)

            try harness.run(onSource: "drop table gate")
            for change in changes { try harness.run(onSource: change) }
            try await harness.follow(change: rules)
            try await harness.follow(change: rules)

            let moments = "select count(distinct snapshot) from replhost.chunk"
            #expect(copied == "t")
            #expect(try harness.server.run(moments, in: harness.target) == "1")
            try harness.expectEqual("t")
        }

        @Test func aTableMadeLaterIsCopiedAndFollowed() async throws {
            let harness = try CopyHarness()
            try harness.run(fileOnSource: schema)
            try await harness.follow()
            try harness.run(
                onSource: "create table later (id int primary key, t int references t on delete cascade, u int unique)",
                "insert into later select i, i, i from generate_series(1, 3000) i")
            try await harness.following {
                try harness.run(
                    onSource: "insert into later select i, i, i from generate_series(3001, 4000) i",
                    Self.load(100, seed: 0.4))
            }
            try check(harness)
            try harness.expectEqual("later")
        }

        @Test func whatWasCopiedWithoutAStreamIsNotFollowed() async throws {
            let harness = try CopyHarness()
            try harness.run(fileOnSource: schema)
            try await harness.copy()

            let error = await #expect(throws: ReplicationError.self) { try await harness.follow() }
            #expect(error?.description.contains("was copied without a stream") == true)
        }
    }
}
