local log = require("replhost").log
local check = ...

return {
  ["has four levels"] = function()
    for _, level in ipairs { "debug", "info", "warn", "error" } do check.equal(type(log[level]), "function") end
    log.debug("not shown by default", { answer = 42 })
  end,
  ["refuses wrong arguments"] = function()
    check.raises("log.error: message must be a string, got no value", log.error)
    check.raises("log.error: fields must be a table, got a string", log.error, "m", "x")
  end,
}
