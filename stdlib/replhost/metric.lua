--- What scripts count for `/metrics`: counters, gauges and histograms. The same name is the same metric in all workers
-- of a process.
local native = require("replhost.native.internals").metrics
local options = require "replhost.options"

local fail, check, complain = options.fail, options.check, options.complain

local metric = {}

--- Upper bounds of a histogram's buckets if none are given, for times in seconds.
local usual = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 }

local function check_name(name, where)
  check.string(name, where)
  if not name:match "^[%a_:][%w_:]*$" then
    complain(where, "letters, digits, \"_\" and \":\" (as Prometheus has them)", name)
  end
  if name:match "^replhost_" then complain(where, "a name that does not begin with \"replhost_\"", name) end
  return name
end

local function check_number(value, where)
  if type(value) ~= "number" or value ~= value then complain(where, "a number", value) end
  return value + 0.0
end

local function check_buckets(buckets, where)
  check.list(buckets, where, "a list of ascending numbers")
  local last = -math.huge
  for _, bound in ipairs(buckets) do
    if type(bound) ~= "number" or not (bound > last and bound < math.huge) then
      complain(where, "a list of ascending numbers", bound)
    end
    last = bound
  end
  return buckets
end

local function check_labels(labels, where)
  if labels == nil then return nil end
  check.table(labels, where, "a table of labels, such as { table = \"customers\" }")
  for name, value in pairs(labels) do
    if type(name) ~= "string" or not name:match "^[%a_][%w_]*$" or name:match "^__" or name == "le" then
      complain(where, "names of letters, digits and \"_\"", name)
    end
    local kind = type(value)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      complain(("%s, label %q"):format(where, name), "a string, a number or a boolean", value)
    end
  end
  return labels
end

--- The value under these labels, 0 if nothing was counted; of a histogram the sum, and how many were observed.
local function value(self, labels)
  return native.value(self.name, check_labels(labels, self.kind .. ":value: labels"))
end

local function add(self, by, labels, operation)
  local where = ("%s:%s"):format(self.kind, operation)
  by = check_number(by == nil and 1 or by, where)
  if by < 0 and self.kind == "counter" then complain(where, "a number that is not negative", by) end
  native.add(self.name, operation == "dec" and -by or by, check_labels(labels, where .. ": labels"))
end

local methods = {
  counter = {
    inc = function(self, by, labels) add(self, by, labels, "inc") end,
    value = value,
  },
  gauge = {
    inc = function(self, by, labels) add(self, by, labels, "inc") end,
    dec = function(self, by, labels) add(self, by, labels, "dec") end,
    set = function(self, to, labels)
      native.set(self.name, check_number(to, "gauge:set"), check_labels(labels, "gauge:set: labels"))
    end,
    value = value,
  },
  histogram = {
    observe = function(self, number, labels)
      native.observe(
        self.name, check_number(number, "histogram:observe"), check_labels(labels, "histogram:observe: labels"))
    end,
    value = value,
  },
}

local known = {
  help = check.string,
  buckets = check_buckets,
}

local metatables = {}
for kind, names in pairs(methods) do
  metatables[kind] = {
    __name = kind,
    __index = function(_, name)
      if names[name] then return names[name] end
      local near = require "replhost.nearest"(tostring(name), names)
      local better = near and (", did you mean %q?"):format(near) or ""
      fail("RH1008", ("a %s has no %q%s"):format(kind, tostring(name), better))
    end,
  }

  metric[kind] = function(name, given)
    local where = "rh.metric." .. kind
    check_name(name, where .. ": name")
    local read = options.read(given == nil and {} or check.table(given, where .. ": options"), known, where)
    if read.buckets and kind ~= "histogram" then fail("RH3101", where .. ": only a histogram has buckets") end
    native.register(kind, name, read.help, kind == "histogram" and (read.buckets or usual) or {})
    return setmetatable({ name = name, kind = kind }, metatables[kind])
  end
end

return metric
