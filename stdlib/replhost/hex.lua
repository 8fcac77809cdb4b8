--- Base 16: lower case when written, either case when read.
local native = require "replhost.native.values"

return {
  encode = native.hex_encode,
  decode = native.hex_decode,
}
