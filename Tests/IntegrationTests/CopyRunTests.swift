import PostgresProtocol
import Replication
import TestSupport
import Testing

@Suite(.onServer) struct CopyRunTests {
    private let schema = """
        create table t (id bigint primary key, name text, tags text[], doc jsonb, at timestamptz, amount numeric);
        create table plain (a int, b text);
        create table small (k text primary key, v int)
        """

    private let rows = """
        insert into t select i, 'name ' || i, array['a', null, i::text], jsonb_build_object('i', i),
          timestamptz '2020-01-01' + i * interval '1 minute', i / 3.0 from generate_series(1, 50000) i;
        insert into plain select i, repeat('x', i % 50) from generate_series(1, 20000) i;
        insert into small values ('a', 1), ('b', null)
        """

    @Test func copiesAllTablesAndKnowsThatItIsDone() async throws {
        let harness = try CopyHarness()
        try harness.run(onSource: schema, rows)
        try harness.run(onTarget: schema)

        let first = try await harness.copy { $0.snapshot.chunkRows = 7000 }
        let second = try await harness.copy { $0.snapshot.chunkRows = 7000 }

        #expect(first.counts.read == 70002)
        #expect(first.counts.written == 70002)
        #expect(!first.wasComplete)
        #expect(second.wasComplete)
        for table in ["t", "plain", "small"] {
            let sides = try harness.answers(CopyHarness.checksum(of: table))
            #expect(sides.source == sides.target, "\(table)")
        }
    }

    @Test func cutsByKeyWhereThereIsOneElseByPages() async throws {
        let harness = try CopyHarness()
        try harness.run(onSource: schema, rows, "analyze")
        try harness.run(onTarget: schema)

        try await harness.copy { $0.snapshot.chunkRows = 5000 }

        let cuts = try harness.server.run(
            "select source, cut, count(*) from replhost.chunk group by 1, 2 order by 1", in: harness.target)
        #expect(cuts == "public.plain|pages|4\npublic.small|whole|1\npublic.t|key|10")
    }

    @Test func aTargetWithRowsIsLeftAlone() async throws {
        let harness = try CopyHarness()
        try harness.run(onSource: schema, rows)
        try harness.run(onTarget: schema, "insert into small values ('mine', 0)")

        let error = await #expect(throws: ReplicationError.self) { try await harness.copy() }
        #expect(error?.description == "public.small in the target is not empty")
        #expect(try harness.server.run("select * from small", in: harness.target) == "mine|0")
    }

    @Test func mergesRowsByKey() async throws {
        var options = TableOptions()
        options.onConflict = .upsert
        let harness = try CopyHarness()
        try harness.run(onSource: schema, "insert into small values ('a', 1), ('b', null)")
        try harness.run(onTarget: schema, "insert into small values ('mine', 0), ('a', 5)")
        try harness.run(onSource: "drop table plain")

        try await harness.copy(options)

        #expect(
            try harness.server.run("select * from small order by k", in: harness.target) == "a|1\nb|\nmine|0")
    }
}
