-- SPDX-License-Identifier: GPL-2.0-or-later
-- How something is to be shown: on a terminal with colours, its width and rounded numbers, elsewhere exact.
local settings = require "ipfi.base.settings"
local sys = require "ipfi.c.sys"

local style = {}

local CODES = { state = "\27[1;34m", heading = "\27[1m", name = "\27[36m", text = "\27[32m", dim = "\27[2m",
  added = "\27[32m", removed = "\27[31m", changed = "\27[33m" }
local RESET = "\27[0m"

local Style = {}
Style.__index = Style

--- Gives text a colour, when there are colours.
-- @param role "state", "heading", "name", "text", "dim", "added", "removed" or "changed"
function Style:paint(role, s)
  return self.color and CODES[role] .. s .. RESET or s
end

-- Counts by thousands, bytes by 1024.
local UNITS = { "", "k", "M", "G", "T", "P", "E" }
local BYTE_UNITS = { "", "K", "M", "G", "T", "P", "E" }

local function scaled(number, step, units)
  local value, unit = number, 1
  while value >= step * 0.9995 and unit < #units do
    value, unit = value / step, unit + 1
  end
  if unit == 1 then
    return ("%d"):format(number)
  end
  return (value < 9.995 and "%.2f%s" or value < 99.95 and "%.1f%s" or "%.0f%s"):format(value, units[unit])
end

--- A count: "12.3M" for people, all digits otherwise.
function Style:count(number)
  if self.human and math.type(number) == "integer" and number >= 100000 then
    return scaled(number, 1000, UNITS)
  end
  return tostring(number)
end

--- Bytes: "1.21M" for people (1M = 1024 * 1024), all digits otherwise.
function Style:bytes(number)
  if self.human and math.type(number) == "integer" and number >= 10000 then
    return scaled(number, 1024, BYTE_UNITS)
  end
  return tostring(number)
end

--- Seconds: "59m07s" for people, with their fraction otherwise.
function Style:duration(seconds)
  if not self.human then
    return ("%.14g"):format(seconds)
  elseif seconds < 10 and math.type(seconds) == "float" then
    return ("%.1fs"):format(seconds)
  end
  local s = math.floor(seconds)
  if s < 60 then
    return ("%ds"):format(s)
  elseif s < 3600 then
    return ("%dm%02ds"):format(s // 60, s % 60)
  elseif s < 86400 then
    return ("%dh%02dm"):format(s // 3600, s % 3600 // 60)
  end
  return ("%dd%02dh"):format(s // 86400, s % 86400 // 3600)
end

--- The style of standard output, as the options and the environment say.
-- A terminal without a name, as jobs may have, gets no codes; NO_COLOR (no-color.org) turns colours off, too,
-- unless --color=always asks for them.
function style.output()
  local terminal = sys.isatty(1)
  local color = settings.color == "always"
  if settings.color == "auto" then
    local no_color, kind = os.getenv("NO_COLOR"), os.getenv("TERM") or ""
    color = terminal and kind ~= "" and kind ~= "dumb" and (no_color == nil or no_color == "")
  end
  local width
  if terminal then
    width = sys.winsize() or 80
  end
  return setmetatable({ color = color, width = width, human = terminal or settings.color == "always" }, Style)
end

--- A style with no colours, no width and exact numbers.
function style.plain()
  return setmetatable({ color = false, human = false }, Style)
end

--- A style made for a test or a special occasion.
-- @param fields { color =, width =, human = }
function style.new(fields)
  return setmetatable(fields, Style)
end

return style
