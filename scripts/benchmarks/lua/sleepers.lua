-- 10,000 tasks asleep at the same time; prints how many woke up.
local rh = require "replhost"

local awake = 0
local tasks = {}
for i = 1, 10000 do
  tasks[i] = rh.spawn(function()
    rh.sleep(1)
    awake = awake + 1
  end)
end
for _, task in ipairs(tasks) do
  task:wait()
end
print(awake)
