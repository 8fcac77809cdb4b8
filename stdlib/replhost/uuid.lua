--- UUIDs (RFC 9562) in their text form.
local native = require("replhost.native.values").uuid

return {
  v4 = native.v4,
  v5 = native.v5,
  v7 = native.v7,
  parse = native.parse,
}
