import PostgresProtocol
import Replication
import TestSupport
import Testing

extension StreamTests {
    /// Targets that are not as the source was.
    @Suite struct Conflicts {
        private let make = [
            "create table t (id int primary key, v text)", "insert into t select i, 'v' from generate_series(1, 100) i",
        ]

        private func harness() async throws -> CopyHarness {
            let harness = try CopyHarness()
            try harness.run(fileOnSource: make)
            try await harness.follow()
            return harness
        }

        private func failure(
            of harness: CopyHarness, _ options: TableOptions = TableOptions()
        ) async throws -> ReplicationError {
            try #require(await #expect(throws: ReplicationError.self) { try await harness.follow(options) })
        }

        @Test(arguments: ["id = 7", "id > 0"], ["update t set v = 'new'", "delete from t"])
        func aMissingRowStopsTheStreamThere(rows: String, change: String) async throws {
            let harness = try await harness()
            try harness.run(onTarget: "delete from t where id = 7")
            try harness.run(onSource: "insert into t values (1000, 'first')", "\(change) where \(rows)")

            for _ in 1...2 {
                let error = try await failure(of: harness)
                guard case .transform(let failure) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(failure.code == "RH3701")
                #expect(error.description.contains("is not in public.t of the target"))
                #expect(failure.key.map(\.column) == ["id"])
                #expect(failure.key.map(\.value) == ["7"])
            }
            try harness.run(onTarget: "insert into t values (7, 'mended')")
            try await harness.follow()
            try harness.expectEqual("t")
        }

        @Test(arguments: [1, 60]) func aKeyThatIsThereStopsTheStream(rows: Int) async throws {
            let harness = try await harness()
            let key = 987_654_321
            try harness.run(onTarget: "insert into t values (\(key), 'mine')")
            try harness.run(onSource: "insert into t select i, 'new' from generate_series(\(key), \(key - 1 + rows)) i")

            for _ in 1...2 {
                let error = try await failure(of: harness)
                #expect(error.description.contains("inserting into public.t"))
                #expect(error.description.contains("t_pkey"))
                #expect(!error.description.contains("\(key)"))
            }
            try harness.run(onTarget: "delete from t where id = \(key)")
            try await harness.follow()
            try harness.expectEqual("t")
        }

        @Test(arguments: [1, 60]) func upsertMakesTheTargetTheSame(rows: Int) async throws {
            let harness = try await harness()
            var options = TableOptions()
            options.onConflict = .upsert
            try harness.run(onTarget: "insert into t values (101, 'mine')", "delete from t where id in (1, 2, 3)")
            try harness.run(
                onSource: "insert into t select i, 'new' from generate_series(101, 100 + \(rows)) i",
                "update t set v = 'u' where id <= \(rows)", "delete from t where id = 2",
                "update t set id = -3 where id = 3")

            try await expectConflicts(harness, options, missing: 3)
            try harness.expectEqual("t")
        }

        /// Follows the changes; one key is there already.
        private func expectConflicts(
            _ harness: CopyHarness, _ options: TableOptions, missing: Int, location: SourceLocation = #_sourceLocation
        ) async throws {
            let progress = StreamProgress()
            for _ in 1...2 { try await harness.follow(options, progress: progress) }
            let ledger = try harness.server.run("select * from replhost.conflict", in: harness.target)
            #expect(ledger == "\(harness.name)|public.t|1|\(missing)", sourceLocation: location)
            let shown = progress.state.conflicts.map { "\($0) \($1.existing) \($1.missing)" }
            #expect(shown == ["public.t 1 \(missing)"], sourceLocation: location)
        }

        @Test(arguments: [1, 60]) func skipLeavesWhatIsThere(rows: Int) async throws {
            let harness = try await harness()
            var options = TableOptions()
            options.onConflict = .skip
            try harness.run(onTarget: "insert into t values (101, 'mine')", "delete from t where id in (1, 2, 3)")
            try harness.run(
                onSource: "insert into t select i, 'new' from generate_series(101, 100 + \(rows)) i",
                "update t set v = 'u' where id <= \(rows)", "delete from t where id = 2",
                "update t set id = -3 where id = 3")

            // A row that is not there is missed by each of its changes.
            try await expectConflicts(harness, options, missing: rows == 1 ? 3 : 5)
            let rest = try harness.answers("select count(*), min(v) from t where id > 3 and id <> 101")
            #expect(rest.source == rest.target)
            let others = try harness.server.run("select * from t where id <= 3 or id = 101", in: harness.target)
            #expect(others == "101|mine")
        }
    }
}
