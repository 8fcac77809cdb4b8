--- Run with: replhost test pipeline_test.lua
-- "replhost types pipeline.lua --record" writes down the types of the real columns, which rows are then checked by.
local t = require "replhost.test"
local pipeline = t.load "pipeline.lua"

local function run(row) return t.run(pipeline, "public.customers", { op = "insert", row = row })[1].row end

t.case("nothing personal is left", function()
  local row = run { id = 7, email = "ann.smith@mail.example", name = "Ann Smith", phone = "+49 30 1234", city = "Bonn" }

  t.no_match(row.email, "ann")
  t.not_equal(row.name, "Ann Smith")
  t.not_equal(row.phone, "+49 30 1234")
  t.equal(row.id, 7)
  t.equal(row.city, "Bonn")
end)

t.case("the same person stays the same", function()
  t.equal(run({ id = 1, email = "ann@mail.example" }).email, run({ id = 2, email = "ann@mail.example" }).email)
end)

t.case("NULL stays NULL", function()
  t.equal(run({ id = 1, email = nil, name = "Ann" }).email, nil)
end)
