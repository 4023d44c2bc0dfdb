-- SPDX-License-Identifier: GPL-2.0-or-later
-- Packet marks: a value, and the bits of it that are looked at.
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local mark = {}

local MOST = 0xffffffff

--- Parses 0x1, "0x1/0xff" or "!0x1".
-- @return { value =, mask = nil for all bits, negated = }; or nil and a message
function mark.parse(value)
  local written, negated, mask = value, false, nil
  if type(value) == "string" then
    local rest = value:match("^%s*!%s*(.*)$")
    written, negated = rest or value, rest ~= nil
    local a, b = written:match("^(%w+)/(%w+)$")
    if a then
      written, mask = a, values.integer(b, true) or -1
    end
  end
  local number = values.integer(written, true)
  if not number or number < 0 or number > MOST or (mask and (mask < 0 or mask > MOST)) then
    return nil, ("expected a number or text like '0x1/0xff', got %s"):format(text.quote(value))
  elseif mask and number & ~mask ~= 0 then
    return nil, ("%s asks for bits that its mask does not look at"):format(text.quote(value))
  elseif mask == 0 then
    return nil, ("the mask of %s looks at no bit, so it says nothing"):format(text.quote(value))
  end
  return { value = number, mask = mask, negated = negated }
end

--- A mark of the wire as it would be written.
function mark.written(value, mask, negated)
  local written = ("0x%x"):format(value)
  if mask and mask ~= MOST then
    written = ("%s/0x%x"):format(written, mask)
  end
  return negated and "!" .. written or written
end

return mark
