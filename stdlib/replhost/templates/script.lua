--- A script: connections from a pool, queries, transactions, tasks.
--
--   replhost script.lua               arguments after the name are in "arg"
--   replhost repl script.lua          the same, then a prompt with what is global in it
local rh = require "replhost"

-- "sandbox:NAME" is a PostgreSQL server of your own, for trying things out.
local pool = rh.pool { dsn = rh.env("DATABASE_URL", "sandbox:default"), max = 4 }

-- One connection: borrowed, used, given back.
local conn = pool:getconn()
local version = conn:query("SELECT current_setting('server_version')"):scalar()
print("PostgreSQL " .. version)
pool:putconn(conn)

-- A transaction on a connection that goes back by itself; an error rolls it back, and conflicts are tried again.
local names = pool:with(function(own)
  return own:transaction({ retries = 3 }, function()
    return own:query([[
      SELECT schemaname, count(*) AS tables FROM pg_tables GROUP BY schemaname ORDER BY schemaname]])
  end)
end)
print(names)

-- Several at once: each task borrows a connection of its own. $1 is a parameter, never text in the SQL.
local squares = rh.map({ 1, 2, 3, 4 }, function(number)
  return pool:query("SELECT $1::int * $1::int", number):scalar()
end, { concurrency = 4 })
print("squares: " .. table.concat(squares, ", "))

-- Errors say what the server said.
local ok, problem = pool:with(function(own) return own:tryquery "SELECT * FROM no_such_table" end)
if not ok then print("refused: " .. problem.message .. " (" .. problem.sqlstate .. ")") end
