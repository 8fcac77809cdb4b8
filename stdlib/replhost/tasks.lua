--- Tasks that work together: map, timers, deadlines, channels, workers.
local internals = require "replhost.native.internals"
local host = require "replhost.native.host"

local spawn, sleep = host.spawn, host.sleep
local spawn_timer = internals.spawn_timer

local tasks = {}

local function check_function(value, name, position)
  if type(value) ~= "function" then
    error(("bad argument #%d to '%s' (function expected, got %s)"):format(position, name, type(value)), 3)
  end
end

local function seconds(value, name, position)
  return internals.seconds(value)
    or error(("bad argument #%d to '%s' (duration such as \"30s\" or seconds expected, got %s)")
      :format(position, name, tostring(value)), 3)
end

--- An option that is misspelt must not be a default silently.
local function check_options(options, known, name)
  if options == nil then return end
  if type(options) ~= "table" then
    error(("%s: options must be a table, got %s"):format(name, type(options)), 3)
  end
  for key in pairs(options) do
    if known[key] == nil then
      local near = require("replhost.nearest")(tostring(key), known)
      local hint = near and (", did you mean %q?"):format(near) or ""
      error(("%s: unknown option %q%s"):format(name, tostring(key), hint), 3)
    end
  end
end

--- A value to be closed that cancels what is still running.
local function cancels(running)
  return setmetatable({}, { __close = function()
    for _, task in ipairs(running) do task:cancel() end
  end })
end

--- `rh.map(items, fn, {concurrency = 8})`: `fn(item, index)` for each item, several at a time; results in order.
-- The first error cancels the rest and is raised.
function tasks.map(items, fn, options)
  if type(items) ~= "table" then
    error(("bad argument #1 to 'rh.map' (table expected, got %s)"):format(type(items)), 2)
  end
  check_function(fn, "rh.map", 2)
  check_options(options, { concurrency = true }, "rh.map")
  local limit = options and options.concurrency or 8
  if math.type(limit) ~= "integer" or limit < 1 then
    error(("rh.map: option \"concurrency\": expected an integer >= 1, got %s"):format(tostring(limit)), 2)
  end
  local count, next_item, results, running, failure = #items, 1, {}, {}, nil
  local function work(own)
    while next_item <= count and not failure do
      local index = next_item
      next_item = index + 1
      local ok, result = pcall(fn, items[index], index)
      if ok then
        results[index] = result
      elseif not failure then
        failure = { result }
      end
    end
    if failure then
      for number, task in ipairs(running) do
        if number ~= own then task:cancel() end
      end
    end
  end
  local _ <close> = cancels(running)
  for index = 1, math.min(limit, count) do running[index] = spawn(work, index) end
  for _, task in ipairs(running) do
    local finished, reason = pcall(task.wait, task)
    -- What was stopped from outside (a time limit, a cancelled task) has not told of itself.
    if not finished and not failure then
      failure = { reason }
      for _, other in ipairs(running) do other:cancel() end
    end
  end
  if failure then error(failure[1], 0) end
  return results
end

--- `rh.after(d, fn, …)`: calls `fn(…)` once, `d` from now. Returns the task.
function tasks.after(duration, fn, ...)
  local delay = seconds(duration, "rh.after", 1)
  check_function(fn, "rh.after", 2)
  return spawn_timer(function(...)
    sleep(delay)
    return fn(...)
  end, ...)
end

--- `rh.every(d, fn)`: calls `fn()` every `d` until the task is cancelled or `fn` returns false or raises.
-- A call that takes longer delays the next one; calls never overlap.
function tasks.every(duration, fn)
  local delay = seconds(duration, "rh.every", 1)
  check_function(fn, "rh.every", 2)
  return spawn_timer(function()
    repeat sleep(delay) until fn() == false
  end)
end

--- `rh.timeout(d, fn, …)`: returns what `fn(…)` returns; raises if it takes longer, after `fn` has been stopped.
function tasks.timeout(duration, fn, ...)
  local limit = seconds(duration, "rh.timeout", 1)
  check_function(fn, "rh.timeout", 2)
  local task = spawn(fn, ...)
  local _ <close> = cancels { task }
  local results = table.pack(pcall(task.wait, task, limit))
  if results[1] then return table.unpack(results, 2, results.n) end
  if task.status == "finished" or task.status == "failed" then error(results[2], 0) end
  task:cancel()
  pcall(task.wait, task)
  error(("timed out after %g s"):format(limit), 2)
end

-- MARK: Channels

local channel = {}
channel.__index = channel
channel.__name = "channel"

--- `rh.channel(n)`: a queue between tasks that holds at most `n` values (default 0: a value is handed over).
function tasks.channel(capacity)
  capacity = capacity or 0
  if math.type(capacity) ~= "integer" or capacity < 0 then
    error(("bad argument #1 to 'rh.channel' (integer >= 0 expected, got %s)"):format(tostring(capacity)), 2)
  end
  return setmetatable({
    capacity = capacity, first = 1, last = 0, receivers = {}, senders = {}, closed = false,
  }, channel)
end

--- Wakes the first of `waiters` that still waits; false if there is none.
local function wake_one(waiters, value)
  while waiters[1] do
    if table.remove(waiters, 1):wake(value) then return true end
  end
  return false
end

local function take(self)
  local item = self[self.first]
  self[self.first] = nil
  self.first = self.first + 1
  return item
end

local function put(self, item)
  self.last = self.last + 1
  self[self.last] = item
end

--- Hands `value` over, or waits for room. Raises when the channel is closed.
function channel:send(value)
  if value == nil then error("channel:send: nil cannot be sent", 2) end
  if self.closed then error("channel:send: the channel is closed", 2) end
  if wake_one(self.receivers, { value }) then return true end
  if self.last - self.first + 1 < self.capacity then
    put(self, value)
    return true
  end
  local waiter = internals.waiter()
  self.senders[#self.senders + 1] = { wake = function(_, accepted) return waiter:wake(accepted) end, value = value }
  if not waiter:wait() then error("channel:send: the channel is closed", 2) end
  return true
end

--- The next sender that still waits gets its value taken.
local function take_from_sender(self)
  while self.senders[1] do
    local sender = table.remove(self.senders, 1)
    if sender:wake(true) then return true, sender.value end
  end
  return false
end

--- The next value; waits for one. nil when the channel is closed and empty.
function channel:receive()
  if self.first <= self.last then
    local item = take(self)
    local found, value = take_from_sender(self)
    if found then put(self, value) end
    return item
  end
  local found, value = take_from_sender(self)
  if found then return value end
  if self.closed then return nil end
  local waiter = internals.waiter()
  self.receivers[#self.receivers + 1] = waiter
  local item = waiter:wait()
  return item and item[1]
end

--- No more values: receivers get what is left, then nil; waiting senders get an error.
function channel:close()
  self.closed = true
  while wake_one(self.receivers, nil) do end
  while wake_one(self.senders, false) do end
end

--- `for value in ch:each() do`: until the channel is closed and empty.
function channel:each()
  return function() return self:receive() end
end

--- `rh.workers(n, "module.function", items)`: the function of a module for each item, on `n` threads with a Lua state
-- of their own; results in order. Values are copied, so they must be plain: no functions, no connections.
tasks.workers = internals.workers

return tasks
