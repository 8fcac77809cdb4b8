import PostgresProtocol
import Replication
import TestSupport
import Testing

extension StreamTests {
    /// What keeps the source's log, and what that may cost.
    @Suite struct LogKeeping {
        private func harness() async throws -> CopyHarness {
            let harness = try CopyHarness()
            try harness.run(onSource: "create table t (id int primary key, v text)", "insert into t values (0, 'x')")
            try await harness.follow()
            return harness
        }

        private func slots(_ harness: CopyHarness) throws -> String {
            try harness.server.run(
                "select count(*) from pg_replication_slots where database = current_database()", in: harness.source)
        }

        @Test func overTheBudgetTheStreamEndsAndItsSlotGoes() async throws {
            let harness = try await harness()
            let progress = StreamProgress()
            let run = Task {
                try await harness.follow(control: StreamControl(), progress: progress) {
                    $0.stream.walBudget = LogBudget(size: 1 << 20, action: .stop)
                    $0.stream.heartbeat = .seconds(1)
                }
            }
            try #require(await eventually { progress.state.phase == .streaming })
            // The target stands still while the source goes on.
            let lock = Task { @BlockingThread in
                try harness.targetServer.run("begin; lock table t; select pg_sleep(13); commit", in: harness.target)
            }
            try await Task.sleep(for: .milliseconds(300))
            try harness.run(
                onSource: "insert into t select i, repeat(md5(i::text), 30) from generate_series(1, 5000) i")

            let error = try #require(await #expect(throws: ReplicationError.self) { try await run.value })
            #expect(error.description.contains("more than its wal_budget of 1048576"))
            #expect(try slots(harness) == "0")
            let next = try #require(await #expect(throws: ReplicationError.self) { try await harness.follow() })
            #expect(next.description.contains("is gone from the source"))
            lock.cancel()
            _ = try await lock.value
        }

        @Test func aBudgetThatIsKeptDoesNothing() async throws {
            let harness = try await harness()
            try await harness.following(change: { $0.stream.walBudget = LogBudget(size: 1 << 40, action: .stop) }) {
                try harness.run(onSource: "insert into t values (1, 'y')")
                try await Task.sleep(for: .seconds(1))
            }
            try harness.expectEqual("t")
        }

        @Test func makingASlotNamesTheTransactionsThatItWaitsFor() async throws {
            let server = try TestServer.start(.init(settings: ["max_prepared_transactions = 5"]))
            let harness = try CopyHarness(server)
            try harness.run(onSource: "create table t (id int primary key)")
            let other = try server.makeDatabase()
            try server.run(
                "create table held (id int)", "begin; insert into held values (1); prepare transaction 'p1'", in: other)
            let progress = StreamProgress()
            let run = Task { try await harness.follow(progress: progress) }

            let isSaid = await eventually { progress.state.note?.contains("prepared transaction 'p1'") ?? false }
            #expect(isSaid, "\(progress.state.note ?? "nothing")")
            try server.run("rollback prepared 'p1'", in: other)
            #expect(try await run.value == .caughtUp)
            #expect(progress.state.note == nil)
            try server.remove()
        }
    }
}
