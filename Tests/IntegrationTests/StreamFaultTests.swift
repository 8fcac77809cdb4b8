import PostgresProtocol
import Replication
import Sandbox
import TestSupport
import Testing

extension StreamTests {
    /// Servers, connections and slots that are lost.
    @Suite struct Faults {
        private static let schema = [
            "create table t (id int primary key, v int)", "insert into t select i, 0 from generate_series(1, 100) i",
        ]

        /// Counts in the target how often each version of a row was written.
        private static let counting = """
            create table applied (id int, v int);
            create function applied() returns trigger language plpgsql as
              $$ begin insert into applied values (new.id, new.v); return null; end $$;
            create trigger applied after insert or update on t for each row execute function applied();
            alter table t enable always trigger applied
            """

        private func prepare(_ harness: CopyHarness) async throws {
            try harness.run(fileOnSource: Self.schema)
            try await harness.follow()
            try harness.run(onTarget: Self.counting)
        }

        /// Each transaction with a version of its own for its rows, small and large ones.
        private func write(_ harness: CopyHarness, from first: Int, _ count: Int) async throws {
            for version in first..<(first + count) {
                let statements = [
                    "update t set v = \(version) where id <= \(version % 7 == 0 ? 100 : 3)",
                    "insert into t values (\(1000 + version), \(version))",
                ]
                _ = try await eventually(within: .seconds(30)) {
                    do {
                        try harness.server.run(
                            "begin; \(statements.joined(separator: "; ")); commit", in: harness.source)
                        return true
                    } catch {
                        return try harness.server.run(
                            "select exists (select from t where id = \(1000 + version))", in: harness.source) == "t"
                    }
                }
            }
        }

        private func check(_ harness: CopyHarness, location: SourceLocation = #_sourceLocation) throws {
            try harness.expectEqual("t", location: location)
            let twice = "select count(*) from (select from applied group by id, v having count(*) > 1) twice"
            #expect(try harness.targetServer.run(twice, in: harness.target) == "0", sourceLocation: location)
            let missing =
                "select count(*) from t where v > 0 and not exists (select from applied a where a.id = t.id and a.v = t.v)"
            #expect(try harness.targetServer.run(missing, in: harness.target) == "0", sourceLocation: location)
        }

        @Test(arguments: ["source", "target"]) func aServerThatRestartsLosesAndDoublesNothing(side: String) async throws
        {
            let (source, target) = (try TestServer.start(), try TestServer.start())
            let harness = try CopyHarness(
                source, source: source.makeDatabase(), target: target.makeDatabase(), on: target)
            try await prepare(harness)
            try await harness.following {
                for round in 0..<4 {
                    try await write(harness, from: 1 + round * 20, 20)
                    try (side == "source" ? source : target).restart(.immediate)
                }
                try await write(harness, from: 100, 5)
            }
            try check(harness)
            try source.remove()
            try target.remove()
        }

        @Test func connectionsThatAreCutOrFrozenLoseAndDoubleNothing() async throws {
            let server = try TestServer.shared()
            let (sources, targets) = (try FaultProxy(to: server.endpoint), try FaultProxy(to: server.endpoint))
            let harness = try CopyHarness(
                server, source: server.makeDatabase(), target: server.makeDatabase(), on: server, through: sources,
                and: targets)
            try await prepare(harness)
            try await harness.following {
                for round in 0..<6 {
                    try await write(harness, from: 1 + round * 10, 10)
                    let proxy = round % 2 == 0 ? sources : targets
                    if round < 4 {
                        proxy.cut()
                    } else {
                        proxy.setBehaviourOfOpen(.init(mode: .freeze))
                        try await write(harness, from: 200 + round * 10, 3)
                        proxy.setBehaviourOfOpen(.init())
                    }
                }
                try await write(harness, from: 400, 3)
            }
            try check(harness)
        }

        @Test func whatIsGoneFromTheSourceIsAnErrorThatSaysSo() async throws {
            for (sql, code) in [
                (
                    "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()",
                    "RH3603"
                ),
                (
                    "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) from pg_replication_slots where database = current_database()",
                    "RH3606"
                ),
                (
                    """
                    do $$ declare name name; begin for name in select pubname from pg_publication loop
                    execute format('drop publication %I', name); end loop; end $$
                    """,
                    "RH3608"
                ),
            ] {
                let harness = try CopyHarness()
                try await prepare(harness)
                try await write(harness, from: 1, 3)
                try harness.run(onSource: sql)
                try await write(harness, from: 10, 3)

                for _ in 1...2 {
                    let error = await #expect(throws: ReplicationError.self) { try await harness.follow() }
                    guard case .mismatch(code, _, _)? = error else {
                        Issue.record("\(code): \(String(describing: error))")
                        continue
                    }
                }
            }
        }

        @Test func asecondRunWaitsAndTakesOver() async throws {
            let harness = try CopyHarness()
            try await prepare(harness)
            let (first, second) = (StreamProgress(), StreamProgress())
            let control = StreamControl()
            let leader = Task { try await harness.follow(control: StreamControl(), progress: first) }
            #expect(await eventually { first.state.phase == .streaming })
            let follower = Task { try await harness.follow(control: control, progress: second) }
            #expect(await eventually { second.state.phase == .standby })
            try await write(harness, from: 1, 3)
            leader.cancel()
            _ = try? await leader.value
            #expect(await eventually { second.state.phase == .streaming })
            try await write(harness, from: 10, 3)
            control.finish(at: try harness.sourceEnd())
            _ = try await follower.value
            try check(harness)
        }

        @Test func aTargetThatStandsStillIsNoTimeoutOfTheSource() async throws {
            let source = try TestServer.start(
                .init(settings: ["wal_sender_timeout = 3s", "wal_receiver_status_interval = 1s"]))
            let harness = try CopyHarness(
                source, source: source.makeDatabase(), target: TestServer.shared().makeDatabase(),
                on: TestServer.shared())
            // Before the copy: a stream begins anew when it has passed what was copied later.
            try harness.run(onSource: "create table large (id int primary key, v text)")
            try await prepare(harness)
            let progress = StreamProgress()
            try await harness.following(progress: progress) {
                #expect(await eventually { progress.state.phase == .streaming })
                let walsender = "select active_pid from pg_replication_slots where active"
                let before = try harness.server.run(walsender, in: harness.source)
                let lock = Task { @BlockingThread in
                    try harness.targetServer.run("begin; lock table t; select pg_sleep(10); commit", in: harness.target)
                }
                try await Task.sleep(for: .milliseconds(300))
                try await write(harness, from: 1, 3)
                try harness.run(
                    onSource: "insert into large select i, repeat(md5(i::text), 100) from generate_series(1, 20000) i")
                _ = try await lock.value
                #expect(try harness.server.run(walsender, in: harness.source) == before)
            }
            #expect(!source.log.contains("due to replication timeout"), "\(source.log.suffix(1000))")
            try check(harness)
            try harness.expectEqual("large")
            try source.remove()
        }

        @Test func theSlotOfAnIdleDatabaseFollowsTheOthers() async throws {
            let source = try TestServer.start()
            let harness = try CopyHarness(
                source, source: source.makeDatabase(), target: TestServer.shared().makeDatabase(),
                on: TestServer.shared())
            try await prepare(harness)
            let other = try source.makeDatabase()
            try await harness.following {
                try source.run(
                    "create table busy as select i, repeat('x', 1000) from generate_series(1, 20000) i", in: other)
                let end = try source.run("select pg_current_wal_lsn()")
                let isThere = try await eventually(within: .seconds(30)) {
                    try source.run("select bool_and(confirmed_flush_lsn >= '\(end)') from pg_replication_slots") == "t"
                }
                #expect(isThere)
            }
            try source.remove()
        }

        @Test func aHugeTransactionIsOneAlsoWhenTheTargetRestartsInIt() async throws {
            let target = try TestServer.start()
            let harness = try CopyHarness(
                TestServer.shared(), source: TestServer.shared().makeDatabase(), target: target.makeDatabase(),
                on: target)
            try harness.run(fileOnSource: Self.schema)
            try await harness.follow()
            let progress = StreamProgress()
            try await harness.following(progress: progress) {
                try harness.run(
                    onSource:
                        "begin; insert into t select i, i from generate_series(1001, 400000) i; update t set v = -v where id < 100000; delete from t where id % 10 = 0; commit"
                )
                try await Task.sleep(for: .milliseconds(1500))
                #expect(try target.run("select count(*) from t", in: harness.target) == "100")
                try target.restart(.immediate)
            }
            try harness.expectEqual("t")
            #expect(progress.state.transactions <= 3)
            try target.remove()
        }
    }
}
