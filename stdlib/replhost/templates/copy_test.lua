--- Run with: replhost test pipeline_test.lua
-- "replhost types pipeline.lua --record" writes down the types of the real columns, which rows are then checked by.
local t = require "replhost.test"
local pipeline = t.load "pipeline.lua"

t.case("rows go over as they are", function()
  local out = t.run(pipeline, "public.customers", { op = "insert", row = { id = 7, name = "Ann" } })

  t.equal(#out, 1)
  t.equal(out[1].table, "public.customers")
  t.equal(out[1].row, { id = 7, name = "Ann" })
end)
