-- Streams many rows through one connection; prints how many came.
local rh = require "replhost"

local pool = rh.pool { dsn = rh.env "BENCH_DSN" }
local query = [[
  select g as id, 'name ' || g as name, md5(g::text) as note, g % 2 = 0 as active, g * 1.5::float8 as score,
    timestamptz '2024-01-01' + g * interval '1 second' as seen
  from generate_series(1, $1::int8) g]]

local count = 0
pool:with(function(conn)
  for row in conn:rows(query, tonumber(rh.env "BENCH_COUNT")) do
    local _ = row.name
    count = count + 1
  end
end)
print(count)
