--- Base64 (RFC 4648). `decode` takes both alphabets, with or without padding, and ignores blanks.
local native = require("replhost.native.values").base64

return {
  encode = native.encode,
  url = native.url,
  decode = native.decode,
}
