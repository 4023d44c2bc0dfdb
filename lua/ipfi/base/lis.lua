-- SPDX-License-Identifier: GPL-2.0-or-later
-- Which elements of a list keep their order, so that as few as possible count as moved.
local order = {}

--- The longest increasing subsequence of a list of numbers, all different: by patience sorting with back
-- pointers (Fredman, "On computing the length of longest increasing subsequences", 1975), in n log n steps.
-- @param list of numbers
-- @return { [index] = true } for each element that belongs to it
function order.longest_increasing(list)
  -- tail[n] is the index of the least number that ends an increasing subsequence of n elements.
  local tail, before = {}, {}
  for i, number in ipairs(list) do
    local low, high = 1, #tail + 1
    while low < high do
      local middle = (low + high) // 2
      if list[tail[middle]] < number then
        low = middle + 1
      else
        high = middle
      end
    end
    before[i], tail[low] = tail[low - 1], i
  end
  local members, i = {}, tail[#tail]
  while i do
    members[i], i = true, before[i]
  end
  return members
end

return order
