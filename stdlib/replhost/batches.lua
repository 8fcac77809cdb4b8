--- What `transform_batch` gets: some rows, whose own places they keep unless they are dropped.
local options = require "replhost.options"

local fail = options.fail
local batches = {}

local methods = {}
local batch = { __name = "batch" }

function batch:__len() return self.count end

function batch.__index(_, name)
  local method = methods[name]
  if method then return method end
  local near = require "replhost.nearest"(tostring(name), methods)
  fail("RH1008", ("a batch has no %q%s"):format(tostring(name), near and (", did you mean %q?"):format(near) or ""))
end

--- A batch of the `count` rows of a list.
function batches.new(rows, count)
  return setmetatable({ rows = rows, count = count, dropped = {}, emitted = {}, positions = false }, batch)
end

--- `for row in batch:each() do`: the rows that were not dropped yet.
function methods:each()
  local position, rows, dropped = 0, self.rows, self.dropped
  return function()
    repeat position = position + 1 until not dropped[rows[position] or false]
    return rows[position]
  end
end

--- Decimals are equal by value, not by identity.
local by_value = { __index = function(map, key)
  return type(key) == "userdata" and rawget(map, tostring(key)) or nil
end }

local function place(value)
  return type(value) == "userdata" and tostring(value) or value
end

--- `batch:lookup(pool, sql, column)`: runs `sql` once, with the column's distinct values as the array `$1`
-- (`WHERE id = any($1)`). Returns a map of the result's first column to its rows; of equal keys the first row counts.
function methods:lookup(pool, sql, column)
  if type(sql) ~= "string" then
    fail("RH1001", ("bad argument #2 to 'batch:lookup' (SQL text expected, got %s)"):format(options.shown(sql)))
  end
  if type(column) ~= "string" then
    fail("RH1001", ("bad argument #3 to 'batch:lookup' (column name expected, got %s)"):format(options.shown(column)))
  end
  local values, seen, map = {}, {}, setmetatable({}, by_value)
  for row in self:each() do
    local value = row[column]
    if value ~= nil and not seen[place(value)] then
      seen[place(value)] = true
      values[#values + 1] = value
    end
  end
  if #values == 0 then return map end
  for _, found in ipairs(pool:query(sql, values)) do
    local key = place(found[1])
    if key ~= nil and rawget(map, key) == nil then map[key] = found end
  end
  return map
end

local function position_of(self, row)
  if not self.positions then
    self.positions = {}
    for position, own in ipairs(self.rows) do self.positions[own] = position end
  end
  return self.positions[row]
end

--- `batch:drop(row)`: the row goes nowhere.
function methods:drop(row)
  if row == nil or not position_of(self, row) then
    fail("RH3208", ("batch:drop: expected a row of this batch, got %s"):format(options.shown(row)))
  end
  self.dropped[row] = true
end

--- `batch:emit(table, row)`: one row more, into any table; before the batch's own rows.
function methods:emit(table_name, row)
  self.emitted[#self.emitted + 1] = require("replhost.pipeline").to(table_name, row)
end

return batches
