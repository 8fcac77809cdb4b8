local rh = require "replhost"
local check = ...

return {
  ["loads a helper when it is used"] = function()
    check.equal(rawget(rh, "uuid") ~= nil or package.loaded["replhost.uuid"] == nil, true)
    check.equal(type(rh.uuid.v4), "function")
    check.equal(rh.uuid, require "replhost.uuid")
  end,
  ["names what was probably meant"] = function()
    check.raises('replhost has no "jsn", did you mean "json"', function() return rh.jsn end)
    check.raises('replhost has no "decimla", did you mean "decimal"', function() return rh.decimla end)
    check.raises('replhost has no "something_else"$', function() return rh.something_else end)
  end,
  ["null is one value with a name"] = function()
    check.equal(tostring(rh.null), "null")
    check.equal(rh.null, rh.json.null)
    check.equal(rh.null == nil, false)
  end,
  ["env gives the default or says what is missing"] = function()
    check.equal(rh.env("REPLHOST_TEST_SURELY_UNSET", "x"), "x")
    check.equal(rh.env("REPLHOST_TEST_SURELY_UNSET", nil), nil)
    check.equal(type(rh.env("PATH")), "string")
    check.raises('environment variable "REPLHOST_TEST_SURELY_UNSET" is not set', rh.env, "REPLHOST_TEST_SURELY_UNSET")
    check.raises("rh.env: name must be a string, got nil", rh.env, nil)
  end,
}
