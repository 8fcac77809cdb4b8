import Replication
import TestSupport
import Testing

/// What is read or noted of tables is read or noted of all of them at once: with a far server it is the round trips that
/// count.
@Suite(.onServer) struct ManyTablesTests {
    private static func tables(_ count: Int) -> String {
        """
        do $$ begin for i in 1..\(count) loop
          execute format('create table t%s (id serial primary key, v text unique)', i);
        end loop; end $$
        """
    }

    @Test func checkingTakesAsManyRoundTripsForManyTablesAsForFew() async throws {
        let proxy = try FaultProxy(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        let harness = try CopyHarness(through: proxy)
        try harness.run(onSource: Self.tables(300))

        let notes = try await harness.check()

        #expect(notes.isEmpty)
        #expect(proxy.counts.roundTrips < 100)
    }

    /// BEGIN, COPY, a look at the table's file, the ledger's row, COMMIT; a table to make, three constraints and indexes, statistics.
    @Test func aTableCostsNoMoreThanItsOwnStatements() async throws {
        let proxy = try FaultProxy(to: TestServer.shared().endpoint)
        defer { proxy.close() }
        let harness = try CopyHarness(through: proxy)
        try harness.run(onSource: Self.tables(100))

        let first = try await harness.copy()
        let copied = proxy.counts.roundTrips
        let second = try await harness.copy()

        #expect((first.tables, first.wasComplete, second.wasComplete) == (100, false, true))
        #expect(copied < 100 * 12)
        #expect(proxy.counts.roundTrips - copied < 50)
    }

    @Test func aPartitionedTableWithoutPartitionsIsDone() async throws {
        let harness = try CopyHarness()
        try harness.run(onSource: "create table p (id int) partition by range (id)")

        let results = [try await harness.copy(), try await harness.copy()]

        #expect(results.map(\.wasComplete) == [false, true])
    }

    @Test func theFirstFilledTableOfManyIsNamed() async throws {
        let harness = try CopyHarness()
        let tables =
            "do $$ begin for i in 1000..1300 loop execute format('create table t%s (id int)', i); end loop; end $$"
        try harness.run(onSource: tables)
        try harness.run(onTarget: tables, "insert into t1250 values (1)", "insert into t1260 values (1)")

        await #expect {
            try await harness.copy()
        } throws: { error in
            "\(error)".contains("public.t1250 in the target is not empty")
        }
    }
}
