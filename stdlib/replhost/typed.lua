--- What PostgreSQL makes of a value in a column of a known type, as far as that can be told without it.
local nearest = require "replhost.nearest"
local options = require "replhost.options"
local values = require "replhost.native.values"

local fail = options.fail
local decimal = values.rh.decimal

local typed = {}

local function refuse(column, problem, hint)
  fail("RH2213", ("column %q: %s"):format(column.name, problem), hint)
end

local function label(column, value)
  if type(value) ~= "string" then return value end
  local known, shown = {}, {}
  for position, name in ipairs(column.labels) do known[name], shown[position] = true, ("%q"):format(name) end
  if known[value] then return value end
  local near = nearest(value, known)
  refuse(column, ("no label of %s"):format(column.type) .. (near and (", did you mean %q?"):format(near) or ""),
    ("Its labels are %s."):format(table.concat(shown, ", ")))
end

--- Cut at `length` characters if only blanks are lost.
local function shortened(column, value, length)
  local count = utf8.len(value)
  if not count or count <= length then return value, count end
  local kept = value:sub(1, utf8.offset(value, length + 1) - 1)
  if value:sub(#kept + 1):find "[^ ]" then
    refuse(column, ("%d characters are too many for %s"):format(count, column.base or column.type))
  end
  return kept, length
end

local function varying(column, value, length)
  if type(value) ~= "string" then return value end
  return (shortened(column, value, length))
end

local function padded(column, value, length)
  if type(value) ~= "string" then return value end
  local kept, count = shortened(column, value, length)
  return count and kept .. (" "):rep(length - count) or kept
end

--- Rounded to the column's scale; floats are what PostgreSQL makes of their digits.
local function numeric(column, value, precision, scale)
  if math.type(value) == "float" then value = tostring(value) end
  if not precision then return value end
  local known, number = pcall(decimal, tostring(value))
  if not known or not number:isfinite() then return value end
  local rounded = number:round(scale)
  if rounded:abs() >= decimal("1e" .. precision - scale) then
    refuse(column, ("too large for %s"):format(column.base or column.type))
  end
  return rounded
end

local function document(column, value)
  if type(value) ~= "string" then return value end
  local known, problem = pcall(require("replhost.json").decode, value)
  if not known then refuse(column, ("not JSON: %s"):format(problem.message or problem)) end
  return value
end

local readers = {
  ["character varying"] = varying, varchar = varying, character = padded, char = padded,
  numeric = numeric, decimal = numeric, json = document, jsonb = document,
}

local takes_no_modifier = { [numeric] = true, [document] = true }

--- The value as it comes back from a column `{ name =, type =, base =, labels =, not_null = }`, or an error if the
-- column would refuse it. What else the type's text form demands is seen when a row is made of it.
function typed.value(column, value)
  if value == nil then return nil end
  if value == values.null then
    if column.not_null then refuse(column, "NULL, but the column is NOT NULL") end
    return value
  end
  if column.labels then return label(column, value) end
  local text = column.base or column.type
  if not text then return value end
  local name, modifiers = text:match "^([%a ]-)%s*%(([%d, -]+)%)$"
  local reader = readers[name or text]
  if not reader then return value end
  local first, second = (modifiers or ""):match "^(%d+)%s*,?%s*(%-?%d*)$"
  if not first and not takes_no_modifier[reader] then return value end
  return reader(column, value, math.tointeger(first), math.tointeger(second) or 0)
end

return typed
