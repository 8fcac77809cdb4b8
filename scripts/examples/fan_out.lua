--- One row into several tables: orders as they are, and each of their coupons as a row of a table of its own.
-- A table that only functions name is made by whoever writes them.
--
--   replhost scripts/examples/fan_out.lua           (after shop_data.lua)
local rh = require "replhost"

local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:demo-source") }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:demo-target") }

local function prepare()
  target:query [[
    SET client_min_messages = warning;
    CREATE SCHEMA IF NOT EXISTS split;
    CREATE TABLE IF NOT EXISTS split.coupons (order_id bigint, position integer, code text NOT NULL,
      PRIMARY KEY (order_id, position))]]
end

local function orders(row)
  local rows = { row }
  local coupons = row.coupons or { n = 0 }
  for position = 1, coupons.n do
    if coupons[position] ~= rh.null then
      rows[#rows + 1] = rh.to("split.coupons", { order_id = row.id, position = position, code = coupons[position] })
    end
  end
  return rows
end

return rh.pipeline "split orders" {
  source = source,
  sink = target,
  on_start = prepare,
  tables = {
    ["shop.orders"] = { to = "split.orders", transform = orders },
  },
}
