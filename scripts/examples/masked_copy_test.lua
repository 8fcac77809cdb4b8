local t = require "replhost.test"
local shop = t.load "masked_copy.lua"

local customer = {
  id = 7, email = "ann.smith@mail.example", name = "Ann Smith", phone = "+49 (30) 1234", tax_id = "DE-1",
  born = "1990-02-28", address = '{"city": "Berlin", "street": "Main St. 1"}', note = "calls at night",
}

t.case("nothing personal is left of a customer", function()
  local out = t.run(shop, "shop.customers", { op = "insert", row = customer })

  t.equal(#out, 1)
  t.equal(out[1].table, "shop.customers")
  t.no_match(out[1].row.email, "ann")
  t.not_equal(out[1].row.name, "Ann Smith")
  t.not_equal(out[1].row.tax_id, "DE-1")
  t.no_match(tostring(out[1].row.address), "Main")
  t.equal(out[1].row.note, nil)
end)

t.case("orders find their customer by the masked address", function()
  local masked = t.run(shop, "shop.customers", { op = "insert", row = customer })[1].row.email
  local order = t.run(shop, "shop.orders", { op = "insert", row = { id = 1, customer_email = customer.email } })[1].row

  t.equal(order.customer_email, masked)
end)
