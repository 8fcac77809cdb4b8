--- Dates, times and intervals with PostgreSQL's rules, to the microsecond.
local native = require("replhost.native.values").time

local time = {
  parse = native.parse,
  now = native.now,
}

local function field(name, fields, key, default)
  local value = fields[key]
  if value == nil then value = default end
  if value == nil then error(("time.%s: field %q is missing"):format(name, key), 3) end
  if math.type(value) ~= "integer" then
    error(("time.%s: field %q must be an integer, got %s"):format(name, key, tostring(value)), 3)
  end
  return value
end

local function check_table(name, fields)
  if type(fields) ~= "table" then
    error(("time.%s: fields must be a table, got %s"):format(name, type(fields)), 3)
  end
end

local function day(name, fields)
  local year = field(name, fields, "year")
  local era = ""
  if year <= 0 then year, era = 1 - year, " BC" end
  return ("%04d-%02d-%02d"):format(year, field(name, fields, "month", 1), field(name, fields, "day", 1)), era
end

local function clock(name, fields)
  return ("%02d:%02d:%02d.%06d"):format(
    field(name, fields, "hour", 0), field(name, fields, "minute", 0),
    field(name, fields, "second", 0), field(name, fields, "microsecond", 0))
end

--- Parses what was put together; a value out of its range is the caller's error.
local function made(name, text)
  local ok, value = pcall(native.parse, text)
  if not ok then error(("time.%s: %q is no day of the calendar or time of the day"):format(name, text), 3) end
  return value
end

--- A date from `year`, `month` (1) and `day` (1); year 0 is 1 BC.
function time.date(fields)
  check_table("date", fields)
  local text, era = day("date", fields)
  return made("date", text .. era)
end

--- A timestamp from the fields of a date and `hour`, `minute`, `second`, `microsecond` (0). With
-- `offset` (`"Z"`, `"+02:00"`) a timestamptz.
function time.timestamp(fields)
  check_table("timestamp", fields)
  local text, era = day("timestamp", fields)
  return made("timestamp", text .. " " .. clock("timestamp", fields) .. (fields.offset or "") .. era)
end

local units = { "years", "months", "weeks", "days", "hours", "minutes", "seconds", "microseconds" }

--- An interval from text (`"1 day 02:00"`, `"P1DT2H"`) or from a table of `years`, `months`,
-- `weeks`, `days`, `hours`, `minutes`, `seconds` (may have a fraction) and `microseconds`.
function time.interval(value)
  if type(value) == "string" then return native.parse(value, "interval") end
  check_table("interval", value)
  local parts = {}
  for _, unit in ipairs(units) do
    local count = value[unit]
    if unit == "seconds" and math.type(count) == "float" then
      parts[#parts + 1] = ("%.6f %s"):format(count, unit)
    elseif count ~= nil then
      parts[#parts + 1] = ("%d %s"):format(field("interval", value, unit), unit)
    end
  end
  for key in pairs(value) do
    local known = false
    for _, unit in ipairs(units) do known = known or unit == key end
    if not known then error(("time.interval: unknown field %q"):format(tostring(key)), 2) end
  end
  return native.parse(#parts > 0 and table.concat(parts, " ") or "00:00:00", "interval")
end

return time
