local t = require "replhost.test"
local a, b = table.unpack(t.load "merge.lua")

local customer = { id = 7, email = "ann@mail.example", name = "Ann", created_at = "2024-01-31 10:00:00+00", note = "-" }

local function run(shop)
  local out = t.run(shop, "shop.customers", { op = "insert", row = customer })
  t.equal(#out, 1)
  t.equal(out[1].table, "merged.customers")
  return out[1].row
end

t.case("rows of two shops are told apart by the shop", function()
  t.equal(run(a).shop, "a")
  t.equal(run(b).shop, "b")
  t.equal(run(a).id, run(b).id)
end)

t.case("only what both shops have goes over", function()
  t.equal(run(a), { shop = "a", id = 7, email = customer.email, name = "Ann", created_at = customer.created_at })
end)
