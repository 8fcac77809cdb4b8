local rh = require "replhost"
local hash = rh.hash
local check = ...

return {
  ["computes known digests"] = function()
    check.equal(hash.sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    check.equal(hash.md5("abc"), "900150983cd24fb0d6963f7d28e17f72")
    check.equal(hash.sha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d")
    check.equal(#hash.sha512("abc"), 128)
    check.equal(hash.sha256("", "raw"):byte(1), 0xe3)
  end,
  ["computes HMAC-SHA-256 of RFC 4231"] = function()
    check.equal(hash.hmac("Jefe", "what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    check.equal(hash.hmac(("\xaa"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    check.equal(#hash.hmac("k", "v", "raw"), 32)
  end,
  ["refuses wrong arguments"] = function()
    check.raises("hash.sha256: bytes must be a string, got no value", hash.sha256)
    check.raises('hash.sha256: form must be "hex" or "raw", got "base64"', hash.sha256, "x", "base64")
  end,
  ["writes and reads hexadecimal"] = function()
    check.equal(rh.hex.encode("\0\xff\x10"), "00ff10")
    check.equal(rh.hex.decode("00FF10"), "\0\xff\x10")
    check.raises("hex.decode: text is not hexadecimal", rh.hex.decode, "0g")
    check.raises("hex.decode: text is not hexadecimal", rh.hex.decode, "000")
  end,
}
