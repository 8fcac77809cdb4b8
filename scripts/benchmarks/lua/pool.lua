-- Nanoseconds per getconn + putconn, nobody else using the pool.
local rh = require "replhost"

local pool = rh.pool { dsn = rh.env "BENCH_DSN", min = 1, max = 10 }
local count = tonumber(rh.env "BENCH_COUNT")

-- Lua has no wall clock finer than a second; the server's costs one round trip.
local function now()
  return pool:query("select extract(epoch from clock_timestamp())::float8"):scalar()
end

local started = now()
for _ = 1, count do
  pool:putconn(pool:getconn())
end
print((now() - started) * 1e9 / count)
