import Scripting
import TestSupport
import Testing

extension ScriptTests {
    /// What stopped code leaves behind, and who hears of it.
    @Suite struct Stopping {
        @Test func aStoppedTransactionIsRolledBackBeforeTheNextStatement() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 2 }
                pool:query("DROP TABLE IF EXISTS stopped; CREATE TABLE stopped (a int)")
                local conn = pool:getconn()
                local function interrupted(inside)
                  raises("timed out", rh.timeout, "50ms", function()
                    conn:transaction(function(c) c:query("INSERT INTO stopped VALUES (1)") inside(c) rh.sleep(60) end)
                  end)
                end
                interrupted(function() end)
                conn:transaction(function(c) c:query("INSERT INTO stopped VALUES (2)") end)
                interrupted(function(c) c:transaction(function() rh.sleep(60) end) end)
                conn:query("INSERT INTO stopped VALUES (3)")
                conn:transaction(function(c)
                  c:query("INSERT INTO stopped VALUES (4)")
                  interrupted(function() end)
                  c:query("INSERT INTO stopped VALUES (5)")
                end)
                pool:putconn(conn)
                eq(pool:query("SELECT string_agg(a::text, ',' ORDER BY a) FROM stopped"):scalar(), "2,3,4,5")
                """)
        }

        @Test func aSavepointHidesAFailedStatementThatNobodyRaised() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                local n = pool:transaction(function(c)
                  raises("aborted", c.transaction, c, function() c:tryquery("SELECT 1/0") end)
                  return c:query("SELECT 7"):scalar()
                end)
                eq(n, 7)
                """)
        }

        @Test func mapTellsOfWhatWasStopped() async throws {
            var options = ScriptOptions()
            options.timeLimit = .milliseconds(300)
            try await ScriptRun.passes(
                """
                raises("time limit", rh.map, { 1, 2, 3 }, function(i) if i == 2 then while true do end end return i end)
                """, options: options)
        }

        @Test func anErrorOfAWorkersOwnTaskEndsTheWork() async throws {
            let directory = try await Tasks.moduleDirectory(
                """
                local rh = require "replhost"
                local M = {}
                function M.lost(x) rh.spawn(function() error("lost") end) return x end
                function M.hangs(x) rh.every("1s", function() end) error("failed at once") end
                return M
                """)
            try await ScriptRun.passes(
                """
                raises("lost", rh.workers, 2, "scriptwork.lost", { 1, 2 })
                raises("failed at once", rh.workers, 2, "scriptwork.hangs", { 1 })
                """, in: directory)
        }

        @Test func aFailedReceiveTakesNothing() async throws {
            try await ScriptRun.passes(
                """
                local ch = rh.channel(1)
                pcall(string.gsub, "x", "x", function() ch:receive() end)
                ch:send("important")
                eq(rh.timeout(1, ch.receive, ch), "important")
                """)
        }

        @Test func finalizersMayReadRowsOrAreToldThatTheyCannot() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                pool:query("DROP TABLE IF EXISTS finals; CREATE TABLE finals AS SELECT 1 AS id")
                local seen
                local k = setmetatable({}, { __gc = function(k) seen = { pcall(function() return k.row.id end) } end })
                pool:with(function(c) for row in c:copy_out("finals") do k.row = row break end end)
                k = nil
                collectgarbage() collectgarbage()
                assert(seen[2] == 1 or tostring(seen[2]):find("finalized"), tostring(seen[2]))
                """)
        }

        @Test func pipelinesTakeColumnsOfAnyName() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                local r = pool:with(function(c)
                  return c:pipeline(function(p) p:query("SELECT 1 AS code, 2 AS sqlstate") p:query("SELECT 3 AS x") end)
                end)
                eq(r[1][1].code, 1)
                eq(r[2][1].x, 3)
                """)
        }
    }
}
