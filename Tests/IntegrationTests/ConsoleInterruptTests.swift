import Foundation
import TestSupport
import Testing

/// Ctrl-C at any point.
@Suite struct ConsoleInterruptTests {
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func stopsALoopThatCatchesEverything(_ signal: CInt) async throws {
        let process = try ConsoleProcess([
            "--limits", "time=0", "-e",
            "io.write('on\\n') io.flush() while true do pcall(function() while true do end end) end",
        ])
        try #require(await eventually { process.printed == "on\n" })
        process.signal(signal)
        let result = try await process.finished()

        #expect(result == .init(status: 130, output: "on\n", errors: "interrupted\n"))
    }

    @Test func stopsASleepingScript() async throws {
        let process = try ConsoleProcess([
            "-e", "io.write('on\\n') io.flush() require('replhost').sleep(100)",
        ])
        try #require(await eventually { process.printed == "on\n" })
        process.signal(SIGINT)

        #expect(try await process.finished() == .init(status: 130, output: "on\n", errors: "interrupted\n"))
    }

    @Test func cancelsWhatRunsOnTheServer() async throws {
        let server = try TestServer.shared()
        let mark = "replhost_interrupt_\(getpid())"
        let script = """
            local rh = require "replhost"
            local pool = rh.pool { dsn = \"\(server.conninfo())\" }
            pool:query("select pg_sleep(100) as \(mark)")
            """
        let process = try ConsoleProcess(["-e", script])
        try #require(await eventually { try Self.count(of: mark, server) == 1 })
        process.signal(SIGINT)
        let result = try await process.finished()

        #expect(result.status == 130)
        #expect(result.errors == "interrupted\n")
        #expect(try Self.count(of: mark, server) == 0)
    }

    @Test func leavesAtOnceOnTheSecondSignal() async throws {
        // A finalizer that never ends keeps the first from being enough.
        let script = """
            setmetatable({}, { __gc = function() io.write('stuck\\n') io.flush() while true do end end })
            io.write('on\\n') io.flush() require('replhost').sleep(100)
            """
        let process = try ConsoleProcess(["--limits", "time=0", "-e", script])
        try #require(await eventually { process.printed.hasPrefix("on\n") })
        process.signal(SIGINT)
        _ = await eventually(within: .seconds(1)) { process.printed.hasSuffix("stuck\n") }
        process.signal(SIGINT)

        #expect(try await process.finished().status == 130)
    }

    private static func count(of mark: String, _ server: TestServer) throws -> Int {
        let sql =
            "select count(*) from pg_stat_activity where state = 'active' and query like '%as \(mark)%' and pid <> pg_backend_pid()"
        return try Int(server.run(sql)) ?? -1
    }
}
