import Scripting
import TestSupport
import Testing

extension ScriptTests {
    /// Functions of pipelines between two databases.
    @Suite struct PipelineFunctionRuns {
        private let types = """
            id bigint primary key, b bool, i2 int2, o oid, f4 float4, f8 float8, n numeric, t text, v varchar(9), c char(3),
            u uuid, net inet, iv interval, j json, jb jsonb, by bytea, d date, tm time, tz timetz, ts timestamp,
            tst timestamptz, ia int4[], ta text[], na numeric[], bt varbit, m macaddr, "Odd ""Name" text
            """
        private let values = [
            """
            1, true, -32768, 4294967295, 'NaN', '-infinity', 123456789012345678901234567890.5, E'a\\tb\\\\c\\n', 'x', 'x',
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.1.2.3/8', '1 mon -1 day 00:00:00.000001', '{"a": [1, 2]}',
            '{"a": null}', '\\x005c0aff', '0044-03-15 BC', '24:00', '04:05:06.5-11:30', '-infinity', 'infinity',
            '{{1,2},{3,NULL}}', '[2:3]={a,"b c"}', '{1.10,NaN,NULL}', B'1010', '08:00:2b:01:02:03', '\\N'
            """,
            """
            2, NULL, NULL, NULL, NULL, NULL, 'NaN', '', '', '', NULL, NULL, NULL, NULL, NULL, '', 'infinity', NULL, NULL,
            NULL, NULL, '{}', '{"",NULL,"NULL"}', NULL, B'', NULL, ''
            """,
        ]
        private let more = "r int4range, p point, tv tsvector"
        private let moreValues = "'[1,5)', '(1.5,-2)', '''a'' & b'::text::tsvector"

        @Test(arguments: [
            "return row", "row.t = row.t row.n = row.n row.ta = row.ta row.iv = row.iv return row",
            "local t = row:totable() for _, name in ipairs(row:columns()) do if t[name] == nil then t[name] = rh.null end end "
                + "return t",
        ])
        func everyTypeArrivesAsItWas(body: String) async throws {
            let file = try PipelineFile(
                """
                return rh.pipeline "types" {
                  source = source, sink = sink, stream = false, tables = { ["public.*"] = function(row) \(body) end },
                }
                """)
            let schema = "create table portable (\(types)); create table mixed (\(types), \(more))"
            try file.run(onSource: schema)
            for row in values {
                try file.run(
                    onSource: "insert into portable values (\(row))", "insert into mixed values (\(row), \(moreValues))"
                )
            }
            try file.run(onTarget: schema)

            let result = try #require(try await file.copy().value().first)

            #expect(result.written == 4)
            for table in ["portable", "mixed"] {
                let text = "select string_agg(t::text, E'\\n' order by id) from \(table) t"
                let (left, right) = (
                    try file.server.run(text, in: file.source), try file.server.run(text, in: file.target)
                )
                #expect(left == right)
            }
        }

        /// Other columns in each row, more than have bits of their own, values of other types, long ones.
        @Test func assignedColumnsArriveWhateverRowsBeforeHadAssigned() async throws {
            let file = try PipelineFile(
                """
                local function value(row, i)
                  if i % 2 == 1 then return row.id % 3 == 0 and tostring(row.id * i) or row.id * i end
                  if row.id % 5 > 0 then return ("x"):rep(row.id * i % 2000) end
                end
                return rh.pipeline "wide" {
                  source = source, sink = sink, stream = false,
                  tables = { ["public.*"] = function(row)
                    for i = 1, row.id % 34 do row["c" .. i] = value(row, i) end
                    for i = 1, row.id % 34 do assert(row["c" .. i] == value(row, i)) end
                    return row
                  end },
                }
                """)
            let names = (1...33).map { "c\($0) \($0 % 2 == 1 ? "bigint" : "text")" }.joined(separator: ", ")
            let schema = "create table wide (id bigint primary key, \(names))"
            let values = (1...33).map { "\($0)" }.joined(separator: ", ")
            try file.run(onSource: schema, "insert into wide select i, \(values) from generate_series(1, 200) i")
            try file.run(onTarget: schema)

            _ = try await file.copy().value()

            let expected = (1...33).map { column in
                let text = "case when id % 5 > 0 then repeat('x', (id * \(column) % 2000)::int) end"
                let value = column % 2 == 1 ? "id * \(column)" : text
                return "case when id % 34 >= \(column) then \(value) else c\(column) end"
            }
            let sum = "select md5(string_agg(t::text, ' ' order by id)) from "
            let wanted = try file.server.run(
                sum + "(select id, \(expected.joined(separator: ", ")) from wide) t", in: file.source)
            #expect(try file.server.run(sum + "wide t", in: file.target) == wanted)
        }

        @Test func batchesLookUpAndStatesLast() async throws {
            let file = try PipelineFile(
                """
                local counts = rh.state "counts"
                return rh.pipeline "shop" {
                  source = source, sink = sink, stream = false, snapshot = { workers = 2, chunk_rows = 500 },
                  tables = {
                    ["public.orders"] = {
                      types = { country = "text" },
                      transform_batch = function(batch)
                        local customers = batch:lookup(source, "SELECT id, country FROM customers WHERE id = any($1)", "customer")
                        for row in batch:each() do
                          local found = customers[row.customer]
                          if found then row.country = found.country else batch:drop(row) end
                          counts:incr(found and found.country or "none")
                        end
                        counts:set("done", true)
                        batch:emit("public.log", { rows = #batch })
                      end,
                    },
                    ["public.customers"] = rh.skip,
                  },
                }
                """)
            try file.run(
                onSource: "create table customers (id int primary key, country text)",
                "create table orders (id bigint primary key, customer int)",
                "insert into customers select i, 'C' || i % 3 from generate_series(0, 99) i",
                "insert into orders select i, i % 110 from generate_series(1, 3300) i", "analyze")
            try file.run(
                onTarget: "create table orders (id bigint primary key, customer int, country text)",
                "create table log (at timestamptz default now(), rows int)")

            let result = try #require(try await file.copy().value().first)

            #expect(result.read == 3300 && result.dropped == 300)
            func target(_ sql: String) throws -> String { try file.server.run(sql, in: file.target) }
            #expect(
                try target("select count(*), count(distinct country) from orders where country = 'C' || customer % 3")
                    == "3000|3")
            #expect(try target("select sum(rows), bool_and(at is not null) from log") == "3300|t")
            #expect(
                try target(
                    "select string_agg(key || '=' || value, ' ' order by key) from replhost.state where store = 'counts'"
                )
                    == "C0=1020 C1=990 C2=990 done=true none=300")
        }

        @Test(arguments: ["stop", "dead_letter", "skip"])
        func aRowThatRaisesIsWhatThePolicySays(policy: String) async throws {
            let file = try PipelineFile(
                """
                return rh.pipeline "shop" {
                  source = source, sink = sink, stream = false, snapshot = { workers = 1, chunk_rows = 5000 },
                  tables = { ["public.people"] = { on_error = "\(policy)", transform = function(row)
                    row.name = "masked"
                    if row.id == 12345 then error("no such name") end
                    return row
                  end } },
                }
                """)
            try file.run(
                onSource: "create table people (id bigint primary key, name text)",
                "insert into people select i, 'name' || i from generate_series(1, 20000) i", "analyze")
            try file.run(onTarget: "create table people (id bigint primary key, name text)")

            let outcome = try await file.copy()

            func target(_ sql: String) throws -> String { try file.server.run(sql, in: file.target) }
            #expect(try target("select count(*) from people where name <> 'masked' or id = 12345") == "0")
            guard policy == "stop" else {
                #expect(try target("select count(*) from people") == "19999")
                let letters = policy == "skip" ? "" : "public.people|name12345|no such name"
                #expect(
                    try target("select source, row ->> 'name', message from replhost.dead_letter") == letters)
                return
            }
            let failure = try #require(outcome.failure)
            #expect(failure.message.contains("no such name"))
            #expect(failure.place?.line == 6)
            #expect(failure.details == "row of public.people with key (id)")
        }
    }
}
