-- SPDX-License-Identifier: GPL-2.0-or-later
-- The values of the original's keys. Functions return nil and a message for a value that is none.
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local legacy_values = {}

-- IFNAMSIZ - 1.
local DEVICE_LENGTH = 15

local SWITCH = { YES = true, TRUE = true, NO = false, FALSE = false }

local function want(what, entry)
  local got = entry.value == nil and "nothing" or text.quote(entry.value)
  return nil, ("%s: expected %s, got %s"):format(entry.key, what, got)
end

--- YES or NO, TRUE or FALSE; a bare key means YES.
-- @param words which of them are expected, for the message; YES or NO when absent
function legacy_values.switch(entry, words)
  local value = entry.value == nil and true or SWITCH[entry.value:upper()]
  if value == nil then
    return want(words or "YES or NO", entry)
  end
  return value
end

--- A whole number, decimal or with 0x in front.
function legacy_values.number(entry, least, most)
  local number = values.integer(entry.value, true)
  if not number or number < least or number > most then
    return want(("a number from %d to %d"):format(least, most), entry)
  end
  return number
end

--- An IPv4 address, the only kind the original knew.
-- @return its text; or nil, nil for the name of a host; or nil and a message
function legacy_values.address(entry)
  local value = entry.value or ""
  local address = value:find("^%d+%.%d+%.%d+%.%d+$") and sys.address(value)
  if address and address.family == 4 then
    return address.text
  elseif legacy_values.is_host(value) then
    return nil, nil
  end
  return want("an IPv4 address", entry)
end

--- Is this the name of a host, as it can stand in DNS (RFC 1123, 2.1)? Nothing else is put in front of
-- anybody's shell.
function legacy_values.is_host(value)
  if #value > 253 or not value:find("%a") then
    return false
  end
  for label in (value:gsub("%.$", "") .. "."):gmatch("([^.]*)%.") do
    if #label > 63 or not label:find("^[%w_][%w_-]*$") or label:find("-$") then
      return false
    end
  end
  return true
end

--- The name of a device. What is a pattern or a negation in our language never was one in the original.
function legacy_values.device(entry)
  local name = entry.value or ""
  if name == "" or #name > DEVICE_LENGTH or name == "." or name == ".."
    or name:find("[%s%c/:*!\x80-\xff]") then
    return want("the name of a device", entry)
  end
  return name
end

return legacy_values
