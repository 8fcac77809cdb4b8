--- Checks tables of options: unknown names, wrong types and wrong values are errors at the script's line.
local internals = require "replhost.native.internals"
local nearest = require "replhost.nearest"

local options = {}

--- Where a declaration began, as "file:line", while it is being read: `return rh.pipeline "name" { … }` is a tail call,
-- after which nobody knows the line any more.
options.begun_at = nil

--- Raises an error of the host with this code, at the line of the script that is running.
function options.fail(code, message, hint)
  local place = options.begun_at
  options.begun_at = nil
  internals.pipelines.fail(code, message, hint, place)
end

--- The line of the script that is running, as "file:line".
options.place = internals.pipelines.place

--- A value in a message.
function options.shown(value)
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) == "number" or type(value) == "boolean" or value == nil then return tostring(value) end
  local metatable = getmetatable(value)
  if metatable == false then return tostring(value) end
  return metatable and metatable.__name or type(value)
end

--- Raises that `where` got `value` and not what was `expected`.
function options.complain(where, expected, value, hint)
  options.fail("RH3101", ("%s: expected %s, got %s"):format(where, expected, options.shown(value)), hint)
end

local complain = options.complain

local function sorted_names(values)
  local names = {}
  for name in pairs(values) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

--- The values of `given` as the checks in `known` return them; `where` as "rh.pipeline \"shop\"".
function options.read(given, known, where)
  local read = {}
  -- Of several that are wrong, the same one is named each time.
  local names = sorted_names(given)
  for _, name in ipairs(names) do
    if not known[name] then
      local near = nearest(tostring(name), known)
      local message = ("%s: unknown option %s"):format(where, options.shown(name))
      if near then options.fail("RH3101", ("%s, did you mean %q?"):format(message, near)) end
      options.fail("RH3101", message, "There are: " .. table.concat(sorted_names(known), ", ") .. ".")
    end
  end
  for _, name in ipairs(names) do
    read[name] = known[name](given[name], ("%s, option %q"):format(where, name))
  end
  return read
end

-- MARK: Checks, each of a value: what it stands for, or an error that begins with `where`

local check = {}
options.check = check

local function of_type(name, expected)
  return function(value, where, better)
    if type(value) ~= name then complain(where, better or expected, value) end
    return value
  end
end

check.table = of_type("table", "a table")
check.boolean = of_type("boolean", "true or false")
check.callable = of_type("function", "a function")

function check.string(value, where)
  if type(value) ~= "string" or value == "" then complain(where, "a string", value) end
  return value
end

--- A table without other keys than 1, 2, …, and with one at least.
function check.list(value, where, expected)
  check.table(value, where, expected)
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  if count == 0 or count ~= #value then complain(where, expected, value) end
  return value
end

function check.one_of(...)
  local known, shown = {}, {}
  for position, word in ipairs { ... } do known[word], shown[position] = true, ("%q"):format(word) end
  local expected = table.concat(shown, ", ", 1, #shown - 1) .. " or " .. shown[#shown]
  return function(value, where, other)
    if known[value] then return value end
    local near = type(value) == "string" and nearest(value, known)
    options.fail("RH3101", ("%s: expected %s, got %s%s"):format(
      where, other and ("%s, or %s"):format(expected, other) or expected, options.shown(value),
      near and (", did you mean %q?"):format(near) or ""))
  end
end

function check.integer(least, most)
  local expected = most == math.maxinteger and ("an integer >= %d"):format(least)
    or ("an integer from %d to %d"):format(least, most)
  return function(value, where)
    if math.type(value) ~= "integer" or value < least or value > most then complain(where, expected, value) end
    return value
  end
end

function check.positive(value, where)
  if type(value) ~= "number" or not (value > 0 and value < math.huge) then
    complain(where, "a number above 0", value)
  end
  return value + 0.0
end

--- Seconds.
function check.duration(value, where)
  local seconds = internals.seconds(value)
  if not seconds or seconds <= 0 then
    complain(where, "a duration above 0 (\"250ms\", \"30s\", \"5m\", or seconds)", value)
  end
  return seconds
end

local units = { [""] = 1, B = 1, kB = 1 << 10, KB = 1 << 10, MB = 1 << 20, GB = 1 << 30, TB = 1 << 40 }

--- Bytes, as a float.
function check.size(value, where, better)
  local number, unit = value, ""
  if type(value) == "string" then
    number, unit = value:match "^(%d+%.?%d*)%s*(%a*)$"
    number = tonumber(number)
  end
  local factor = units[unit]
  if type(number) ~= "number" or not factor or not (number > 0 and number * factor < 1 << 60) then
    complain(where, better or "a size above 0 (\"64kB\", \"20MB\", \"1GB\", or bytes)", value)
  end
  return number * factor + 0.0
end

return options
