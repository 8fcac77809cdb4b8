--- Orders with the customer's city, looked up once for a thousand rows: one query for a batch, not for each row.
-- The target's table gets a column that the source does not have.
--
--   replhost scripts/examples/enrichment.lua        (after shop_data.lua)
local rh = require "replhost"

local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:demo-source") }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:demo-target") }

local cities = [[SELECT id, address ->> 'city' AS city FROM shop.customers WHERE id = ANY ($1)]]

local function orders(batch)
  local customers = batch:lookup(source, cities, "customer_id")
  for row in batch:each() do
    local customer = customers[row.customer_id]
    row.city = customer and customer.city
  end
end

return rh.pipeline "enriched orders" {
  source = source,
  sink = target,
  tables = {
    ["shop.orders"] = { to = "reports.orders", transform_batch = orders, types = { city = "text" } },
  },
}
