import Glibc
import Replication
import TestSupport
import Testing

@Suite(.onServer, .slow) struct VerifyLargeTests {
    private static let rows = 5_000_000

    /// The most memory that this process has had, in megabytes.
    private static var peakMemory: Int {
        var usage = rusage()
        getrusage(numericCast(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss / 1024
    }

    @Test func findsSingleRowsAmongMillionsAndMendsThem() async throws {
        let schema = "create table t (id int primary key, name text, amount numeric)"
        let harness = try CopyHarness()
        try harness.run(
            onSource: schema, "insert into t select i, 'n' || i, i / 7.0 from generate_series(1, \(Self.rows)) i",
            "analyze")
        try await harness.copy()
        try harness.run(
            onTarget: "update t set name = 'N' where id = 4123456", "delete from t where id = 17",
            "insert into t values (\(Self.rows + 1), 'extra', 0)")
        let before = Self.peakMemory

        let found = try #require(try await harness.verify(repairs: true).first)
        let after = try #require(try await harness.verify().first)

        #expect((found.missing, found.extra, found.different, found.repaired) == (1, 1, 1, 3))
        let keys = found.differences.map { "\($0.kind) \($0.key[0].value ?? "") \($0.columns)" }
        #expect(keys.sorted() == ["different 4123456 [\"name\"]", "extra 5000001 []", "missing 17 []"])
        #expect(after.isEqual)
        #expect(after.rows == Self.rows)
        #expect(Self.peakMemory - before < 64, "\(before) MB before, \(Self.peakMemory) MB after")
    }
}
