--- SQL at the prompt: runs on the session's connection, the global `conn`, which is borrowed from `pool` when there is
--- none.
local log = require("replhost.log")

local repl = {}

-- The status of `conn` after the last statement.
local last_status

--- A connection to run the next statement on. One that the server has ended is replaced, unless that would lose an open
--- transaction without a word.
local function connection()
  local conn = rawget(_G, "conn")
  local status = conn and conn.status or "returned"
  if status ~= "broken" and status ~= "returned" then return conn end
  local was_open = last_status == "transaction" or last_status == "failed"
  last_status = nil
  _G.conn = _G.pool:getconn()
  if was_open then
    error("not run: the connection was lost, and the open transaction with it; you are connected anew", 0)
  end
  if status == "broken" then log.warn("connected anew: the server had ended the connection and its session") end
  return _G.conn
end

--- Runs one statement; its result.
function repl.run(sql)
  local conn = connection()
  local result, failure = conn:tryquery(sql)
  last_status = conn.status
  if last_status == "broken" then last_status = nil end
  if failure then error(failure, 0) end
  return result
end

return repl
