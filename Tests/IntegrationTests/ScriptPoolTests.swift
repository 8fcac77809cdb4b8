import Scripting
import TestSupport
import Testing

extension ScriptTests {
    /// What a script may expect of a pool.
    @Suite struct Pools {
        @Test func everyWayOfBorrowingGivesBack() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 2 }
                local function idle(what) eq(pool:stats().in_use, 0, what) end
                local conn = pool:getconn()
                eq(pool:stats().in_use, 1)
                eq(pool:putconn(conn), true)
                idle("putconn")
                local a, b = pool:with(function(c) return c:query("SELECT 1 AS x")[1].x, "b" end)
                eq(a, 1) eq(b, "b") idle("with")
                raises("inside", pool.with, pool, function() error("inside") end)
                idle("with, failing")
                do local c <close> = pool:getconn() c:query("BEGIN") end
                idle("close")
                eq(pool:query("SELECT 2 AS x")[1].x, 2)
                raises("division", pool.query, pool, "SELECT 1/0")
                idle("pool:query")
                local task = rh.spawn(function() local c = pool:getconn() c:query("SELECT 1") error({ reason = "task" }) end)
                local ok, e = pcall(task.wait, task)
                eq(e.reason, "task")
                task, e = nil, nil
                collectgarbage() collectgarbage()
                rh.sleep(0.01)
                idle("failed task")
                pool:close()
                raises("pool is closed", pool.getconn, pool)
                raises("pool is closed", pool.query, pool, "SELECT 1")
                """)
        }

        @Test func theWrongReturnIsRefused() async throws {
            try await ScriptRun.passes(
                """
                local pool, other = rh.pool { dsn = dsn }, rh.pool { dsn = dsn, application_name = "other" }
                local conn = pool:getconn()
                raises("belongs to another pool", other.putconn, other, conn)
                eq(conn:query("SELECT 1 AS x")[1].x, 1)
                pool:putconn(conn)
                local e = raises("was already returned at test:5", pool.putconn, pool, conn)
                assert(tostring(e):find("borrowed at test:2", 1, true), tostring(e))
                raises("cannot be used any more", conn.query, conn, "SELECT 1")
                raises("cannot be used any more", conn.rows, conn, "SELECT 1")
                raises("cannot be used any more", function() return conn.pid end)
                eq(conn.status, "returned")
                raises("connection expected, got nil", pool.putconn, pool, nil)
                raises("connection expected, got table", pool.putconn, pool, {})
                raises("unknown option", pool.putconn, pool, pool:getconn(), { discrad = true })
                local first <close> = pool:getconn()
                local pid = first.pid
                pool:putconn(first, { discard = true })
                local second <close> = pool:getconn()
                assert(second.pid ~= pid)
                second:close()
                raises("", second.query, second, "SELECT 1")
                """)
        }

        @Test func aForgottenConnectionComesBackWhenItIsCollected() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1, application_name = "forgotten" }
                local function forget() local c = pool:getconn() c:query("CREATE TEMP TABLE forgotten (x int)") end
                forget()
                collectgarbage() collectgarbage()
                local conn <close> = pool:getconn("5s")
                eq(conn:tryquery("SELECT * FROM forgotten"), nil)
                eq(pool:stats().forgotten, 1)
                pool:putconn(conn)
                for i = 1, 5 do
                  local c = pool:getconn()
                  eq(c:query("SELECT $1::int AS x", i)[1].x, i)
                end
                """)
        }

        @Test func aConnectionInAGlobalIsNoObstacleToTheEnd() async throws {
            try await ScriptRun.passes(
                """
                kept = rh.pool { dsn = dsn }:getconn()
                kept:query("BEGIN; CREATE TABLE script_global_end (x int)")
                """)
            try await ScriptRun.passes(
                """
                eq(rh.pool { dsn = dsn }:query("SELECT to_regclass('script_global_end') AS r")[1].r, nil)
                """)
        }

        @Test func waitingForAConnectionEnds() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1, max_waiting = 1 }
                local holder = rh.spawn(function() local c <close> = pool:getconn() rh.sleep(0.2) end)
                while pool:stats().in_use == 0 do rh.sleep(0.001) end
                local e = raises("no connection became free within", pool.getconn, pool, "50ms")
                assert(tostring(e):find("max 1, in use 1", 1, true) and tostring(e):find("test:2", 1, true), tostring(e))
                raises("no connection became free", pool.getconn, pool, 0)
                holder:wait()
                local conn = pool:getconn()
                local alone = raises("only waiting tasks could give back", pool.getconn, pool)
                assert(tostring(alone):find("test:8", 1, true), tostring(alone))
                local waiting = rh.spawn(function() local c <close> = pool:getconn() return c:query("SELECT 7 AS x")[1].x end)
                rh.sleep(0.01)
                local refused = rh.spawn(function() pool:getconn() end)
                raises("waiting already", refused.wait, refused)
                pool:putconn(conn)
                eq(waiting:wait(), 7)
                eq(pool:stats().waiting, 0) eq(pool:stats().in_use, 0)
                conn = pool:getconn()
                local cancelled = rh.spawn(function() pool:getconn() end)
                rh.sleep(0.01)
                cancelled:cancel()
                raises("cancel", cancelled.wait, cancelled)
                pool:putconn(conn)
                eq(pool:stats().idle, 1)
                """)
        }

        @Test func theSessionIsCleanForTheNext() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1 }
                local pid = pool:with(function(c)
                  c:query("SET search_path = pg_catalog")
                  c:query("CREATE TEMP TABLE left_over (x int)")
                  c:query("SELECT pg_advisory_lock(4711)")
                  c:query("SELECT set_config('work_mem', '1MB', false)")
                  c:query("PREPARE p AS SELECT 1")
                  c:query("DECLARE cur CURSOR WITH HOLD FOR SELECT 1")
                  c:listen("left_over")
                  return c.pid
                end)
                local conn <close> = pool:getconn()
                eq(conn.pid, pid)
                assert(conn:query("SHOW search_path")[1][1]:find("public"))
                eq(conn:query("SELECT to_regclass('pg_temp.left_over') AS r")[1].r, nil)
                eq(conn:query("SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")[1].n, 0)
                eq(conn:query("SELECT count(*) AS n FROM pg_listening_channels()")[1].n, 0)
                eq(conn:query("SELECT count(*) AS n FROM pg_cursors WHERE name <> ''")[1].n, 0)
                assert(conn:query("SHOW work_mem")[1][1] ~= "1MB")

                local loose = rh.pool { dsn = dsn, max = 1, reset = "none" }
                loose:with(function(c) c:query("SET search_path = pg_catalog") end)
                eq(loose:query("SHOW search_path")[1][1], "pg_catalog")
                loose:with(function(c) c:query("BEGIN") end)
                eq(loose:with(function(c) return c.status end), "idle")
                """)
        }

        @Test func theServersFaultsDoNotReachTheNextBorrower() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 3 }
                local killer <close> = rh.pool { dsn = dsn, application_name = "killer" }:getconn()
                local conn = pool:getconn()
                killer:query("SELECT pg_terminate_backend($1, 5000)", conn.pid)
                local e = raises("", conn.query, conn, "SELECT 1")
                eq(conn.status, "broken")
                pool:putconn(conn)
                eq(pool:stats().in_use, 0)
                local idle = pool:with(function(c) return c.pid end)
                killer:query("SELECT pg_terminate_backend($1, 5000)", idle)
                eq(pool:query("SELECT 1 AS x")[1].x, 1)
                raises("", pool.transaction, pool, function(c)
                  killer:query("SELECT pg_terminate_backend($1, 5000)", c.pid)
                  c:query("SELECT 1")
                end)
                raises("", pool.with, pool, function(c)
                  for _ in c:rows("SELECT generate_series(1, 10000000)") do
                    killer:query("SELECT pg_terminate_backend($1, 5000)", c.pid)
                  end
                end)
                eq(pool:query("SELECT 1 AS x")[1].x, 1)
                eq(pool:stats().in_use, 0)
                """)
        }

        @Test func aDSNFunctionIsAskedForEachConnect() async throws {
            try await ScriptRun.passes(
                """
                local calls = 0
                local pool = rh.pool { max = 2, dsn = function()
                  calls = calls + 1
                  rh.sleep(0.001)
                  return dsn .. " application_name=rotated" .. calls
                end }
                eq(calls, 0)
                eq(pool:query("SHOW application_name")[1][1], "rotated1")
                pool:drain()
                eq(pool:query("SHOW application_name")[1][1], "rotated2")
                eq(calls, 2)
                local nothing = rh.pool { dsn = function() end }
                raises("returned no string", nothing.getconn, nothing)
                local broken = rh.pool { dsn = function() error("vault is sealed") end }
                raises("vault is sealed", broken.getconn, broken)
                local wrong = rh.pool { dsn = function() return "postgres://[" end }
                raises("", wrong.getconn, wrong)
                """)
        }

        @Test func onConnectPreparesNewConnections() async throws {
            try await ScriptRun.passes(
                """
                local visited, count = nil, 0
                local pool = rh.pool { dsn = dsn, max = 1, on_connect = function(conn)
                  visited, count = conn, count + 1
                  conn:query("SET timezone = 'Asia/Tokyo'")
                  conn:query("SELECT pg_sleep(0.01)")
                end }
                eq(pool:query("SHOW timezone")[1][1], "Asia/Tokyo", "first borrower")
                pool:with(function(c) c:query("SET search_path = pg_catalog") end)
                eq(count, 1)
                raises("on_connect's", visited.query, visited, "SELECT 1")
                raises("on_connect's", pool.putconn, pool, visited)
                raises('"max" and "maxconn" mean the same', rh.pool, { dsn = dsn, max = 1, maxconn = 2 })
                local failing = rh.pool { dsn = dsn, timeout = "2s", on_connect = function(conn) conn:query("SELECT 1/0") end }
                raises("division by zero", failing.getconn, failing)
                """)
        }

        @Test func unknownOptionsSuggestTheRightOnes() async throws {
            try await ScriptRun.passes(
                """
                local function wrong(text, options) raises(text, rh.pool, options) end
                wrong("expected options, got a string", "sandbox:default")
                wrong('unknown option "maxcon", did you mean "maxconn"?', { maxcon = 1 })
                wrong('unknown option "pasword", did you mean "password"?', { pasword = "hunter2" })
                wrong('unknown option "colour"', { colour = 1 })
                wrong('option "timeout"', { dsn = dsn, timeout = "soon" })
                wrong('option "max"', { dsn = dsn, max = -1 })
                wrong('option "max"', { dsn = dsn, max = 0 })
                wrong('option "reset"', { dsn = dsn, reset = "all" })
                wrong('option "dsn"', { dsn = 5 })
                wrong('min', { dsn = dsn, min = 5, max = 2 })
                wrong("table expected", nil)
                local e = raises("", rh.pool, { dsn = "postgres://u:hunter2@h:x/d" })
                assert(not tostring(e):find("hunter2"), tostring(e))
                local none = rh.pool { host = "/nonexistent", user = "u", password = "hunter2", database = "d" }
                local e = raises("", none.getconn, none, "2s")
                assert(not tostring(e):find("hunter2"), tostring(e))
                local unknown = rh.pool { dsn = dsn, database = "no_such_database" }
                local e = raises('"no_such_database" does not exist', unknown.getconn, unknown)
                eq(e.sqlstate, "3D000")
                eq(rh.pool { dsn = dsn, database = "template1" }:query("SELECT current_database() AS d")[1].d, "template1")
                """)
        }

        @Test func aPoolIsResizedDrainedAndClosed() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1, application_name = "sized" }
                local a = pool:getconn()
                local waiting = rh.spawn(function() local c <close> = pool:getconn() return c.pid end)
                rh.sleep(0.01)
                eq(pool:stats().waiting, 1)
                pool:resize(2)
                assert(waiting:wait() ~= a.pid)
                eq(pool:stats().max, 2)
                raises("", pool.resize, pool, 0)
                raises("", pool.resize, pool, "many")
                local pid = a.pid
                pool:drain()
                eq(a:query("SELECT 1 AS x")[1].x, 1)
                pool:putconn(a)
                assert(pool:with(function(c) return c.pid end) ~= pid)
                local s = pool:stats()
                assert(s.acquired >= 3 and s.created >= 3, s.acquired)
                eq(s.closed, false)
                eq(math.type(s.wait.count), "integer")
                local held = pool:getconn()
                local hanging = rh.spawn(function() return pcall(held.query, held, "SELECT pg_sleep(30)") end)
                rh.sleep(0.01)
                pool:close("50ms")
                eq(pool:stats().closed, true)
                eq(hanging:wait(), false)
                raises("", held.query, held, "SELECT 1")
                raises("pool is closed", pool.getconn, pool)
                eq(tostring(pool):sub(1, 4), "pool")
                pool:close()
                local again = rh.pool { dsn = dsn, max = 1, application_name = "sized" }
                eq(again:query("SELECT 1 AS x")[1].x, 1)
                """)
        }

        @Test func theSameOptionsAreTheSamePool() async throws {
            try await ScriptRun.passes(
                """
                local a, b = rh.pool { dsn = dsn, max = 3 }, rh.pool { dsn = dsn, max = 3 }
                local conn <close> = a:getconn()
                eq(b:stats().in_use, 1)
                eq(rh.pool { dsn = dsn, max = 4 }:stats().in_use, 0)
                """)
        }

        @Test func manyTasksShareFewConnections() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 3, application_name = "many" }
                local items = {}
                for i = 1, 200 do items[i] = i end
                local most = 0
                local results = rh.map(items, function(i)
                  local c <close> = pool:getconn()
                  most = math.max(most, pool:stats().in_use)
                  return c:query("SELECT $1::int * 2 AS x", i)[1].x
                end, { concurrency = 50 })
                for i = 1, 200 do eq(results[i], i * 2) end
                assert(most <= 3, most)
                assert(pool:stats().created <= 3)
                """)
        }
    }
}
