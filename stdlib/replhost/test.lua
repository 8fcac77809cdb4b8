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

--- The directory, with a slash, of the file whose code has called a function of this module.
local function caller_directory()
  local level = 4
  local info = debug.getinfo(level, "S")
  while info and info.source:sub(1, 1) ~= "@" do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  return info and info.source:match "^@(.*/)" or ""
end

--- What a Lua file beside the caller's returns.
local function run_beside(file, where)
  check.string(file, where)
  local directory = file:sub(1, 1) ~= "/" and caller_directory() or ""
  local chunk, problem = loadfile(directory .. file)
  if not chunk then fail("RH3112", ("%s: %s"):format(where, problem)) end
  return chunk()
end

--- `t.load(file)`: runs a pipeline file, named from the test's directory; the pipeline or list that it returns.
function t.load(file)
  local begun = internals.timers()
  local loaded = run_beside(file, "t.load")
  -- They run while the pipeline does.
  internals.end_timers(begun)
  local first = type(loaded) == "table" and (rawget(loaded, 1) or loaded) or nil
  if type(first) ~= "table" or getmetatable(first) ~= pipelines.metatables.pipeline then
    fail("RH3112", ("t.load: %q returned no pipeline, but %s"):format(file, shown(loaded)))
  end
  return loaded
end

--- Columns by table, `{ name =, type = }` each, with `key = true` for those of the key.
local schema = {}

--- `t.schema(file)`: column types, as `replhost types --record` writes them, for all later `t.run`.
function t.schema(file)
  local tables = check.table(run_beside(file, "t.schema"), "t.schema", "a table of tables")
  for name, columns in pairs(tables) do
    local where = ("t.schema, table %s"):format(shown(name))
    local _, full = native.rule({}, name)
    if not full then fail("RH3112", where .. ": expected a table's name (\"schema.table\")") end
    for position, column in ipairs(check.list(columns, where, "a list of columns")) do
      local at = ("%s, column %d"):format(where, position)
      check.string(check.table(column, at, "a table { name =, type = }").name, at .. ", name")
      check.string(column.type, at .. ", type")
    end
    schema[full] = columns
  end
  return tables
end

--- `t.run(pipeline, "schema.table", { op =, row =, old = })`: what the pipeline makes of a row of the source, as a list
-- of `{ table =, row = }` with plain tables; empty if the row goes nowhere. `op` is "insert" if it is not given.
function t.run(pipeline, table_name, given) return trial.run(schema, pipeline, table_name, given) end

return t
