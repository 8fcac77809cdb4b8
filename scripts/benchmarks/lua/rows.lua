-- Thousands of rows per second, streamed from a 6-column query.
local rh = require "replhost"

local pool = rh.pool { dsn = rh.env "BENCH_DSN" }
local conn = pool:getconn()

local function now()
  return conn:query("select extract(epoch from clock_timestamp())::float8"):scalar()
end

local query = "select id, name, note, active, score, seen from bench_rows"
local count = 0
local started = now()
if rh.env "BENCH_COLUMNS" == "2" then
  for row in conn:rows(query) do
    local _, _ = row.id, row.name
    count = count + 1
  end
else
  for row in conn:rows(query) do
    local _, _, _ = row.id, row.name, row.note
    local _, _, _ = row.active, row.score, row.seen
    count = count + 1
  end
end
print(count / (now() - started) / 1000)
pool:putconn(conn)
