--- The first program: borrow a connection, ask, print, give it back.
-- The database is what libpq's own variables say (PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD), and one of our own
-- if they say nothing.
--
--   PGHOST=db.example PGDATABASE=shop PGUSER=me PGPASSWORD=… replhost scripts/examples/seed.lua
local rh = require "replhost"

local pool
if rh.env("PGHOST", "") ~= "" then
  pool = rh.pool {
    minconn = 1,
    maxconn = 10,
    host = rh.env "PGHOST",
    port = rh.env("PGPORT", "5432"),
    database = rh.env("PGDATABASE", "postgres"),
    user = rh.env("PGUSER", "postgres"),
    password = rh.env("PGPASSWORD", ""),
  }
else
  pool = rh.pool { minconn = 1, maxconn = 10, dsn = "sandbox:demo-source" }
end

local conn = pool:getconn()
conn:query("CREATE TEMPORARY TABLE your_table (id integer, name text)")
conn:query("INSERT INTO your_table VALUES ($1, $2), ($3, $4)", 1, "Ann", 2, "Bo 'the quote'")

local result = conn:query("SELECT * FROM your_table")
for _, row in ipairs(result) do print(row.id, row.name) end
pool:putconn(conn)
