local rh = require "replhost"
local mask = rh.mask
local check = ...

return {
  ["email keeps the form, and distinct values distinct"] = function()
    local masked = mask.email("ann@example.org")
    check.match(masked, "^[a-z2-7]+@example%.com$")
    check.equal(#masked, 28)
    check.equal(mask.email("ann@example.org"), masked)
    check.equal(mask.email(nil), nil)
    check.equal(mask.email(rh.null), rh.null)
    check.equal(mask.unique.email, true)
    local seen = {}
    for index = 1, 5000 do
      local address = mask.email(("user%d@example.org"):format(index))
      check.equal(seen[address], nil)
      seen[address] = true
    end
    check.raises("mask.email: address must be a string, got the integer 5", mask.email, 5)
  end,
  ["email takes a key and a domain"] = function()
    local masker = mask.email { key = "secret" }
    check.equal(masker("a@b.c") == mask.email("a@b.c"), false)
    check.equal(masker("a@b.c"), masker("a@b.c"))
    check.match(mask.email { domain = "mask.test" }("a@b.c"), "@mask%.test$")
    check.match(mask.email { keep_domain = true }("a@b.c"), "@b%.c$")
    check.match(mask.email { keep_domain = true }("nothing"), "@example%.com$")
    check.raises('mask.email: unknown option "kye"', mask.email, { kye = "x" })
    check.raises('mask.email: option "key" must be a string, got number', mask.email, { key = 1 })
  end,
  ["phone keeps the form"] = function()
    local masked = mask.phone("+49 (0)170 123-4567 ext. 9")
    check.match(masked, "^%+%d%d %(%d%)%d%d%d %d%d%d%-%d%d%d%d xxx%. %d$")
    check.equal(masked ~= "+49 (0)170 123-4567 xxx. 9", true)
    check.equal(mask.phone("0170"):sub(1, 1), "0")
    check.equal(mask.phone { key = "k" }("0170") == nil, false)
    check.equal(mask.phone(nil), nil)
  end,
  ["name is made up and plain"] = function()
    check.match(mask.name("Ann Müller"), "^%u%l+ %u%l+$")
    check.match(mask.name("Ann"), "^%u%l+$")
    check.equal(mask.name("Ann Müller"), mask.name("Ann Müller"))
  end,
  ["last4 hides the rest"] = function()
    check.equal(mask.last4("4111-1111-1111-1234"), "****-****-****-1234")
    check.equal(mask.last4("1234"), "****")
    check.equal(mask.last4("ÄÖÜabcd"), "***abcd")
    check.equal(mask.last4(123456789), "*****6789")
    check.equal(mask.last4(nil), nil)
  end,
  ["hash and token are keyed"] = function()
    check.equal(mask.hash("k", "v"), rh.hash.hmac("k", "v"))
    check.equal(mask.hash("k", 42), rh.hash.hmac("k", "42"))
    check.match(mask.token("k", "v"), "^[%w_-]+$")
    check.equal(#mask.token("k", "v"), 22)
    check.equal(mask.token("k", "v") == mask.token("l", "v"), false)
    check.equal(mask.hash("k", nil), nil)
    check.raises("mask.hash: key must be a string, got nil", mask.hash, nil, "v")
    check.raises("mask.hash: key must not be empty", mask.hash, "", "v")
  end,
  ["date_shift moves all dates of a key alike"] = function()
    local first = rh.time.parse(mask.date_shift("k1", "2024-01-10", 30))
    local second = rh.time.parse(mask.date_shift("k1", "2024-01-20", 30))
    check.equal(second - first, 10)
    local moved = first - rh.time.parse("2024-01-10")
    check.equal(moved ~= 0 and math.abs(moved) <= 30, true)
    check.match(mask.date_shift("k", "2024-01-10 10:00:00+02", 5), "^%d+%-%d+%-%d+ 10:00:00%+02$")
    check.equal(mask.date_shift("k", rh.time.parse("2024-01-10"), 5).kind, "date")
    check.equal(mask.date_shift("k", "infinity", 5), "infinity")
    check.equal(mask.date_shift("k", nil, 5), nil)
    check.raises("mask.date_shift: days must be an integer from 1 to 100000", mask.date_shift, "k", "2024-01-10", 0)
    check.raises("is not a date", mask.date_shift, "k", "soon", 3)
  end,
  ["null gives nil"] = function()
    check.equal(mask.null("x"), nil)
  end,
}
