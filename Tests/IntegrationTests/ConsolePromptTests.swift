import Foundation
import TestSupport
import Testing

/// `replhost repl` on a terminal that can do nothing but lines.
@Suite(.onServer) struct ConsolePromptTests {
    @Test func goesOnAfterEveryInterruption() async throws {
        let terminal = try ConsoleTerminal()
        let process = try ConsoleProcess(["repl", try TestServer.shared().conninfo()], onTerminal: terminal.path)

        await terminal.expect("=> ")
        terminal.type("function f(\n")
        await terminal.expect("-> ")
        terminal.type("\u{3}")
        await terminal.expect("=> ")
        terminal.type("print(6 * 111) while true do end\n")
        await terminal.expect("666")
        terminal.type("\u{3}")
        await terminal.expect("interrupted")
        await terminal.expect("=> ")
        terminal.type("select pg_sleep(100),\n")
        await terminal.expect("-> ")
        terminal.type("1;\n")
        try #require(try await eventually { try Self.sleepers() == 1 })
        terminal.type("\u{3}")
        await terminal.expect("interrupted")
        #expect(try Self.sleepers() == 0)
        terminal.type("select 40 + 2 as answer;\n")
        await terminal.expect("     42")
        terminal.type("\u{4}")

        #expect(try await process.finished().status == 0)
    }

    @Test func connectsAgainAfterTheServerWentAway() async throws {
        let terminal = try ConsoleTerminal()
        let process = try ConsoleProcess(["repl", try TestServer.shared().conninfo()], onTerminal: terminal.path)

        await terminal.expect("=> ")
        terminal.type("select pg_terminate_backend(pg_backend_pid());\n")
        await terminal.expect("57P01")
        await terminal.expect("connected anew")
        await terminal.expect("=> ")
        terminal.type("select 40 + 2 as answer;\n")
        await terminal.expect("     42")
        terminal.type("begin; select 'mine'; select pg_backend_pid() as pid;\n")
        await terminal.expect("*> ")
        terminal.type("print('pid ' .. conn.pid .. ' ends')\n")
        await terminal.expect(" ends')")
        await terminal.expect("pid ")
        let pid = await terminal.word()
        _ = try TestServer.shared().run("select pg_terminate_backend(\(pid), 5000)")
        await terminal.expect("connection lost: terminating connection due to administrator command")
        await terminal.expect("connected anew; lost with the old session: the open transaction")
        await terminal.expect("=> ")
        terminal.type("select 70 + 7 as answer;\n")
        await terminal.expect("     77")
        terminal.type("\u{4}")

        #expect(try await process.finished().status == 0)
    }

    private static func sleepers() throws -> Int {
        let sql = "select count(*) from pg_stat_activity where query like 'select pg_sleep(100),%' and state = 'active'"
        return try Int(TestServer.shared().run(sql)) ?? -1
    }
}
