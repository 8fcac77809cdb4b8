import Foundation
import PostgresProtocol
import Replication
import TestSupport
import Testing

/// Comparing both sides while changes are followed, and mending what a stream will go on from.
@Suite(.onServer) struct StreamVerifyTests {
    private static let schema = "create table t (id int primary key, n int not null default 0, v text)"

    private func harness() async throws -> CopyHarness {
        let harness = try CopyHarness()
        try harness.run(
            onSource: Self.schema, "insert into t select i, 0, 'v' || i from generate_series(1, 2000) i", "analyze")
        try await harness.follow()
        return harness
    }

    /// Runs SQL on the source again and again while `body` runs.
    private func writing<Value: Sendable>(
        _ harness: CopyHarness, _ body: () async throws -> Value
    ) async throws -> Value {
        let writer = Task {
            var round = 0
            while !Task.isCancelled {
                round += 1
                try harness.run(
                    onSource: """
                        update t set n = n + 1 where id % 50 = \(round % 50); update t set n = n + 1 where id = 1;
                        delete from t where id = \(round); insert into t values (\(round), 0, 'again'), (\(2000 + round), 0, 'new')
                        """)
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        defer { writer.cancel() }
        let value = try await body()
        writer.cancel()
        _ = await writer.result
        return value
    }

    @Test func aStreamUnderLoadIsEqual() async throws {
        let harness = try await harness()

        let found = try await follow(harness) {
            try await writing(harness) { try await harness.verify { $0.stream.isOn = true } }
        }

        #expect(found.filter { !$0.isEqual }.isEmpty, "\(found)")
        #expect(found[0].rows >= 2000)
    }

    @Test func whatDiffersIsFoundUnderLoad() async throws {
        let harness = try await harness()
        try harness.run(
            onTarget: "update t set v = 'other' where id = 1901", "delete from t where id = 1950",
            "insert into t values (-7, 0, 'extra')")

        // Nothing on the source touches them.
        try harness.run(onSource: "create rule r as on update to t where old.id in (1901, 1950) do instead nothing")
        let found = try await follow(harness) {
            try await writing(harness) { try await harness.verify { $0.stream.isOn = true } }
        }

        #expect((found[0].missing, found[0].extra, found[0].different) == (1, 1, 1))
        #expect(Set(found[0].differences.map { $0.key[0].value }) == ["1901", "1950", "-7"])
        #expect(found[0].differences.first { $0.kind == .different }?.columns == ["v"])
    }

    @Test(arguments: [false, true]) func aStreamGoesOnFromWhatWasMended(_ isCutShort: Bool) async throws {
        let harness = try await harness()
        try harness.run(
            onTarget: "update t set v = 'other' where id = 5", "delete from t where id = 6",
            "insert into t values (-7, 0, 'extra')")
        // The stream has not seen these when the rows are mended.
        try harness.run(
            onSource: "insert into t values (3000, 1, 'late')", "update t set v = 'late' where id = 6",
            "delete from t where id = 7")

        let mended = try await harness.verify(repairs: true) { $0.stream.isOn = true }
        if isCutShort {
            // As if it had ended before it came to this row.
            try harness.run(
                onTarget: "update replhost.relation set mending = mended, mended = null", "delete from t where id = 6")
        }
        try harness.run(onSource: "update t set v = 'later' where id in (5, 6, 3000)")
        try await harness.follow()

        #expect(mended[0].repaired == 5, "\(mended)")
        try harness.expectEqual("t")
    }

    private func follow<Value: Sendable>(
        _ harness: CopyHarness, _ body: () async throws -> Value
    ) async throws -> Value {
        let progress = StreamProgress()
        var value: Value?
        try await harness.following(progress: progress) {
            try #require(await eventually { progress.state.phase == .streaming })
            value = try await body()
        }
        return try #require(value)
    }
}
