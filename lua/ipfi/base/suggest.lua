-- SPDX-License-Identifier: GPL-2.0-or-later
-- The nearest known name to one that is unknown.
local text = require "ipfi.base.text"

local suggest = {}

-- Longer words are compared by their beginning: nobody mistypes more, and the cost is the product of the
-- lengths.
local LONGEST = 40

-- Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours each
-- cost one (Damerau, "A technique for computer detection and correction of spelling errors", 1964).
local function distance(a, b, most)
  local la, lb = #a, #b
  if math.abs(la - lb) > most then
    return most + 1
  end
  local before, above, row = {}, {}, {}
  for j = 0, lb do
    above[j] = j
  end
  for i = 1, la do
    local ca, least = a:byte(i), i
    row[0] = i
    for j = 1, lb do
      local cb = b:byte(j)
      local cost = ca == cb and 0 or 1
      local d = math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + cost)
      if i > 1 and j > 1 and ca == b:byte(j - 1) and cb == a:byte(i - 1) then
        d = math.min(d, before[j - 2] + 1)
      end
      row[j] = d
      least = math.min(least, d)
    end
    if least > most then
      return most + 1
    end
    before, above, row = above, row, before
  end
  return above[lb]
end

--- The known name nearest to a word, if one is near enough to be what was meant.
-- @param word what was written
-- @param names list of known names
-- @return the name, or nil; of two equally near the one that comes first in the alphabet
function suggest.nearest(word, names)
  local wanted = word:sub(1, LONGEST):lower()
  local best, best_distance = nil, math.max(1, #wanted // 3) + 1
  for _, name in ipairs(names) do
    local d = distance(wanted, name:sub(1, LONGEST):lower(), best_distance)
    if d < best_distance or (d == best_distance and best and name < best) then
      best, best_distance = name, d
    end
  end
  return best
end

--- "; did you mean 'x'?", or an empty string when nothing is near.
function suggest.hint(word, names)
  local nearest = suggest.nearest(word, names)
  return nearest and ("; did you mean '%s'?"):format(text.escape(nearest)) or ""
end

--- The keys of a table that are strings, sorted.
function suggest.keys(t)
  local names = {}
  for key in pairs(t) do
    if type(key) == "string" then
      names[#names + 1] = key
    end
  end
  table.sort(names)
  return names
end

return suggest
