import Foundation
import TestSupport
import Testing

/// Commands on a file's pipelines, as a user types them.
@Suite(.onServer) struct ConsolePipelineTests {
    private let schema = "create table customers (id bigint primary key, email text)"

    /// Copies `customers` from one new database to another.
    private func makeFile(
        _ rows: String = "customers", _ more: String = "", options: String = "stream = false"
    ) throws -> (path: String, target: String) {
        let server = try TestServer.shared()
        let (source, target) = (try server.makeDatabase(), try server.makeDatabase())
        try server.run(schema, in: source)
        try server.run(
            "insert into customers select i, 'ann' || i || '@mail.org' from generate_series(1, 1000) i", in: source)
        try server.run("analyze", in: source)
        try server.run(schema, in: target)
        let path = try ConsoleProcess.makeFile(
            "shop.lua",
            """
            local rh = require "replhost"
            local source, sink = rh.pool { dsn = "\(source)" }, rh.pool { dsn = "\(target)" }
            local function customers(row)
              if row.id == 7 then return rh.drop end
              row.email = "x" .. row.id
              return row
            end
            \(more)
            return rh.pipeline "shop" { source = source, sink = sink, \(options), tables = { ["public.customers"] = \(rows) } }
            """)
        return (path, target)
    }

    @Test func copiesAndSaysWhatItHasDone() async throws {
        let (path, target) = try makeFile()
        let first = try await ConsoleProcess.run("run", "--once", "--json", "--quiet", path)
        let second = try await ConsoleProcess.run(path)

        #expect(first.status == 0)
        #expect(
            first.output.hasPrefix(
                #"[{"pipeline": "shop", "was_complete": false, "tables": 1, "read": 1000, "written": 999"#))
        #expect(first.errors.hasPrefix("shop: 1 table copied in "))
        #expect(second.status == 0)
        #expect(second.errors.hasSuffix("shop: already complete: nothing to do\n"))
        #expect(try TestServer.shared().run("select count(*) from customers", in: target) == "999")
    }

    @Test func showsTheLineOfAMisspeltOption() async throws {
        let (path, _) = try makeFile("{ transfrom = customers }")
        let result = try await ConsoleProcess.run(path)

        #expect(result.status == 1)
        #expect(result.errors.contains(#"unknown option "transfrom", did you mean "transform"?"#))
        #expect(result.errors.contains("--> \(path):9:"))
    }

    @Test func checkFindsMisspeltNames() async throws {
        let (path, _) = try makeFile(
            "tidy",
            """
            local helper = require "helper"
            local function tidy(row)
              if row.id < 0 then count = 1 end
              if row.id < 0 then return retrun_row(row) end
              return helper(row)
            end
            """)
        let helper = path.replacing("shop.lua", with: "helper.lua")
        try "return function(row) if row.id < 0 then rwo.email = 'x' end return row end"
            .write(toFile: helper, atomically: true, encoding: .utf8)

        let result = try await ConsoleProcess.run("check", "--json", path)

        #expect(result.output.contains(##"\"count\" is a global variable"##), "\(result)")
        #expect(result.output.contains(##"nothing has the name \"retrun_row\""##))
        #expect(result.output.contains(##""file": "\##(path)", "line": 11"##))
        #expect(result.output.contains(##"Did you mean \"row\"?", "file": "\##(helper)", "line": 1"##))
        #expect(result.output.contains(##""warnings": 3"##))
    }

    @Test func logsProgressOffATerminal() async throws {
        // Slow enough for progress to be worth a line.
        let (path, _) = try makeFile("customers }, throttle = { rows_per_second = 1000 }, limits = { row_time = 9")
        let result = try await ConsoleProcess.run("--log-format", "json", path)

        #expect(result.status == 0)
        #expect(result.errors.contains(#""scope":{"name":"progress"}"#))
        #expect(result.errors.contains(#""replhost.phase":"#))
        #expect(result.errors.contains(#""replhost.pipeline":"shop""#))
    }

    @Test func drawsProgressOnATerminal() async throws {
        let (path, _) = try makeFile(
            "{ transform = slow }",
            """
            local function slow(row) rh.sleep(0.0005) return row end
            """)
        let terminal = try ConsoleTerminal()
        let process = try ConsoleProcess(["run", path], onTerminal: terminal.path, kind: "xterm")
        await terminal.expect("of 1 table done")
        await terminal.expect(": 1 table copied in ")
        await terminal.expect("1000 rows read")

        #expect(try await process.finished().status == 0)
    }

    @Test func saysWhatStaysWhenItIsInterrupted() async throws {
        let (path, _) = try makeFile(
            "{ transform = slow }",
            """
            local function slow(row) rh.sleep(0.05) return row end
            """)
        let process = try ConsoleProcess(["run", path])
        try #require(await eventually { process.errors.contains("phase=copying") })
        process.signal(SIGINT)
        let result = try await process.finished()

        #expect(result.status == 130)
        #expect(result.errors.hasSuffix("what is committed stays, and the same command goes on from there\n"))
        #expect(result.errors.contains("\ninterrupted: shop has 0 of 1 table, "))
    }

    @Test func verifiesAndMends() async throws {
        let (path, target) = try makeFile()
        _ = try await ConsoleProcess.run("--quiet", path)
        try TestServer.shared().run("delete from customers where id = 5", in: target)
        let found = try await ConsoleProcess.run("verify", "--quiet", path)
        let mended = try await ConsoleProcess.run("verify", "--quiet", "--repair", path)
        let equal = try await ConsoleProcess.run("verify", "--quiet", "--json", path)

        #expect(found.status == 3)
        #expect(found.output.contains("missing    id=5\n"))
        #expect(mended.status == 0)
        #expect(mended.output.hasSuffix("1 table: 1 difference, all mended: 1 row\n"))
        #expect(equal.status == 0)
        #expect(equal.output.hasPrefix(#"{"differences": 0, "repaired": 0, "#))
    }

    @Test func showsThePlanAndRowsAndWritesNothing() async throws {
        let (path, target) = try makeFile()
        let plan = try await ConsoleProcess.run("plan", path)
        let preview = try await ConsoleProcess.run("preview", "-n", "7", path)

        #expect(plan.status == 0)
        #expect(plan.output.hasPrefix("pipeline shop\n"))
        #expect(preview.status == 0)
        #expect(preview.output.contains("  row 1\n      id     1\n    ~ email  ann1@mail.org → x1\n"))
        #expect(preview.output.contains("  row 7: dropped\n"))
        #expect(try TestServer.shared().run("select count(*) from customers", in: target) == "0")
    }

    @Test func setsRowsAsideAndDeliversThemLater() async throws {
        let (path, target) = try makeFile(
            "{ transform = bad, on_error = \"dead_letter\" }",
            """
            local function bad(row) if row.id == 3 then error("no luck") end return row end
            """)
        let run = try await ConsoleProcess.run(path)
        let list = try await ConsoleProcess.run("dlq", "list", path)
        let show = try await ConsoleProcess.run("dlq", "show", path, "1")
        let missing = try await ConsoleProcess.run("dlq", "show", path, "99")
        let unknown = try await ConsoleProcess.run("dlq", "retry", path, "1", "99")
        let kept = try await ConsoleProcess.run("dlq", "purge", path, "1", "99")
        let failed = try await ConsoleProcess.run("dlq", "retry", path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacing("row.id == 3", with: "row.id == 0").write(toFile: path, atomically: true, encoding: .utf8)
        let retried = try await ConsoleProcess.run("dlq", "retry", path)

        #expect(run.errors.contains("1 dead letter: replhost dlq list \(path)\n"))
        #expect(list.output.contains("no luck"))
        #expect(!list.output.contains("ann3"))
        #expect(show.output.contains("email  ann3@mail.org\n"))
        #expect(missing.status == 1)
        #expect(missing.errors.hasPrefix("error[RH3481]: there is no dead letter 99\n"))
        #expect(unknown == missing && kept == missing)
        #expect(failed.status == 1)
        #expect(failed.output == "0 dead letters delivered, 1 failed again and stay\n")
        #expect(retried == .init(status: 0, output: "1 dead letter delivered\n", errors: ""))
        #expect(try TestServer.shared().run("select count(*) from customers", in: target) == "1000")
    }

    @Test func copiesATableAnew() async throws {
        let (path, target) = try makeFile()
        _ = try await ConsoleProcess.run("--quiet", path)
        try TestServer.shared().run("delete from customers where id < 100", in: target)
        let result = try await ConsoleProcess.run("resnapshot", "--quiet", path, "public.customers")
        let unknown = try await ConsoleProcess.run("resnapshot", path, "public.nothing")

        #expect(result.status == 0)
        #expect(result.errors.hasPrefix("shop: 1 table copied in "))
        #expect(try TestServer.shared().run("select count(*) from customers", in: target) == "999")
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("public.nothing"))
    }

    @Test func findsWhatWouldFail() async throws {
        let (good, _) = try makeFile()
        let (bad, target) = try makeFile()
        try TestServer.shared().run("alter table customers drop column email", in: target)
        let none = try await ConsoleProcess.run("check", good)
        let found = try await ConsoleProcess.run("check", "--json", bad)

        #expect(none == .init(status: 0, output: "no findings\n", errors: ""))
        #expect(found.status == 3)
        #expect(found.output.hasPrefix(#"{"errors": 1, "#))
    }

    @Test(arguments: [
        ("snapshot = { workers = 12 }", "at most 10 connections for 12 workers"),
        ("apply = { connections = 9 }", "the target's pool has at most 10 connections for 9 that write changes"),
    ]) func findsPoolsThatAreTooSmall(options: String, finding: String) async throws {
        let (path, _) = try makeFile(options: options)
        let found = try await ConsoleProcess.run("check", path)

        #expect(found.status == 3)
        #expect(found.output.contains("warning[RH3512]: "), "\(found.output)")
        #expect(found.output.contains(finding))
    }

    @Test func asksBeforeItRemoves() async throws {
        let (path, _) = try makeFile()
        _ = try await ConsoleProcess.run("--quiet", path)
        let refused = try await ConsoleProcess.run("drop", path)
        let status = try await ConsoleProcess.run("status", path)
        let terminal = try ConsoleTerminal()
        let asked = try ConsoleProcess(["drop", path], onTerminal: terminal.path)
        await terminal.expect("Go on? [y/N] ")
        terminal.type("y\n")
        await terminal.expect("removed ")
        #expect(try await asked.finished().status == 0)
        let nothing = try await ConsoleProcess.run("drop", "--yes", path)

        #expect(refused.status == 2)
        #expect(refused.errors.hasPrefix("This removes:\n"))
        #expect(refused.errors.contains("help: --yes does it without asking.\n"))
        #expect(status.output.hasPrefix("shop: done"))
        #expect(nothing == .init(status: 0, output: "There is nothing to remove.\n", errors: ""))
    }

    @Test func leavesAtOnceWhenItIsInterruptedWhileItAsks() async throws {
        let (path, _) = try makeFile()
        _ = try await ConsoleProcess.run("--quiet", path)
        let terminal = try ConsoleTerminal()
        let process = try ConsoleProcess(["drop", path], onTerminal: terminal.path)
        await terminal.expect("Go on? [y/N] ")
        process.signal(SIGINT)

        #expect(try await process.finished().status == 130)
    }
}
