-- SPDX-License-Identifier: GPL-2.0-or-later
-- TCP flags as letters: those that must be set, a slash, those that are looked at.
local text = require "ipfi.base.text"

local tcpflags = {}

-- Bits as in the TCP header (RFC 9293, 3.1); E and C of RFC 3168.
local BITS = { F = 1, S = 2, R = 4, P = 8, A = 16, U = 32, E = 64, C = 128 }
local ORDER = "FSRPAUEC"
-- What is looked at when nothing is said: all but the two of congestion notification.
local SIX = 0x3f

local function bits_of(letters)
  local bits = 0
  for letter in letters:gmatch(".") do
    local bit = BITS[letter:upper()]
    if not bit then
      return nil
    end
    bits = bits | bit
  end
  return bits
end

local memo = {}

--- Flags that are set as letters: "SA".
function tcpflags.letters(bits)
  if memo[bits] then
    return memo[bits]
  end
  local letters = {}
  for letter in ORDER:gmatch(".") do
    if bits & BITS[letter] ~= 0 then
      letters[#letters + 1] = letter
    end
  end
  memo[bits] = table.concat(letters)
  return memo[bits]
end

--- Parses "S/SAFR", or "S", which looks at all six classic flags.
-- @return bits that must be set, bits looked at; or nil and a message
function tcpflags.parse(value)
  if type(value) ~= "string" then
    return nil, ("expected text like 'S/SAFR', got %s"):format(text.quote(value))
  end
  local set, looked_at = value:match("^%s*(%a*)%s*/%s*(%a+)%s*$")
  set = set or value:match("^%s*(%a+)%s*$")
  local bits = set and bits_of(set)
  local mask = not looked_at and SIX or bits_of(looked_at)
  if not bits or not mask then
    return nil, ("expected those set and those looked at, like 'S/SAFR' (letters %s), got %s")
      :format(ORDER, text.quote(value))
  elseif bits & ~mask ~= 0 then
    return nil, ("%s asks for flags that it does not look at"):format(text.quote(value))
  end
  return bits, mask
end

--- The flags of one packet from letters: "SA"; "" for none.
-- @return bits, or nil and a message
function tcpflags.of_packet(value)
  local bits = type(value) == "string" and bits_of(value)
  if not bits then
    return nil, ("expected the letters of those that are set, like 'SA' (letters %s), got %s")
      :format(ORDER, text.quote(value))
  end
  return bits
end

--- Bits of the wire as they would be written.
function tcpflags.written(set, looked_at)
  return tcpflags.letters(set) .. "/" .. tcpflags.letters(looked_at)
end

return tcpflags
