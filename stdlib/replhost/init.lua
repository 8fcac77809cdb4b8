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
  metric = "replhost.metric",
  test = "replhost.test",
  time = "replhost.time",
  uuid = "replhost.uuid",
}

local values = require "replhost.native.values"

local rh = {
  decimal = values.rh.decimal,
  env = values.rh.env,
  null = values.null,
  unchanged = values.unchanged,
}

-- A build or a test without the host has the values alone.
if package.preload["replhost.native.host"] or package.loaded["replhost.native.host"] then
  require "replhost.connections"
  for _, names in ipairs { require "replhost.native.host", (require "replhost.tasks") } do
    for name, value in pairs(names) do rh[name] = value end
  end
  local pipelines = require "replhost.pipeline"
  rh.state = require("replhost.state").open
  for _, name in ipairs { "pipeline", "copy", "skip", "drop", "to" } do rh[name] = pipelines[name] end
end

local function unknown(owner, name, ...)
  local near = require("replhost.nearest")(name, ...)
  local message = ("%s has no %q%s"):format(owner, tostring(name), near and (", did you mean %q?"):format(near) or "")
  if package.loaded["replhost.native.host"] then require("replhost.options").fail("RH1008", message) end
  error(message, 3)
end

local function missing(_, name)
  local module = helpers[name]
  if not module then unknown("replhost", name, rh, helpers) end
  local loaded = require(module)
  if not getmetatable(loaded) then
    setmetatable(loaded, { __index = function(_, key) unknown("rh." .. name, key, loaded) end })
  end
  rawset(rh, name, loaded)
  return loaded
end

return setmetatable(rh, { __index = missing })
