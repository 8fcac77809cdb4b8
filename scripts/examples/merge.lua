--- Two shops become one: tables of two sources go into the same tables, told apart by a column that says where a row
-- is from. Both pipelines run at once.
--
--   SHOP_A=… SHOP_B=… TARGET_URL=… replhost scripts/examples/merge.lua
local rh = require "replhost"

local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:demo-target") }

-- Both pipelines ask for it at once: the lock lets one go first.
local prepare = [[
  SET client_min_messages = warning;
  SELECT pg_advisory_xact_lock(1);
  CREATE SCHEMA IF NOT EXISTS merged;
  CREATE TABLE IF NOT EXISTS merged.customers (shop text, id bigint, email text NOT NULL, name text NOT NULL,
    created_at timestamptz NOT NULL, PRIMARY KEY (shop, id))]]

--- The pipeline of one shop. Its rows never meet those of another: the shop is a part of the key.
local function shop(name, dsn)
  return rh.pipeline("customers of " .. name) {
    source = rh.pool { dsn = dsn },
    sink = target,
    on_start = function() target:query(prepare) end,
    tables = {
      ["shop.customers"] = {
        to = "merged.customers",
        columns = { "id", "email", "name", "created_at" },
        types = { shop = "text" },
        on_conflict = "upsert",
        transform = function(row)
          row.shop = name
          return row
        end,
      },
    },
  }
end

return {
  shop("a", rh.env("SHOP_A", "sandbox:demo-source")),
  shop("b", rh.env("SHOP_B", "sandbox:demo-source")),
}
