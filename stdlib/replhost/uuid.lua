--- UUIDs (RFC 9562) in their text form.
local native = require "replhost.native.values"

return {
  v4 = native.uuid_v4,
  v5 = native.uuid_v5,
  v7 = native.uuid_v7,
  parse = native.uuid_parse,
}
