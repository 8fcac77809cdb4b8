import PostgresProtocol
import Replication
import TestSupport
import Testing

extension StreamTests {
    /// Tables of the source that have changed while nobody followed them.
    @Suite struct ShapeMemory {
        private func harness() async throws -> CopyHarness {
            let harness = try CopyHarness()
            try harness.run(
                onSource: "create domain d as varchar(5)",
                "create table t (id int primary key, v int, w varchar(5), x d, g int generated always as (id) stored)",
                "insert into t select i, i, 'w', 'x' from generate_series(1, 20) i")
            try await harness.follow()
            return harness
        }

        private func failure(of harness: CopyHarness) async throws -> String {
            try #require(await #expect(throws: ReplicationError.self) { try await harness.follow() }).description
        }

        @Test(arguments: [true, false]) func aDroppedColumnStopsTheNextRunUntilTheTargetIsMended(
            changesBefore: Bool
        ) async throws {
            let harness = try await harness()
            if changesBefore {
                try harness.run(onSource: "update t set v = 0 where id = 1")
                try await harness.follow()
            }
            try harness.run(onSource: "alter table t drop v", "update t set w = 'new' where id = 1")

            for _ in 1...2 {
                #expect(
                    try await failure(of: harness) == "public.t has changed on the source: dropped column \"v\"")
            }
            try harness.run(onTarget: "alter table t drop v")
            try await harness.follow()
            try harness.run(onSource: "update t set w = 'last' where id = 2")
            try await harness.follow()
            try harness.expectEqual("t")
        }

        @Test func aRetypedColumnStopsTheNextRunUntilTheTargetIsMended() async throws {
            let harness = try await harness()
            let change = "alter table t alter v type bigint, alter w type varchar(50)"
            try harness.run(onSource: change, "update t set w = 'longer', v = 1e10 where id = 1")

            for _ in 1...2 {
                #expect(
                    try await failure(of: harness)
                        == "public.t has changed on the source: other type of columns \"v\", \"w\"")
            }
            try harness.run(onTarget: change)
            try await harness.follow()
            try harness.expectEqual("t")
        }

        @Test func whatWasIgnoredOrFollowedOnceIsNoNews() async throws {
            let harness = try await harness()
            try harness.run(onSource: "alter table t drop v", "update t set w = 'a' where id = 1")
            try await harness.follow { $0.stream.schemaPolicy = .ignore }
            try harness.run(onSource: "update t set w = 'b' where id = 2")
            try await harness.follow()

            #expect(
                try harness.server.run("select w, v from t where id < 3 order by id", in: harness.target) == "a|1\nb|2")
            try harness.run(onSource: "alter table t add n int", "update t set n = id")
            try await harness.follow { $0.stream.schemaPolicy = .apply }
            try harness.run(onSource: "update t set n = -id where id = 3")
            try await harness.follow()
            #expect(try harness.server.run("select sum(n) from t", in: harness.target) == "204")
        }

        @Test func aTableCopiedAnewIsKnownAsItIsThen() async throws {
            let harness = try await harness()
            try harness.run(
                onSource: "update t set v = 0 where id = 1", "alter table t drop w", "update t set v = 1 where id = 1")
            try harness.run(onTarget: "alter table t drop w", "update replhost.stream set resnapshot = '{public.t}'")
            try await harness.follow()
            try harness.run(onSource: "update t set v = 2 where id = 1")
            try await harness.follow()

            let sides = try harness.answers("select sum(v), max(v), count(*) from t")
            #expect(sides.source == sides.target)
        }
    }
}
