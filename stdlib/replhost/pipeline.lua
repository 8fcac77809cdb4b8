--- Declares pipelines: `rh.pipeline "name" { … }`. Every option is checked here, where the script's line is known; what
-- the host reads is what `declare` leaves in the object.
local native = require("replhost.native.internals").pipelines
local options = require "replhost.options"

local fail, check, complain = options.fail, options.check, options.complain

-- MARK: Sentinels

local function sentinel(name)
  return setmetatable({}, {
    __name = name,
    __tostring = function() return name end,
    __newindex = function() fail("RH3101", name .. " is a constant") end,
    __metatable = false,
  })
end

local copy, skip, drop = sentinel "rh.copy", sentinel "rh.skip", sentinel "rh.drop"

--- The metatable of what `rh.to` returns; the host knows it by its address.
local routed = { __name = "rh.to" }

--- `rh.to("schema.table", row)`: what a transform returns for a row that goes into another table.
local function to(table_name, row)
  if type(table_name) ~= "string" then
    fail("RH1001", ("bad argument #1 to 'rh.to' (table name expected, got %s)"):format(options.shown(table_name)))
  end
  if type(row) ~= "table" and type(row) ~= "userdata" then
    fail("RH1001", ("bad argument #2 to 'rh.to' (row or table expected, got %s)"):format(options.shown(row)))
  end
  return setmetatable({ table = table_name, row = row }, routed)
end

-- MARK: Tables

local function table_name(value, where)
  local name = type(value) == "string" and not value:find("*", 1, true) and native.table_name(value)
  return name or complain(where, "a table name (\"schema.table\")", value)
end

local function names(value, where)
  if type(value) == "string" then value = { value } end
  local list = check.list(value, where, "a column name or a list of them")
  for _, name in ipairs(list) do check.string(name, where) end
  return list
end

--- A list of names, or a map of the source's names to the target's, as a list of pairs.
local function columns(value, where)
  check.table(value, where, "a list of column names, or a table source name = target name")
  local pairs_of, keys = {}, {}
  for position, name in ipairs(value) do
    pairs_of[position] = { source = check.string(name, where), target = name }
  end
  for key in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 or key > #value then keys[#keys + 1] = check.string(key, where) end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    pairs_of[#pairs_of + 1] = { source = key, target = check.string(value[key], ("%s, column %q"):format(where, key)) }
  end
  if #pairs_of == 0 then complain(where, "at least one column", value) end
  local sources, targets = {}, {}
  for _, pair in ipairs(pairs_of) do
    if sources[pair.source] then fail("RH3101", ("%s: column %q is named twice"):format(where, pair.source)) end
    if targets[pair.target] then fail("RH3101", ("%s: two columns become %q"):format(where, pair.target)) end
    sources[pair.source], targets[pair.target] = true, true
  end
  return pairs_of
end

local function types(value, where)
  check.table(value, where, "a table column = type")
  for name, type_name in pairs(value) do
    check.string(name, where)
    check.string(type_name, ("%s, column %q"):format(where, name))
  end
  return value
end

local table_options = {
  to = table_name,
  columns = columns,
  where = check.string,
  key = names,
  transform = check.callable,
  transform_batch = check.callable,
  on_error = check.one_of("stop", "dead_letter", "skip"),
  on_conflict = check.one_of("error", "upsert", "skip"),
  types = types,
  create = check.boolean,
}

local function rule(pattern, value, where)
  if value == skip then return { pattern = pattern, skip = true } end
  if value == copy then return { pattern = pattern } end
  if type(value) == "function" then return { pattern = pattern, transform = value } end
  if type(value) ~= "table" or getmetatable(value) ~= nil then
    local hint = type(value) == "boolean" and (value and "rh.copy" or "rh.skip") .. " says so." or nil
    complain(where, "a function, a table of options, rh.copy or rh.skip", value, hint)
  end
  local read = options.read(value, table_options, where)
  if read.transform and read.transform_batch then
    fail("RH3101", where .. ": give \"transform\" or \"transform_batch\", not both")
  end
  read.pattern = pattern
  return read
end

local function tables(value, where)
  check.table(value, where, "a table pattern = what to do")
  local rules, known = {}, {}
  for pattern, given in pairs(value) do
    local at = ("%s, table %s"):format(where, options.shown(pattern))
    local canonical = type(pattern) == "string" and native.pattern(pattern)
    if not canonical then
      fail("RH3101", at .. ": expected a table's name (\"schema.table\") or a pattern (\"schema.*\")",
        "Names with other characters go in double quotes inside the string.")
    end
    if known[canonical] then
      fail("RH3101", ("%s: %q means the same table"):format(at, known[canonical]))
    end
    known[canonical] = pattern
    rules[#rules + 1] = rule(pattern, given, at)
  end
  if #rules == 0 then complain(where, "at least one table", value) end
  table.sort(rules, function(a, b) return a.pattern < b.pattern end)
  return rules
end

-- MARK: Options of the pipeline

local function pool(value, where)
  if native.is_pool(value) then return value end
  if type(value) == "string" then
    fail("RH3101", where .. ": expected a pool, got a string", "A connection string makes one: rh.pool { dsn = … }.")
  end
  complain(where, "a pool (rh.pool { … })", value)
end

local snapshot_options = {
  workers = check.integer(1, 64),
  chunk_rows = check.integer(1, math.maxinteger),
  mode = check.one_of("initial", "only", "never"),
}

local apply_options = { connections = check.integer(1, 64) }

local limit_options = { row_time = check.duration, batch_time = check.duration, memory = check.size }

local throttle_options = { rows_per_second = check.positive, bytes_per_second = check.size }

local budget_options = { size = check.size, action = check.one_of("warn", "stop") }

--- A size, or a table that also says what happens above it.
local function wal_budget(value, where)
  if type(value) ~= "table" then
    return { size = check.size(value, where, "a size (\"20GB\", or bytes) or { size = …, action = … }") }
  end
  local read = options.read(value, budget_options, where)
  if not read.size then fail("RH3101", where .. ": \"size\" is missing") end
  return read
end

local schema_policies = check.one_of("stop", "apply", "ignore")

local function schema_policy(value, where)
  if type(value) == "function" then return value end
  return schema_policies(value, where, "a function")
end

local function group(known)
  return function(value, where) return options.read(check.table(value, where), known, where) end
end

local pipeline_options = {
  source = pool,
  sink = pool,
  tables = tables,
  snapshot = group(snapshot_options),
  limits = group(limit_options),
  throttle = group(throttle_options),
  apply = group(apply_options),
  stream = check.boolean,
  on_start = check.callable,
  on_stop = check.callable,
  on_snapshot_done = check.callable,
  on_commit = check.callable,
  heartbeat = check.duration,
  wal_budget = wal_budget,
  on_schema_change = schema_policy,
}

local pipeline = { __name = "pipeline" }

function pipeline:__tostring() return ("pipeline %q"):format(self.name) end

function pipeline.__index(_, key)
  local near = require "replhost.nearest"(key, pipeline_options, { name = true })
  if near == key then return nil end
  fail("RH1008", ("a pipeline has no %q%s"):format(tostring(key), near and (", did you mean %q?"):format(near) or ""))
end

--- Names and places of the pipelines that were declared.
local declared = {}

--- The name and the place of a pipeline that the script declares itself; places name it as `script`, or its end.
local function first_declared_by(script)
  for _, each in ipairs(declared) do
    local dots, file = (each.place or ":0"):match("^(%.*)(.*):%d+$")
    if dots .. file == script or dots == "..." and script:sub(-#file) == file then return each.name, each.place end
  end
end

local function declare(name, given)
  local where = ("rh.pipeline %q"):format(name)
  check.table(given, where, "a table of options")
  local read = options.read(given, pipeline_options, where)
  for _, option in ipairs { "source", "sink", "tables" } do
    if read[option] == nil then fail("RH3101", ("%s: option %q is missing"):format(where, option)) end
  end
  read.rules, read.tables, read.name = read.tables, nil, name
  declared[#declared + 1] = { name = name, place = options.begun_at or options.place() }
  return setmetatable(read, pipeline)
end

--- What `rh.pipeline "name"` is until it gets its options.
local unfinished = { __name = "unfinished pipeline" }

function unfinished:__call(given)
  options.begun_at = self.place
  local made = declare(self.name, given)
  options.begun_at = nil
  return made
end

--- `rh.pipeline "name" { … }`, or `rh.pipeline("name", { … })`.
local function define(name, ...)
  if type(name) ~= "string" or name == "" or #name > 63 then
    fail("RH3101", ("rh.pipeline: expected a name of 1 to 63 bytes, got %s"):format(options.shown(name)),
      "Write rh.pipeline \"name\" { source = …, sink = …, tables = … }.")
  end
  if select("#", ...) > 0 then return declare(name, (...)) end
  return setmetatable({ name = name, place = options.place() }, unfinished)
end

return {
  pipeline = define,
  copy = copy,
  skip = skip,
  drop = drop,
  to = to,
  first_declared_by = first_declared_by,
  metatables = { pipeline = pipeline, unfinished = unfinished, routed = routed },
}
