--- One row into several tables: orders as they are, and each of their tags as a row of a table of its own. Changes of
-- an order change its tags with it.
--
--   replhost test pipeline_test.lua   its tests, without a database
--   replhost preview pipeline.lua     real rows before and after; writes nothing
--   replhost pipeline.lua             copies, then follows the changes; started again, it goes on where it was
local rh = require "replhost"

-- "sandbox:NAME" is a PostgreSQL server of your own, for trying things out.
local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:source"), max = 8 }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:target"), max = 8 }

--- Tables of the source are made in the target by themselves; one that only functions write to is yours to make, and
-- "replhost check" misses it before the first run.
local function prepare()
  target:query [[
    SET client_min_messages = warning;
    CREATE TABLE IF NOT EXISTS public.order_tags (order_id bigint, tag text, PRIMARY KEY (order_id, tag))]]
end

--- Expects public.orders (id bigint PRIMARY KEY, tags text[], …).
local function orders(row)
  local rows, seen = { row }, {}
  local tags = row.tags or { n = 0 }
  for position = 1, tags.n do
    local tag = tags[position]
    if tag ~= rh.null and not seen[tag] then
      seen[tag] = true
      rows[#rows + 1] = rh.to("public.order_tags", { order_id = row.id, tag = tag })
    end
  end
  return rows
end

return rh.pipeline "fanout" {
  source = source,
  sink = target,
  on_start = prepare,
  tables = {
    ["public.orders"] = orders,
  },
}
