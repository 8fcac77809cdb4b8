-- Follows the changes of everything; with BENCH_TRANSFORM one column of each row is changed.
local rh = require "replhost"

local function filler(row)
  row.filler = "changed"
  return row
end

return rh.pipeline "bench" {
  source = rh.pool { dsn = rh.env("BENCH_SOURCE") },
  sink = rh.pool { dsn = rh.env("BENCH_TARGET") },
  apply = { connections = tonumber(rh.env("BENCH_CONNECTIONS", "4")) },
  tables = {
    ["public.pgbench_*"] = rh.env("BENCH_TRANSFORM", "") ~= "" and filler or rh.copy,
    ["public.*"] = rh.copy,
  },
}
