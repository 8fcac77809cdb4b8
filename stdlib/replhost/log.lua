--- Log records on standard error: `log.info("copied", { rows = 12 })`.
local native = require "replhost.native.values"

return {
  debug = native.log_debug,
  info = native.log_info,
  warn = native.log_warn,
  error = native.log_error,
}
