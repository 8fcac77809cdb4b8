import PostgresProtocol
import Replication
import Sandbox
import TestSupport
import Testing

extension StreamTests {
    /// Many tables, and targets that are away for long.
    @Suite struct Many {
        private static func tables(_ count: Int) -> String {
            """
            do $$ begin for i in 1..\(count) loop
              execute format('create table t%s (id int primary key, v text)', i);
              execute format('insert into t%s values (1, ''copied'')', i);
              if i % 500 = 0 then commit; end if;
            end loop; end $$
            """
        }

        /// Statements on each of the tables, in one transaction.
        private static func change(_ count: Int, _ statements: String...) -> String {
            let calls = statements.map { "execute format('\($0)', i, i);" }.joined(separator: " ")
            return "do $$ begin for i in 1..\(count) loop \(calls) end loop; end $$"
        }

        private func sums(_ harness: CopyHarness) throws -> (source: String, target: String) {
            try harness.answers(
                """
                select count(*), sum((xpath('/row/n/text()', query_to_xml(format(
                  'select coalesce(sum(hashtextextended(t::text, 0)), 0) as n from %I t', relname), true, true, '')))[1]::text::numeric)
                from pg_class where relkind = 'r' and relname ~ '^t[0-9]+$'
                """)
        }

        private func check(_ count: Int, _ harness: CopyHarness) async throws {
            try harness.run(onSource: Self.tables(count))
            try await harness.follow()
            let progress = StreamProgress()
            try harness.run(
                onSource: Self.change(
                    count, "insert into t%s select i, ''new'' || %s from generate_series(2, 4) i",
                    "update t%s set v = ''changed %s'' where id = 1", "delete from t%s where id = 3 and %s > 0"))
            try await harness.follow(progress: progress)
            try harness.run(onSource: Self.change(count, "update t%s set v = v || %s where id < 3"))
            try await harness.follow()

            let sums = try sums(harness)
            #expect(sums.source == sums.target)
            #expect(sums.source.hasPrefix("\(count)|"))
            #expect(progress.state.changes == 5 * count)
        }

        @Test func aTransactionMayTouchManyTables() async throws {
            try await check(200, CopyHarness())
        }

        @Test(.slow) func aTransactionMayTouchTenThousandTables() async throws {
            let server = try TestServer.start(.init(settings: ["max_locks_per_transaction = 2000"]))
            try await check(10_000, CopyHarness(server))
            try server.remove()
        }

        @Test(.slow) func aTransactionMayTouchAThousandTables() async throws {
            try await check(1000, CopyHarness())
        }

        private enum Absence: CaseIterable {
            /// Its server is stopped.
            case stopped
            /// Nothing comes through to it, and nothing back.
            case frozen
        }

        @Test(arguments: Absence.allCases) private func aTargetThatIsAwayIsNoTimeoutOfTheSource(
            _ absence: Absence
        ) async throws {
            try await beAway(absence, for: .seconds(7), timeout: "2s")
        }

        @Test(.slow, arguments: Absence.allCases) private func aTargetMayBeAwayForThreeMinutes(
            _ absence: Absence
        ) async throws {
            try await beAway(absence, for: .seconds(180), timeout: "30s")
        }

        private func beAway(_ absence: Absence, for pause: Duration, timeout: String) async throws {
            let settings = ["wal_sender_timeout = \(timeout)", "wal_receiver_status_interval = 1s"]
            let (source, target) = (try TestServer.start(.init(settings: settings)), try TestServer.start())
            let proxy = try FaultProxy(to: target.endpoint)
            defer { proxy.close() }
            let harness = try CopyHarness(
                source, source: source.makeDatabase(), target: target.makeDatabase(), on: target, and: proxy)
            try harness.run(
                onSource: "create table t (id int primary key, v text)", "insert into t values (0, 'copied')")
            let progress = StreamProgress()
            try await harness.following(progress: progress) {
                try #require(await eventually { progress.state.phase == .streaming })
                switch absence {
                case .stopped: try target.stop(.immediate)
                case .frozen: proxy.setAll(.init(mode: .freeze))
                }
                try harness.run(onSource: "insert into t select i, 'away' from generate_series(1, 1000) i")
                try await Task.sleep(for: pause)
                switch absence {
                case .stopped: try target.start()
                case .frozen: proxy.setAll(.init())
                }
                try harness.run(onSource: "update t set v = 'back' where id = 1")
            }
            try harness.expectEqual("t")
            #expect(!source.log.contains("due to replication timeout"), "\(source.log.suffix(1000))")
            try source.remove()
            try target.remove()
        }
    }
}
