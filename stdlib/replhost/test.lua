--- Tests of pipelines, without a database: `local t = require "replhost.test"`. `replhost test` runs the cases.
local expect = require "replhost.expect"
local internals = require "replhost.native.internals"
local native = internals.pipelines
local options = require "replhost.options"
local pipelines = require "replhost.pipeline"
local trial = require "replhost.trial"

local fail, check, shown = options.fail, options.check, options.shown

local t = {}
for name, function_of in pairs(expect) do t[name] = function_of end

-- MARK: Cases

local cases = {}

--- `t.case(name, fn)`: `replhost test` calls `fn()`, which raises if something is not as it should be.
function t.case(name, fn)
  check.string(name, "t.case: name")
  check.callable(fn, ("t.case %q"):format(name))
  local info = debug.getinfo(fn, "S")
  cases[#cases + 1] = { name = name, fn = fn, file = info.short_src, line = info.linedefined }
end

--- The cases since the last call, as `{ name =, fn =, file =, line = }`, for whoever runs them.
function t.take()
  local taken = cases
  cases = {}
  return taken
end

-- MARK: Files

local own_directory = debug.getinfo(1, "S").source:match "^@(.*/)" or ""

--- The directory, with a slash, of the file whose code has called a function of this module, `t.raises` left out.
local function caller_directory()
  local level = 2
  local info = debug.getinfo(level, "S")
  while info and (info.source:sub(1, 1) ~= "@" or info.source:match "^@(.*/)" == own_directory) do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  return info and info.source:match "^@(.*/)" or ""
end

--- A file's name as the caller means it: from his directory.
local function beside(file, where)
  check.string(file, where)
  return (file:sub(1, 1) ~= "/" and caller_directory() or "") .. file
end

--- What a Lua file returns.
local function run_file(path, where)
  if not loadfile then fail("RH3112", where .. ": a strict sandbox opens no files", "Leave --sandbox strict out.") end
  local chunk, problem = loadfile(path)
  if not chunk then fail("RH3112", ("%s: %s"):format(where, problem)) end
  return chunk()
end

--- Columns by table, `{ name =, type = }` each; see `t.schema`.
local schema = {}

local facts = { name = check.string, type = check.string, base = check.string, labels = check.list,
  key = check.boolean, not_null = check.boolean, generated = check.boolean }

local function note_schema(tables, where)
  for name, columns in pairs(check.table(tables, where, "a table of tables")) do
    local at_table = ("%s, table %s"):format(where, shown(name))
    local _, full = native.rule({}, name)
    if not full then fail("RH3112", at_table .. ": expected a table's name (\"schema.table\")") end
    check.table(columns, at_table, "a list of columns")
    if next(columns) ~= nil then check.list(columns, at_table, "a list of columns") end
    for position, column in ipairs(columns) do
      local at = ("%s, column %d"):format(at_table, position)
      options.read(check.table(column, at, "a table { name =, type = }"), facts, at)
      check.string(column.name, at .. ", name")
      check.string(column.type, at .. ", type")
    end
    schema[full] = columns
  end
  return tables
end

local function is_there(path)
  local chunk, problem = loadfile(path)
  return chunk ~= nil or not problem:find("No such file or directory", 1, true)
end

--- Where `replhost types --record` puts the column types of a pipeline file.
local function recorded(path) return (path:gsub("%.lua$", "") .. "_schema.lua") end

--- `t.load(file)`: runs a pipeline file, named from the test's directory; the pipeline or list that it returns. Column
-- types that `replhost types FILE --record` has put beside it count from then on.
function t.load(file)
  local path = beside(file, "t.load")
  local begun = internals.timers()
  local loaded = run_file(path, "t.load")
  -- They run while the pipeline does.
  internals.end_timers(begun)
  local first = type(loaded) == "table" and (rawget(loaded, 1) or loaded) or nil
  if type(first) ~= "table" or getmetatable(first) ~= pipelines.metatables.pipeline then
    fail("RH3112", ("t.load: %q returned no pipeline, but %s"):format(file, shown(loaded)))
  end
  if is_there(recorded(path)) then
    local where = "t.load: " .. recorded(file)
    note_schema(run_file(recorded(path), where), where)
  end
  return loaded
end

--- `t.schema(given)`: column types for all later `t.run`: a file, as `replhost types --record` writes it, or a pool,
-- whose database is asked.
function t.schema(given)
  if native.is_pool(given) then return note_schema(native.types(given), "t.schema") end
  return note_schema(run_file(beside(given, "t.schema"), "t.schema"), "t.schema")
end

--- `t.run(pipeline, "schema.table", { op =, row =, old = })`: what the pipeline makes of a row of the source, as a list
-- of `{ table =, row = }` with plain tables; empty if the row goes nowhere. `op` is "insert" if it is not given.
function t.run(pipeline, table_name, given) return trial.run(schema, pipeline, table_name, given) end

return t
