local uuid = require("replhost").uuid
local check = ...

return {
  ["makes random ones"] = function()
    local seen = {}
    for _ = 1, 1000 do
      local id = uuid.v4()
      check.match(id, "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$")
      check.equal(seen[id], nil)
      seen[id] = true
    end
  end,
  ["makes ordered ones"] = function()
    local last = ""
    for _ = 1, 10000 do
      local id = uuid.v7()
      check.equal(id > last, true)
      last = id
    end
    check.match(last, "^%x+%-%x+%-7%x%x%x%-[89ab]")
    check.equal(math.abs(tonumber(last:sub(1, 8) .. last:sub(10, 13), 16) / 1000 - os.time()) < 5, true)
  end,
  ["makes named ones"] = function()
    check.equal(uuid.v5("dns", "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    check.equal(uuid.v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com"),
      "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    check.raises("uuid.v5: namespace must be a UUID", uuid.v5, "nowhere", "x")
  end,
  ["parses"] = function()
    local id, version = uuid.parse("{2ED6657DE927568B95E12665A8AEA6A2}")
    check.equal(id, "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    check.equal(version, 5)
    check.equal(uuid.parse("2ed6657d-e927-568b-95e1-2665a8aea6a"), nil)
    check.equal(uuid.parse("2ed6657d-e927-568b-95e1-2665a8aea6a2-"), nil)
    check.equal(uuid.parse(""), nil)
  end,
}
