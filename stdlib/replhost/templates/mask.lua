--- A copy for staging without what is personal: columns are masked by their names, in all tables of "public".
--
--   replhost preview pipeline.lua    real rows before and after; writes nothing
--   replhost check pipeline.lua      what a run would stumble over; changes nothing
--   replhost --once pipeline.lua     copies, and catches up; without --once it follows the changes
--   replhost verify pipeline.lua     proves that the target has what the functions make of the source
local rh = require "replhost"

-- "sandbox:NAME" is a PostgreSQL server of your own, for trying things out.
local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:source"), max = 8 }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:target"), max = 8 }

-- The same value becomes the same mask everywhere, so joins survive; without the key nobody can try candidates.
local key = rh.env("MASK_KEY", "change me")

local masks = {
  email = rh.mask.email { key = key },
  name = rh.mask.name { key = key },
  phone = rh.mask.phone { key = key },
}

local function mask(row)
  for _, column in ipairs(row:columns()) do
    local value = row[column]
    -- NULL is nil; what an update has left as it was is rh.unchanged.
    if masks[column] and type(value) == "string" then row[column] = masks[column](value) end
  end
  return row
end

return rh.pipeline "mask" {
  source = source,
  sink = target,
  tables = {
    ["public.*"] = mask,
    -- ["public.countries"] = rh.copy,         -- the most specific pattern wins
    -- ["public.sessions"] = rh.skip,
  },
}
