-- LuaSQL's side of the rows benchmark; prints thousands of rows per second.
local luasql = require "luasql.postgres"

local environment = luasql.postgres()
local connection = assert(environment:connect(
  "postgres", os.getenv "PGUSER", "", os.getenv "PGHOST", os.getenv "PGPORT"))

-- Lua has no wall clock finer than a second; the server's costs one round trip.
local function now()
  local cursor = assert(connection:execute "select extract(epoch from clock_timestamp())::float8")
  return tonumber((cursor:fetch()))
end

local started = now()
local cursor = assert(connection:execute "select id, name, note, active, score, seen from bench_rows")
local two = os.getenv "BENCH_COLUMNS" == "2"
local count = 0
local row = cursor:fetch({}, "a")
while row do
  if two then
    local _, _ = math.tointeger(row.id), row.name
  else
    -- LuaSQL gives text; the others give values.
    local _, _, _ = math.tointeger(row.id), row.name, row.note
    local _, _, _ = row.active == "t", tonumber(row.score), row.seen
  end
  count = count + 1
  row = cursor:fetch(row, "a")
end
print(count / (now() - started) / 1000)
