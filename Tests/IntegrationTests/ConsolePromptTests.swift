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

    private static func sleepers() throws -> Int {
        let sql = "select count(*) from pg_stat_activity where query like 'select pg_sleep(100),%' and state = 'active'"
        return try Int(TestServer.shared().run(sql)) ?? -1
    }
}
