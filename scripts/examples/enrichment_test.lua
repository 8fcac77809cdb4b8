local rh = require "replhost"
local t = require "replhost.test"
local enriched = t.load "enrichment.lua"

local function run(customer_id)
  return t.run(enriched, "shop.orders", { op = "insert", row = { id = 5, customer_id = customer_id, status = "new" } })
end

t.case("an order without a customer has no city, and nothing is asked for", function()
  local out = run(rh.null)

  t.equal(#out, 1)
  t.equal(out[1].table, "reports.orders")
  t.equal(out[1].row, { id = 5, status = "new" })
end)

-- Others are looked up in the shop of shop_data.lua, where that is told.
if rh.env("SOURCE_URL", "") ~= "" then
  t.case("an order has the city of its customer", function() t.equal(run(1)[1].row.city, "Łódź") end)

  t.case("an order of an unknown customer has no city", function() t.equal(run(-1)[1].row.city, nil) end)
end
