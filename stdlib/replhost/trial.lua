--- Runs a pipeline's functions over one row of a test.
local batches = require "replhost.batches"
local events = require "replhost.events"
local nearest = require "replhost.nearest"
local native = require("replhost.native.internals").pipelines
local options = require "replhost.options"
local pipelines = require "replhost.pipeline"
local typed = require "replhost.typed"

local fail, check, shown = options.fail, options.check, options.shown

local trial = {}

-- Durable values of a test last as long as the test's process.
require("replhost.state").simulate()

-- MARK: Rows

local function column_named(columns, name)
  for _, column in ipairs(columns) do
    if column.name == name then return column end
  end
end

local function list_of(columns)
  local names = {}
  for position, column in ipairs(columns) do names[position] = column.name end
  return ("Its columns are %s."):format(table.concat(names, ", "))
end

local function require_columns(row, columns, where)
  for name in pairs(row) do
    if not column_named(columns, name) then
      local known = {}
      for _, column in ipairs(columns) do known[column.name] = true end
      local near = nearest(tostring(name), known)
      local suggestion = near and (", did you mean %q?"):format(near) or ""
      fail("RH2104", ("%s: no column %s%s"):format(where, shown(name), suggestion), list_of(columns))
    end
  end
end

--- The source's columns: as recorded, else those that the row has.
local function source_columns(schema, name, row)
  if schema[name] then return schema[name] end
  local columns = {}
  for column in pairs(row) do columns[#columns + 1] = { name = check.string(column, "t.run: column") } end
  table.sort(columns, function(a, b) return a.name < b.name end)
  return columns
end

--- The column under the name that the target has for it; `source` is its own.
local function renamed(column, name)
  local copy = {}
  for fact, value in pairs(column) do copy[fact] = value end
  copy.name, copy.source = name, column.name
  return copy
end

--- The columns that the rule lets through, under their target names; with `source`, their source names.
local function shown_columns(rule, columns)
  local list = {}
  if not rule.columns then
    for _, column in ipairs(columns) do
      -- The target generates its own.
      if not column.generated then list[#list + 1] = renamed(column, column.name) end
    end
    return list
  end
  for _, pair in ipairs(rule.columns) do
    list[#list + 1] = renamed(column_named(columns, pair.source) or { name = pair.source, type = "text" }, pair.target)
  end
  return list
end

local function added_columns(rule, columns)
  local list = {}
  for name in pairs(rule.types or {}) do
    if not column_named(columns, name) then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

local function view(columns, row, added)
  local values, shapes = {}, {}
  for position, column in ipairs(columns) do
    values[column.name] = typed.value(column, row[column.source or column.name])
    shapes[position] = { name = column.name, type = column.base or column.type }
  end
  return native.view(shapes, values, added)
end

-- MARK: Running

--- The rule for a table and the table's full name.
local function find_rule(pipeline, table_name)
  local patterns = {}
  for position, rule in ipairs(pipeline.rules) do patterns[position] = rule.pattern end
  local position, full = native.rule(patterns, table_name)
  if not full then fail("RH3112", ("t.run: %q is not a table name"):format(table_name)) end
  if position == 0 then fail("RH3112", ("t.run: pipeline %q has nothing for table %s"):format(pipeline.name, full)) end
  return pipeline.rules[position], full
end

local operations = check.one_of("read", "insert", "update", "delete")

local function key_of(rule, columns, row)
  local key, names = {}, rule.key
  if not names then
    names = {}
    for _, column in ipairs(columns) do
      if column.key then names[#names + 1] = column.name end
    end
  end
  if #names == 0 then
    fail("RH3205", "event.key: which columns are the key is not known here",
      "Give the table's \"key\" in the pipeline, or record its types: replhost types FILE --record.")
  end
  for _, name in ipairs(names) do key[name] = row[name] end
  return key
end

local function event_for(given, full, rule, columns, row)
  local old = given.old and view(columns, given.old)
  local before = row:copy()
  local function changed(column)
    if not old then return true end
    local left, right = before[column], old[column]
    return left ~= right and tostring(left) ~= tostring(right)
  end
  local fields = { op = given.op, table = full, old = old, changed = changed, snapshot = given.op == "read" }
  return events.new(fields, function() return key_of(rule, columns, before) end)
end

--- What a row becomes in a table: a plain table; where the columns are known, as PostgreSQL would give it back.
local function outcome(target, row, columns)
  local is_row = type(row) == "userdata"
  local values = is_row and row:totable() or row
  if columns then
    require_columns(values, columns, ("table %s of the target"):format(target))
    local list = {}
    for _, column in ipairs(columns) do
      if values[column.name] ~= nil then
        list[#list + 1] = renamed(column, column.name)
      elseif is_row and column.was_given and column.not_null then
        fail("RH3506", ("column %q of %s is NOT NULL and gets no value"):format(column.name, target))
      end
    end
    values = view(list, values):totable()
  end
  return { table = target, row = values }
end

--- Appends what a result of a transform becomes to `out`; `is_part` of a list.
local function collect(out, result, target, columns_of, is_part)
  if result == pipelines.drop then return end
  if result == pipelines.copy or result == pipelines.skip then
    fail("RH3204", ("the transform returned %s, which is for a pipeline's tables"):format(tostring(result)),
      "Return the row to copy it, rh.drop to leave it out.")
  end
  if type(result) == "userdata" and native.is_row(result) then
    out[#out + 1] = outcome(target, result, columns_of(target))
  elseif type(result) ~= "table" then
    fail("RH3204", ("the transform returned a %s"):format(type(result)),
      "Return the row, a table, rh.drop, rh.to(table, row), or a list of these.")
  elseif getmetatable(result) == pipelines.metatables.routed then
    local _, other = native.rule({}, result.table)
    if not other then fail("RH3207", ("rh.to: %q is not a table name"):format(result.table)) end
    out[#out + 1] = outcome(other, result.row, columns_of(other))
  elseif is_part or result[1] == nil and next(result) ~= nil then
    out[#out + 1] = outcome(target, result, columns_of(target))
  else
    for _, part in ipairs(result) do collect(out, part, target, columns_of, true) end
  end
end

local function run_rows(transform, row, event)
  local results = table.pack(transform(row, event))
  if results[1] == nil then
    fail("RH3203", "the transform returned nothing",
      "Return the row, or rh.drop to leave it out: is a \"return\" missing?")
  elseif results.n > 1 then
    fail("RH3204", ("the transform returned %d values"):format(results.n),
      "Return one value; for several rows a list of them, { a, b }.")
  end
  return results[1]
end

local function run_batch(transform, row, event)
  local batch = batches.new({ row }, 1)
  local result = transform(batch, event)
  if result ~= nil then fail("RH3206", ("transform_batch returned a %s"):format(type(result))) end
  if not batch.dropped[row] then batch.emitted[#batch.emitted + 1] = row end
  return batch.emitted
end

--- The target's columns, if nothing is recorded of it. Those that have a value in `row` of the source are marked.
local function target_columns(rule, columns, row)
  local list, types = {}, rule.types or {}
  for position, column in ipairs(columns) do
    local own = renamed(column, column.name)
    if types[own.name] then own.type, own.base, own.labels = types[own.name], nil, nil end
    own.was_given = row[column.source] ~= nil
    list[position] = own
  end
  for _, name in ipairs(added_columns(rule, columns)) do list[#list + 1] = { name = name, type = types[name] } end
  return list
end

--- What `t.run` does, with the columns that are known, by table, in `schema`.
function trial.run(schema, pipeline, table_name, given)
  if type(pipeline) ~= "table" or getmetatable(pipeline) ~= pipelines.metatables.pipeline then
    fail("RH1001", ("bad argument #1 to 't.run' (pipeline expected, got %s)"):format(shown(pipeline)))
  end
  check.string(table_name, "t.run: table")
  local read = options.read(check.table(given, "t.run", "a table { op =, row =, old = }"),
    { op = operations, row = check.table, old = check.table }, "t.run")
  if not read.row then fail("RH3101", "t.run: \"row\" is missing") end
  read.op = read.op or "insert"
  local rule, full = find_rule(pipeline, table_name)
  if rule.skip then return {} end
  local source = source_columns(schema, full, read.row)
  require_columns(read.row, source, ("t.run: table %s"):format(full))
  if read.old and schema[full] then require_columns(read.old, source, ("t.run, old: table %s"):format(full)) end
  local columns = shown_columns(rule, source)
  local row = view(columns, read.row, added_columns(rule, columns))
  local event = event_for(read, full, rule, columns, row)
  local result = row
  if rule.transform then result = run_rows(rule.transform, row, event) end
  if rule.transform_batch then result = run_batch(rule.transform_batch, row, event) end
  local out, target = {}, rule.to or full
  local own = schema[full] and (target == full or not schema[target]) and target_columns(rule, columns, read.row)
  collect(out, result, target, function(name) return name == target and own or schema[name] end)
  return out
end

return trial
