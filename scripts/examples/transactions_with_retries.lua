--- Moves money between accounts in many tasks at once. Serializable transactions that get into each other's way are
-- rolled back by the server and run again: the sum stays what it was.
local rh = require "replhost"

local pool = rh.pool { dsn = rh.env("DATABASE_URL", "sandbox:demo-source"), max = 8 }

pool:query([[
  DROP TABLE IF EXISTS accounts;
  CREATE TABLE accounts (id integer PRIMARY KEY, balance numeric(12,2) NOT NULL CHECK (balance >= 0));
]])
pool:query("INSERT INTO accounts SELECT i, 100 FROM generate_series(1, 5) AS i")

local runs, transfers = 0, {}
for i = 1, 200 do
  transfers[i] = { from = 1 + i % 5, to = 1 + (i * 3 + 1) % 5, amount = rh.decimal("12.34") * (i % 4 + 1) }
end

--- Moves the money, or returns false if there is not enough of it.
local function transfer(conn, move)
  return conn:transaction({ isolation = "serializable", retries = 50 }, function()
    runs = runs + 1
    local balance = conn:query("SELECT balance FROM accounts WHERE id = $1", move.from):scalar()
    if balance < move.amount then return false end
    conn:query("UPDATE accounts SET balance = balance - $2 WHERE id = $1", move.from, move.amount)
    -- Inside a transaction it is a savepoint: an error in here would undo only this part.
    conn:transaction(function()
      conn:query("UPDATE accounts SET balance = balance + $2 WHERE id = $1", move.to, move.amount)
    end)
    return true
  end)
end

local moved = rh.map(transfers, function(move)
  return pool:with(function(conn) return transfer(conn, move) end)
end, { concurrency = 8 })

local done = 0
for _, ok in ipairs(moved) do if ok then done = done + 1 end end

print(pool:query("SELECT id, balance FROM accounts ORDER BY id"))
local sum = pool:query("SELECT sum(balance) FROM accounts"):scalar()
print(("%d of %d transfers made in %d runs; the sum is %s"):format(done, #transfers, runs, sum))
assert(sum == rh.decimal(500), "money was made or lost")

-- An error says what the server said.
local ok, problem = pool:with(function(conn)
  return conn:tryquery("UPDATE accounts SET balance = -1 WHERE id = $1", 1)
end)
assert(not ok and problem.sqlstate == "23514" and problem.constraint == "accounts_balance_check")
print("refused, as it should be: " .. problem.message)
