--- Runs a pipeline's functions over the rows of a chunk; called by the host, as one task.
--
-- `host.take()` gives the next row, nil at the end; for batches also whether the batch is full. `host.give(row, …)`
-- takes what became of the row (nil: rows that come from none), all or nothing; `host.step(row, …)` does
-- both. After an error, which `host.note` sees where it is raised, `host.settle(row, problem)` does with the row what
-- the table's policy says.
local batches = require "replhost.batches"
local events = require "replhost.events"
local options = require "replhost.options"
local drop = require("replhost.pipeline").drop

local transforms = {}

local function event_of(host)
  if host.fact then
    return events.new({ table = host.table, snapshot = false, changed = host.changed }, host.key, host.fact)
  end
  return events.new({ op = "read", table = host.table, snapshot = true }, host.key)
end

-- MARK: Row by row

--- Ends with the first row that fails.
function transforms.rows(host, transform)
  local step, event = host.step, event_of(host)
  local row = host.take()
  while row ~= nil do row = step(row, transform(row, event)) end
end

--- Goes on with the next row.
function transforms.guarded_rows(host, transform)
  local take, give, event = host.take, host.give, event_of(host)
  local note, settle = host.note, host.settle
  local function try(row) give(row, transform(row, event)) end
  while true do
    local row = take()
    if row == nil then return end
    local done, problem = xpcall(try, note, row)
    if not done then settle(row, problem) end
  end
end

-- MARK: Batches

--- nil at the end.
local function next_batch(take)
  local rows, count = {}, 0
  repeat
    local row, is_full = take()
    if row == nil then break end
    count = count + 1
    rows[count] = row
  until is_full
  return count > 0 and batches.new(rows, count) or nil
end

local function call(transform, batch, event)
  local result = transform(batch, event)
  if result ~= nil then
    options.fail("RH3206", ("transform_batch returned a %s"):format(type(result)),
      "Rows are changed in place, batch:drop(row) and batch:emit(table, row) do the rest; return nothing.")
  end
end

local function fate(batch, row) return batch.dropped[row] and drop or row end

--- Ends with the first batch that fails.
function transforms.batches(host, transform)
  local take, give, event = host.take, host.give, event_of(host)
  for batch in next_batch, take do
    call(transform, batch, event)
    if #batch.emitted > 0 then give(nil, batch.emitted) end
    for _, row in ipairs(batch.rows) do give(row, fate(batch, row)) end
  end
end

--- Runs a batch that fails again, row by row, so that only the guilty rows are lost.
function transforms.guarded_batches(host, transform)
  local take, give, event = host.take, host.give, event_of(host)
  local note, settle, fresh = host.note, host.settle, host.fresh
  local function try(batch)
    call(transform, batch, event)
    if #batch.emitted > 0 then give(nil, batch.emitted) end
  end
  local function try_alone(row)
    local batch = batches.new({ row }, 1)
    call(transform, batch, event)
    batch.emitted[#batch.emitted + 1] = fate(batch, row)
    give(row, batch.emitted)
  end
  for batch in next_batch, take do
    if xpcall(try, note, batch) then
      host.keep()
      for _, row in ipairs(batch.rows) do
        local done, problem = xpcall(give, note, row, fate(batch, row))
        if not done then settle(row, problem) end
      end
    else
      for _, row in ipairs(batch.rows) do
        local again = fresh(row)
        local done, problem = xpcall(try_alone, note, again)
        if not done then settle(again, problem) end
      end
    end
  end
end

return transforms
