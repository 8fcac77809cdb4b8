--- Values as the prompt shows them, and what its commands run.
local json = require "replhost.json"
local native = require("replhost.native.internals").pipelines

local repl = {}

local most_depth, most_items = 8, 1000

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
  while]]):gmatch("%a+") do keywords[word] = true end

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\", ["\""] = "\\\"" }

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(byte)
    return escapes[byte] or ("\\%03d"):format(byte:byte())
  end) .. '"'
end

local function shown_key(key)
  if type(key) == "string" then
    if key:match("^[%a_][%w_]*$") and not keywords[key] then return key end
    return "[" .. quoted(key) .. "]"
  end
  return "[" .. tostring(key) .. "]"
end

local ranks = { number = 1, string = 2, boolean = 3 }

--- Numbers, strings, booleans, then the rest; each in its own order.
local function before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a ~= kind_b then return (ranks[kind_a] or 4) < (ranks[kind_b] or 4) end
  if kind_a == "number" or kind_a == "string" then return a < b end
  return tostring(a) < tostring(b)
end

--- The keys behind the list part, in order; at most so many that all can be shown.
local function sorted_keys(value, count)
  local keys = {}
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= count) then keys[#keys + 1] = key end
  end
  table.sort(keys, before)
  return keys
end

local render

--- The parts of a table: its list, then its fields by name.
local function parts_of(value, state, depth)
  local parts, count = {}, rawlen(value)
  for position = 1, math.min(count, most_items) do
    parts[#parts + 1] = render(rawget(value, position), state, depth + 1)
  end
  local keys = sorted_keys(value, count)
  for position = 1, math.min(#keys, most_items - #parts) do
    local key = keys[position]
    parts[#parts + 1] = shown_key(key) .. " = " .. render(rawget(value, key), state, depth + 1)
  end
  local missing = count + #keys - #parts
  if missing > 0 then parts[#parts + 1] = ("... and %d more"):format(missing) end
  return parts
end

local function braces(parts, state, depth)
  if #parts == 0 then return "{}" end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if utf8.len(line) and utf8.len(line) + depth * 2 <= state.width and not line:find("\n", 1, true) then return line end
  local indent = ("  "):rep(depth + 1)
  return "{\n" .. indent .. table.concat(parts, ",\n" .. indent) .. "\n" .. ("  "):rep(depth) .. "}"
end

local function render_table(value, state, depth)
  if state.open[value] then return "<cycle>" end
  local meta = getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") then return tostring(value) end
  if depth >= most_depth then return next(value) == nil and "{}" or "{...}" end
  state.open[value] = true
  local text = braces(parts_of(value, state, depth), state, depth)
  state.open[value] = nil
  return text
end

local function render_row(row, state, depth)
  local parts = {}
  for position, name in ipairs(row:columns()) do
    parts[position] = shown_key(name) .. " = " .. render(row[position], state, depth + 1)
  end
  return braces(parts, state, depth)
end

function render(value, state, depth)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "table" then return render_table(value, state, depth) end
  if kind == "userdata" and native.is_row(value) then return render_row(value, state, depth) end
  return tostring(value)
end

--- A value for people: tables with sorted keys, what they hold of themselves as `<cycle>`; text as it is.
function repl.pretty(value, width)
  if type(value) == "string" then return value end
  if not math.tointeger(width) or width < 20 then width = 80 end
  return render(value, { width = width, open = {} }, 0)
end

--- The same for programs: one line of JSON; what JSON does not have is text.
function repl.json(value)
  if type(value) == "userdata" and native.is_row(value) then value = value:totable() end
  local done, text = pcall(json.encode, value)
  return done and text or json.encode(tostring(value))
end

--- Makes global variables of the pipelines that a file has returned, unless they have others' names: each by its own
--- name, all in `pipelines`, and the pools of the first as `source`, `sink` and `pool`.
function repl.adopt(returned)
  local pipeline = require("replhost.pipeline").metatables.pipeline
  if type(returned) ~= "table" then return end
  local list = getmetatable(returned) == pipeline and { returned } or returned
  local function define(name, value)
    if rawget(_G, name) == nil then rawset(_G, name, value) end
  end
  define("pipelines", {})
  for _, each in ipairs(list) do
    if type(each) == "table" and getmetatable(each) == pipeline then
      _G.pipelines[each.name] = each
      define(each.name, each)
      define("source", each.source)
      define("sink", each.sink)
      define("pool", each.source)
    end
  end
end

--- What the pools do, a line for each name: `\\pool`.
function repl.pools()
  local names, lines = {}, {}
  for name, value in next, _G do
    local meta = type(name) == "string" and type(value) == "userdata" and tostring(value):match("^pool %(")
    if meta then names[#names + 1] = name end
  end
  table.sort(names)
  for position, name in ipairs(names) do
    local stats = _G[name]:stats()
    lines[position] = ("%s\t%d\t%d\t%d\t%d\t%d\t%d"):format(
      name, stats.in_use, stats.idle, stats.connecting, stats.waiting, stats.max, stats.acquired)
  end
  return table.concat(lines, "\n")
end

-- MARK: \try

local function columns_of(table_name)
  local result = _G.conn:query([[
    select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
      exists (select from pg_index i where i.indrelid = a.attrelid and i.indisprimary
        and a.attnum = any (i.indkey::int2[])) as is_key
    from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum]],
    table_name)
  local columns = {}
  for position, row in ipairs(result) do
    columns[position] = { name = row.name, type = row.type, key = row.is_key }
  end
  return columns
end

--- A pipeline whose function for the table is what was given: a function, or a pipeline as it is.
local function pipeline_for(given, full)
  local pipelines = require "replhost.pipeline"
  if type(given) == "table" and getmetatable(given) == pipelines.metatables.pipeline then return given end
  if type(given) ~= "function" then
    error(("\\try: a function or a pipeline expected, got %s"):format(type(given)), 0)
  end
  return pipelines.pipeline("try", {
    source = _G.pool, sink = _G.pool, tables = { [full] = { transform = given } },
  })
end

local function shown(value)
  if value == nil then return "NULL" end
  if type(value) == "string" then return value end
  return render(value, { width = math.maxinteger, open = {} }, 0)
end

--- Lines for one row that came out: what is new with +, what has changed with ~, what is gone with -.
local function differences(lines, columns, given, after)
  local known = {}
  for _, column in ipairs(columns) do
    local name = column.name
    known[name] = true
    local old, new = given[name], after[name]
    if shown(old) == shown(new) then
      lines[#lines + 1] = ("      %s  %s"):format(name, shown(old))
    else
      lines[#lines + 1] = ("    ~ %s  %s -> %s"):format(name, shown(old), shown(new))
    end
  end
  for _, name in ipairs(sorted_keys(after, 0)) do
    if not known[name] then lines[#lines + 1] = ("    + %s  %s"):format(name, shown(after[name])) end
  end
end

--- Runs a function, or a pipeline's, over the first rows of a table and shows what becomes of them; writes nothing.
function repl.try(given, table_name, count)
  local trial, internals = require "replhost.trial", require("replhost.native.internals").pipelines
  local full = internals.table_name(table_name)
  if not full then error(("\\try: %q is not a table name"):format(table_name), 0) end
  local columns = columns_of(full)
  local pipeline, lines = pipeline_for(given, full), {}
  local rows = _G.conn:query(("select * from %s limit %d"):format(full, count))
  for position, row in ipairs(rows) do
    local values = row:totable()
    local done, out = pcall(trial.run, { [full] = columns }, pipeline, full, { op = "read", row = values })
    if not done then
      lines[#lines + 1] = ("  row %d: %s"):format(position, tostring(out))
    elseif #out == 0 then
      lines[#lines + 1] = ("  row %d: dropped"):format(position)
    end
    for number, each in ipairs(done and out or {}) do
      local where = each.table ~= full and " into " .. each.table or ""
      local part = #out > 1 and (" (%d of %d)"):format(number, #out) or ""
      lines[#lines + 1] = ("  row %d%s%s"):format(position, part, where)
      differences(lines, columns, values, each.row)
    end
  end
  if #rows == 0 then lines[1] = ("  %s has no rows"):format(full) end
  return table.concat(lines, "\n")
end

return repl
