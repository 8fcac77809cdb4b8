--- Digests as lower case hexadecimal digits, or as raw bytes with `"raw"` as last argument.
local native = require("replhost.native.values").hash

return {
  sha256 = native.sha256,
  sha512 = native.sha512,
  sha1 = native.sha1,
  md5 = native.md5,
  hmac = native.hmac,
}
