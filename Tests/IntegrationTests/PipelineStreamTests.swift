import Scripting
import TestSupport
import Testing

/// Changes that go through the script's functions.
@Suite(.onServer) struct PipelineStreamTests {
    private static let tables = """
        create table customers (id int primary key, name text, email text, country text, notes text);
        insert into customers select i, 'n' || i, 'c' || i || '@shop.org', case when i % 5 = 0 then 'ZZ' else 'DE' end
        from generate_series(1, 100) i
        """

    private func pipeline(_ body: String, _ options: String = "", before: String = "") throws -> PipelineFile {
        try PipelineFile(
            """
            \(before)
            return rh.pipeline "stream" { source = source, sink = sink, heartbeat = 1, tables = {
              ["public.customers"] = { transform = function(row, event)
            \(body)
              end, \(options) } } }
            """)
    }

    private func follow(_ file: PipelineFile) async throws -> PipelineOutcome<[PipelineResult]> {
        try await file.perform { await $0.runPipelines(once: true) }
    }

    private func answer(_ sql: String, _ file: PipelineFile) throws -> String {
        try file.server.run(sql, in: file.target)
    }

    @Test func aLedgerOfAnEarlierVersionIsGoneOnWith() async throws {
        let file = try pipeline("return row")
        try file.run(onSource: Self.tables)
        _ = try await follow(file).value()
        try file.run(
            onTarget: """
                alter table replhost.relation drop column mended, drop column mending;
                alter table replhost.stream drop column is_to_end; drop table replhost.shape, replhost.conflict
                """)
        try file.run(onSource: "update customers set name = 'changed' where id = 1")

        let status = try await file.perform { await $0.status() }.value()
        _ = try await follow(file).value()

        #expect(status.first?.state == "streaming")
        #expect(try answer("select name from customers where id = 1", file) == "changed")
    }

    @Test func rowsEnterAndLeaveWhatTheFunctionLetsThrough() async throws {
        let file = try pipeline(
            """
            row.email = rh.mask.email(row.email)
            if row.country == "ZZ" then return rh.drop end
            return row
            """)
        try file.run(onSource: Self.tables)
        _ = try await follow(file).value()
        try file.run(
            onSource:
                "update customers set country = 'ZZ' where id = 1; update customers set country = 'FR' where id = 5",
            "insert into customers values (201, 'new', 'secret@shop.org', 'DE'), (202, 'new', 'secret@shop.org', 'ZZ')",
            "delete from customers where id in (2, 10); update customers set id = 300 where id = 3",
            "update customers set name = 'renamed' where id = 4")

        let results = try await follow(file).value()

        #expect(results[0].changes == 8)
        #expect(try answer("select count(*) from customers", file) == "80")
        #expect(
            try answer("select string_agg(id::text, ' ' order by id) from customers where id < 8 or id > 100", file)
                == "4 5 6 7 201 300")
        #expect(try answer("select name from customers where id = 4", file) == "renamed")
        #expect(try answer("select count(*) from customers where email !~ '@example.com$'", file) == "0")
    }

    @Test(arguments: ["default", "full"]) func functionsSeeWhatPassesTheFilter(identity: String) async throws {
        let file = try PipelineFile(
            """
            return rh.pipeline "stream" { source = source, sink = sink, tables = {
              ["public.customers"] = { where = "country <> 'ZZ'", transform = function(row, event)
                assert(event.op == "delete" or row.country ~= "ZZ")
                if row.name == "drop" then return rh.drop end
                row.id = row.id + 1000
                return row
              end },
              ["public.plain"] = { where = "n > 0" } } }
            """)
        try file.run(
            onSource: Self.tables, "alter table customers replica identity \(identity)",
            "create table plain (id int primary key, n int); insert into plain select i, i from generate_series(1, 50) i"
        )
        _ = try await follow(file).value()
        try file.run(
            onSource:
                "update customers set country = 'ZZ' where id = 1; update customers set country = 'DE' where id = 5",
            "update customers set name = 'drop' where id = 2; update customers set id = 700 where id = 3",
            "insert into customers values (801, 'a', 'b', 'ZZ'); update customers set id = 701, country = 'ZZ' where id = 4",
            "begin; insert into plain values (60, 1); update plain set n = 0 where id = 60; commit",
            "update plain set n = -n where id <= 30; delete from customers where id = 6")
        _ = try await follow(file).value()

        #expect(
            try answer("select string_agg(id::text, ' ' order by id) from customers where id < 1010 or id > 1100", file)
                == "1005 1007 1008 1009 1700")
        #expect(try answer("select count(*), min(id), max(id) from plain", file) == "20|31|50")
    }

    @Test func largeValuesThatHaveNotChangedStayWhatTheyAre() async throws {
        let file = try pipeline(
            """
            if event.op == "update" and row.id == 1 then assert(row.notes == rh.unchanged and not event.changed("notes")) end
            row.notes = rh.mask.last4(row.notes)
            return row
            """)
        try file.run(
            onSource: Self.tables, "alter table customers alter notes set storage external",
            "update customers set notes = repeat(md5(id::text), 200) where id <= 3")
        _ = try await follow(file).value()
        let before = try answer("select notes from customers where id = 1", file)
        try file.run(
            onSource: "update customers set name = 'other' where id <= 3", "delete from customers where id = 2")

        _ = try await follow(file).value()

        #expect(try answer("select name from customers where id = 1", file) == "other")
        #expect(try answer("select notes from customers where id = 1", file) == before)
        #expect(before.hasPrefix("*") || before.count > 100)
        #expect(try answer("select count(*) from customers where id in (1, 2, 3)", file) == "2")
    }

    @Test func oneRowBecomesManyAndGoesWithThem() async throws {
        let file = try pipeline(
            """
            local log = { id = row.id, what = event.op }
            if event.op == "delete" then return { row, rh.to("public.names", { id = row.id }), rh.to("public.log", log) } end
            return { row, rh.to("public.names", { id = row.id, name = row.name }), rh.to("public.log", log) }
            """)
        try file.run(onSource: Self.tables)
        try file.run(
            onTarget: "create table names (id int primary key, name text); create table log (id int, what text)")
        _ = try await follow(file).value()
        try file.run(
            onSource: "update customers set name = 'changed' where id = 1; delete from customers where id = 2",
            "insert into customers values (101, 'new')")

        _ = try await follow(file).value()

        #expect(try answer("select count(*), max(name) filter (where id = 1) from names", file) == "100|changed")
        #expect(
            try answer("select string_agg(id || what, ' ' order by id) from log where what <> 'read'", file)
                == "1update 2delete 101insert")
    }

    @Test func aRowThatFailsStopsTheStreamOrIsPutAside() async throws {
        let file = try pipeline("if row.name == 'bad' then error('no good') end return row")
        try file.run(onSource: Self.tables)
        _ = try await follow(file).value()
        try file.run(
            onSource: "update customers set name = 'good' where id = 1",
            "update customers set name = 'bad' where id = 2",
            "update customers set name = 'good' where id = 3")

        let first = try await follow(file).failure
        let second = try await follow(file).failure

        #expect(first?.code == "RH3201" && second?.code == "RH3201")
        #expect(try answer("select count(*) from customers where name = 'bad'", file) == "0")
        let aside = """
            return rh.pipeline "stream" { source = source, sink = sink, tables = {
              ["public.customers"] = { on_error = "dead_letter", transform = function(row)
                if row.name == 'bad' then error('no good') end return row end } } }
            """
        try file.write(aside)
        _ = try await follow(file).value()
        #expect(
            try answer("select string_agg(id::text, ' ' order by id) from customers where name = 'good'", file) == "1 3"
        )
        #expect(
            try answer("select operation, key->>'id', row->>'name', lsn is not null from replhost.dead_letter", file)
                == "update|2|bad|t")
    }

    @Test func durableValuesBelongToTheChanges() async throws {
        let file = try pipeline(
            "rh.state('seen'):incr(event.op) return row", before: "local seen = rh.state 'seen'")
        try file.run(onSource: Self.tables)
        _ = try await follow(file).value()
        try file.run(
            onSource: "update customers set name = 'x' where id <= 10; delete from customers where id = 20",
            "insert into customers select 1000 + i from generate_series(1, 30) i")
        _ = try await follow(file).value()
        _ = try await follow(file).value()

        #expect(
            try answer("select string_agg(key || value, ' ' order by key) from replhost.state", file)
                == "delete1 insert30 read100 update10")
    }

    @Test func eventsSayWhatIsKnownOfAChange() async throws {
        let file = try pipeline(
            """
            if not event.snapshot then
              rh.state("facts"):set(event.op .. row.id, { event.table, event.key.id, event.lsn ~= nil, event.xid > 0,
                event.commit_time:sub(1, 2), event.old and event.old.name or "none", event.changed("name"),
                event.changed("email") })
            end
            return row
            """)
        try file.run(onSource: Self.tables, "alter table customers replica identity full")
        _ = try await follow(file).value()
        try file.run(
            onSource: "update customers set name = 'x' where id = 1; delete from customers where id = 2",
            "insert into customers values (101, 'new')")
        _ = try await follow(file).value()

        #expect(
            try answer("select string_agg(value::text, ' ' order by key) from replhost.state", file) == """
                ["public.customers", 2, true, true, "20", "none", true, true] \
                ["public.customers", 101, true, true, "20", "none", true, true] \
                ["public.customers", 1, true, true, "20", "n1", true, false]
                """)
    }

    @Test func batchesSeeChanges() async throws {
        let file = try PipelineFile(
            """
            return rh.pipeline "stream" { source = source, sink = sink, tables = {
              ["public.customers"] = { transform_batch = function(batch)
                for row in batch:each() do
                  if row.name == "drop" then batch:drop(row) else row.country = "XX" end
                end
              end } } }
            """)
        try file.run(onSource: Self.tables)
        _ = try await follow(file).value()
        try file.run(
            onSource: "update customers set name = 'drop' where id = 1; delete from customers where id = 2",
            "insert into customers values (101, 'new'), (102, 'drop')")
        _ = try await follow(file).value()

        #expect(try answer("select count(*), count(*) filter (where country = 'XX') from customers", file) == "99|99")
    }

    @Test func commitsAreTold() async throws {
        let file = try PipelineFile(
            """
            return rh.pipeline "stream" { source = source, sink = sink, tables = { ["public.*"] = rh.copy },
              on_commit = function(tx)
                sink:query("insert into told values ($1, $2)", tx.transactions, tx.changes)
              end }
            """)
        try file.run(onSource: Self.tables)
        try file.run(onTarget: "create table told (transactions int, changes int)")
        _ = try await follow(file).value()
        try file.run(onSource: "update customers set name = 'x' where id <= 10", "delete from customers where id = 1")
        _ = try await follow(file).value()

        #expect(try answer("select sum(transactions), sum(changes) from told", file) == "2|11")
    }
}
