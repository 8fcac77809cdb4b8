import Postgres
import PostgresProtocol
import Replication
import TestSupport
import Testing

/// Changes that are followed, without Lua.
@Suite(.onServer) struct StreamTests {
    @Test func changesBeforeDuringAndAfterTheCopyArriveOnce() async throws {
        let harness = try CopyHarness()
        try harness.run(
            onSource: "create table t (id int primary key, v text, n numeric, a int[]); create table h (v text)",
            "insert into t select i, 'v' || i, i, array[i, null] from generate_series(1, 2000) i; insert into h values ('x')"
        )

        try await harness.follow()
        try harness.run(
            onSource: "insert into t select i, 'v' || i, null, null from generate_series(2001, 2100) i",
            "update t set v = 'changed', n = n + 0.5 where id % 3 = 0", "update t set id = id + 10000 where id <= 5",
            "delete from t where id between 100 and 200", "insert into h values ('y'), (null)")
        try await harness.follow()

        let tables = try harness.answers(CopyHarness.checksum(of: "t"))
        #expect(tables.source == tables.target)
        let others = try harness.answers(CopyHarness.checksum(of: "h"))
        #expect(others.source == others.target)
    }
}
