--- A copy of a database that stays up to date: every table of the schema "public", then each committed change.
--
--   replhost check pipeline.lua      what a run would stumble over; changes nothing
--   replhost plan pipeline.lua       what it would do, as SQL; changes nothing
--   replhost pipeline.lua            copies, then follows the changes; started again, it goes on where it was
--   replhost status pipeline.lua     how far it is
--   replhost verify pipeline.lua     proves that both sides are equal
--   replhost cutover pipeline.lua    ends it with everything in the target
local rh = require "replhost"

-- "sandbox:NAME" is a PostgreSQL server of your own, for trying things out.
local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:source"), max = 8 }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:target"), max = 8 }

return rh.pipeline "copy" {
  source = source,
  sink = target,
  -- stream = false,                           -- copy once, follow nothing; needs no wal_level = logical
  -- on_schema_change = "apply",               -- new and dropped columns go over, too (default: "stop")
  -- wal_budget = "20GB",                      -- a warning when the source keeps more log than that
  tables = {
    ["public.*"] = rh.copy,
    -- ["public.audit_*"] = rh.skip,           -- the most specific pattern wins
    -- ["public.orders"] = { to = "shop.orders", where = "placed_at > now() - interval '1 year'" },
  },
}
