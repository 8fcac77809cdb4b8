import Foundation
import TestSupport
import Testing

/// `replhost repl` on a terminal.
@Suite struct ConsolePromptTests {
    @Test func goesOnAfterEveryInterruption() async throws {
        let terminal = try ConsoleTerminal()
        let process = try ConsoleProcess(["repl", try TestServer.shared().conninfo()], onTerminal: terminal.path)

        await terminal.expect("replhost> ")
        terminal.type("function f(\n")
        await terminal.expect("...> ")
        terminal.type("\u{3}")
        await terminal.expect("replhost> ")
        terminal.type("print(6 * 111) while true do end\n")
        await terminal.expect("666")
        terminal.type("\u{3}")
        await terminal.expect("interrupted")
        await terminal.expect("replhost> ")
        terminal.type("select pg_sleep(100),\n")
        await terminal.expect("...> ")
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

        await terminal.expect("replhost> ")
        terminal.type("select pg_terminate_backend(pg_backend_pid());\n")
        await terminal.expect("57P01")
        await terminal.expect("replhost> ")
        terminal.type("select 40 + 2 as answer;\n")
        await terminal.expect("     42")
        try await Self.endSession(terminal, "create temp table mine (a int);")
        terminal.type("select 50 + 5 as answer;\n")
        await terminal.expect("connected anew")
        await terminal.expect("     55")
        try await Self.endSession(terminal, "begin; select 'mine';")
        terminal.type("select 60 + 6 as answer;\n")
        await terminal.expect("not run: the connection was lost, and the open transaction with it")
        await terminal.expect("replhost> ")
        terminal.type("select 70 + 7 as answer;\n")
        await terminal.expect("     77")
        terminal.type("\u{4}")

        #expect(try await process.finished().status == 0)
    }

    /// Runs `statements` at the prompt; then the session's backend is ended.
    private static func endSession(_ terminal: ConsoleTerminal, _ statements: String) async throws {
        terminal.type("\(statements) select pg_backend_pid() as pid;\n")
        await terminal.expect("replhost> ")
        terminal.type("print('pid ' .. conn.pid .. ' ends')\n")
        await terminal.expect(" ends')")
        await terminal.expect("pid ")
        let pid = await terminal.word()
        _ = try TestServer.shared().run("select pg_terminate_backend(\(pid), 5000)")
        await terminal.expect("replhost> ")
    }

    private static func sleepers() throws -> Int {
        let sql = "select count(*) from pg_stat_activity where query like 'select pg_sleep(100),%' and state = 'active'"
        return try Int(TestServer.shared().run(sql)) ?? -1
    }
}
