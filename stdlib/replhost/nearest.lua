--- Finds the name that was probably meant.

--- Edits (insert, delete, replace, swap neighbours) from `a` to `b`.
local function distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local current = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      current[j] = math.min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        current[j] = math.min(current[j], before[j - 2] + 1)
      end
    end
    before, row = row, current
  end
  return row[#b]
end

--- The key of one of the tables closest to `name`, or nil when none is close. Of equally close ones
-- the first in alphabetical order.
return function(name, ...)
  local best, least = nil, math.min(2, (#tostring(name) + 1) // 3) + 1
  for _, names in ipairs { ... } do
    for candidate in pairs(names) do
      local edits = distance(tostring(name):lower(), candidate)
      if edits < least or (edits == least and best and candidate < best) then
        best, least = candidate, edits
      end
    end
  end
  return best
end
