--- A copy for staging: the shop of shop_data.lua with masked customers. This file is a pipeline:
--
--   replhost scripts/examples/masked_copy.lua             copies; started again, it goes on where it was
--   replhost preview scripts/examples/masked_copy.lua     rows before and after
--   replhost verify scripts/examples/masked_copy.lua      proves the copy
--   replhost test scripts/examples                        its tests: masked_copy_test.lua
local rh = require "replhost"

local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:demo-source") }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:demo-target") }

-- A keyed mask gives the same value for the same input, so joins survive; without the key nobody can try candidates.
local key = rh.env("MASK_KEY", "only for the demo")
local mask_email = rh.mask.email { key = key }
local mask_name = rh.mask.name { key = key }
local mask_phone = rh.mask.phone { key = key }

local function customers(row)
  row.email = mask_email(row.email)
  row.name = mask_name(row.name)
  row.phone = mask_phone(row.phone) -- NULL is nil, and stays it
  row.tax_id = rh.mask.token(key, row.tax_id)
  row.born = rh.mask.date_shift(key .. row.id, row.born, 30)
  local address = rh.json.decode(row.address)
  address.street = nil
  row.address = address
  row.note = nil
  return row
end

local function orders(row)
  row.customer_email = mask_email(row.customer_email) -- as in the customer's own row
  return row
end

return rh.pipeline "masked shop" {
  source = source,
  sink = target,
  tables = {
    ["shop.customers"] = customers,
    ["shop.orders"] = orders,
    ["shop.*"] = rh.copy,
  },
}
