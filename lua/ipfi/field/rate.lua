-- SPDX-License-Identifier: GPL-2.0-or-later
-- Rates: "10/minute", with a burst or without.
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local rate = {}

-- Milliseconds.
local PERIODS = { second = 1000, minute = 60000, hour = 3600000, day = 86400000 }
local SHORT = {
  s = "second", sec = "second", seconds = "second", m = "minute", min = "minute", minutes = "minute",
  h = "hour", hours = "hour", d = "day", days = "day",
}
local MOST = 1000000

local NAME_OF = {}
for name, period in pairs(PERIODS) do
  NAME_OF[period] = name
end

-- The parts of "10/minute burst 20": count, unit, burst; all text.
local function split(written)
  local count, unit, more = written:match("^%s*(%d+)%s*/%s*(%a+)%s*(.-)%s*$")
  if not count or more == "" then
    return count, unit
  end
  local burst = more:match("^burst%s+(%d+)$")
  return burst and count, unit, burst
end

local function in_range(value)
  local number = values.integer(value)
  return number and number >= 1 and number <= MOST and number or nil
end

--- Parses "10/minute", "10/minute burst 20" or { "10/minute", burst = 20 }.
-- @return { count =, period = milliseconds, burst = nil when it is not said }; or nil and a message
function rate.parse(value)
  local written, burst = value, nil
  if type(value) == "table" then
    written, burst = value[1], value.burst
    for key in next, value do
      if key ~= 1 and key ~= "burst" then
        return nil, ("unknown %s; it is written { '10/minute', burst = 20 }"):format(text.quote(key))
      end
    end
  end
  local count, unit, more
  if type(written) == "string" then
    count, unit, more = split(written)
  end
  if not count or (more and burst ~= nil) then
    return nil, ("expected text like '10/minute' or '10/minute burst 20', got %s"):format(text.quote(value))
  end
  local period = PERIODS[SHORT[unit] or unit]
  if not period then
    return nil, ("unknown unit %s%s"):format(text.quote(unit), suggest.hint(unit, suggest.keys(PERIODS)))
  elseif not in_range(count) then
    return nil, ("%s is not in 1 to %d packets"):format(text.quote(written), MOST)
  end
  if more then
    burst = more
  end
  if burst ~= nil and not in_range(burst) then
    return nil, ("burst %s is not in 1 to %d"):format(text.quote(burst), MOST)
  end
  return { count = in_range(count), period = period, burst = burst ~= nil and in_range(burst) or nil }
end

--- A rate of the wire as it would be written.
function rate.written(count, period, burst)
  local unit = NAME_OF[period] or ("%d ms"):format(period)
  local written = ("%d/%s"):format(count, unit)
  return burst and ("%s burst %d"):format(written, burst) or written
end

return rate
