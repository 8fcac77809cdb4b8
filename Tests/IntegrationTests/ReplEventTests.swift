import Foundation
import TestSupport
import Testing

/// Interruptions, and what comes by itself while somebody types.
@Suite(.onServer) struct ReplEventTests {
    @Test func goesOnAfterCtrlCInEveryState() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase()
        terminal.type("not wanted")
        await terminal.expectTyped("not wanted")
        terminal.type("\u{3}")
        await terminal.expectPrompt()
        terminal.enter("function f(")
        await terminal.expectTyped("-> ")
        terminal.type("\u{3}")
        await terminal.expectPrompt()
        terminal.enter("print(6 * 111) while true do pcall(error) end")
        await terminal.expect("\n666")
        terminal.type("\u{3}")
        await terminal.expect("interrupted")
        await terminal.expectPrompt()
        terminal.enter("select pg_sleep(100), 'repl_ctrl_c';")
        try #require(try await eventually { try Self.sleepers() == 1 })
        terminal.type("\u{3}")
        await terminal.expect("the second one") { $0.visible.split(separator: "interrupted").count == 3 }
        await terminal.expectPrompt()
        #expect(try Self.sleepers() == 0)
        terminal.enter("select 40 + 2 as answer;")
        await terminal.expect("     42")

        #expect(try await terminal.leave() == 0)
    }

    /// All in one write, as programs type: the Ctrl-C is read together with the statement.
    @Test func aCtrlCThatWasTypedAheadStopsTheStatementBeforeIt() async throws {
        let (terminal, _) = try await ReplTerminal.onDatabase()
        terminal.type("select pg_sleep(100);\r\u{3}")
        await terminal.expect("interrupted")
        await terminal.expectPrompt()
        for number in 1...20 {
            terminal.type("select pg_sleep(0.01);\r\u{3}")
            terminal.enter("select \(number) + 1000 as answer;")
        }
        await terminal.expect("   1020")

        #expect(try await terminal.leave() == 0)
    }

    @Test func showsNoticesAndNotificationsWhileSomebodyTypes() async throws {
        let (terminal, dsn) = try await ReplTerminal.onDatabase()
        terminal.enter("do $$begin raise notice 'hello %', 40 + 2; end$$;")
        await terminal.expect("NOTICE:  hello 42\nDO")
        terminal.enter("listen jobs;")
        await terminal.expect("LISTEN")
        await terminal.expectPrompt()
        terminal.type("select 'half ")
        await terminal.expectTyped("select 'half ")
        try TestServer.shared().run("notify jobs, 'load 7'", in: dsn)
        await terminal.expect("notification on \"jobs\" from pid")
        await terminal.expectTyped("=> select 'half ")
        #expect(terminal.visible.contains(": load 7\n"))
        terminal.enter("done' as text;")
        await terminal.expect(" half done\n")

        #expect(try await terminal.leave() == 0)
    }

    @Test func connectsAnewAndSaysWhatIsLost() async throws {
        let (terminal, dsn) = try await ReplTerminal.onDatabase(width: 160)
        terminal.enter("set work_mem = '5MB'; create temp table mine (id int); listen jobs;")
        await terminal.expect("LISTEN")
        await terminal.expectPrompt()
        terminal.enter("begin;")
        await terminal.expectPrompt("*> ")
        terminal.type("select 4")
        await terminal.expectTyped("select 4")
        try Self.endSessions(dsn)
        await terminal.expect("the open transaction is lost")
        await terminal.expect(
            "connected anew; lost with the old session: the open transaction; settings work_mem; "
                + "temporary tables mine; LISTEN on jobs")
        await terminal.expectTyped("=> select 4")
        terminal.enter("2 as answer;")
        await terminal.expect("     42")

        #expect(try await terminal.leave() == 0)
    }

    @Test func saysSoWhenTheServerIsGoneAndGoesOnWhenItIsBack() async throws {
        let server = try TestServer.start()
        defer { try? server.remove() }
        let terminal = try ReplTerminal([server.conninfo()])
        await terminal.expectPrompt()
        try server.stop()
        await terminal.expect("connection lost:")
        await terminal.expectPrompt("(not connected)=> ")
        try server.start()
        await terminal.expect("connected anew")
        await terminal.expectPrompt("postgres=> ")
        terminal.enter("select 40 + 2 as answer;")
        await terminal.expect("     42")

        #expect(try await terminal.leave() == 0)
    }

    private static func endSessions(_ dsn: String) throws {
        try TestServer.shared().run(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """, in: dsn)
    }

    private static func sleepers() throws -> Int {
        let sql = """
            select count(*) from pg_stat_activity where query like '%repl_ctrl_c%' and state = 'active'
            and pid <> pg_backend_pid()
            """
        return try Int(TestServer.shared().run(sql)) ?? -1
    }
}
