--- The module that scripts require: `local rh = require "replhost"`.
-- What the host provides is there at once; a helper is loaded when it is first used.
local helpers = {
  base64 = "replhost.base64",
  csv = "replhost.csv",
  hash = "replhost.hash",
  hex = "replhost.hex",
  json = "replhost.json",
  log = "replhost.log",
  mask = "replhost.mask",
  time = "replhost.time",
  uuid = "replhost.uuid",
}

local values = require "replhost.native.values"

local rh = {
  decimal = values.rh.decimal,
  env = values.rh.env,
  null = values.null,
}

-- A build or a test without the host has the values alone.
if package.preload["replhost.native.host"] or package.loaded["replhost.native.host"] then
  require "replhost.connections"
  for _, names in ipairs { require "replhost.native.host", (require "replhost.tasks") } do
    for name, value in pairs(names) do rh[name] = value end
  end
end

local function missing(_, name)
  local module = helpers[name]
  if not module then
    local near = require("replhost.nearest")(name, rh, helpers)
    error(("replhost has no %q%s"):format(tostring(name), near and (", did you mean %q?"):format(near) or ""), 2)
  end
  local loaded = require(module)
  rawset(rh, name, loaded)
  return loaded
end

return setmetatable(rh, { __index = missing })
