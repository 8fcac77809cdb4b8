--- Copies a shop from one server to another, with masked customers.
-- Several tasks copy at once, and all see the same snapshot of the source. Rows stream through Lua one by one: memory
-- does not grow with the tables. Made by shop_data.lua, checked by check_copy.lua.
--
--   SOURCE_URL=postgresql://… TARGET_URL=postgresql://… replhost scripts/examples/masked_copy.lua
local rh = require "replhost"

local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:demo-source") }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:demo-target") }

-- A keyed mask gives the same value for the same input, so joins survive; without the key nobody can try candidates.
local key = rh.env("MASK_KEY", "only for the demo")
local mask_email = rh.mask.email { key = key }
local mask_name = rh.mask.name { key = key }
local mask_phone = rh.mask.phone { key = key }

local function customer(row)
  row.email = mask_email(row.email)
  row.name = mask_name(row.name)
  row.phone = mask_phone(row.phone) -- NULL is nil, and stays it
  row.tax_id = rh.mask.token(key, row.tax_id)
  row.born = rh.mask.date_shift(key .. row.id, row.born, 30)
  local address = rh.json.decode(row.address)
  address.street = nil
  row.address = address
  row.note = nil
  return row
end

local function order(row)
  row.customer_email = mask_email(row.customer_email) -- as in the customer's own row
  return row
end

local function unchanged(row) return row end

local tables = {
  { name = "shop.customers", key = "id", transform = customer },
  { name = "shop.orders", key = "id", transform = order },
  { name = "shop.order_items", key = "order_id", transform = unchanged },
}

local tasks, ids_per_piece = 4, 25000

--- Cuts the tables into ranges of their key.
local function pieces(conn)
  local list = {}
  for _, from in ipairs(tables) do
    local ids = conn:query(("SELECT min(%s), max(%s) FROM %s"):format(from.key, from.key, from.name)):one()
    for first = ids.min or 1, ids.max or 0, ids_per_piece do
      list[#list + 1] = { from = from, query = ("SELECT * FROM %s WHERE %s >= %d AND %s < %d")
        :format(from.name, from.key, first, from.key, first + ids_per_piece) }
    end
  end
  return list
end

--- Copies one piece as the snapshot shows it; the number of its rows.
local function copy(piece, snapshot)
  local reader <close> = source:getconn() -- `<close>`: it goes back to its pool, whatever happens
  local writer <close> = target:getconn()
  return reader:transaction({ isolation = "repeatable read", readonly = true }, function()
    reader:query("SET TRANSACTION SNAPSHOT " .. rh.quote.literal(snapshot))
    local write <close> = writer:copy_in(piece.from.name) -- an error before close() undoes the piece
    local transform = piece.from.transform
    for row in reader:copy_out(piece.query) do write(transform(row)) end
    return write:close()
  end)
end

local started = rh.time.now()
target:query("TRUNCATE shop.customers, shop.orders, shop.order_items")

-- The snapshot lives as long as the transaction that exported it.
local rows = source:transaction({ isolation = "repeatable read", readonly = true }, function(conn)
  local snapshot = conn:query("SELECT pg_export_snapshot()"):scalar()
  local list, rows = pieces(conn), {}
  local counts = rh.map(list, function(piece) return copy(piece, snapshot) end, { concurrency = tasks })
  for i, count in ipairs(counts) do
    local name = list[i].from.name
    rows[name] = (rows[name] or 0) + count
  end
  return rows
end)

local seconds, total = (rh.time.now() - started):total_seconds(), 0
for _, from in ipairs(tables) do
  local count = rows[from.name] or 0
  total = total + count
  print(("%-18s %8d rows"):format(from.name, count))
end
print(("%-18s %8d rows in %.1f s: %.0f rows/s, %d tasks"):format("together", total, seconds, total / seconds, tasks))
