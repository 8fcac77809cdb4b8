--- The methods of connections and pools that call functions of the script: transactions, pipelines, scopes.
local internals = require "replhost.native.internals"

local connection, pool, session = internals.connection, internals.pool, internals.session

local function check_function(value, name, position)
  if type(value) ~= "function" then
    error(("bad argument #%d to '%s' (function expected, got %s)"):format(position, name, type(value)), 3)
  end
end

-- MARK: Transactions

--- Nesting depth of each connection's transactions, for the names of savepoints.
local depths = setmetatable({}, { __mode = "k" })

--- A value to be closed: code that is stopped leaves its transaction (or the savepoint `name`) without a chance to roll
-- it back, which is done before the connection's next statement then.
local abandoning = { __close = function(left)
  depths[left.conn] = left.depth
  if not left.finished then session.abandon(left.conn, left.name) end
end }

--- Runs `fn(conn)` inside a savepoint.
local function nested(conn, fn)
  local depth = depths[conn] or 0
  local name = "replhost_" .. depth + 1
  session.savepoint(conn, name)
  depths[conn] = depth + 1
  local left <close> = setmetatable({ conn = conn, depth = depth, name = name }, abandoning)
  local results = table.pack(pcall(fn, conn))
  if results[1] then
    local released, failure = pcall(session.release, conn, name)
    if not released then results = { false, failure } end
  end
  if not results[1] and conn.status ~= "broken" then session.rollback_to(conn, name) end
  left.finished = true
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

--- Runs `fn(conn)` once; true and its results, or false and the error, with the transaction over either way.
local function attempt(conn, options, fn)
  session.begin(conn, options)
  local left <close> = setmetatable({ conn = conn }, abandoning)
  local results = table.pack(pcall(fn, conn))
  if not results[1] then
    if conn.status == "transaction" or conn.status == "failed" then pcall(session.rollback, conn) end
    left.finished = true
    return results
  end
  if conn.status == "idle" then
    left.finished = true
    return { false, "conn:transaction: the function has ended the transaction itself", n = 2 }
  end
  local committed, failure = pcall(session.commit, conn)
  left.finished = true
  if committed then return results end
  return { false, failure, n = 2 }
end

local function may_retry(failure)
  local sqlstate = type(failure) == "userdata" and failure.sqlstate
  return sqlstate == "40001" or sqlstate == "40P01"
end

--- `conn:transaction([options,] fn)`: commits and returns what `fn(conn)` returns; rolls back on an error, raises it.
-- Inside a transaction it is a savepoint. `options`: isolation, readonly, deferrable, and retries, the number of times
-- that a serialization failure or a deadlock is answered by running `fn` again.
function connection:transaction(options, fn)
  if type(options) == "function" and fn == nil then options, fn = nil, options end
  check_function(fn, "conn:transaction", options and 2 or 1)
  session.settle(self)
  if self.status == "transaction" then
    if options and next(options) ~= nil then
      error(("conn:transaction: option %q is the outermost transaction's alone"):format(tostring(next(options))), 2)
    end
    return nested(self, fn)
  end
  local retries = options and options.retries or 0
  if math.type(retries) ~= "integer" or retries < 0 then
    error(("conn:transaction: option \"retries\": expected an integer >= 0, got %s"):format(tostring(retries)), 2)
  end
  for round = 0, retries do
    local results = attempt(self, options, fn)
    if results[1] then return table.unpack(results, 2, results.n) end
    if round == retries or not may_retry(results[2]) then error(results[2], 0) end
    require("replhost").sleep(math.random() * 0.01 * 2 ^ math.min(round, 6))
  end
end

-- MARK: Statements and pipelines

local statement = {}
statement.__index = statement
statement.__name = "statement"

--- Runs the statement with these values.
function statement:query(...) return self.connection:query(self.sql, ...) end

--- `conn:prepare(sql)`: checks the statement on the server now; `stmt:query(…)` runs it.
function connection:prepare(sql)
  session.prepare(self, sql)
  return setmetatable({ connection = self, sql = sql }, statement)
end

local batch = {}
batch.__index = batch

--- Adds a statement; its result is known when the pipeline's function has returned.
function batch:query(sql, ...)
  local entry = table.pack(sql, ...)
  self[#self + 1] = entry
  return #self
end

--- `conn:pipeline(fn)`: `fn(p)` calls `p:query(sql, …)` any number of times; all go to the server in one round trip.
-- Returns the list of results. The first statement that fails makes all after it fail, and is raised.
function connection:pipeline(fn)
  check_function(fn, "conn:pipeline", 1)
  local statements = setmetatable({}, batch)
  fn(statements)
  local results, failure = session.pipeline(self, statements)
  if failure then error(failure, 2) end
  return results
end

--- `conn:notifications([timeout])`: an iterator over notifications; it ends when none has come for `timeout`.
function connection:notifications(timeout)
  return function() return session.notification(self, timeout) end
end

-- MARK: Pools

--- `pool:with(fn, …)`: returns what `fn(conn, …)` returns; the connection goes back whatever happens.
function pool:with(fn, ...)
  check_function(fn, "pool:with", 1)
  local conn <close> = self:getconn()
  return fn(conn, ...)
end

--- `pool:query(sql, …)`: borrows, queries, returns.
function pool:query(sql, ...)
  local conn <close> = self:getconn()
  return conn:query(sql, ...)
end

--- `pool:transaction([options,] fn)`: borrows a connection for one transaction.
function pool:transaction(options, fn)
  local conn <close> = self:getconn()
  return conn:transaction(options, fn)
end

return connection
