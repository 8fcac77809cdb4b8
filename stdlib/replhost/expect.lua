--- What tests expect of values: each raises, with what was found, unless it is so.
local options = require "replhost.options"

local fail, check = options.fail, options.check

local expect = {}

local function is_same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not is_same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function describe(value, depth)
  if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value) or tostring(value) end
  if depth > 4 then return "{…}" end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and type(a) ~= "table" then return a < b end
    return tostring(a) < tostring(b)
  end)
  for position, key in ipairs(keys) do
    local name = type(key) == "string" and key:find "^[%a_][%w_]*$" and key or ("[%s]"):format(describe(key, depth + 1))
    parts[position] = key == position and describe(value[key], depth + 1)
      or ("%s = %s"):format(name, describe(value[key], depth + 1))
  end
  return #parts > 0 and ("{ %s }"):format(table.concat(parts, ", ")) or "{}"
end

local function refuse(what, message)
  fail("RH3113", message and ("%s: %s"):format(tostring(message), what) or what)
end

--- Equal, tables by their content.
function expect.equal(found, expected, message)
  if not is_same(found, expected) then
    refuse(("expected %s, found %s"):format(describe(expected, 1), describe(found, 1)), message)
  end
end

function expect.not_equal(found, other, message)
  if is_same(found, other) then refuse(("expected anything but %s"):format(describe(other, 1)), message) end
end

--- `text` has a match of the Lua pattern.
function expect.match(text, pattern, message)
  if not tostring(text):find(pattern) then
    refuse(("%s does not match %q"):format(describe(text, 1), pattern), message)
  end
end

function expect.no_match(text, pattern, message)
  if text ~= nil and tostring(text):find(pattern) then
    refuse(("%s matches %q"):format(describe(text, 1), pattern), message)
  end
end

--- Neither nil nor false.
function expect.truthy(value, message)
  if not value then refuse(("expected something, found %s"):format(tostring(value)), message) end
end

--- `fn(…)` raises an error whose text has a match of the Lua pattern. Returns the error.
function expect.raises(pattern, fn, ...)
  check.string(pattern, "t.raises: pattern")
  check.callable(fn, "t.raises: function")
  local ok, problem = pcall(fn, ...)
  if ok then refuse(("no error, expected one like %q"):format(pattern)) end
  if not tostring(problem):find(pattern) then
    refuse(("error %s does not match %q"):format(describe(tostring(problem), 1), pattern))
  end
  return problem
end

return expect
