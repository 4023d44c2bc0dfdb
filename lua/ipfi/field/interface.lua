-- SPDX-License-Identifier: GPL-2.0-or-later
-- Names of network devices, and patterns of them.
local text = require "ipfi.base.text"

local device = {}

-- IFNAMSIZ - 1.
local LENGTH = 15

--- Parses "eth0", "eth*" or "!eth0".
-- @return name, true when negated; or nil and a message
function device.parse(value)
  if type(value) ~= "string" then
    local why = type(value) == "table" and "; write one rule for each, or a pattern like 'eth*'" or ""
    return nil, ("expected one device name, got %s%s"):format(text.quote(value), why)
  end
  local rest = value:match("^%s*!%s*(.*)$")
  local name = rest or value
  if name == "" or #name > LENGTH or name == "." or name == ".." then
    return nil, ("%s is no device name (1 to %d characters)"):format(text.quote(value), LENGTH)
  elseif name:find("%+$") then
    return nil, ("%s: names that begin so are written %s"):format(text.quote(value),
      text.quote((rest and "!" or "") .. name:gsub("%++$", "*")))
  elseif name:gsub("%*$", ""):find("[%s/%c*:]") then
    return nil, ("%s is no device name (only a last '*' stands for any rest)"):format(text.quote(value))
  end
  return name, rest ~= nil
end

return device
