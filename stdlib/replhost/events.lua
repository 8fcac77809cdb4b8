--- What a transform is told of its row, beside the row.
local options = require "replhost.options"

local events = {}

--- Members that are nil where they mean nothing.
local known = {
  op = true, table = true, key = true, old = true, changed = true, lsn = true, xid = true, commit_time = true,
  snapshot = true,
}

--- An event with these fields; `key()` makes a table of the row's key columns when it is asked for, `fact(name)` gives
-- other members. Without `changed`, every column counts as changed, as in the first copy.
function events.new(fields, key, fact)
  local changed = fields.changed
  -- With a dot or a colon.
  fields.changed = function(event, column)
    if column == nil then column = event end
    return changed == nil or changed(column)
  end
  return setmetatable(fields, {
    __name = "event",
    __index = function(_, name)
      if name == "key" then return key() end
      if known[name] then return fact and fact(name) end
      local near = require "replhost.nearest"(tostring(name), known)
      options.fail("RH3205", ("an event has no %q%s"):format(
        tostring(name), near and (", did you mean %q?"):format(near) or ""))
    end,
  })
end

return events
