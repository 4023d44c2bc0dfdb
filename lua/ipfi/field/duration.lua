-- SPDX-License-Identifier: GPL-2.0-or-later
-- Lengths of time: seconds, or text like "90s", "10m", "1h30m", "2d".
local text = require "ipfi.base.text"

local duration = {}

local SECONDS = { s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

-- Text of numbers with units, the greatest first, as seconds; nil when it is none.
local function parse(written)
  local total, last = 0, math.huge
  local rest = written:gsub("^%s+", ""):gsub("%s+$", "")
  if rest:find("^%d+$") then
    return tonumber(rest)
  end
  while rest ~= "" do
    local number, unit, more = rest:match("^(%d+)([smhdw])%s*(.*)$")
    local seconds = SECONDS[unit]
    if not seconds or seconds >= last then
      return nil
    end
    total, last, rest = total + tonumber(number) * seconds, seconds, more
  end
  return last < math.huge and total or nil
end

--- Parses a length of time.
-- @param value seconds as a number, fractions allowed, or text: digits, each with its unit s, m, h, d or w
-- @param most seconds
-- @return milliseconds, at least 1; or nil and a message
function duration.milliseconds(value, most)
  local seconds = value
  if type(value) == "string" then
    seconds = parse(value)
  end
  if type(seconds) ~= "number" or seconds ~= seconds then
    return nil, ("expected seconds or text like '90s', '10m' or '1h30m', got %s"):format(text.quote(value))
  elseif seconds <= 0 or seconds > most then
    return nil, ("%s is not in 1 to %d seconds"):format(text.quote(value), most)
  end
  return math.max(1, math.floor(seconds * 1000 + 0.5))
end

return duration
