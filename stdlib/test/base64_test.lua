local base64 = require("replhost").base64
local check = ...

return {
  ["agrees with RFC 4648"] = function()
    local examples = {
      [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==",
      fooba = "Zm9vYmE=", foobar = "Zm9vYmFy",
    }
    for plain, text in pairs(examples) do
      check.equal(base64.encode(plain), text)
      check.equal(base64.decode(text), plain)
    end
  end,
  ["has the URL alphabet"] = function()
    check.equal(base64.encode("\xfb\xff\xfe"), "+//+")
    check.equal(base64.url("\xfb\xff\xfe"), "-__-")
    check.equal(base64.url("f"), "Zg")
    check.equal(base64.decode("-__-"), "\xfb\xff\xfe")
    check.equal(base64.decode("Zg"), "f")
  end,
  ["reads lines and refuses the rest"] = function()
    check.equal(base64.decode("Zm9v\nYmFy\n"), "foobar")
    for _, text in ipairs { "Z", "Zg=", "Zh==", "Zg==Zg==", "Zm9v!", "====" } do
      check.raises("base64.decode: text is not base64", base64.decode, text)
    end
  end,
}
