import Sandbox
import Scripting
import TestSupport
import Testing

extension ScriptTests {
    /// Several things at once.
    @Suite struct Tasks {
        @Test func mapKeepsTheOrderAndStopsAtTheFirstError() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 4 }
                local started, ended = 0, 0
                local e = raises("division by zero", rh.map, { 1, 2, 3, 4, 5, 6, 7, 8 }, function(i)
                  started = started + 1
                  if i == 2 then pool:query("SELECT 1/0") end
                  pool:query("SELECT pg_sleep(20)")
                  ended = ended + 1
                end, { concurrency = 4 })
                eq(e.sqlstate, "22012")
                eq(ended, 0)
                assert(started <= 4, started)
                eq(pool:stats().in_use, 0)
                eq(pool:query("SELECT count(*) AS n FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)' AND state = 'active'")[1].n, 0)
                local r = rh.map({ 30, 20, 10 }, function(ms, i) rh.sleep(ms / 1000) return i end)
                eq(table.concat(r, " "), "1 2 3")
                eq(#rh.map({}, function() end), 0)
                raises("table expected", rh.map, 1, print)
                raises("function expected", rh.map, {}, 1)
                raises("concurrency", rh.map, {}, print, { concurrency = 0 })
                local mark = {}
                local ok, e2 = pcall(rh.map, { 1 }, function() error(mark) end)
                eq(e2, mark)
                local ok3, e3 = pcall(rh.map, { 1, 2 }, function() error(nil) end)
                eq(ok3, false) eq(e3, nil)
                """)
        }

        @Test func timeoutsStopWhatTakesTooLong() async throws {
            try await ScriptRun.passes(
                """
                local a, b, c = rh.timeout("5s", function(x) rh.sleep(0.001) return x, nil, 3 end, 1)
                eq(a, 1) eq(b, nil) eq(c, 3)
                local mark = {}
                local ok, e = pcall(rh.timeout, 5, function() error(mark) end)
                eq(e, mark)
                local stopped = false
                raises("timed out", rh.timeout, "20ms", function()
                  local guard <close> = setmetatable({}, { __close = function() stopped = true end })
                  rh.sleep(30)
                end)
                eq(stopped, true)
                raises("timed out", rh.timeout, "20ms", function() while true do pcall(rh.sleep, 30) end end)
                raises("duration", rh.timeout, "soon", print)
                raises("duration", rh.sleep, -1)
                """)
        }

        @Test func tasksReportStatusResultsAndErrors() async throws {
            try await ScriptRun.passes(
                """
                local t = rh.spawn(function(...) rh.sleep(0.01) return select("#", ...), ... end, 1, nil, 3)
                local n, a, b, c = t:wait()
                eq(n, 3) eq(a, 1) eq(b, nil) eq(c, 3)
                eq(t.status, "finished")
                eq(t:wait(), 3)
                local f = rh.spawn(function() error("no") end)
                raises("no", f.wait, f) raises("no", f.wait, f)
                eq(f.status, "failed")
                local s = rh.spawn(rh.sleep, 30)
                s:cancel()
                raises("cancel", s.wait, s)
                local self
                self = rh.spawn(function() rh.sleep(0.001) self:wait() end)
                raises("wait for itself", self.wait, self)
                local x, y
                x = rh.spawn(function() rh.sleep(0.001) return y:wait() end)
                y = rh.spawn(function() rh.sleep(0.001) return x:wait() end)
                raises("deadlock", x.wait, x)
                x:cancel()
                y:cancel()
                local after = 0
                rh.after(0.01, function(v) after = v end, 7):wait()
                eq(after, 7)
                local ticks = 0
                rh.every(0.001, function() ticks = ticks + 1 return ticks < 5 end):wait()
                eq(ticks, 5)
                local endless = rh.every(0.001, function() ticks = ticks + 1 end)
                rh.sleep(0.02)
                endless:cancel()
                local seen = ticks
                rh.sleep(0.02)
                assert(ticks <= seen + 1, ticks)
                endless = nil
                collectgarbage()
                """)
        }

        @Test func channelsPassValuesInOrder() async throws {
            try await ScriptRun.passes(
                """
                for _, size in ipairs { 0, 1, 5 } do
                  local ch, got = rh.channel(size), {}
                  local producer = rh.spawn(function() for i = 1, 100 do ch:send(i) end ch:close() end)
                  for v in ch:each() do got[#got + 1] = v end
                  eq(#got, 100) eq(got[100], 100)
                  producer:wait()
                  eq(ch:receive(), nil)
                  raises("closed", ch.send, ch, 1)
                end
                local ch = rh.channel(1)
                local waiting = rh.spawn(function() return ch:receive() end)
                rh.sleep(0.001)
                waiting:cancel()
                pcall(waiting.wait, waiting)
                ch:send(false)
                eq(ch:receive(), false)
                local sender = rh.spawn(function() ch:send(1) ch:send(2) end)
                rh.sleep(0.001)
                ch:close()
                raises("closed", sender.wait, sender)
                eq(ch:receive(), 1)
                raises("deadlock", function() rh.channel():receive() end)
                raises("nil cannot be sent", function() rh.channel(1):send(nil) end)
                """)
        }

        @Test func aCancelledTaskGivesItsConnectionBack() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1 }
                local task = rh.spawn(function() local c <close> = pool:getconn() c:query("BEGIN") c:query("SELECT pg_sleep(30)") end)
                while pool:stats().in_use == 0 do rh.sleep(0.001) end
                rh.sleep(0.02)
                task:cancel()
                raises("cancel", task.wait, task)
                local conn <close> = pool:getconn("5s")
                eq(conn.status, "idle")
                """)
        }

        @Test func aTaskThatEndsWithoutReturningItsConnectionLosesIt() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1 }
                local task = rh.spawn(function() local c = pool:getconn() c:query("SELECT 1") error("gave up") end)
                raises("gave up", task.wait, task)
                task = nil
                eq(pool:query("SELECT 1 AS x")[1].x, 1)
                """)
        }

        @Test func whatAnEndedTaskHadBorrowedComesBackWithNobodyWaiting() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 5 }
                local kept
                local tasks = {
                  rh.spawn(function() local c = pool:getconn() c:query("SELECT 1") error("gave up") end),
                  rh.spawn(function() local c = pool:getconn() rh.sleep(60) end),
                  rh.spawn(function() kept = pool:getconn() end),
                }
                rh.sleep(0.05)
                tasks[2]:cancel()
                pcall(tasks[1].wait, tasks[1])
                pcall(tasks[2].wait, tasks[2])
                rh.sleep(0.4)
                eq(pool:stats().in_use, 1)
                eq(kept:query("SELECT 1"):scalar(), 1)
                """)
        }

        @Test func workersShareTheWork() async throws {
            let directory = try await Self.moduleDirectory(
                """
                local rh = require "replhost"
                local M = {}
                function M.double(x) return x * 2 end
                function M.shape(t) return { got = t.a, list = { #t.list, t.list[1] }, none = rh.null, d = t.d + rh.decimal("1") } end
                function M.fail(x) if x == 3 then error("item three") end return x end
                function M.query(x) local pool = rh.pool { dsn = x } return pool:query("SELECT 1 AS x")[1].x end
                function M.func() return print end
                return M
                """)
            try await ScriptRun.passes(
                """
                local items = {}
                for i = 1, 50 do items[i] = i end
                local r = rh.workers(3, "scriptwork.double", items)
                for i = 1, 50 do eq(r[i], i * 2) end
                local s = rh.workers(2, "scriptwork.shape", { { a = "x", list = { 7 }, d = rh.decimal("0.50") } })[1]
                eq(s.got, "x") eq(s.list[2], 7) eq(s.none, rh.null) eq(tostring(s.d), "1.50")
                raises("item three", rh.workers, 2, "scriptwork.fail", { 1, 2, 3, 4 })
                raises("cannot be copied", rh.workers, 1, "scriptwork.double", { print })
                raises("cannot be copied", rh.workers, 1, "scriptwork.func", { 1 })
                raises("no function", rh.workers, 1, "scriptwork.nope", { 1 })
                raises("no_such_module", rh.workers, 1, "no_such_module.f", { 1 })
                raises("module.function", rh.workers, 1, "nodot", { 1 })
                raises("from 1 to 64", rh.workers, 0, "scriptwork.double", { 1 })
                eq(#rh.workers(2, "scriptwork.double", {}), 0)
                for _, x in ipairs(rh.workers(2, "scriptwork.query", { dsn, dsn, dsn })) do eq(x, 1) end
                """, in: directory)
        }

        @BlockingThread
        /// A directory with this text as the module "scriptwork".
        static func moduleDirectory(_ module: String) throws -> String {
            let directory = try TestWorkspace.shared().makeDirectory("modules")
            try FileTree.append(module, to: directory + "/scriptwork.lua")
            return directory
        }
    }
}
