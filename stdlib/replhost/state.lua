--- Durable values of a pipeline's functions: `rh.state "name"`. They are kept in the target, and committed with the
-- rows of the chunk that has changed them.
local json = require "replhost.json"
local native = require("replhost.native.internals").pipelines
local options = require "replhost.options"

local fail, check = options.fail, options.check

local state = {}

--- `access(operation, store, key, value)`: "get" and "all" give JSON text, "set" takes it, "incr" adds an integer.
local access = native.state

--- Keeps values in memory from now on, for tests.
function state.simulate()
  local stores = {}
  access = function(operation, store, key, value)
    local values = stores[store] or {}
    stores[store] = values
    if operation == "all" then return values end
    if operation == "set" then values[key] = value end
    if operation == "incr" then values[key] = ("%d"):format((tonumber(values[key] or "0")) + value) end
    return operation == "incr" and math.tointeger(tonumber(values[key])) or values[key]
  end
end

local methods = {}

--- The value of a key, nil if there is none.
function methods:get(key)
  local text = access("get", self.name, check.string(key, "state:get: key"))
  return text and json.decode(text)
end

--- Any value that JSON can hold; nil removes the key.
function methods:set(key, value)
  check.string(key, "state:set: key")
  access("set", self.name, key, value ~= nil and json.encode(value) or nil)
end

--- Adds `by` (1) to an integer, 0 if there is none; the new value, as far as this chunk can see: others add to it, too.
function methods:incr(key, by)
  check.string(key, "state:incr: key")
  if by == nil then by = 1 end
  if math.type(by) ~= "integer" then options.complain("state:incr", "an integer", by) end
  return access("incr", self.name, key, by)
end

--- `for key, value in state:each() do`, in the order of the keys.
function methods:each()
  local texts, keys, position = access("all", self.name), {}, 0
  for key in pairs(texts) do keys[#keys + 1] = key end
  table.sort(keys)
  return function()
    position = position + 1
    local key = keys[position]
    if key ~= nil then return key, json.decode(texts[key]) end
  end
end

local store = { __name = "state" }

function store.__index(_, name)
  local method = methods[name]
  if method then return method end
  local near = require "replhost.nearest"(tostring(name), methods)
  fail("RH1008", ("a state has no %q%s"):format(tostring(name), near and (", did you mean %q?"):format(near) or ""))
end

--- `rh.state "name"`: the values under this name; those of other pipelines are others.
function state.open(name)
  return setmetatable({ name = check.string(name, "rh.state: name") }, store)
end

return state
