--- JSON, exact in both directions.
--
-- Read: integers of 64 bits are integers, other numbers floats where a float gives back the same
-- number, else decimals; null is `rh.null`; arrays carry the metatable `json.array`.
-- Written: a table with keys 1 to n is an array, one with strings or without keys an object, unless
-- its metatable says otherwise; keys are sorted unless `sorted = false`.
local values = require "replhost.native.values"
local native = values.json

--- A metatable that also marks a table when it is called: `json.array {}` is an empty array.
local function marker(metatable, name)
  return setmetatable(metatable, {
    __call = function(_, items)
      if items ~= nil and type(items) ~= "table" then
        error(("json.%s: items must be a table, got %s"):format(name, type(items)), 2)
      end
      return setmetatable(items or {}, metatable)
    end,
  })
end

return {
  decode = native.decode,
  encode = native.encode,
  null = values.null,
  array = marker(native.array, "array"),
  object = marker(native.object, "object"),
}
