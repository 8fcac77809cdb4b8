import Foundation
import TestSupport
import Testing

/// kill -9 of the program at any moment.
@Suite(.onServer) struct PipelineFaultKillTests {
    /// What is copied, and how the target is compared with the source afterwards.
    struct Scenario: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var source: String
        var target = ""
        var functions = ""
        var tables = "tables = { [\"public.*\"] = rh.copy }"
        /// Queries that give the same on both sides.
        var equal: [(source: String, target: String)] = []
        var kills = 6
        /// Rows per second, so that there is time for killing.
        var rate = 15000
    }

    @Test(arguments: scenarios)
    func copiesEveryRowOnce(_ scenario: Scenario) async throws {
        var random = SeededGenerator.noted(for: scenario.testDescription)
        let program = try CopyProgram(
            """
            \(scenario.tables), snapshot = { workers = 2, chunk_rows = 1500 },
            throttle = { rows_per_second = \(scenario.rate) }
            """, functions: scenario.functions)
        try program.source.run(scenario.source, "analyze")
        if !scenario.target.isEmpty { try program.target.run(scenario.target) }

        var kills = 0
        for _ in 0..<scenario.kills where try await program.killed(after: random.duration(30...600)) { kills += 1 }
        let done = try program.chunksDone()
        try await program.finish()

        print("\(scenario.testDescription): killed \(kills) times, \(done) chunks before the last run")
        // How many there are depends on how fast the machine is.
        #expect(kills >= scenario.kills / 2)
        for (source, target) in scenario.equal { try program.expectEqual(source, inTarget: target) }
        let again = try await program.finish()
        #expect((again.output + again.errors).contains("already complete"))
    }

    private static let scenarios = [masked, existing, withoutKey, partitioned, upserted, everything]

    private static let customers = """
        create table customers (id bigint primary key, email text not null, country text, note text);
        insert into customers select i, 'ann' || i || '@mail.org', case when i % 10 = 0 then 'ZZ' else 'DE' end,
          repeat('x', i % 30) from generate_series(1, 30000) i
        """

    private static let masked = Scenario(
        testDescription: "masked, target missing", source: customers,
        functions: """
            local function customers(row)
              if row.country == "ZZ" then return rh.drop end
              row.email = "user" .. row.id .. "@example.org"
              row.note = row.note:upper()
              return row
            end
            """,
        tables: "tables = { [\"public.customers\"] = customers }",
        equal: [
            (
                "select id, 'user' || id || '@example.org', country, upper(note) from customers where country <> 'ZZ'",
                "select id, email, country, note from customers"
            )
        ])

    private static let existing = Scenario(
        testDescription: "cut by key into existing tables",
        source: customers
            + """
            ; create table small (k text primary key, v int);
            insert into small select i::text, i from generate_series(1, 500) i
            """,
        target: """
            create table customers (id bigint primary key, email text not null, country text, note text);
            create table small (k text primary key, v int)
            """,
        equal: [("customers", "customers"), ("small", "small")])

    private static let withoutKey = Scenario(
        testDescription: "without key, cut by pages",
        source: """
            create table log (at timestamptz, message text);
            insert into log select '2024-01-01'::timestamptz + i / 3 * interval '1 s', 'message ' || i / 3
            from generate_series(1, 24000) i
            """,
        equal: [("log", "log")])

    private static let partitioned = Scenario(
        testDescription: "partitioned, target missing",
        source: """
            create table event (id bigint, at date, body text, primary key (id, at)) partition by range (at);
            create table event_1 partition of event for values from ('2024-01-01') to ('2024-02-01');
            create table event_2 partition of event for values from ('2024-02-01') to ('2024-03-01');
            create table event_3 partition of event default;
            create index on event (body);
            insert into event select i, '2024-01-01'::date + i % 90, 'body ' || i from generate_series(1, 30000) i
            """,
        equal: [
            ("event", "event"), ("event_1", "event_1"), ("event_3", "event_3"),
            (indexes, indexes),
        ])

    private static let upserted = Scenario(
        testDescription: "merged into a target with rows", source: customers,
        target: """
            create table customers (id bigint primary key, email text not null, country text, note text);
            insert into customers select i, 'old', 'old', 'old' from generate_series(29000, 31000) i
            """,
        tables: "tables = { [\"public.*\"] = { on_conflict = \"upsert\" } }",
        equal: [("customers", "select * from customers where id <= 30000")])

    private static let everything = Scenario(
        testDescription: "several tables with indexes and foreign keys, target missing",
        source: customers + """
            ; create index on customers (email); create index on customers (country, note);
            create table orders (id uuid primary key default gen_random_uuid(),
              customer bigint not null references customers,
              total numeric(12,2), check (total >= 0));
            create index on orders (customer);
            insert into orders (customer, total) select 1 + i % 30000, i / 7.0 from generate_series(1, 20000) i;
            create table log (at timestamptz, message text);
            insert into log select now(), 'message ' || i / 3 from generate_series(1, 8000) i
            """,
        equal: [
            ("customers", "customers"), ("orders", "orders"), ("log", "log"), (indexes, indexes),
            (constraints, constraints),
        ],
        kills: 10, rate: 25000)

    private static let indexes = """
        select indexname, regexp_replace(indexdef, 'public\\.', '') from pg_indexes where schemaname = 'public'
        """

    private static let constraints = """
        select conname, convalidated, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace
        """
}

extension PipelineFaultKillTests {
    /// The killed program's commits may still happen.
    @Test func aCommitUnderWayIsWaitedFor() async throws {
        let program = try CopyProgram(
            "tables = { [\"public.*\"] = rh.copy }, snapshot = { workers = 2, chunk_rows = 1000 }")
        try program.source.run("create table t (id bigint, v text)")
        try program.source.run("insert into t select i, i from generate_series(1, 4000) i", "analyze")
        try program.target.run("create table t (id bigint, v text)", SlowCommits.sql)
        let process = try program.start()
        #expect(try await eventually { try SlowCommits.count(in: program.target) == 2 })
        process.signal(SIGKILL)
        _ = try await process.finished()
        try await program.finish()

        try program.expectEqual("t")
    }

    /// The server goes on making it.
    @Test func anIndexUnderWayIsWaitedFor() async throws {
        let program = try CopyProgram("tables = { [\"public.*\"] = rh.copy }")
        try program.source.run(SlowIndex.table)
        let process = try program.start()
        #expect(try await eventually { try SlowIndex.isBeingMade(in: program.target) })
        process.signal(SIGKILL)
        _ = try await process.finished()
        try await program.finish()

        try program.expectEqual("t")
        #expect(try SlowIndex.isValid(in: program.target))
    }

    /// A table that is begun anew is emptied: no foreign key may take rows of others along.
    @Test func rowsThatReferToATableBegunAnewStay() async throws {
        let program = try CopyProgram(Self.slowPages)
        let tables = """
            create table parent (code text unique);
            create table child (id int primary key, parent text references parent (code) on delete cascade, v text)
            """
        try program.source.run(tables, "insert into parent select i from generate_series(1, 6000) i")
        try program.source.run(
            "insert into child select i, i, repeat('x', 500) from generate_series(1, 1000) i", "analyze")
        try program.target.run(tables)
        try await killAmidPages(of: "parent", program)
        #expect(try program.target.run("select count(*) from child") == "1000")
        try await program.finish()

        try program.expectEqual("parent", "child")
    }

    /// Without the right to turn foreign keys off.
    @Test func aTableThatCannotBeBegunAnewIsNamed() async throws {
        let target = try CopyProgram.Side()
        let role = "role_\(target.database)"
        let program = try CopyProgram(
            Self.slowPages, target: target,
            targetAddress: target.server.conninfo(database: target.database, user: role))
        try program.source.run(
            "create table parent (code text unique)", "insert into parent select i from generate_series(1, 6000) i",
            "analyze")
        try target.run(
            "create table parent (code text unique); create table child (parent text references parent (code))",
            "create role \(role) login; grant create on database \(target.database) to \(role)",
            "grant select, insert, delete, truncate on parent to \(role)")
        try await killAmidPages(of: "parent", program)
        let refused = try await program.start().finished()
        try target.run("grant set on parameter session_replication_role to \(role)")
        try await program.finish()

        #expect(refused.status == 1)
        #expect(refused.errors.contains("error[RH3411]: public.parent cannot be emptied"), "\(refused.errors)")
        try program.expectEqual("parent")
    }

    private static let slowPages = """
        tables = { ["public.*"] = rh.copy }, snapshot = { workers = 1, chunk_rows = 500 },
        throttle = { rows_per_second = 5000 }
        """

    private func killAmidPages(of table: String, _ program: CopyProgram) async throws {
        let process = try program.start()
        #expect(
            try await eventually {
                try program.chunksDone() > 0 && program.target.run("select exists (select from \(table))") == "t"
            })
        process.signal(SIGKILL)
        #expect(try await process.finished().status == 128 + SIGKILL)
    }
}
