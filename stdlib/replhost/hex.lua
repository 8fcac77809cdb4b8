--- Base 16: lower case when written, either case when read.
local native = require("replhost.native.values").hex

return {
  encode = native.encode,
  decode = native.decode,
}
