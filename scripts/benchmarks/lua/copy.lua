-- The first copy of everything; with BENCH_TRANSFORM two columns of each item are changed.
local rh = require "replhost"

local function items(row)
  row.email = "user@" .. row.code
  row.qty = row.qty + 1
  return row
end

return rh.pipeline "bench" {
  source = rh.pool { dsn = rh.env("BENCH_SOURCE") },
  sink = rh.pool { dsn = rh.env("BENCH_TARGET") },
  stream = false,
  snapshot = { workers = math.tointeger(tonumber(rh.env("BENCH_WORKERS", "1"))) },
  tables = {
    ["public.items"] = rh.env("BENCH_TRANSFORM", "") ~= "" and items or rh.copy,
    ["public.*"] = rh.copy,
  },
}
