import LuaRuntime
import Sandbox
import TestSupport
import Testing

@testable import Scripting

extension ScriptTests {
    /// `replhost.test`: what tests of pipelines can do without a database.
    @Suite struct PipelineTrials {
        private static let shop = """
            local rh = require "replhost"
            local pool = rh.pool { dsn = "host=/nowhere" }
            return rh.pipeline "shop" {
              source = pool, sink = pool, stream = false,
              tables = {
                ["public.customers"] = { to = "dw.people", columns = { "id", email = "mail", country = "country", amount = "amount" },
                  key = "id", types = { tag = "text" }, transform = function(row, event)
                    if row.country == "ZZ" then return rh.drop end
                    if row.country == "NIL" then return end
                    if event.op == "update" and event.changed("mail") then row.tag = "was " .. event.old.mail end
                    row.mail = rh.mask.email(row.mail)
                    return { row, rh.to("dw.log", { id = event.key.id, op = event.op, snapshot = event.snapshot }) }
                  end },
                ["public.lines"] = { transform_batch = function(batch)
                    for row in batch:each() do
                      row.total = row.price * row.count
                      if row.count == 0 then batch:drop(row) end
                      if row.count > 9 then batch:emit("dw.big", { id = row.id }) end
                    end
                  end, types = { total = "numeric" } },
                ["public.audit_*"] = rh.skip,
                ["public.other*"] = rh.copy,
              },
            }
            """

        private static let schema = """
            return {
              ["public.lines"] = {
                { name = "id", type = "bigint", key = true }, { name = "price", type = "numeric(10,2)" },
                { name = "count", type = "integer" }, { name = "at", type = "timestamp with time zone" },
                { name = "tags", type = "text[]" },
              },
            }
            """

        private static let recorded = """
            return {
              ["public.customers"] = {
                { name = "id", type = "bigint", key = true, not_null = true },
                { name = "email", type = "text", not_null = true },
                { name = "country", type = "country", base = "character varying(3)" },
                { name = "amount", type = "numeric(5,2)" },
                { name = "shown", type = "text", generated = true },
              },
              ["public.others"] = {
                { name = "mood", type = "mood", labels = { "sad", "happy" } }, { name = "code", type = "character(3)" },
                { name = "born", type = "date" }, { name = "n", type = "smallint" }, { name = "doc", type = "jsonb" },
                { name = "twice", type = "integer", generated = true },
              },
            }
            """

        private static func run(_ script: String) async throws {
            let directory = try TestWorkspace.shared().makeDirectory("trial")
            try FileTree.append(shop, to: directory + "/shop.lua")
            try FileTree.append(schema, to: directory + "/types.lua")
            try FileTree.append("return 7", to: directory + "/seven.lua")
            try FileTree.append("return { t = { { name = 'a', typ = 'text' } } }", to: directory + "/misspelt.lua")
            try FileTree.append(shop, to: directory + "/store.lua")
            try FileTree.append(recorded, to: directory + "/store_schema.lua")
            let path = directory + "/shop_test.lua"
            try FileTree.append("local t = require 'replhost.test' " + script, to: path)
            let host = try await ScriptHost.start(ScriptOptions())
            let outcome = await host.run(.file(path))
            await host.close()
            if case .finished = outcome { return }
            Issue.record(Comment(rawValue: ScriptRun.describe(outcome)))
        }

        @Test func aRowGoesThroughThePipelinesFunctions() async throws {
            try await Self.run(
                """
                local shop = t.load "shop.lua"
                local out = t.run(shop, "public.customers",
                  { op = "insert", row = { id = 1, email = "ann@x.org", country = "AT", ignored = 1 } })
                t.equal(#out, 2)
                t.equal(out[1].table, "dw.people")
                t.equal(out[1].row.id, 1)
                t.no_match(out[1].row.mail, "ann")
                t.equal(out[1].row.ignored, nil)
                t.equal(out[2], { table = "dw.log", row = { id = 1, op = "insert", snapshot = false } })
                t.equal(t.run(shop, "customers", { row = { id = 1, country = "ZZ" } }), {})
                local changed = t.run(shop, "customers", { op = "update", old = { id = 1, email = "a" },
                  row = { id = 1, email = "b" } })
                t.equal(changed[1].row.tag, "was a")
                t.equal(t.run(shop, "public.audit_log", { row = { id = 1 } }), {})
                t.equal(t.run(shop, "public.others", { row = { id = 1, n = 2.5 } })[1],
                  { table = "public.others", row = { id = 1, n = 2.5 } })
                t.raises("returned nothing", t.run, shop, "customers", { row = { country = "NIL" } })
                t.raises('has nothing for table public%.nowhere', t.run, shop, "nowhere", { row = {} })
                t.raises('unknown option "rwo", did you mean "row"', t.run, shop, "customers", { rwo = {} })
                t.raises('expected "read", "insert", "update" or "delete", got "isnert", did you mean "insert"', t.run, shop,
                  "customers", { op = "isnert", row = {} })
                """)
        }

        @Test func recordedTypesMakeRealValues() async throws {
            try await Self.run(
                """
                local shop = t.load "shop.lua"
                t.schema "types.lua"
                local out = t.run(shop, "public.lines",
                  { row = { id = 1, price = 2.5, count = 10, at = "2024-01-01 01:00:00+01", tags = { "a" } } })
                t.equal(#out, 2)
                t.equal(out[1], { table = "dw.big", row = { id = 1 } })
                t.equal(tostring(out[2].row.total), "25.00")
                t.equal(tostring(out[2].row.price), "2.50")
                t.equal(out[2].row.at, "2024-01-01 00:00:00+00")
                t.equal(out[2].row.tags[1], "a")
                t.equal(#t.run(shop, "public.lines", { row = { count = 0, price = 1 } }), 0)
                t.raises('no column "cuont", did you mean "count"', t.run, shop, "public.lines", { row = { cuont = 1 } })
                t.raises('column "count"', t.run, shop, "public.lines", { row = { count = "many" } })
                """)
        }

        @Test func typesBesideThePipelineCountByThemselves() async throws {
            try await Self.run(
                """
                local rh = require "replhost"
                local store = t.load "store.lua"
                local out = t.run(store, "public.customers", { row = { id = 1, email = "a@b.c", amount = 1.005, shown = "x" } })
                t.equal(tostring(out[1].row.amount), "1.01")
                t.equal(out[1].row.shown, nil)
                local other = t.run(store, "public.others", { row = { code = "a", mood = "sad", doc = "{}", twice = 2 } })
                t.equal(other[1].row, { code = "a  ", mood = "sad", doc = "{}" })
                local function refused(text, table_name, row) t.raises(text, t.run, store, table_name, { row = row }) end
                refused('no column "emial", did you mean "email"', "public.customers", { emial = "a" })
                refused('column "country": 4 characters are too many for character varying%(3%)', "public.customers",
                  { country = "AUTO" })
                refused('column "amount": too large for numeric%(5,2%)', "public.customers", { amount = 1000 })
                refused('column "id": NULL, but the column is NOT NULL', "public.customers", { id = rh.null })
                refused('column "mood": no label of mood, did you mean "happy"', "public.others", { mood = "hapy" })
                refused('column "born": .*no such day', "public.others", { born = "2023-02-29" })
                refused('column "n": value out of range', "public.others", { n = 40000 })
                refused('column "doc": not JSON', "public.others", { doc = "{" })
                """)
        }

        @Test func aValueThatTheTargetWouldRefuseIsAnError() async throws {
            try await Self.run(
                """
                local rh = require "replhost"
                local store = t.load "store.lua"
                rh.mask.email = function() return nil end
                t.raises('column "mail" of dw.people is NOT NULL and gets no value', t.run, store, "public.customers",
                  { row = { id = 1, email = "a@b.c" } })
                """)
        }

        @Test func aSchemaIsChecked() async throws {
            try await Self.run(
                """
                t.raises("cannot open", t.schema, "nowhere.lua")
                t.raises("expected a table of tables, got 7", t.schema, "seven.lua")
                t.raises('column 1: unknown option "typ", did you mean "type"', t.schema, "misspelt.lua")
                """)
        }

        @Test func expectationsSayWhatWasFound() async throws {
            try await Self.run(
                """
                local function refused(text, name, ...)
                  local ok, problem = pcall(t[name], ...)
                  assert(not ok and tostring(problem):find(text, 1, true), tostring(problem))
                end
                refused('shop_test.lua:2: expected 1, found 2', "equal", 2, 1)
                refused('expected { a = 1 }, found { a = 1, b = "x" }', "equal", { a = 1, b = "x" }, { a = 1 })
                refused('sum: expected 1, found nil', "equal", nil, 1, "sum")
                refused('expected anything but { 1, 2 }', "not_equal", { 1, 2 }, { 1, 2 })
                refused('"abc" does not match "^b"', "match", "abc", "^b")
                refused('"abc" matches "b"', "no_match", "abc", "b")
                refused('expected something, found nil', "truthy", nil)
                refused('no error, expected one like "x"', "raises", "x", function() end)
                refused('error "y" does not match "x"', "raises", "x", error, "y")
                t.equal({ { 1 }, x = "y" }, { { 1 }, x = "y" })
                refused('"seven.lua" returned no pipeline, but 7', "load", "seven.lua")
                t.case("one", function() end)
                t.case("two", function() end)
                local cases = t.take()
                t.equal(#cases, 2)
                t.equal(cases[2].name, "two")
                t.match(cases[2].file, "shop_test.lua$")
                t.equal(cases[2].line, 17)
                t.equal(#t.take(), 0)
                """)
        }
    }
}
