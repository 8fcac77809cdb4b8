import LuaRuntime
import Scripting
import TestSupport
import Testing

extension ScriptTests {
    /// Ctrl-C at any point.
    @Suite struct Interrupts {
        private static let sleeper =

            """
            SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(3_)' AND state = 'active'
            """

        @BlockingThread
        private static func runningSleeps() throws -> String { try TestServer.shared().run(sleeper) }

        /// Interrupts the script when `isReached`, and expects that it ends at once.
        private func interrupted(
            _ script: String, when isReached: @escaping @Sendable () async throws -> Bool = { true }
        ) async throws {
            let outcome = try await ScriptRun.outcome(of: "local rh, dsn = require 'replhost', arg[1] " + script) {
                host in
                let reached = try await eventually { try await isReached() }
                #expect(reached)
                try await Task.sleep(for: .milliseconds(50))
                host.interrupt()
            }

            guard case .interrupted = outcome else {
                Issue.record(Comment(rawValue: ScriptRun.describe(outcome)))
                return
            }
            let isQuiet = try await eventually { try await Self.runningSleeps() == "0" }
            #expect(isQuiet)
        }

        @Test(arguments: [
            "rh.sleep(30)",
            "while true do end",
            "while true do pcall(rh.sleep, 30) end",
            "while true do pcall(function() while true do end end) end",
            "rh.map({ 1, 2, 3 }, function() rh.sleep(30) end)",
            "rh.spawn(function() rh.sleep(30) end) rh.channel(1):receive()",
            "local p = rh.pool { dsn = dsn, max = 1 } rh.spawn(function() p:getconn() rh.sleep(30) end) rh.sleep(0.01) p:getconn()",
            "local p = rh.pool { dsn = dsn } for _ in p:getconn():rows('SELECT generate_series(1, 1000000000)') do end",
            "local p = rh.pool { dsn = dsn } p:transaction(function() rh.sleep(30) end)",
            "rh.every(0.001, function() end)",
        ])
        func aScriptIsInterrupted(_ script: String) async throws {
            try await interrupted(script)
        }

        @Test(arguments: [
            "rh.pool { dsn = dsn }:query('SELECT pg_sleep(30)')",
            "local c = rh.pool { dsn = dsn }:getconn() while true do pcall(c.query, c, 'SELECT pg_sleep(30)') end",
            "local p = rh.pool { dsn = dsn } rh.map({ 1, 2, 3 }, function() p:query('SELECT pg_sleep(30)') end)",
            "rh.pool { dsn = dsn }:transaction(function(c) c:query('SELECT pg_sleep(31)') end)",
            "for _ in rh.pool { dsn = dsn }:getconn():rows('SELECT pg_sleep(32)') do end",
        ])
        func aQueryIsCancelledOnTheServer(_ script: String) async throws {
            try await interrupted(script, when: { try await Self.runningSleeps() != "0" })
        }
    }
}
