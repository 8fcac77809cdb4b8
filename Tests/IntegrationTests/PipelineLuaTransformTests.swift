import PostgresProtocol
import Replication
import Testing

@testable import Scripting

/// What a transform sees, and what becomes of what it returns.
@Suite struct PipelineLuaTransformTests {
    private let rows: [[String?]] = [
        ["1", "ann@x.org", "1.50", "AT", "2024-01-01 00:00:00"],
        ["2", "bob\t@x.org", nil, "ZZ", nil],
        ["3", "eve@x.org", "3", "DE", "infinity"],
        ["4", "", "-0.1", "DE", "2024-02-29 12:00:00.5"],
    ]

    private func customers(_ body: String, _ options: String = "") -> String {
        "return shop { ['public.customers'] = { transform = function(row, event)\n\(body)\nend, \(options) } }"
    }

    @Test(arguments: [DataFormat.binary, .text])
    func rowsAreChangedInPlace(format: DataFormat) async throws {
        let script = customers(
            """
            if row.country == "ZZ" then return rh.drop end
            row.email = row.email:upper()
            row.amount = nil
            rh.sleep(0)
            return row
            """)
        let outcome = try await PipelineLua.transform(script, rows, format: format)

        #expect(outcome.failure == nil && outcome.error == nil)
        #expect(
            outcome.rows == [
                "public.customers(id=1, email=ANN@X.ORG, amount=NULL, country=AT, at=2024-01-01 00:00:00)",
                "public.customers(id=3, email=EVE@X.ORG, amount=NULL, country=DE, at=infinity)",
                "public.customers(id=4, email=, amount=NULL, country=DE, at=2024-02-29 12:00:00.5)",
            ])
        #expect(outcome.counts.read == 4 && outcome.counts.written == 3 && outcome.counts.dropped == 1)
    }

    @Test(arguments: [DataFormat.binary, .text])
    func unchangedRowsGoThroughAsTheyCame(format: DataFormat) async throws {
        let outcome = try await PipelineLua.transform(customers("return row"), rows, format: format)

        #expect(outcome.rows.count == 4 && outcome.failure == nil)
        #expect(outcome.rows[1] == "public.customers(id=2, email=bob\t@x.org, amount=NULL, country=ZZ, at=NULL)")
    }

    @Test func renamedAndAddedColumnsHaveTheirTargetNames() async throws {
        let target = PipelineLua.table(
            "dw.people",
            [
                ("id", .int8), ("mail", .text), ("amount", .numeric), ("country", .text), ("at", .timestamp),
                ("tag", .text),
            ])
        let script = customers(
            """
            assert(not pcall(function() return row.email end))
            if event.key.id < 3 then assert(row.tag == nil) row.tag = row.mail .. "!" end
            return row
            """)
        let outcome = try await PipelineLua.transform(
            script, rows, target: target, renames: ["email": "mail"], added: ["tag"])

        #expect(outcome.failure == nil)
        #expect(
            outcome.rows.first?.hasSuffix(
                "mail=ann@x.org, amount=1.50, country=AT, at=2024-01-01 00:00:00, tag=ann@x.org!)") == true)
        #expect(outcome.rows.last?.hasSuffix("tag=NULL)") == true)
    }

    @Test func tablesListsAndOtherTables() async throws {
        let log = PipelineLua.table("dw.log", [("who", .int8), ("what", .text), ("more", .jsonb)])
        let script = customers(
            """
            if row.id == 1 then return { id = row.id, email = rh.null } end
            if row.id == 2 then return {} end
            if row.id == 3 then return { row, rh.to("dw.log", { who = row.id, more = { a = 1 } }), { id = 9 } } end
            return rh.to("dw.copies", row)
            """)
        var copies = PipelineLua.customers
        copies.name = QualifiedName(schema: "dw", name: "copies")
        let outcome = try await PipelineLua.transform(script, rows, others: [log, copies])

        #expect(outcome.failure == nil)
        #expect(
            outcome.rows.sorted() == [
                "dw.copies(id=4, email=, amount=-0.1, country=DE, at=2024-02-29 12:00:00.5)",
                "dw.log(who=3, more={\"a\":1})",
                "public.customers(id=1, email=NULL)",
                "public.customers(id=3, email=eve@x.org, amount=3, country=DE, at=infinity)",
                "public.customers(id=9)",
            ])
        #expect(outcome.counts.written == 5 && outcome.counts.dropped == 1)
    }

    @Test(arguments: [
        ("", "RH3203 the transform returned nothing"),
        ("return nil", "RH3203 the transform returned nothing"),
        ("return row, row", "RH3204 the transform returned 2 values"),
        ("return true", "RH3204 the transform returned a boolean"),
        ("return rh.copy", "RH3204 the transform returned rh.copy or rh.skip"),
        ("return rh.to('public.customers', rh.to('public.customers', row))", "RH3204 the transform returned a table"),
        ("return { row, 'x' }", "RH3204 the transform returned a string"),
        ("return { { row } }", "RH2104 no column \"1\" in public.customers of the target"),
        (
            "return { emial = 'x' }",
            "RH2104 no column \"emial\" in public.customers of the target, did you mean \"email\"?"
        ),
        ("return { amount = {} }", "RH2213 column \"amount\": a table cannot be stored as numeric"),
        ("row.amount = 'x' return row", "RH2213 column \"amount\": "),
        ("return rh.to('nowhere.x', row)", "RH3300 the target has no table nowhere.x"),
        ("return rh.to('a.b.c', row)", "RH3207 rh.to: \"a.b.c\" is not a table name"),
        ("return rh.to('dw.small', row)", "RH2104 no column \"email\" in dw.small of the target"),
        ("return rh.to('dw.small', { made = 1 })", "RH3305 column \"made\" of dw.small is generated"),
        ("if kept then kept.id = 1 end kept = row return row", "RH3211 the row was used after its transform returned"),
        ("if kept then return kept end kept = row return row", "RH3211 the row was used after its transform returned"),
        ("return event.kye", "RH3205 an event has no \"kye\", did you mean \"key\"?"),
        ("return row.emial", "RH2104 no column \"emial\", did you mean \"email\"?"),
        ("error('boom')", "RH3201 boom"),
    ])
    func whatIsWrongStopsTheTable(_ body: String, _ message: String) async throws {
        let small = PipelineLua.table("dw.small", [("id", .int8), ("made", .int8)], generated: "made")
        let outcome = try await PipelineLua.transform("local kept\n" + customers(body), rows, others: [small])
        let failure = try #require(outcome.failure)

        #expect("\(failure.code) \(failure.message)".hasPrefix(message))
        #expect(failure.table == PipelineLua.customers.name)
        #expect(failure.key.map(\.column) == ["id"])
        #expect(failure.position == "shop.lua:3" || failure.position == "shop.lua:2")
        #expect(!failure.isInterrupt)
        #expect(outcome.rows.count == outcome.counts.written)
    }

    @Test func copiesOfRowsStay() async throws {
        let script =
            "local before\n"
            + customers(
                """
                local now = row:copy()
                local result = before and { before, row } or row
                before = now
                before.email = "copy"
                return result
                """)
        let outcome = try await PipelineLua.transform(script, rows)

        #expect(outcome.failure == nil)
        #expect(outcome.rows.count == 7)
        #expect(outcome.rows.count { $0.contains("email=copy") } == 3)
    }

    @Test func theEventTellsOfTheRow() async throws {
        let script = customers(
            """
            assert(event.op == "read" and event.table == "public.customers" and event.snapshot == true)
            assert(event.old == nil and event.lsn == nil and event.xid == nil and event.commit_time == nil)
            assert(event.changed("email") == true)
            row.id = row.id + 10
            assert(event.key.id == row.id - 10)
            saved = saved or event
            return row
            """)
        let outcome = try await PipelineLua.transform("local saved\n" + script, rows)

        #expect(outcome.failure == nil)
        #expect(outcome.counts.written == 4)
    }

    @Test(arguments: [DataFormat.binary, .text])
    func failingRowsBecomeDeadLetters(format: DataFormat) async throws {
        let script = customers(
            """
            row.email = "changed"
            if row.id == 2 then error("boom") end
            if row.id == 3 then return { row, { amount = "x" } } end
            return row
            """, "on_error = 'dead_letter'")
        let outcome = try await PipelineLua.transform(script, rows, format: format)

        #expect(outcome.failure == nil && outcome.error == nil)
        #expect(outcome.rows.count == 2 && outcome.counts.written == 2)
        #expect(outcome.counts.deadLetters == 2 && outcome.counts.read == 4)
        #expect(outcome.letters.map(\.failure.position) == ["shop.lua:3", "shop.lua:1"])
        #expect(outcome.letters.map(\.failure.message).first == "boom")
        #expect(outcome.letters.first?.failure.traceback.contains("shop.lua:3:") == true)
        #expect(
            outcome.letters.map { $0.failure.key.map { "\($0.column)=\($0.value ?? "")" } } == [["id=2"], ["id=3"]])
        #expect(outcome.letters.first?.row == "id=2, email=bob\t@x.org, amount=NULL, country=ZZ, at=NULL")
    }

    @Test func failingRowsAreSkippedWhenThatIsThePolicy() async throws {
        let outcome = try await PipelineLua.transform(
            customers("if row.id > 1 then error({}) end return row", "on_error = 'skip'"), rows)

        #expect(outcome.rows.count == 1 && outcome.counts.skipped == 3 && outcome.failure == nil)
    }

    @Test func aRowThatNeedsTooMuchMemoryIsNotLostSilently() async throws {
        let outcome = try await PipelineLua.transform(
            customers("if row.id == 2 then row.email = ('x'):rep(1 << 29) end return row", "on_error = 'dead_letter'"),
            rows)

        #expect(outcome.failure == nil && outcome.rows.count == 3)
        #expect(outcome.letters.map(\.failure.code) == ["RH1205"])
    }

    @Test func cancelledItEnds() async throws {
        let work = Task {
            try await PipelineLua.transform(customers("rh.sleep(60) return row"), rows)
        }
        try await Task.sleep(for: .milliseconds(100))
        work.cancel()

        #expect(try await work.value.error == "cancelled")
    }

    @Test(arguments: ["stop", "skip"])
    func aRowThatTakesTooLongStopsTheTable(policy: String) async throws {
        let outcome = try await PipelineLua.transform(
            customers("while row.id == 2 do end return row", "on_error = '\(policy)'"), rows,
            timeLimit: .milliseconds(300))
        let failure = try #require(outcome.failure)

        #expect(failure.code == "RH1201")
        #expect(!failure.isInterrupt)
        #expect(failure.key.map(\.value) == ["2"])
        #expect(failure.position == "shop.lua:2")
    }

    @Test func manyRowsLeaveInFullLanes() async throws {
        let many = (1...5000).map { ["\($0)", "user\($0)@example.org", "1", "DE", nil] }
        let outcome = try await PipelineLua.transform(
            customers("if row.id % 2 == 0 then return row end return { id = row.id }"), many)

        #expect(outcome.failure == nil)
        #expect(outcome.rows.count == 5000 && outcome.counts.written == 5000 && outcome.counts.read == 5000)
        #expect(Set(outcome.rows).count == 5000)
    }
}
