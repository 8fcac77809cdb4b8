-- 50 tasks at once on a pool of 5 to 50 connections; prints how many were served.
local rh = require "replhost"

local pool = rh.pool {
  host = rh.env "BENCH_HOST", port = tonumber(rh.env "BENCH_PORT"), user = rh.env "PGUSER", database = "postgres",
  min = 5, max = 50,
}

-- The first use makes the pool fill itself up to its minimum; it gets the time to do so.
pool:query "select 1"
rh.sleep(2)

local served = 0
local tasks = {}
for i = 1, 50 do
  tasks[i] = rh.spawn(function()
    pool:with(function(conn)
      conn:query "select pg_sleep(0.002)"
    end)
    served = served + 1
  end)
end
for _, task in ipairs(tasks) do
  task:wait()
end
rh.sleep(0.5)
print(served)
