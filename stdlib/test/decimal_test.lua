local rh = require "replhost"
local decimal = rh.decimal
local check = ...

local function text(value) return tostring(value) end

return {
  ["reads text and integers"] = function()
    check.equal(text(decimal("1.230")), "1.230")
    check.equal(text(decimal(5)), "5")
    check.equal(text(decimal(math.mininteger)), "-9223372036854775808")
    check.equal(text(decimal("1e40")), "1" .. ("0"):rep(40))
    check.equal(text(decimal(decimal("7.5"))), "7.5")
    check.raises('rh.decimal: "abc" is not a decimal number', decimal, "abc")
    check.raises('rh.decimal: a float is not exact; write rh.decimal%("0.1"%)', decimal, 0.1)
    check.raises("rh.decimal: value must be a string, an integer or a decimal, got nil", decimal, nil)
  end,
  ["computes exactly"] = function()
    check.equal(text(decimal("0.1") + decimal("0.2")), "0.3")
    check.equal(text(decimal("0.1") + 1), "1.1")
    check.equal(text(1 - decimal("0.1")), "0.9")
    check.equal(text(decimal("1.5") * 3), "4.5")
    check.equal(text(decimal(1) / 3), "0.33333333333333333333")
    check.equal(text(-decimal("2.50")), "-2.50")
    check.equal(text(decimal(7) // 2), "3")
    check.equal(text(decimal(-7) % 3), "2")
    local big = decimal("123456789012345678901234567890123456789")
    check.equal(text(big * big), "15241578753238836750495351562566681945005334557625361987875019051998750190521")
    check.raises("division by zero", function() return decimal(1) / 0 end)
  end,
  ["refuses floats and other values"] = function()
    check.raises("cannot add a decimal and the float 1.5", function() return decimal(1) + 1.5 end)
    check.raises("cannot multiply a decimal and nil", function() return decimal(1) * nil end)
    check.raises("cannot compare a decimal and the float 1.5", function() return decimal(1) < 1.5 end)
    check.raises("cannot add a decimal and a string", function() return decimal(1) + "1" end)
  end,
  ["compares by value"] = function()
    check.equal(decimal("1.50") == decimal("1.5"), true)
    check.equal(decimal(1) == decimal(2), false)
    check.equal(decimal("1.5") < 2, true)
    check.equal(2 <= decimal("1.5"), false)
    check.equal(decimal("NaN") == decimal("NaN"), true)
    check.equal(decimal("Infinity") > decimal("1e1000"), true)
  end,
  ["has methods"] = function()
    local value = decimal("-12.345")
    check.equal(value:tonumber(), -12.345)
    check.equal(value:scale(), 3)
    check.equal(value:sign(), -1)
    check.equal(text(value:abs()), "12.345")
    check.equal(text(value:round(2)), "-12.35")
    check.equal(text(value:round()), "-12")
    check.equal(text(value:round(-1)), "-10")
    check.equal(text(value:trunc(1)), "-12.3")
    check.equal(text(decimal("1.500"):normalize()), "1.5")
    check.equal(decimal("12.00"):tointeger(), 12)
    check.equal(decimal("12.5"):tointeger(), nil)
    check.equal(decimal("inf"):isfinite(), false)
    check.equal("total: " .. decimal("1.5") .. "!", "total: 1.5!")
    check.raises("decimal:round: places must be an integer, got a string", value.round, value, "x")
    check.raises("decimal:scale: self must be a decimal, got the integer 1", value.scale, 1)
  end,
  ["survives collection"] = function()
    local kept = {}
    for index = 1, 2000 do kept[index] = decimal("1e30") * index end
    collectgarbage()
    check.equal(text(kept[2000]), "2000" .. ("0"):rep(30))
  end,
}
