--- Run with: replhost test pipeline_test.lua
-- "replhost types pipeline.lua --record" writes down the types of the real columns, which rows are then checked by.
local rh = require "replhost"
local t = require "replhost.test"
local pipeline = t.load "pipeline.lua"

local function run(tags)
  return t.run(pipeline, "public.orders", { op = "insert", row = { id = 5, tags = tags or rh.null } })
end

t.case("an order without tags is one row", function()
  t.equal(#run(nil), 1)
  t.equal(run(nil)[1].table, "public.orders")
end)

t.case("each tag is a row of its own, once; NULL is none", function()
  local out = run { "new", rh.null, "gift", "new", n = 4 }

  t.equal(#out, 3)
  t.equal(out[2].table, "public.order_tags")
  t.equal(out[2].row, { order_id = 5, tag = "new" })
  t.equal(out[3].row, { order_id = 5, tag = "gift" })
end)
