local rh = require "replhost"
local csv = rh.csv
local check = ...

local function all(source, options)
  local rows = {}
  for row in csv.parse(source, options) do rows[#rows + 1] = row end
  return rows
end

--- The text in pieces of `size` bytes.
local function pieces(text, size)
  local position = 1
  return function()
    if position > #text then return nil end
    position = position + size
    return text:sub(position - size, position - 1)
  end
end

local sample = 'id,name\r\n1,"Ann ""A"" Lee"\r\n2,"two\nlines, one field"\r\n\r\n3,\r\n'
local expected = { { "id", "name" }, { "1", 'Ann "A" Lee' }, { "2", "two\nlines, one field" }, { "3", "" } }

return {
  ["reads RFC 4180"] = function()
    check.equal(all(sample), expected)
    check.equal(all(""), {})
    check.equal(all("a"), { { "a" } })
    check.equal(all('a,"b"'), { { "a", "b" } })
    check.equal(all(',\n'), { { "", "" } })
    check.equal(all('\xEF\xBB\xBFa,b\n'), { { "a", "b" } })
  end,
  ["reads pieces of any size alike"] = function()
    for size = 1, #sample do check.equal(all(pieces(sample, size)), expected) end
  end,
  ["names fields"] = function()
    check.equal(all("a,b\n1,2\n", { header = true }), { { a = "1", b = "2" } })
    check.equal(all("1;2\n", { header = { "x", "y" }, separator = ";" }), { { x = "1", y = "2" } })
    check.raises("record before line 3 has 1 fields, the header 2", all, "a,b\n1\n", { header = true })
  end,
  ["tells NULL from empty"] = function()
    check.equal(all('a,,""\n', { nulls = true }), { { "a", rh.null, "" } })
  end,
  ["refuses two columns of one name"] = function()
    check.raises('two columns are called "a"', all, "a,b,a\n1,2,3\n", { header = true })
  end,
  ["says where the text is wrong"] = function()
    check.raises("quoted field without an end in line 2", all, 'a\n"b\nc')
    check.raises("quote inside a field that does not begin with one in line 1", all, 'a"b\n')
    check.raises("text behind a closing quote in line 1", all, '"a"b\n')
    check.raises("carriage return without a line feed in line 1", all, 'a\rb\n')
    check.raises("csv.parse: source must be a string, a file or a function, got nil", csv.parse)
    check.raises('csv.parse: unknown option "sep"', csv.parse, "", { sep = ";" })
    check.raises('csv.parse: option "separator" must be one character', csv.parse, "", { separator = "" })
  end,
  ["writes what it reads"] = function()
    local rows = { { 1, "x", "a,b" }, { rh.null, "", 'say "hi"' }, { 0.1, true, rh.decimal("1.50") } }
    local text = csv.format(rows)
    check.equal(text, '1,x,"a,b"\n,"","say ""hi"""\n0.1,true,1.50\n')
    check.equal(all(text, { nulls = true })[2], { rh.null, "", 'say "hi"' })
    check.equal(csv.format({ { a = 1, b = 2 } }, { columns = { "b", "a" }, header = true }), "b,a\n2,1\n")
    local line = csv.formatter { separator = ";", line_end = "\r\n" }
    check.equal(line { "a;b", nil, "c", n = 3 }, '"a;b";;c\r\n')
  end,
}
