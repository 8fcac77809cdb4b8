--- Log records on standard error: `log.info("copied", { rows = 12 })`.
local native = require("replhost.native.values").log

return {
  debug = native.debug,
  info = native.info,
  warn = native.warn,
  error = native.error,
}
