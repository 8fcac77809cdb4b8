import Foundation
import TestSupport
import Testing

/// `replhost types`, as a user types it.
@Suite(.onServer) struct ConsoleTypesTests {
    private let schema = """
        create type mood as enum ('sad', 'happy'); create domain zip as varchar(5); create domain home_zip as zip not null;
        create table customers (id bigint generated always as identity primary key, email text not null, zip home_zip,
          mood mood, spent numeric(10,2), twice numeric generated always as (spent * 2) stored);
        comment on table customers is 'Who buys'; comment on column customers.email is 'where we write to';
        create table orders (id bigint primary key, placed_at timestamptz not null, tags text[], hidden text);
        create table audit_log (id int); create table nothing ();
        create table "Odd ""one" ("a b" int, "end" float8);
        """

    private func makeFile() throws -> (path: String, source: String) {
        let server = try TestServer.shared()
        let source = try server.makeDatabase()
        try server.run(schema, in: source)
        let path = try ConsoleProcess.makeFile(
            "shop.lua",
            """
            local rh = require "replhost"
            return rh.pipeline "shop" {
              source = rh.pool { dsn = "\(source)" }, sink = rh.pool { dsn = "host=/nowhere" },
              tables = {
                ["public.customers"] = function(row)
                  row.spent = row.spent + 1
                  return row
                end,
                ["public.orders"] = { columns = { id = "order_id", placed_at = "placed_at", tags = "tags" },
                  types = { note = "text", order_id = "numeric" } },
                ["public.audit_*"] = rh.skip,
                ["public.*"] = rh.copy,
              },
            }
            """)
        return (path, source)
    }

    @Test func definesTheRowsThatFunctionsSee() async throws {
        let (path, _) = try makeFile()
        let result = try await ConsoleProcess.run("types", path)

        #expect(result.status == 0, "\(result)")
        #expect(
            result.output.contains(
                """
                --- public.customers: Who buys
                ---@class (exact) public.customers: Row
                ---@field id integer # bigint, key
                ---@field email string # text: where we write to
                ---@field zip string # home_zip, a domain over character varying(5)
                ---@field mood "sad"|"happy"|nil # mood
                ---@field spent Decimal? # numeric(10,2)

                ---@class public.customers.event: Event
                """), "\(result.output)")
        #expect(
            result.output.contains(
                """
                ---@class (exact) public.orders: Row
                ---@field order_id integer # bigint, numeric in the target, key
                ---@field placed_at string # timestamp with time zone
                ---@field tags (string|Null)[]|nil # text[]
                ---@field note string? # text

                """))
        #expect(result.output.contains(#"---@field ["a b"] integer? # integer"#))
        #expect(result.output.contains(#"---@field ["end"] number? # double precision"#))
        #expect(result.output.contains(#"---@field ['public."Odd ""one"'] (fun(row: public.Odd__one,"#))
        #expect(!result.output.contains("audit_log"))
    }

    @Test func definesAllTablesOfADatabase() async throws {
        let (_, source) = try makeFile()
        let result = try await ConsoleProcess.run("types", source)

        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains("-- The tables of a database, for"))
        #expect(result.output.contains("---@field twice Decimal? # numeric, generated\n"))
        #expect(result.output.contains("---@field hidden string? # text\n"))
        #expect(result.output.contains("---@class (exact) public.audit_log: Row\n"))
    }

    @Test func printsTheAPI() async throws {
        let result = try await ConsoleProcess.run("types")

        #expect(result.status == 0)
        #expect(result.output.hasPrefix("---@meta replhost\n"))
        #expect(result.output.hasSuffix("return rh\n"))
    }

    @Test func printsJSON() async throws {
        let (path, _) = try makeFile()
        let result = try await ConsoleProcess.run("types", "--json", path)
        let tables = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]]
        let customers = try #require(tables?.first { $0["table"] as? String == "public.customers" })
        let columns = try #require(customers["columns"] as? [[String: Any]])
        let email = try #require(columns.first { $0["name"] as? String == "email" })

        #expect(tables?.count == 4)
        #expect(customers["pipeline"] as? String == "shop")
        #expect(columns.count == 6)
        #expect(email["lua_type"] as? String == "string" && email["nullable"] as? Bool == false)
    }

    /// The whole way: types are recorded, the server is out of reach, and tests see real values.
    @Test func recordsWhatTestsWithoutADatabaseSee() async throws {
        let (path, _) = try makeFile()
        let directory = (path as NSString).deletingLastPathComponent
        let recorded = try await ConsoleProcess.run("types", path, "--record")
        let again = try await ConsoleProcess.run("types", path, "--record")
        let pipeline = try String(contentsOfFile: path, encoding: .utf8).replacing(
            /dsn = "[^"]*"/, with: #"dsn = "host=/nowhere""#)
        try pipeline.write(toFile: path, atomically: true, encoding: .utf8)
        let test = directory + "/shop_test.lua"
        try """
        local t = require "replhost.test"
        local shop = t.load "shop.lua"
        local function customer(row) return t.run(shop, "public.customers", { row = row })[1].row end
        t.case("numeric is exact", function()
          t.equal(tostring(customer { id = 1, email = "a", spent = 0.1 }.spent), "1.10")
        end)
        t.case("times are in UTC", function()
          local order = t.run(shop, "public.orders", { row = { id = 1, placed_at = "2024-01-01 01:00:00+01" } })[1].row
          t.equal(order.placed_at, "2024-01-01 00:00:00+00")
        end)
        t.case("columns and values are checked", function()
          t.raises('no column "emial", did you mean "email"', customer, { id = 1, emial = "a" })
          t.raises('column "mood": no label of mood', customer, { id = 1, spent = 1, mood = "glad" })
          t.raises('column "zip": 6 characters are too many', customer, { id = 1, spent = 1, zip = "123456" })
          t.raises('column "spent": too large', customer, { id = 1, spent = "123456789" })
        end)
        """.write(toFile: test, atomically: true, encoding: .utf8)
        let tested = try await ConsoleProcess.run("test", test)

        #expect(recorded == .init(status: 0, output: "", errors: ""))
        #expect(again == recorded)
        #expect(tested.status == 0, "\(tested.output)")
        #expect(tested.output.hasSuffix("3 passed, 0 failed\n"), "\(tested.output)")
    }

    @Test func aTestMayAskTheDatabaseItself() async throws {
        let (path, source) = try makeFile()
        let test = (path as NSString).deletingLastPathComponent + "/live_test.lua"
        try """
        local t, rh = require "replhost.test", require "replhost"
        local shop = t.load "shop.lua"
        local tables = t.schema(rh.pool { dsn = "\(source)" })
        t.case("types are the server's", function()
          t.equal(tables["public.audit_log"], { { name = "id", type = "integer" } })
          t.equal(tables["public.customers"][4], { name = "mood", type = "mood", labels = { "sad", "happy" } })
          local out = t.run(shop, "public.customers", { row = { id = 1, email = "a", spent = 1 } })
          t.equal(tostring(out[1].row.spent), "2.00")
          t.raises("no label of mood", t.run, shop, "public.customers", { row = { id = 1, mood = "glad", spent = 1 } })
        end)
        t.case("a lost server is an error", function()
          t.raises("unreachable", t.schema, rh.pool { dsn = "host=/nowhere", fail_fast_after = 0.1 })
        end)
        """.write(toFile: test, atomically: true, encoding: .utf8)
        let tested = try await ConsoleProcess.run("test", test)

        #expect(tested.output.hasSuffix("2 passed, 0 failed\n"), "\(tested)")
    }

    @Test func saysWhatIsWrong() async throws {
        let (path, source) = try makeFile()
        let empty = try TestServer.shared().makeDatabase()
        let file = try await ConsoleProcess.run("types", source, "--record")
        let nothing = try await ConsoleProcess.run("types", empty)
        let overwritten = try await ConsoleProcess.run("types", path, "-o", path)
        let away = try await ConsoleProcess.run("types", "host=/nowhere password=secret")
        let misspelt = try await ConsoleProcess.run("types", "host=/nowhere pasword=secret")

        #expect(file.status == 2)
        #expect(file.errors.contains("--record needs the name of the file to write"))
        #expect(nothing.status == 1)
        #expect(nothing.errors.hasPrefix("error[RH3493]: the database has no tables\n"))
        #expect(overwritten.status == 1)
        #expect(overwritten.errors.contains("error[RH3492]: "))
        #expect(away.status == 1)
        #expect(away.errors.contains("error[RH2302]: ") && !away.errors.contains("source"))
        #expect(misspelt.status == 1)
        #expect(misspelt.errors.hasPrefix("error[RH") && !misspelt.errors.contains("secret"))
        #expect(!misspelt.errors.contains("-->"), "\(misspelt.errors)")
    }
}
