--- Comma-separated values (RFC 4180), read as a stream and written.
local native = require "replhost.native.values"

local csv = {}

local chunk_size = 65536

local defaults = { separator = ",", quote = '"' }

local function check_options(name, options, allowed)
  if options == nil then return defaults end
  if type(options) ~= "table" then
    error(("csv.%s: options must be a table, got %s"):format(name, type(options)), 3)
  end
  for key, value in pairs(options) do
    if not allowed[key] then error(("csv.%s: unknown option %q"):format(name, tostring(key)), 3) end
    if (key == "separator" or key == "quote") and (type(value) ~= "string" or #value ~= 1 or value:find("[\r\n]")) then
      error(("csv.%s: option %q must be one character, got %q"):format(name, key, tostring(value)), 3)
    end
  end
  local merged = {}
  for key, value in pairs(defaults) do merged[key] = value end
  for key, value in pairs(options) do merged[key] = value end
  return merged
end

--- A function that returns the next piece of text, or nil at the end.
local function reader(source)
  if type(source) == "string" then
    local rest = source
    return function()
      local piece = rest
      rest = nil
      return piece
    end
  elseif type(source) == "function" then
    return source
  elseif type(source) == "userdata" and io and io.type(source) == "file" then
    return function() return source:read(chunk_size) end
  end
  error(("csv.parse: source must be a string, a file or a function, got %s"):format(type(source)), 3)
end

--- A character as a pattern that means itself.
local function literal(character) return (character:gsub("%p", "%%%0")) end

--- Reads records; fields are strings, or `rh.null` for an empty one without quotes if `nulls`.
local function records(next_piece, separator, quote, null)
  local buffer, position, line = "", 1, 1
  local ended = false
  local special = "[" .. literal(separator) .. literal(quote) .. "\r\n]"

  --- Drops what was read and appends the next piece; false at the end.
  local function refill()
    if ended then return false end
    local piece = next_piece()
    while piece == "" do piece = next_piece() end
    if piece == nil then
      ended = true
      return false
    end
    buffer = buffer:sub(position) .. piece
    position = 1
    return true
  end

  local function fail(reason)
    error(("csv.parse: %s in line %d"):format(reason, line), 0)
  end

  --- From behind the opening quote to behind the closing one.
  local function quoted()
    local parts, first_line = {}, line
    while true do
      local close = buffer:find(quote, position, true)
      if not close then
        parts[#parts + 1] = buffer:sub(position)
        position = #buffer + 1
        if not refill() then
          line = first_line
          fail("quoted field without an end")
        end
      else
        parts[#parts + 1] = buffer:sub(position, close - 1)
        position = close + 1
        if position > #buffer then refill() end
        if buffer:sub(position, position) ~= quote then break end
        parts[#parts + 1] = quote
        position = position + 1
      end
    end
    local text = table.concat(parts)
    for _ in text:gmatch("\n") do line = line + 1 end
    return text
  end

  --- Up to the next separator or line end, which is not consumed.
  local function plain()
    local stop = buffer:find(special, position)
    while not stop and refill() do stop = buffer:find(special, position) end
    local text = buffer:sub(position, (stop or #buffer + 1) - 1)
    position = stop or #buffer + 1
    if stop and buffer:sub(stop, stop) == quote then fail("quote inside a field that does not begin with one") end
    if null ~= nil and text == "" then return null end
    return text
  end

  --- Consumes what follows a field: true at the end of the record.
  local function finish()
    if position > #buffer and not refill() then return true end
    local byte = buffer:sub(position, position)
    position = position + 1
    if byte == separator then return false end
    if byte == "\r" then
      if position > #buffer then refill() end
      if buffer:sub(position, position) ~= "\n" then fail("carriage return without a line feed") end
      position = position + 1
    elseif byte ~= "\n" then
      fail("text behind a closing quote")
    end
    line = line + 1
    return true
  end

  local each_field = "([^%" .. separator .. "]*)%" .. separator

  --- A record without quotes on one line, which most are; nil, with nothing consumed, for another.
  local function simple()
    local stop = buffer:find("\n", position, true)
    if not stop then return nil end
    local text = buffer:sub(position, stop - (buffer:byte(stop - 1) == 13 and 2 or 1))
    if text:find(quote, 1, true) or text:find("\r", 1, true) then return nil end
    position = stop + 1
    line = line + 1
    local record, count = {}, 0
    for field in (text .. separator):gmatch(each_field) do
      count = count + 1
      if null ~= nil and field == "" then field = null end
      record[count] = field
    end
    return record
  end

  local function skip_empty_lines()
    while true do
      if position > #buffer and not refill() then return false end
      local first = buffer:byte(position)
      if first ~= 10 and first ~= 13 then return true end
      if first == 13 and position == #buffer then refill() end
      local _, stop = buffer:find("^\r?\n", position)
      if not stop then return true end
      position = stop + 1
      line = line + 1
    end
  end

  if refill() then
    while #buffer < 3 and refill() do end
    if buffer:sub(1, 3) == "\xEF\xBB\xBF" then position = 4 end
  end

  return function()
    if not skip_empty_lines() then return nil end
    local record, count = simple(), 0
    if record then return record, line end
    record = {}
    repeat
      if position > #buffer then refill() end
      count = count + 1
      if buffer:sub(position, position) == quote then
        position = position + 1
        record[count] = quoted()
      else
        record[count] = plain()
      end
    until finish()
    return record, line
  end
end

--- Turns records into tables by the names of the columns.
local function named(read, header)
  local names = header
  if header == true then names = read() or {} end
  local seen = {}
  for _, name in ipairs(names) do
    if seen[name] then error(("csv.parse: two columns are called %q"):format(name), 0) end
    seen[name] = true
  end
  return function()
    local record, line = read()
    if not record then return nil end
    if #record ~= #names then
      error(("csv.parse: record before line %d has %d fields, the header %d"):format(line, #record, #names), 0)
    end
    local row = {}
    for index, name in ipairs(names) do row[name] = record[index] end
    return row
  end
end

local parse_options = { separator = true, quote = true, header = true, nulls = true }

--- An iterator of records: `for row in csv.parse(io.open("a.csv"), { header = true }) do`.
-- `source` is text, a file, or a function that returns pieces of any size and nil at the end.
-- A record is an array of strings; with `header` (true: the first record; or a list of names) a
-- table by name. `nulls = true` gives `rh.null` for an empty field without quotes, as PostgreSQL's
-- COPY means it. Empty lines are skipped; what breaks RFC 4180 is an error with its line.
function csv.parse(source, options)
  options = check_options("parse", options, parse_options)
  local header = options.header
  if header and header ~= true and type(header) ~= "table" then
    error(("csv.parse: option \"header\" must be true or a list of names, got %s"):format(type(header)), 2)
  end
  local read = records(reader(source), options.separator, options.quote, options.nulls and native.null or nil)
  if header then return named(read, header) end
  return function() return (read()) end
end

local function text_of(value)
  if math.type(value) == "float" then return native.rh.float_text(value) end
  return tostring(value)
end

local function line_of(row, options, special)
  local separator, quote, columns = options.separator, options.quote, options.columns
  local fields = {}
  for index = 1, columns and #columns or type(row) == "table" and row.n or #row do
    local value
    if columns then value = row[columns[index]] else value = row[index] end
    if value == nil or value == native.null then
      fields[index] = ""
    else
      local text = text_of(value)
      if text == "" or text:find(special) then
        text = quote .. text:gsub(literal(quote), function(found) return found .. found end) .. quote
      end
      fields[index] = text
    end
  end
  return table.concat(fields, separator) .. (options.line_end or "\n")
end

local format_options = { separator = true, quote = true, columns = true, line_end = true, header = true }

--- A function that gives the line of one row, with its line end. `columns` names the fields of rows
-- that are tables by name. NULL is an empty field, an empty string a quoted one.
function csv.formatter(options)
  options = check_options("formatter", options, format_options)
  local special = "[" .. literal(options.separator) .. literal(options.quote) .. "\r\n]"
  return function(row)
    if type(row) ~= "table" and type(row) ~= "userdata" then
      error(("csv.formatter: row must be a table, got %s"):format(type(row)), 2)
    end
    return line_of(row, options, special)
  end
end

--- The text of all rows; `header = true` begins with the names in `columns`.
function csv.format(rows, options)
  if type(rows) ~= "table" then error(("csv.format: rows must be a table, got %s"):format(type(rows)), 2) end
  options = check_options("format", options, format_options)
  local special = "[%" .. options.separator .. "%" .. options.quote .. "\r\n]"
  local lines = {}
  if options.header then
    if not options.columns then error("csv.format: option \"header\" needs \"columns\"", 2) end
    local names = setmetatable({ columns = false }, { __index = options })
    lines[1] = line_of(options.columns, names, special)
  end
  for _, row in ipairs(rows) do lines[#lines + 1] = line_of(row, options, special) end
  return table.concat(lines)
end

return csv
