import LuaRuntime
import Scripting
import Testing

extension ScriptTests {
    /// What goes too far gets an error, and everything else goes on.
    @Suite struct Limits {
        private var shortTime: ScriptOptions {
            var options = ScriptOptions()
            options.timeLimit = .milliseconds(300)
            return options
        }

        private var littleMemory: ScriptOptions {
            var options = ScriptOptions()
            options.memoryLimit = 16 << 20
            return options
        }

        @Test(arguments: [
            "while true do end",
            "while true do pcall(function() while true do end end) end",
            "local function f() return f() end f()",
            "repeat until pcall(error) == 5",
            "(('a'):rep(100000)):find(('.-'):rep(30) .. 'b')",
            "table.sort(setmetatable({}, { __len = function() return 1 << 30 end }), function() return false end)",
            "for _ in function() return 1 end do end",
            "coroutine.wrap(function() while true do end end)()",
        ])
        func codeWithoutEndIsStopped(_ code: String) async throws {
            let failure = try await ScriptRun.failure(of: code, options: shortTime)

            #expect(failure.interrupt == .timeLimit)
            #expect(failure.position != nil)
            #expect(failure.error.message.contains("time limit") || failure.error.message.contains("without"))
        }

        @Test func recursionWithoutEndIsAnError() async throws {
            try await ScriptRun.passes(
                """
                local function deep() return 1 + deep() end
                raises("stack overflow", deep)
                local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k + 1] end
                raises("C stack overflow", function() return t[1] end)
                local function co() coroutine.wrap(co)() end
                raises("C stack overflow", co)
                """)
        }

        @Test func memoryIsLimited() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1 }
                local conn <close> = pool:getconn()
                conn:query("BEGIN; CREATE TEMP TABLE kept (x int)")
                raises("", string.rep, "x", 10 << 30)
                raises("memory", function() local t = {} for i = 1, 1 << 30 do t[i] = ("x"):rep(1000) .. i end end)
                raises("memory", function() local s = "x" while true do s = s .. s end end)
                raises("memory", conn.query, conn, "SELECT repeat('x', 1000) || g AS t FROM generate_series(1, 60000) g")
                assert(conn.status ~= "active" and conn.status ~= "broken", conn.status)
                conn:query("ROLLBACK")
                eq(conn:query("SELECT 1 AS x")[1].x, 1)
                local n = 0
                for row in conn:rows("SELECT repeat('x', 1000) || g AS t FROM generate_series(1, 30000) g") do n = n + #row.t // 1000 end
                eq(n, 30000)
                raises("memory", function()
                  local kept = {}
                  for row in conn:rows("SELECT repeat('x', 1000) || g AS t FROM generate_series(1, 30000) g") do kept[#kept + 1] = row end
                end)
                collectgarbage()
                eq(conn:query("SELECT 2 AS x")[1].x, 2)
                raises("memory", function() conn:query("SELECT repeat('x', 40000000) AS t") end)
                eq(conn:query("SELECT 3 AS x")[1].x, 3)
                """, options: littleMemory)
        }

        @Test func memoryDoesNotEndTheTransaction() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                conn:transaction(function(c)
                  c:query("CREATE TEMP TABLE kept AS SELECT 1 AS x")
                  raises("memory", function() local t = {} for i = 1, 1 << 30 do t[i] = ("x"):rep(1000) .. i end end)
                end)
                eq(conn:query("SELECT x FROM kept")[1].x, 1)
                """, options: littleMemory)
        }

        @Test func theTimeLimitLeavesThePoolIntact() async throws {
            let options = shortTime
            let failure = try await ScriptRun.failure(
                of: """
                    local pool = rh.pool { dsn = dsn, application_name = "script_time" }
                    local conn = pool:getconn()
                    conn:transaction(function(c)
                      c:query("CREATE TABLE script_time_limit (x int)")
                      while true do end
                    end)
                    """, options: options)
            #expect(failure.interrupt == .timeLimit)
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                eq(pool:query("SELECT to_regclass('script_time_limit') AS r")[1].r, nil)
                eq(pool:query("SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'script_time'")[1].n, 0)
                """)
        }

        @Test func waitingDoesNotCountAsRunning() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                rh.sleep(0.4)
                pool:query("SELECT pg_sleep(0.4)")
                """, options: shortTime)
        }

        @Test func waitingWhereItIsImpossibleSaysSo() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                raises('cannot wait inside a function that "sort" calls', function()
                  table.sort({ 3, 1, 2 }, function(a, b) pool:query("SELECT 1") return a < b end)
                end)
                raises("cannot wait", string.gsub, "abc", "b", function() rh.sleep(0.01) end)
                eq(pool:query("SELECT 1 AS x")[1].x, 1)
                local t = setmetatable({}, { __index = function(_, k) return pool:query("SELECT $1::text AS x", k)[1].x end })
                eq(t.hello, "hello")
                local co = coroutine.wrap(function() coroutine.yield(pool:query("SELECT 5 AS x")[1].x) end)
                eq(co(), 5)
                for x in coroutine.wrap(function() for row in pool:getconn():rows("SELECT 1 AS x") do coroutine.yield(row.x) end end) do eq(x, 1) end
                """)
        }

        @Test(arguments: [
            ("error({})", "table"), ("error(nil)", "nil"), ("error()", "nil"), ("error(print)", "function"),
            ("error(setmetatable({}, { __tostring = function() error('again') end }))", "table"),
            ("error(setmetatable({}, { __tostring = function() return 'told' end }))", "told"),
            ("error(12)", "12"), ("local t = nil; t.x = 1", "nil value"),
            ("local c <close> = setmetatable({}, { __close = function() error('closing') end })", "closing"),
            ("local c <close> = setmetatable({}, { __close = function() error({}) end }) error('first')", "first"),
            ("rh.spawn(function() error('unseen') end) rh.sleep(0.05)", "unseen"),
            ("rh.spawn(function() error({}) end)", "table"),
            ("require 'no.such.module'", "no.such.module"),
            ("local t = rh.spawn(function() rh.sleep(0.01) error('late') end) t:wait()", "late"),
        ])
        func anyErrorValueIsReported(_ code: String, _ message: String) async throws {
            let failure = try await ScriptRun.failure(of: code)

            #expect(failure.error.message.contains(message), "\(failure.error.message)")
        }

        @Test func errorsInFinalizersDoNoHarm() async throws {
            try await ScriptRun.passes(
                """
                for _ = 1, 100 do setmetatable({}, { __gc = function() error("in gc") end }) end
                collectgarbage()
                setmetatable({}, { __gc = function() rh.sleep(1) end })
                collectgarbage()
                setmetatable({}, { __gc = function() rh.pool { dsn = dsn }:getconn() end })
                """, options: shortTime)
        }
    }
}
