local rh = require "replhost"
local t = require "replhost.test"
local split = t.load "fan_out.lua"

local function run(coupons)
  return t.run(split, "shop.orders", { op = "insert", row = { id = 5, coupons = coupons or rh.null } })
end

t.case("an order without coupons is one row", function()
  t.equal(#run(nil), 1)
  t.equal(run(nil)[1].table, "split.orders")
end)

t.case("each coupon is a row of its own, NULL is none", function()
  local out = run { "SPRING", rh.null, "MAY", n = 3 }

  t.equal(#out, 3)
  t.equal(out[2].table, "split.coupons")
  t.equal(out[2].row, { order_id = 5, position = 1, code = "SPRING" })
  t.equal(out[3].row, { order_id = 5, position = 3, code = "MAY" })
end)
