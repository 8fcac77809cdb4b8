--- Proves what masked_copy.lua promises: nothing is lost or changed that should not be, nothing personal is left, and
-- rows that belonged together still do. Ends with an error, and exit code 1, where that is not so.
local rh = require "replhost"

local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:demo-source") }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:demo-target") }

-- What the copy left as it was, and in which order rows are read for the checksum.
local tables = {
  { name = "shop.customers", order = "id",
    columns = "id, balance, credit_factor, active, address - 'street', tags, created_at" },
  { name = "shop.orders", order = "id",
    columns = "id, customer_id, status, total, placed_at, valid_until, coupons, details" },
  { name = "shop.order_items", order = "order_id, line",
    columns = "order_id, line, sku, quantity, price, discount, sizes, attributes" },
}

--- Counts and sums up a table; both are equal when all rows are.
local function fingerprint(server, of)
  return server:query(([[SELECT count(*) AS rows, md5(string_agg(md5(row(%s)::text), '' ORDER BY %s)) AS sum FROM %s]])
    :format(of.columns, of.order, of.name)):one()
end

local function equal(found, expected, what)
  if found ~= expected then error(("%s: %s, expected %s"):format(what, found, expected), 0) end
end

for _, of in ipairs(tables) do
  local sides = rh.map({ source, target }, function(server) return fingerprint(server, of) end)
  equal(sides[2].rows, sides[1].rows, of.name .. ", rows")
  equal(sides[2].sum, sides[1].sum, of.name .. ", checksum")
  print(("%-18s %8d rows, same checksum"):format(of.name, sides[1].rows))
end

-- Both sides are read at once, row by row.
local customers = "SELECT id, email, name, phone, tax_id, born, address, note FROM shop.customers ORDER BY id"
local checked, same_name = 0, 0

--- Compares one customer with its masked copy.
local function compare(before, after)
  local function fail(what) error(("customer %d: %s"):format(before.id, what), 0) end
  if before.id ~= after.id then fail("not where it was") end
  if after.email:find(before.email:match("^[^@]+"), 1, true) then fail("the e-mail address shows through") end
  for _, column in ipairs { "phone", "tax_id", "born" } do
    if (before[column] == nil) ~= (after[column] == nil) then fail(column .. " gained or lost its value") end
    if before[column] and before[column] == after[column] then fail(column .. " is not masked") end
  end
  if after.note then fail("the note is still there") end
  if rh.json.decode(after.address).street then fail("the street is still there") end
  if before.name == after.name then same_name = same_name + 1 end
end

source:with(function(old)
  target:with(function(new)
    local next_copy = new:rows(customers)
    for before in old:rows(customers) do
      compare(before, next_copy())
      checked = checked + 1
    end
  end)
end)
-- Made-up names may be the real one by chance, but rarely.
if same_name > checked / 100 then error(("%d of %d names are not masked"):format(same_name, checked), 0) end
print(("%-18s %8d masked, none shows through"):format("customers", checked))

local join = [[SELECT count(*), count(DISTINCT c.email) AS emails
  FROM shop.orders o JOIN shop.customers c ON c.email = o.customer_email AND c.id = o.customer_id]]
local sides = rh.map({ source, target }, function(server) return server:query(join):one() end)
equal(sides[2].count, sides[1].count, "orders joined with customers by e-mail address")
equal(sides[2].emails, sides[1].emails, "different e-mail addresses")
print(("%-18s %8d find their customers by masked e-mail"):format("orders", sides[2].count))
