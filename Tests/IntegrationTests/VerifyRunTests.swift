import PostgresProtocol
import Replication
import TestSupport
import Testing

@Suite(.onServer) struct VerifyRunTests {
    private let schema = """
        create table t (id bigint primary key, name text, doc json, amount numeric, at timestamptz);
        create table nokey (a int, b text)
        """

    private func harness(rows: Int = 30000) async throws -> CopyHarness {
        let harness = try CopyHarness()
        try harness.run(
            onSource: schema,
            "insert into t select i, 'n' || i, '{\"a\": 1}', i, now() from generate_series(1, \(rows)) i",
            "insert into nokey select i % 100, 'x' from generate_series(1, 1000) i", "analyze")
        try harness.run(onTarget: schema)
        try await harness.copy { $0.snapshot.chunkRows = 10000 }
        return harness
    }

    private func verify(_ harness: CopyHarness, repairs: Bool = false) async throws -> [String: Verification] {
        let found = try await harness.verify(repairs: repairs) { $0.snapshot.chunkRows = 10000 }
        return Dictionary(uniqueKeysWithValues: found.map { ($0.target.name, $0) })
    }

    @Test func aCopyIsEqual() async throws {
        let found = try await verify(try await harness())

        #expect(found.values.filter { !$0.isEqual }.isEmpty)
        #expect(found["t"]?.rows == 30000)
        #expect(found["nokey"]?.rows == 1000)
    }

    @Test func findsAndMendsWhatDiffers() async throws {
        let harness = try await harness()
        try harness.run(
            onTarget: "update t set name = 'N77', amount = 77.0 where id = 77", "delete from t where id = 12345",
            "insert into t values (-5, 'extra', null, null, null), (999999, 'extra', null, null, null)",
            "update t set doc = '{\"a\":1}' where id = 3",
            "delete from nokey where ctid = (select min(ctid) from nokey where a = 5)",
            "insert into nokey values (1, 'x'), (2, null)")

        let found = try await verify(harness)
        let t = try #require(found["t"])
        #expect((t.missing, t.extra, t.different) == (1, 2, 2))
        let named = t.differences.filter { $0.kind == .different }.map { "\($0.key[0].value ?? ""): \($0.columns)" }
        #expect(named.sorted() == ["3: [\"doc\"]", "77: [\"name\"]"])
        #expect(t.differences.contains { $0.kind == .missing && $0.key[0].value == "12345" })
        let nokey = try #require(found["nokey"])
        #expect((nokey.missing, nokey.extra, nokey.different) == (1, 2, 0))

        let mended = try await verify(harness, repairs: true)
        #expect(mended["t"]?.repaired == 5)
        #expect(mended["nokey"]?.repaired == 3)

        let after = try await verify(harness)
        #expect(after.values.filter { !$0.isEqual }.isEmpty)
    }

    @Test(arguments: [ConflictPolicy.upsert, .skip])
    func rowsOfATargetThatIsMergedIntoAreItsOwn(_ policy: ConflictPolicy) async throws {
        var options = TableOptions()
        options.onConflict = policy
        let harness = try CopyHarness()
        try harness.run(
            onSource: "create table k (id int primary key, v text)", "insert into k values (1, 'a'), (2, 'b')")
        try harness.run(
            onTarget: "create table k (id int primary key, v text)", "insert into k values (2, 'mine'), (3, 'mine')")
        try await harness.copy(options)

        let found = try await harness.verify(repairs: true, options)

        #expect(found.filter { !$0.isEqual }.isEmpty)
        let kept = policy == .skip ? "mine" : "b"
        #expect(try harness.server.run("select * from k order by id", in: harness.target) == "1|a\n2|\(kept)\n3|mine")
    }
}
