-- Copies a table with two of its columns changed; prints the count of rows.
local rh = require "replhost"

local pool = rh.pool { dsn = rh.env "BENCH_DSN" }
local source = pool:getconn()
local target = pool:getconn()

local writer = target:copy_in("bench_target")
for row in source:copy_out("bench_source") do
  row.email = "x" .. row.email
  row.status = "copied"
  writer(row)
end
print(writer:close())
pool:putconn(source)
pool:putconn(target)
