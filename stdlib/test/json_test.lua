local rh = require "replhost"
local json = rh.json
local check = ...

return {
  ["decodes every kind"] = function()
    local value = json.decode('{"a":[1,2.5,"x",true,null,{}],"big":12345678901234567890,"s":"\\u00e4\\ud83d\\ude00"}')
    check.equal(value.a[1], 1)
    check.equal(value.a[2], 2.5)
    check.equal(value.a[3], "x")
    check.equal(value.a[4], true)
    check.equal(value.a[5], rh.null)
    check.equal(#value.a, 6)
    check.equal(tostring(value.big), "12345678901234567890")
    check.equal(type(value.big), "userdata")
    check.equal(value.s, "ä😀")
    check.equal(json.decode("9223372036854775807"), math.maxinteger)
    check.equal(json.decode(" null "), rh.null)
  end,
  ["says where a text is wrong"] = function()
    check.raises('json.decode: expected "," or "]" at line 2, column 3 %(byte 5%)', json.decode, "[\n1 2]")
    check.raises("json.decode: text must be a string, got nil", json.decode, nil)
    check.raises("json.decode: no value: the text is empty", json.decode, "")
  end,
  ["keeps empty arrays and objects apart"] = function()
    check.equal(json.encode(json.decode('[[],{},[{}]]')), "[[],{},[{}]]")
    check.equal(json.encode({}), "{}")
    check.equal(json.encode(json.array {}), "[]")
    check.equal(json.encode(json.array { 1, 2 }), "[1,2]")
    check.equal(json.encode(json.object { 1, x = 2 }), '{"1":1,"x":2}')
    check.equal(getmetatable(json.decode("[]")) == json.array, true)
    check.raises("json.array: items must be a table, got number", json.array, 1)
  end,
  ["encodes deterministically"] = function()
    check.equal(json.encode({ b = 1, a = { 2, 3 }, c = rh.null }), '{"a":[2,3],"b":1,"c":null}')
    check.equal(json.encode({ b = 1, a = {} }, { indent = 2 }), '{\n  "a": {},\n  "b": 1\n}')
    check.equal(json.encode({ a = 1 }, { sorted = false }), '{"a":1}')
    check.equal(json.encode(0.1), "0.1")
    check.equal(json.encode(1e300), "1e+300")
    check.equal(json.encode(3.0), "3.0")
    check.equal(json.encode(rh.decimal("1.10")), "1.10")
    check.equal(json.encode(rh.time.parse("2024-01-02 03:04:05+00")), '"2024-01-02 03:04:05+00"')
    check.equal(json.encode("a\"\\\n\1"), '"a\\"\\\\\\n\\u0001"')
    check.equal(json.encode(nil), "null")
  end,
  ["says where a value cannot be written"] = function()
    local loop = {}
    loop.inner = { loop }
    check.raises("json.encode: table contains itself at value.inner%[1%]", json.encode, loop)
    check.raises("json.encode: JSON cannot hold a function at value.f", json.encode, { f = print })
    check.raises("json.encode: JSON cannot hold NaN at value%[2%]", json.encode, { 1, 0 / 0 })
    check.raises("json.encode: JSON cannot hold NaN at value", json.encode, rh.decimal("NaN"))
    check.raises('json.encode: unknown option "indnt"', json.encode, {}, { indnt = 1 })
    check.raises('json.encode: option "indent" must be an integer from 0 to 16, got the integer 99',
      json.encode, {}, { indent = 99 })
  end,
  ["round trips what it decoded"] = function()
    local text = '{"a":[1,-2.5,1e+22,"\\u0001"],"b":{"c":[[],{}],"d":123456789012345678901234567890.5},"e":null}'
    check.equal(json.encode(json.decode(text)), text)
  end,
}
