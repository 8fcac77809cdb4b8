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

        @Test func aStreamLeftEarlyLeavesItsTransactionAsItWas() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                pool:query("DROP TABLE IF EXISTS early; CREATE TABLE early AS SELECT i AS a FROM generate_series(1, 500000) i")
                local function left(open)
                  return pool:transaction(function(c)
                    c:query("INSERT INTO early VALUES (0)")
                    for row in open(c) do break end
                    eq(c.status, "transaction")
                    return c:query("SELECT count(*) FROM early WHERE a = 0"):scalar()
                  end)
                end
                eq(left(function(c) return c:rows("SELECT * FROM early") end), 1)
                eq(left(function(c) return c:rows("SELECT * FROM early WHERE a > $1", 0) end), 2)
                eq(left(function(c) return c:copy_out("early") end), 3)
                eq(left(function(c) return c:copy_out("SELECT a FROM early") end), 4)
                local n = pool:transaction(function(c)
                  local n = 0
                  for row in c:rows("SELECT * FROM early WHERE a > 0") do n = n + 1 end
                  c:query("SAVEPOINT mine")
                  for row in c:rows("SELECT * FROM early WHERE a > 0") do n = n + 1 end
                  c:query("ROLLBACK TO mine")
                  return n
                end)
                eq(n, 1000000)
                """)
        }

        @Test func pipelinesAreSentWholeOrNotAtAll() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 2, statement_cache = 4 }
                pool:query("DROP TABLE IF EXISTS piped; CREATE TABLE piped (a int)")
                raises("COPY is not possible in a pipeline", pool.with, pool, function(c)
                  c:pipeline(function(p) p:query("COPY (SELECT 1) TO STDOUT") end)
                end)
                raises("2 parameters, 1 given", pool.with, pool, function(c)
                  c:pipeline(function(p) p:query("INSERT INTO piped VALUES (1)") p:query("SELECT $1::int, $2::int", 1) end)
                end)
                eq(pool:query("SELECT count(*) FROM piped"):scalar(), 0)
                pool:with(function(c)
                  c:pipeline(function(p) for i = 1, 9 do p:query("INSERT INTO piped VALUES (" .. i .. ")") end end)
                end)
                eq(pool:query("SELECT count(*) FROM piped"):scalar(), 9)
                """)
        }

        @Test func aConnectionReturnedWhileItIsUsedServesNobodyElse() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1 }
                local conn = pool:getconn()
                local pid = conn.pid
                conn:listen("nothing")
                local task = rh.spawn(function() for n in conn:notifications() do end end)
                rh.sleep(0.05)
                pool:putconn(conn)
                local ok = pcall(task.wait, task, 5)
                eq(ok, false)
                local other <close> = pool:getconn()
                assert(other.pid ~= pid)
                eq(other:query("SELECT 1"):scalar(), 1)
                """)
        }

        @Test func aTransactionThatItsFunctionEndedIsAnError() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                raises("has ended the transaction itself", pool.transaction, pool, function(c) c:query("ROLLBACK") end)
                raises("the outermost transaction's alone", pool.transaction, pool, function(c)
                  c:transaction({ readonly = true }, function() end)
                end)
                raises("a value to mask behind the key", rh.mask.token, "12345")
                """)
        }

        @Test func oneLossMakesThePoolLookAtTheOthers() async throws {
            try await ScriptRun.passes(
                """
                local pool, other = rh.pool { dsn = dsn, max = 3 }, rh.pool { dsn = dsn, max = 1 }
                local conns, pids = {}, {}
                for i = 1, 3 do conns[i] = pool:getconn() pids[i] = conns[i].pid end
                pool:putconn(conns[1]) pool:putconn(conns[2])
                for _, pid in ipairs(pids) do other:query("SELECT pg_terminate_backend($1, 5000)", pid) end
                local _, e = conns[3]:tryquery("SELECT 1")
                eq(e.sqlstate, "57P01")
                for _ = 1, 100 do if pool:stats().idle == 0 then break end rh.sleep(0.05) end
                eq(pool:stats().idle, 0)
                """)
        }

        @Test func aHookThatNeverReturnsIsStopped() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1, timeout = "5s", connect_timeout = "200ms",
                  on_connect = function() rh.sleep(60) end }
                raises("it took longer than", pool.getconn, pool)
                """)
        }
    }
}
