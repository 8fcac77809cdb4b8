--- Base64 (RFC 4648). `decode` takes both alphabets, with or without padding, and ignores blanks.
local native = require "replhost.native.values"

return {
  encode = native.base64_encode,
  url = native.base64_url,
  decode = native.base64_decode,
}
