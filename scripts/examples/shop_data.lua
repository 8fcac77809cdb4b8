--- Makes the shop of the examples on the source: three tables and 700 000 rows, the same on every run.
-- They hold what real data hold: quotes and backslashes, many scripts, exact numbers, NULLs, JSON, arrays, infinity.
-- A schema "shop" that is there already is replaced; a copy of it on the target goes.
--
--   replhost scripts/examples/shop_data.lua [CUSTOMERS]
local rh = require "replhost"

local source = rh.pool { dsn = rh.env("SOURCE_URL", "sandbox:demo-source") }
local target = rh.pool { dsn = rh.env("TARGET_URL", "sandbox:demo-target") }
local customers = math.tointeger(tonumber(arg[1] or 100000)) or error("CUSTOMERS is not a number: " .. arg[1], 0)

local schema = [[
  SET client_min_messages = warning;
  DROP SCHEMA IF EXISTS shop CASCADE;
  CREATE SCHEMA shop;

  CREATE TABLE shop.customers (
    id bigint PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, phone text, tax_id text, born date,
    balance numeric(12,2), credit_factor numeric, active boolean, address jsonb, tags text[], note text,
    created_at timestamptz NOT NULL);

  CREATE TABLE shop.orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL, customer_email text NOT NULL, status text NOT NULL,
    total numeric(12,2), placed_at timestamptz NOT NULL, valid_until timestamptz, coupons text[], details jsonb);

  CREATE TABLE shop.order_items (
    order_id bigint, line integer, sku text NOT NULL, quantity integer NOT NULL, price numeric(10,2) NOT NULL,
    discount float8, sizes integer[], attributes jsonb, PRIMARY KEY (order_id, line));
]]

-- Everything follows from the row's number, so two runs make the same rows. $1 is the number of customers.
local person = [[
  SELECT i,
    (ARRAY['Ann','Béla','Chloé','Dmitri','François','Grażyna','Hồng','José','花子','Łukasz','Zoë'])[1 + i % 11] AS first,
    (ARRAY['O''Neil','Müller','Smith "Jr."','Nguyễn','García','Åkesson','de la Cruz','Back\slash','大阪'])[1 + i % 9]
      AS last
  FROM generate_series(1, $1::bigint) AS i]]

local email = [[lower(translate(first || '.' || last, ' "\', '-')) || i || '@mail.example']]

local fills = {
  ([[INSERT INTO shop.customers SELECT i, %s, first || ' ' || last,
      CASE WHEN i %% 7 > 0 THEN '+49 (30) ' || 1000000 + i END, 'DE-' || 100000000 + i * 7919 %% 899999999,
      date '1950-01-01' + (i * 37 %% 20000)::int, (i * 7919 %% 1000000 - 200000) / 100.0,
      CASE WHEN i %% 1000 = 0 THEN 'NaN' ELSE 1 / (i + 0.5) END, nullif(i %% 3, 2)::int::boolean,
      jsonb_build_object('city', 'Łódź', 'street', last || ' St. ' || i, 'geo', jsonb_build_array((i / 1e4)::float8)),
      CASE i %% 4 WHEN 0 THEN '{}' WHEN 1 THEN ARRAY['vip', NULL, 'it''s, "new"'] WHEN 2 THEN ARRAY[first] END,
      CASE WHEN i %% 5 = 0 THEN E'line one\nline\ttwo \\ "quoted" 🎉' END,
      timestamptz '2020-01-01 00:00:00.000001+00' + i * interval '17.000003 minutes' FROM (%s) AS p]])
    :format(email, person),
  -- Two orders each, with a copy of the customer's e-mail address.
  ([[INSERT INTO shop.orders SELECT 2 * i - n, i, %s, (ARRAY['new','paid','shipped'])[1 + (i + n) %% 3],
      CASE WHEN i %% 11 > 0 THEN (i * 31 + n) %% 100000 / 100.0 END,
      timestamptz '2023-05-01 12:00:00+00' + (2 * i - n) * interval '73.5 seconds',
      CASE WHEN i %% 50 = 0 THEN 'infinity' WHEN i %% 3 = 0 THEN timestamptz '2030-01-01 00:00:00+00' END,
      CASE WHEN n = 1 THEN ARRAY['SPRING''' || i %% 10, NULL] END,
      CASE WHEN i %% 4 > 0 THEN jsonb_build_object('gift', n = 1, 'big', 9007199254740993 + i, 'text', 'grüße "x"') END
    FROM (%s) AS p, generate_series(0, 1) AS n]]):format(email, person),
  -- Two items in each order; half of them with sizes in two dimensions.
  [=[INSERT INTO shop.order_items SELECT o, n, 'SKU-' || (o * 13 + n) % 5000, 1 + (o + n) % 5,
      (o * n * 37 % 50000) / 100.0, CASE WHEN o % 6 = 0 THEN 'NaN' WHEN o % 2 = 0 THEN o / 3.0 END,
      CASE WHEN n = 1 THEN ARRAY[[o % 50, NULL], [n, 2]]::int[] END,
      CASE WHEN o % 3 = 0 THEN jsonb_build_object('color', 'crème', 'parts', jsonb_build_array(1, 2.50, '"')) END
    FROM generate_series(1, 2 * $1::bigint) AS o, generate_series(1, 2) AS n]=],
}

source:query(schema)
target:query("SET client_min_messages = warning; DROP SCHEMA IF EXISTS shop CASCADE")
local rows = rh.map(fills, function(sql) return source:query(sql, customers).affected end)
source:query [[
  ALTER TABLE shop.orders ADD FOREIGN KEY (customer_id) REFERENCES shop.customers;
  ALTER TABLE shop.order_items ADD FOREIGN KEY (order_id) REFERENCES shop.orders]]
source:query("ANALYZE shop.customers, shop.orders, shop.order_items")
print(("made %d customers, %d orders, %d order items"):format(table.unpack(rows)))
