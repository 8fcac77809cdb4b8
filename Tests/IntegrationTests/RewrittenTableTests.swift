import PostgresProtocol
import Replication
import TestSupport
import Testing

/// TRUNCATE takes rows away from a snapshot that was taken before it.
@Suite(.onServer) struct RewrittenTableTests {
    private let schema = [
        "create table a (id int primary key, v text)", "create table b (id int primary key, v text)",
        "insert into a select i, repeat('a', 100) from generate_series(1, 4000) i",
        "insert into b select i, 'b' from generate_series(1, 100) i", "analyze",
    ]

    /// While the larger table is copied, slowly.
    private func truncating(
        _ table: String, _ harness: CopyHarness, _ copy: @escaping @Sendable () async throws -> Void
    ) async throws {
        try harness.run(fileOnSource: schema)
        let task = Task { try await copy() }
        let hasBegun = await eventually {
            let begun = """
                select count(*) from replhost.chunk where source = 'public.a' and copied_at is not null
                """
            return (try? harness.server.run(begun, in: harness.target)).map { $0 != "0" } ?? false
        }
        try harness.run(
            onSource: "update \(table) set v = 'before'", "truncate \(table)",
            "insert into \(table) select i, 'new' from generate_series(50, 70) i")
        try await task.value

        #expect(hasBegun)
    }

    private static let slowly: @Sendable (inout PipelineDefinition) -> Void = { definition in
        definition.snapshot.chunkRows = 500
        definition.throttle.rowsPerSecond = 2000
    }

    @Test func itIsReadUnderAnotherSnapshot() async throws {
        let harness = try CopyHarness()

        try await truncating("b", harness) { try await harness.copy(workers: 1, change: Self.slowly) }

        try harness.expectEqual("a", "b")
    }

    @Test func aTableThatIsBeingReadIsTruncatedAfterwards() async throws {
        let harness = try CopyHarness()

        try await truncating("a", harness) { try await harness.copy(workers: 1, change: Self.slowly) }

        let copied = try harness.server.run("select count(*), count(distinct v) from a", in: harness.target)
        #expect(copied == "4000|1")
    }

    @Test(arguments: ["a", "b"]) func itsChangesGoOn(table: String) async throws {
        let harness = try CopyHarness()

        try await truncating(table, harness) { try await harness.follow(change: Self.slowly) }
        try harness.run(onSource: "update \(table) set v = 'after' where id = 60")
        try await harness.follow()

        try harness.expectEqual("a", "b")
    }
}
