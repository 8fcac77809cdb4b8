import Scripting
import Testing

extension ScriptTests {
    /// What a column of each type is in Lua, by every way that rows come and go.
    @Suite struct Values {
        @Test func everyTypeReadsTheSameByEveryWay() async throws {
            try await ScriptRun.passes(
                #"""
                local pool = rh.pool { dsn = dsn }
                local conn <close> = pool:getconn()
                local cases = {
                  { "true::bool", true }, { "false::bool", false },
                  { "'-32768'::int2", -32768 }, { "2147483647::int4", 2147483647 },
                  { "9223372036854775807::int8", math.maxinteger }, { "'-9223372036854775808'::int8", math.mininteger },
                  { "4294967295::oid", 4294967295 },
                  { "0.1::float8", 0.1 }, { "'NaN'::float8", 0/0 }, { "'-infinity'::float8", -math.huge },
                  { "1.5::float4", 1.5 }, { "1e308::float8", 1e308 }, { "2::float8", 2.0 },
                  { "123456789012345678901234567890.123456789::numeric", "123456789012345678901234567890.123456789", "decimal" },
                  { "1.500::numeric", "1.500", "decimal" }, { "'NaN'::numeric", "NaN", "decimal" },
                  { "'-Infinity'::numeric", "-Infinity", "decimal" }, { "0::numeric", "0", "decimal" },
                  { "'žluť'::text", "žluť" }, { "''::text", "" }, { "'a'::varchar", "a" }, { "'ab'::char(4)", "ab  " },
                  { "'n'::name", "n" }, { "'c'::\"char\"", "c" },
                  { "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" },
                  { "'10.1.2.3/8'::inet", "10.1.2.3/8" }, { "'::1'::inet", "::1" }, { "'10.0.0.0/8'::cidr", "10.0.0.0/8" },
                  { "'08:00:2b:01:02:03'::macaddr", "08:00:2b:01:02:03" }, { "B'101'::bit(3)", "101" },
                  { "'1 year 2 mons -3 days 04:05:06.789'::interval", "1 year 2 mons -3 days +04:05:06.789" },
                  { "'[1,5)'::int4range", "[1,5)" }, { "row(1,'a b')", '(1,"a b")' }, { "'<a/>'::xml", "<a/>" },
                  { "'(1,2)'::point", "(1,2)" }, { "'a & b'::tsquery", "'a' & 'b'" },
                  { "'{\"a\": 1}'::json", '{"a": 1}' }, { "'{\"b\":2}'::jsonb", '{"b": 2}' }, { "'null'::jsonb", "null" },
                  { "'\\x00ff10'::bytea", "\0\xff\x10" }, { "''::bytea", "" },
                  { "'2024-02-29'::date", "2024-02-29" }, { "'0044-03-15 BC'::date", "0044-03-15 BC" },
                  { "'infinity'::date", "infinity" }, { "'-infinity'::timestamp", "-infinity" },
                  { "'24:00:00'::time", "24:00:00" }, { "'04:05:06.000001'::time", "04:05:06.000001" },
                  { "'04:05:06+02'::timetz", "04:05:06+02" },
                  { "'2024-01-02 03:04:05.5'::timestamp", "2024-01-02 03:04:05.5" },
                  { "'294276-12-31 23:59:59.999999'::timestamp", "294276-12-31 23:59:59.999999" },
                  { "'4713-01-01 00:00:00 BC'::timestamp", "4713-01-01 00:00:00 BC" },
                  { "'2024-01-02 03:04:05+00'::timestamptz", "2024-01-02 03:04:05+00" },
                  { "'infinity'::timestamptz", "infinity" },
                }
                conn:query("SET timezone = 'UTC'")
                local function check(way, row)
                  for i, case in ipairs(cases) do
                    local value, what = row[i], way .. " " .. case[1]
                    if case[3] == "decimal" then
                      if type(value) ~= "userdata" then error(what .. ": " .. shown(value)) end
                      value = tostring(value)
                    end
                    eq(value, case[2], what)
                  end
                end
                local list = {}
                for i, case in ipairs(cases) do list[i] = case[1] .. " AS c" .. i end
                local sql = "SELECT " .. table.concat(list, ", ")
                check("query", conn:query(sql)[1])
                check("statements", conn:query("SELECT 1; " .. sql)[1])
                for row in conn:rows(sql) do check("rows", row) end
                for row in conn:copy_out(sql) do check("copy_out", row) end
                for row in conn:copy_out((sql:gsub("row%(1,'a b'%)", "'(1,\"a b\")'::text"))) do check("binary", row) end
                for row in conn:copy_out("SELECT NULL::aclitem AS x, * FROM (" .. sql .. ") q") do
                  local all = {}
                  for i = 1, #cases do all[i] = row[i + 1] end
                  check("text", all)
                end
                """#)
        }

        @Test func nullIsNilByEveryWay() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                local sql = "SELECT NULL::int4 AS a, NULL::text AS b, NULL::numeric AS c, NULL::int4[] AS d, NULL::jsonb AS e"
                local function check(row) for i = 1, 5 do eq(row[i], nil) end end
                check(conn:query(sql)[1])
                check(conn:query("SELECT 1; " .. sql)[1])
                for row in conn:rows(sql) do check(row) end
                for row in conn:copy_out(sql) do check(row) end
                for row in conn:copy_out("SELECT *, NULL::aclitem FROM (" .. sql .. ") q") do check(row) end
                eq(conn:query("SELECT $1::int4 IS NULL AND $2::text IS NULL AS ok", nil, rh.null)[1].ok, true)
                eq(conn:query("SELECT $1::text IS NULL AS ok", nil):scalar(), true)
                """)
        }

        @Test func arraysKeepDimensionsBoundsAndNulls() async throws {
            try await ScriptRun.passes(
                #"""
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                local sql = [[SELECT '{}'::int4[] AS empty, '{1,NULL,3}'::int8[] AS holes, '{{1,2},{3,4}}'::int4[] AS grid,
                  '[0:1]={5,6}'::int4[] AS shifted, '{"a b","NULL",NULL,"","\"q\""}'::text[] AS words, '{1.50,NULL}'::numeric[] AS money,
                  '{t,f}'::bool[] AS flags, '{2024-01-01,infinity}'::date[] AS days, '{"\\x00","\\xff"}'::bytea[] AS raw]]
                local function check(way, row)
                  eq(row.empty.n, 0, way) eq(#row.empty, 0, way)
                  eq(row.holes.n, 3, way) eq(row.holes[1], 1) eq(row.holes[2], rh.null) eq(row.holes[3], 3)
                  eq(row.grid.n, 2, way) eq(row.grid[2].n, 2) eq(row.grid[2][1], 3)
                  eq(row.shifted.bounds[1], 0, way) eq(row.shifted[1], 5)
                  eq(row.words.n, 5, way) eq(row.words[1], "a b") eq(row.words[2], "NULL") eq(row.words[3], rh.null)
                  eq(row.words[4], "") eq(row.words[5], '"q"')
                  eq(tostring(row.money[1]), "1.50", way) eq(row.money[2], rh.null)
                  eq(row.flags[1], true) eq(row.flags[2], false) eq(row.days[2], "infinity", way)
                  eq(row.raw[1], "\0", way) eq(row.raw[2], "\xff", way)
                end
                check("query", conn:query(sql)[1])
                check("statements", conn:query("SELECT 1; " .. sql)[1])
                for row in conn:rows(sql) do check("rows", row) end
                for row in conn:copy_out(sql) do check("copy_out", row) end
                for row in conn:copy_out("SELECT *, NULL::aclitem FROM (" .. sql .. ") q") do check("text copy_out", row) end

                local row = conn:query(sql)[1]
                local back = conn:query([[SELECT $1::int4[] = '{}' AND $2::int8[] IS NOT DISTINCT FROM '{1,NULL,3}'
                  AND $3::int4[] = '{{1,2},{3,4}}' AND $4::int4[] = '[0:1]={5,6}' AND array_ndims($3::int4[]) = 2
                  AND $5::text[] IS NOT DISTINCT FROM '{"a b","NULL",NULL,"","\"q\""}' AND $6::numeric[]::text = '{1.50,NULL}'
                  AND $7::bool[] = '{t,f}' AND $8::date[] = '{2024-01-01,infinity}' AS ok]],
                  row.empty, row.holes, row.grid, row.shifted, row.words, row.money, row.flags, row.days)
                eq(back:scalar(), true)
                eq(conn:query("SELECT sum(x) AS s FROM unnest($1::int4[]) x", { 1, 2, 3 })[1].s, 6)
                eq(conn:query("SELECT $1::int4 = any($2) AS ok", 2, { 1, 2, 3 })[1].ok, true)
                """#)
        }

        @Test func whatWasReadIsWrittenBackTheSame() async throws {
            try await ScriptRun.passes(
                #"""
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                conn:query([[CREATE TEMP TABLE a (id int8, b bool, i2 int2, i4 int4, o oid, f4 float4, f8 float8, n numeric, t text,
                  c char(3), u uuid, net inet, iv interval, r int4range, j json, jb jsonb, by bytea, d date, tm time, tz timetz,
                  ts timestamp, tst timestamptz, ia int4[], ta text[], na numeric[], m money, bt varbit, p point)]])
                conn:query([[INSERT INTO a VALUES
                  (9223372036854775807, true, -32768, 2147483647, 4294967295, 1.1, 0.1, 1.500, E'a\tb\\c\n', 'x',
                   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.1.2.3/8', '1 mon -1 day 00:00:00.000001', '[1,5)', '{"a": [1, 2]}',
                   '{"a": null}', '\x005c0aff', '0044-03-15 BC', '24:00', '04:05:06.5-11:30', '-infinity', 'infinity', '{{1,2},{3,NULL}}',
                   '[2:3]={a,"b c"}', '{}', '-12.34', B'1010', '(1.5,-2)'),
                  (-9223372036854775808, false, 0, -1, 0, 'NaN', '-infinity', 'NaN', '', '', NULL, '::1', '-178000000 years', 'empty', '1', '"x"',
                   '', 'infinity', '00:00', '00:00+00', '4713-01-01 BC', '294276-12-31 23:59:59.999999+00', NULL, '{"",NULL,"NULL"}',
                   '{1.10,NaN,NULL}', '0', B'', '(0,0)'),
                  (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)]])
                local names = conn:query("SELECT string_agg(attname, ',' ORDER BY attnum) AS s FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum > 0")[1].s
                local list = {}
                for name in names:gmatch("[^,]+") do list[#list + 1] = name end
                local function same(way)
                  local left = conn:query("SELECT (a.*)::text FROM a ORDER BY id")
                  local right = conn:query("SELECT (b.*)::text FROM b ORDER BY id")
                  eq(#right, #left, way)
                  for i = 1, #left do eq(right[i][1], left[i][1], way) end
                  conn:query("DROP TABLE b")
                end
                local function fresh() conn:query("CREATE TEMP TABLE b AS SELECT * FROM a LIMIT 0") end
                local casts = {}
                local types = conn:query("SELECT array_agg(format_type(atttypid, atttypmod) ORDER BY attnum) AS t FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum > 0")[1].t
                for i in ipairs(list) do casts[i] = "$" .. i .. "::" .. types[i] end

                fresh()
                local rows = conn:query("SELECT * FROM a")
                for _, row in ipairs(rows) do
                  local values = {}
                  for i = 1, #list do values[i] = row[i] end
                  conn:query("INSERT INTO b VALUES (" .. table.concat(casts, ",") .. ")", table.unpack(values, 1, #list))
                end
                same("parameters")

                for _, way in ipairs { "query", "rows", "statements", "copy_out" } do
                  fresh()
                  local copies = {}
                  local function keep(row) copies[#copies + 1] = row end
                  if way == "query" then for _, row in ipairs(conn:query("SELECT * FROM a")) do keep(row) end end
                  if way == "statements" then for _, row in ipairs(conn:query("SELECT 1; SELECT * FROM a")) do keep(row) end end
                  if way == "rows" then for row in conn:rows("SELECT * FROM a") do keep(row) end end
                  if way == "copy_out" then for row in conn:copy_out("SELECT * FROM a") do keep(row) end end
                  local w <close> = conn:copy_in("b")
                  for _, row in ipairs(copies) do w(row) end
                  eq(w:close(), 3, way)
                  same(way .. " → copy_in")

                  fresh()
                  local w2 <close> = conn:copy_in("b")
                  for _, row in ipairs(copies) do w2(row:totable()) end
                  eq(w2:close(), 3, way)
                  same(way .. " → totable → copy_in")

                  fresh()
                  local w3 <close> = conn:copy_in("b", list)
                  for _, row in ipairs(copies) do
                    local changed = row:copy()
                    for i = 1, #list do changed[i] = row[i] end
                    w3(changed)
                  end
                  eq(w3:close(), 3, way)
                  same(way .. " → assigned → copy_in")
                end
                """#)
        }

        @Test func wrongValuesNameTheColumn() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                conn:query("CREATE TEMP TABLE v (small int2, n int4, d numeric, f bool, day date, a int4[], u uuid, t text)")
                local function refused(text, values)
                  local w <close> = conn:copy_in("v")
                  local e = raises(text, w, values)
                  assert(tostring(e):find("^[^:]+:%d+: "), tostring(e))
                end
                refused('column "small"', { small = 32768 })
                refused('column "small"', { small = -32769 })
                refused('column "n"', { n = 2^31 })
                refused('column "n"', { n = 1.5 })
                refused('column "n"', { n = "one" })
                refused('column "n"', { n = true })
                refused('column "n"', { n = 0/0 })
                refused('column "n"', { n = {} })
                refused('column "d"', { d = "1.2.3" })
                refused('column "f"', { f = "perhaps" })
                refused('column "f"', { f = 1 })
                refused('column "day"', { day = "2024-02-30" })
                refused('column "a"', { a = { 1, "x" } })
                refused('column "a"', { a = { { 1, 2 }, { 3 } } })
                refused('column "u"', { u = "not a uuid" })
                refused('column "t"', { t = print })
                refused('no column "dya" among those that are written, did you mean "day"?', { dya = "2024-01-01" })
                refused('no column 9', { [9] = 1 })
                refused("row or table expected, got integer", 1)
                local w <close> = conn:copy_in("v")
                raises('column "n"', w, { n = "one" })
                w { n = 7.0, f = "yes", small = 3 }
                eq(w:close(), 1)
                eq(conn:query("SELECT n, f FROM v")[1].n, 7)
                raises("writer is closed", w, { n = 1 })
                """)
        }

        @Test func aRowsColumnsAreFoundByNameAndNumber() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                local r = conn:query("SELECT 1 AS id, 'Ann' AS name, NULL::int4 AS note, 4 AS id")
                local row = r[1]
                eq(row.id, 1) eq(row[4], 4) eq(row[1], 1) eq(#row, 4) eq(row.note, nil)
                raises('no column "nmae", did you mean "name"?', function() return row.nmae end)
                raises('no column "nmae", did you mean "name"?', function() row.nmae = 1 end)
                raises("no column 5", function() return row[5] end)
                raises("no column 0", function() return row[0] end)
                raises("no column of type boolean", function() return row[true] end)
                local columns = row:columns()
                eq(table.concat(columns, ","), "id,name,note,id")
                local seen = {}
                for name, value in pairs(row) do seen[#seen + 1] = name .. "=" .. tostring(value) end
                eq(table.concat(seen, " "), "id=1 name=Ann note=nil id=4")
                local t = row:totable()
                eq(t.name, "Ann") eq(t.note, nil) eq(type(t), "table") eq(t.id, 1)
                eq(r.columns[2].name, "name") eq(r.columns[2].type, "text")
                eq(r.command, "SELECT 1") eq(r[2], nil) eq(r[0], nil) eq(#r, 1)
                eq(r:one().name, "Ann") eq(r:scalar(), 1)
                raises("expected exactly 1 row, got 0", function() conn:query("SELECT 1 WHERE false"):one() end)
                eq(conn:query("SELECT 1 WHERE false"):scalar(), nil)
                raises("expected at most 1 row, got 2", function() conn:query("SELECT generate_series(1, 2)"):scalar() end)
                conn:query("CREATE TEMP TABLE z AS SELECT 1 AS x UNION ALL SELECT 2")
                eq(conn:query("UPDATE z SET x = x + 1").affected, 2)
                assert(tostring(r):find("Ann", 1, true))
                """)
        }

        @Test func assignedColumnsStayWithTheirRow() async throws {
            try await ScriptRun.passes(
                """
                local conn <close> = rh.pool { dsn = dsn }:getconn()
                local r = conn:query("SELECT g AS id, 'n' || g AS name FROM generate_series(1, 3) g")
                r[2].name = "changed"
                eq(r[2].name, "changed") eq(r[1].name, "n1") eq(r[2].id, 2)
                local copy = r[2]:copy()
                copy.name = nil
                eq(copy.name, nil) eq(r[2].name, "changed")
                eq(r[2]:totable().name, "changed")
                r[3].id = rh.null
                eq(r[3].id, nil)
                for i, row in ipairs(r) do row.id = i * 10 end
                local ids = {}
                for _, row in ipairs(r) do ids[#ids + 1] = row.id end
                eq(table.concat(ids, " "), "10 20 30")
                local kept = {}
                for row in conn:rows("SELECT 5 AS v UNION ALL SELECT 6") do row.v = row.v + 1 kept[#kept + 1] = row end
                eq(kept[1].v + kept[2].v, 13)
                r = nil
                collectgarbage() collectgarbage()
                eq(copy.id, 2)
                """)
        }

        @Test func rowsOutliveTheirLoopTheirConnectionAndTheirPool() async throws {
            try await ScriptRun.passes(
                """
                local pool = rh.pool { dsn = dsn, application_name = "outlive" }
                local conn = pool:getconn()
                local kept, result = {}, nil
                local function fill()
                  for row in conn:rows("SELECT g AS id, repeat('x', 50) || g AS t FROM generate_series(1, 500) g") do kept[#kept + 1] = row end
                  for row in conn:copy_out("SELECT g AS id, repeat('x', 50) || g AS t FROM generate_series(501, 1000) g") do kept[#kept + 1] = row end
                  for _, row in ipairs(conn:query("SELECT g AS id, repeat('x', 50) || g AS t FROM generate_series(1001, 1500) g")) do
                    kept[#kept + 1] = row
                  end
                  result = conn:query("SELECT 42 AS answer")
                end
                fill()
                pool:putconn(conn)
                conn = nil
                pool:close()
                pool = nil
                for _ = 1, 5 do collectgarbage() end
                eq(#kept, 1500)
                for i, row in ipairs(kept) do eq(row.id, i) eq(row.t, ("x"):rep(50) .. i) end
                eq(result[1].answer, 42)
                """)
        }

        @Test func aRandomTablePassesThroughUnchanged() async throws {
            let seed = UInt32.random(in: 1...1_000_000)
            print("seed of the random table: \(seed)")
            var options = ScriptOptions()
            options.arguments = ["\(seed)"]
            try await ScriptRun.passes(
                #"""
                local pool = rh.pool { dsn = dsn }
                local a <close> = pool:getconn()
                local b <close> = pool:getconn()
                math.randomseed(tonumber(arg[2] or 7))
                local makers = {
                  { "int4", "(random() * 4e9 - 2e9)::int4" }, { "int8", "(random() * 1e18)::int8" }, { "float8", "random() * 1e10 - 5e9" },
                  { "numeric", "(random() * 1e6)::numeric(20, 6)" }, { "text", "md5(random()::text) || E'\\t\\n\\\\'" }, { "bool", "random() < 0.5" },
                  { "timestamptz", "now() - random() * interval '100 years'" }, { "date", "current_date - (random() * 1e5)::int" },
                  { "jsonb", "jsonb_build_object('a', random(), 'b', md5(random()::text))" }, { "bytea", "decode(md5(random()::text), 'hex')" },
                  { "int4[]", "array[(random() * 100)::int, NULL, 3]" }, { "uuid", "gen_random_uuid()" },
                  { "interval", "random() * interval '1 year'" }, { "inet", "'10.0.0.1'::inet + (random() * 1000)::int" },
                  { "aclitem", "makeaclitem(10, 10, 'SELECT', random() < 0.5)" },
                }
                for round = 1, 6 do
                  local columns, values = {}, {}
                  for i = 1, math.random(1, 12) do
                    local maker = makers[math.random(round <= 3 and #makers - 1 or #makers)]
                    columns[i] = ("c%d %s"):format(i, maker[1])
                    values[i] = ("CASE WHEN random() < 0.2 THEN NULL ELSE %s END"):format(maker[2])
                  end
                  a:query("DROP TABLE IF EXISTS random_source, random_target")
                  a:query("CREATE TABLE random_source (" .. table.concat(columns, ", ") .. ")")
                  a:query("INSERT INTO random_source SELECT " .. table.concat(values, ", ") .. " FROM generate_series(1, 400)")
                  a:query("CREATE TABLE random_target (LIKE random_source)")
                  local w <close> = b:copy_in("random_target")
                  for row in a:copy_out("random_source") do w(row) end
                  eq(w:close(), 400)
                  local digest = "SELECT md5(string_agg(t::text, '|' ORDER BY ctid)) AS d FROM %s t"
                  eq(a:query(digest:format("random_target"))[1].d, a:query(digest:format("random_source"))[1].d, table.concat(columns, ", "))
                end
                a:query("DROP TABLE random_source, random_target")
                """#, options: options)
        }
    }
}
