--- Runs the tests of the standard library: `replhost stdlib/test/run.lua [suite …]`.
-- Prints each failure and at last `N passed, N failed`; fails if a test did.
local suites = { "base64", "csv", "decimal", "hash", "json", "log", "mask", "rh", "time", "uuid" }

local directory = (arg and arg[0] or debug.getinfo(1, "S").source:sub(2)):match("^(.*)/") or "."
local chosen = arg and #arg > 0 and { table.unpack(arg) } or suites

local passed, failed = 0, 0
local check = {}

local function shown(value)
  if type(value) == "string" then return ("%q"):format(value) end
  return tostring(value)
end

--- Same type and equal; tables by their content.
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b and math.type(a) == math.type(b) end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

function check.equal(found, expected)
  if not same(found, expected) then error(("expected %s, found %s"):format(shown(expected), shown(found)), 2) end
end

function check.match(text, pattern)
  if not tostring(text):find(pattern) then error(("%s does not match %s"):format(shown(text), shown(pattern)), 2) end
end

--- The message of the error that `body` must raise.
function check.raises(pattern, body, ...)
  local ok, problem = pcall(body, ...)
  if ok then error(("no error, expected one like %s"):format(shown(pattern)), 2) end
  if not tostring(problem):find(pattern) then
    error(("error %s does not match %s"):format(shown(tostring(problem)), shown(pattern)), 2)
  end
end

for _, suite in ipairs(chosen) do
  local cases = assert(loadfile(("%s/%s_test.lua"):format(directory, suite)))(check)
  local names = {}
  for name in pairs(cases) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local ok, problem = xpcall(cases[name], debug.traceback)
    if ok then
      passed = passed + 1
    else
      failed = failed + 1
      print(("failed: %s: %s\n  %s"):format(suite, name, tostring(problem)))
    end
  end
end

print(("%d passed, %d failed"):format(passed, failed))
if failed > 0 then error("tests failed", 0) end
