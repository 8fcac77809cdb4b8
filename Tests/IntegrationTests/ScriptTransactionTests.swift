import Scripting
import Testing

extension ScriptTests {
    /// Statements, transactions and what else a connection does for a script.
    @Suite struct Transactions {
        @Test func aTransactionCommitsOrRollsBack() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                conn:query("CREATE TEMP TABLE t (x int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
                local a, b = conn:transaction(function(c)
                  eq(c.status, "transaction")
                  c:query("INSERT INTO t VALUES (1)")
                  return "one", nil
                end)
                eq(a, "one") eq(b, nil) eq(conn.status, "idle")
                local mark = {}
                local ok, e = pcall(conn.transaction, conn, function(c) c:query("INSERT INTO t VALUES (2)") error(mark) end)
                eq(ok, false) eq(e, mark)
                raises("division by zero", conn.transaction, conn, function(c) c:query("SELECT 1/0") end)
                eq(conn:query("SELECT count(*) AS n FROM t")[1].n, 1)
                local failure = raises("duplicate key", conn.transaction, conn, function(c) c:query("INSERT INTO t VALUES (1)") end)
                eq(failure.sqlstate, "23505") eq(failure.constraint, "t_pkey") eq(conn.status, "idle")
                raises("read-only transaction", conn.transaction, conn, { readonly = true }, function(c) c:query("CREATE TABLE no_table ()") end)
                conn:transaction({ isolation = "serializable", readonly = true, deferrable = true }, function(c)
                  eq(c:query("SHOW transaction_isolation")[1][1], "serializable")
                  eq(c:query("SHOW transaction_deferrable")[1][1], "on")
                end)
                raises('option "isolation"', conn.transaction, conn, { isolation = "none" }, function() end)
                raises("function expected", conn.transaction, conn, {})
                local swallowed = raises("", conn.transaction, conn, function(c) pcall(c.query, c, "SELECT 1/0") return "done" end)
                assert(tostring(swallowed):find("roll"), tostring(swallowed))
                eq(conn.status, "idle")
                """)
        }

        @Test func nestedTransactionsAreSavepoints() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                conn:query("CREATE TEMP TABLE t (x int)")
                conn:transaction(function(c)
                  c:query("INSERT INTO t VALUES (1)")
                  raises("inner", c.transaction, c, function()
                    c:query("INSERT INTO t VALUES (2)")
                    c:transaction(function() c:query("INSERT INTO t VALUES (3)") end)
                    error("inner")
                  end)
                  raises("division", c.transaction, c, function() c:query("SELECT 1/0") end)
                  eq(c.status, "transaction")
                  eq(c:transaction(function() c:query("INSERT INTO t VALUES (4)") return 4 end), 4)
                end)
                eq(conn:query("SELECT array_agg(x ORDER BY x)::text AS a FROM t")[1].a, "{1,4}")
                """)
        }

        @Test func serializationFailuresAreRetried() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                pool:query("DROP TABLE IF EXISTS tx_retry")
                pool:query("CREATE TABLE tx_retry (x int)")
                local runs, ready = 0, 0
                local function add(i)
                  pool:with(function(conn)
                    conn:transaction({ isolation = "serializable", retries = 20 }, function(c)
                      runs = runs + 1
                      local n = c:query("SELECT count(*) AS n FROM tx_retry")[1].n
                      ready = ready + 1
                      while ready < 2 do rh.sleep(0.001) end
                      c:query("INSERT INTO tx_retry VALUES ($1)", n)
                    end)
                  end)
                end
                rh.map({ 1, 2 }, add)
                assert(runs > 2, runs)
                eq(pool:query("SELECT array_agg(x ORDER BY x)::text AS a FROM tx_retry")[1].a, "{0,1}")
                local tries = 0
                local e = raises("could not serialize", pool.transaction, pool, { retries = 2 }, function(c)
                  tries = tries + 1
                  c:query("DO $$ BEGIN RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001'; END $$")
                end)
                eq(tries, 3) eq(e.retryable, true)
                pool:query("DROP TABLE tx_retry")
                """)
        }

        @Test func leavingTheRowsEarlyLeavesTheConnectionUsable() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                local conn <close> = pool:getconn()
                for row in conn:rows("SELECT generate_series(1, 100000000) AS g") do if row.g == 3 then break end end
                eq(conn:query("SELECT 1 AS x")[1].x, 1)
                for row in conn:copy_out("SELECT generate_series(1, 100000000) AS g") do if row.g == 3 then break end end
                eq(conn:query("SELECT 2 AS x")[1].x, 2)
                raises("enough", function() for _ in conn:rows("SELECT generate_series(1, 100000)") do error("enough") end end)
                eq(conn.status, "idle")
                conn:transaction(function(c)
                  for row in c:rows("SELECT generate_series(1, 10)") do break end
                  eq(c:query("SELECT 3 AS x")[1].x, 3)
                end)
                local failed = raises("division by zero", function()
                  for _ in conn:rows("SELECT 1 / (5 - g) FROM generate_series(1, 10) g") do end
                end)
                eq(failed.sqlstate, "22012")
                for _ in conn:rows("SELECT 1") do
                  raises("", conn.query, conn, "SELECT 2")
                end
                eq(conn:query("SELECT 4 AS x")[1].x, 4)
                local next_row = conn:rows("SELECT generate_series(1, 100000)")
                next_row()
                pool:putconn(conn)
                raises("returned", next_row)
                local other <close> = pool:getconn()
                eq(other:query("SELECT 5 AS x")[1].x, 5)
                raises("returned", next_row)
                """)
        }

        @Test func anIteratorOrWriterIsDeadOnceItsConnectionWasReturned() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, max = 1 }
                local conn = pool:getconn()
                conn:query("CREATE TABLE IF NOT EXISTS tx_dead (x int)")
                local w = conn:copy_in("tx_dead")
                w { x = 1 }
                pool:putconn(conn)
                local other <close> = pool:getconn()
                raises("cannot be used any more", w, { x = 2 })
                raises("cannot be used any more", w.close, w)
                local row = other:query("SELECT 1 AS x")[1]
                eq(row.x, 1)
                raises("", w.close, w)
                eq(other:query("SELECT count(*) AS n FROM tx_dead")[1].n, 0)
                do
                  local unfinished <close> = other:copy_in("tx_dead")
                  unfinished { x = 3 }
                end
                eq(other:query("SELECT count(*) AS n FROM tx_dead")[1].n, 0)
                raises("violates", function()
                  other:query("ALTER TABLE tx_dead ADD CHECK (x < 10)")
                  local w <close> = other:copy_in("tx_dead")
                  for i = 1, 100 do w { x = i } end
                  w:close()
                end)
                eq(other.status, "idle")
                other:query("DROP TABLE tx_dead")
                """)
        }

        @Test func tryqueryReturnsTheError() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                local r, none = conn:tryquery("SELECT $1::int AS x", 1)
                eq(r[1].x, 1) eq(none, nil)
                local nothing, e = conn:tryquery("SELECT nope\\nFROM pg_class")
                eq(nothing, nil) eq(e.sqlstate, "42703") eq(e.severity, "ERROR") eq(e.position, 8) eq(e.retryable, false)
                assert(tostring(e):find("LINE 1: SELECT nope", 1, true), tostring(e))
                local raised = raises('column "nope" does not exist', conn.query, conn, "SELECT nope")
                assert(raised.query:find("nope"))
                raises("type", conn.query, conn, "SELECT $1::int", "one")
                raises("parameter", conn.query, conn, "SELECT $1::int")
                raises("parameter", conn.query, conn, "SELECT $1", print)
                raises("SQL text expected", conn.query, conn)
                eq(conn:query("SELECT 1 AS x")[1].x, 1)
                """)
        }

        @Test func parametersTakeTheTypeThatTheServerInfers() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                eq(conn:query("SELECT $1::int8 + 1 AS x", 41)[1].x, 42)
                eq(conn:query("SELECT 10 / $1 AS x", 4)[1].x, 2)
                eq(conn:query("SELECT $1::float8 AS x", 0.1)[1].x, 0.1)
                eq(conn:query("SELECT $1::float8 AS x", 1/0)[1].x, 1/0)
                eq(tostring(conn:query("SELECT $1::numeric AS x", rh.decimal("1.10"))[1].x), "1.10")
                eq(conn:query("SELECT $1::text AS x", "ann's")[1].x, "ann's")
                eq(conn:query("SELECT $1::text AS x", "")[1].x, "")
                eq(conn:query("SELECT $1::text AS x", 12)[1].x, "12")
                eq(conn:query("SELECT $1::bool AS x", false)[1].x, false)
                eq(conn:query("SELECT $1::jsonb ->> 'a' AS x", { a = "b" })[1].x, "b")
                eq(conn:query("SELECT $1::jsonb::text AS x", rh.json.array {})[1].x, "[]")
                eq(conn:query("SELECT count(*) AS n FROM generate_series(1, 10) g WHERE g = any($1)", { 2, 3, 99 })[1].n, 2)
                eq(conn:query("SELECT count(*) AS n FROM pg_class WHERE relname = any($1)", { "pg_class", "pg_type" })[1].n, 2)
                eq(conn:query("SELECT $1::date + $2::int AS d", "2024-02-28", 2)[1].d, "2024-03-01")
                eq(conn:query("SELECT $1 || 'b' AS x", "a")[1].x, "ab")
                eq(conn:query("SELECT coalesce($1, 'none') AS x", nil)[1].x, "none")
                eq(conn:query("SELECT $1::bytea = '\\\\x00ff' AS ok", "\\0\\xff")[1].ok, true)
                eq(conn:query("SELECT $1::timestamptz = '2024-01-01 00:00+00' AS ok", rh.time.parse("2024-01-01 00:00:00+00"))[1].ok, true)
                """)
        }

        @Test func statementsArePreparedAgainAfterDDL() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                conn:query("CREATE TEMP TABLE t AS SELECT 1 AS a")
                local stmt = conn:prepare("SELECT * FROM t WHERE a = $1")
                eq(stmt:query(1)[1].a, 1)
                conn:query("ALTER TABLE t ADD b text DEFAULT 'x'")
                eq(stmt:query(1)[1].b, "x")
                conn:query("ALTER TABLE t ALTER a TYPE text")
                eq(#stmt:query("1"), 1)
                eq(conn:query("SELECT * FROM t")[1].b, "x")
                conn:query("ALTER TABLE t DROP b")
                eq(#conn:query("SELECT * FROM t")[1], 1)
                for row in conn:rows("SELECT * FROM t") do eq(#row, 1) end
                conn:query("ALTER TABLE t ADD c int DEFAULT 7")
                for row in conn:rows("SELECT * FROM t") do eq(row.c, 7) end
                raises("does not exist", conn.prepare, conn, "SELECT * FROM no_such_table")
                """)
        }

        @Test func whatIsMisspeltOrTooMuchIsSaid() async throws {
            try await ScriptRun.passes(
                """
                local pool <const> = rh.pool { dsn = dsn }
                local conn <close> = pool:getconn()
                raises("0 parameters, 1 given", conn.query, conn, "SELECT 1", 2)
                raises("1 parameter, 2 given", conn.query, conn, "SELECT $1::int, '$2', $$ $3 $$", 2, 3)
                raises('a connection has no "qurey", did you mean "query"', function() return conn:qurey("SELECT 1") end)
                raises('a pool has no "getcon", did you mean "getconn"', function() return pool:getcon() end)
                raises('rh.mask has no "emial", did you mean "email"', function() return rh.mask.emial("x") end)
                raises('a result has no "x", its rows have', function() return conn:query("SELECT 1 AS x").x end)
                raises("bad argument #1 to 'conn:query'", conn.query, conn)
                raises("bad argument #2 to 'conn:query'", conn.query, conn, "SELECT $1", print)
                raises("bad argument #1 to 'pool:putconn'", pool.putconn, pool)
                raises('"select 1" is not a table name', conn.copy_in, conn, "select 1")
                raises('relation "nowhere" does not exist', conn.copy_in, conn, "nowhere")
                eq(conn:query("SELECT 1").nothing, nil)
                """)
        }

        @Test func severalStatementsRunAsOne() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                local r = conn:query("CREATE TEMP TABLE m (x int); INSERT INTO m VALUES (1), (2); SELECT sum(x) AS s FROM m")
                eq(r[1].s, 3)
                raises("several statements", conn.query, conn, "SELECT $1; SELECT 2", 1)
                raises("division", conn.query, conn, "INSERT INTO m VALUES (3); SELECT 1/0")
                eq(conn:query("SELECT count(*) AS n FROM m;")[1].n, 2)
                eq(#conn:query(""), 0) eq(#conn:query("-- nothing"), 0)
                eq(conn:query("SELECT ';' AS s -- ; comment")[1].s, ";")
                eq(conn:query("DO $$ BEGIN PERFORM 1; END $$").command, "DO")
                """)
        }

        @Test func aPipelineIsOneRoundTrip() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                conn:query("CREATE TEMP TABLE p (x int PRIMARY KEY)")
                local results = conn:pipeline(function(p)
                  for i = 1, 300 do p:query("INSERT INTO p VALUES ($1)", i) end
                  p:query("SELECT count(*) AS n FROM p")
                end)
                eq(#results, 301) eq(results[301][1].n, 300) eq(results[1].affected, 1)
                local e = raises("duplicate key", conn.pipeline, conn, function(p)
                  p:query("INSERT INTO p VALUES (1000)")
                  p:query("INSERT INTO p VALUES (1)")
                  p:query("INSERT INTO p VALUES (1001)")
                end)
                eq(e.sqlstate, "23505")
                eq(conn.status, "idle")
                eq(#conn:pipeline(function() end), 0)
                raises("oops", conn.pipeline, conn, function(p) p:query("SELECT 1") error("oops") end)
                eq(conn:query("SELECT 1 AS x")[1].x, 1)
                """)
        }

        @Test func notificationsArrive() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                local conn <close> = pool:getconn()
                conn:listen("Odd channel")
                local sender = rh.spawn(function()
                  pool:with(function(c)
                    for i = 1, 3 do c:notify("Odd channel", "n" .. i) rh.sleep(0.01) end
                  end)
                end)
                local got = {}
                for n in conn:notifications("5s") do
                  got[#got + 1] = n.payload
                  eq(n.channel, "Odd channel") eq(math.type(n.pid), "integer")
                  if #got == 3 then break end
                end
                eq(table.concat(got, " "), "n1 n2 n3")
                for _ in conn:notifications("50ms") do error("unexpected") end
                sender:wait()
                conn:notify("Odd channel")
                for n in conn:notifications("5s") do eq(n.payload, "") break end
                """)
        }

        @Test func aQueryIsCancelledFromAnotherTask() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn }
                local conn <close> = pool:getconn()
                local task = rh.spawn(function() return conn:tryquery("SELECT pg_sleep(30)") end)
                rh.sleep(0.05)
                raises("", conn.query, conn, "SELECT 1")
                conn:cancel()
                local r, e = task:wait()
                eq(r, nil) eq(e.sqlstate, "57014")
                eq(conn:query("SELECT 1 AS x")[1].x, 1)
                conn:cancel()
                eq(conn:query("SELECT 2 AS x")[1].x, 2)

                local stopped = rh.spawn(function() conn:query("SELECT pg_sleep(30)") end)
                rh.sleep(0.05)
                stopped:cancel()
                raises("cancel", stopped.wait, stopped)
                eq(conn:query("SELECT 3 AS x")[1].x, 3)
                raises("timed out", rh.timeout, 0.05, function() conn:query("SELECT pg_sleep(30)") end)
                eq(conn:query("SELECT 4 AS x")[1].x, 4)
                """)
        }
    }
}
