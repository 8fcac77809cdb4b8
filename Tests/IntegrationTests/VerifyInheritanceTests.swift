import PostgresProtocol
import Replication
import TestSupport
import Testing

@Suite(.onServer) struct VerifyInheritanceTests {
    private let schema = """
        create table parent (id int primary key, t text); create table child (primary key (id)) inherits (parent);
        create table loose (t text); create table loose_child () inherits (loose);
        create table parts (k int, t text) partition by list (k);
        create table parts_1 partition of parts for values in (1); create table parts_2 partition of parts for values in (2)
        """

    private let rows = """
        insert into parent select i, 'p' || i from generate_series(1, 500) i;
        insert into child select i, 'c' || i from generate_series(1, 700) i;
        insert into loose values ('a'), ('a'), ('b'); insert into loose_child values ('a'), ('c');
        insert into parts select 1 + i % 2, 'x' from generate_series(1, 100) i
        """

    @Test func rowsOfTablesThatInheritAreNotTheTablesOwn() async throws {
        let harness = try CopyHarness()
        try harness.run(onSource: schema, rows, "analyze")
        try harness.run(onTarget: schema)
        try await harness.copy { $0.snapshot.chunkRows = 100 }

        let copied = try await harness.verify { $0.snapshot.chunkRows = 100 }
        try harness.run(
            onTarget: "update only parent set t = 'other' where id = 3", "delete from loose_child where t = 'c'",
            "insert into loose values ('extra')",
            "update parts set t = 'other' where ctid = '(0,1)' and k = 2")
        let mended = try await harness.verify(repairs: true) { $0.snapshot.chunkRows = 100 }

        #expect(copied.filter { !$0.isEqual }.isEmpty, "\(copied)")
        #expect(mended.first { $0.target.name == "parent" }?.different == 1)
        #expect(mended.first { $0.target.name == "parts" }?.repaired == 2)
        for table in ["parent", "child", "loose", "loose_child", "parts_1", "parts_2"] {
            let sides = try harness.answers(CopyHarness.checksum(of: table))
            #expect(sides.source == sides.target, "\(table)")
        }
    }

    @Test func whatAChildHasDoesNotMakeItsParentFull() async throws {
        let harness = try CopyHarness()
        try harness.run(onSource: schema, "insert into parent values (1, 'p')")
        try harness.run(onTarget: schema, "insert into child values (1, 'mine')")
        try harness.run(onSource: "drop table child")

        try await harness.copy()

        #expect(try harness.server.run("select t from parent order by t", in: harness.target) == "mine\np")
    }

    @Test func keysThatAreEqualAndDifferAreFound() async throws {
        let harness = try CopyHarness()
        let schema = "create extension citext; create table t (k citext primary key, span interval)"
        try harness.run(onSource: schema, "insert into t values ('Key', '30 days'), ('other', '1 mon')")
        try harness.run(onTarget: schema)
        try await harness.copy()
        try harness.run(
            onTarget: "update t set k = 'KEY' where k = 'key'", "update t set span = '30 days' where k = 'other'")

        let found = try #require(try await harness.verify(repairs: true).first)

        #expect(found.different == 2)
        #expect(
            try harness.server.run("select * from t order by 1", in: harness.target) == "Key|30 days\nother|1 mon")
    }
}
