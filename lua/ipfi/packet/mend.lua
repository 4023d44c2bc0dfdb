-- SPDX-License-Identifier: GPL-2.0-or-later
-- A packet of a capture as it was on the wire, or would have been: captures are cut, their checksums are not
-- yet written, and what a device was to cut into segments has no length, or one that no wire has.
local bytes = require "ipfi.packet.build"

local mend = {}

-- What 16 bits can say.
local LENGTH_MOST = 65535
local HOP_BY_HOP, TCP, UDP, ICMP, ICMPV6 = 0, 6, 17, 1, 58

-- Where a transport's checksum is, and what it is when it comes out as 0.
local CHECKSUM = { [TCP] = { 16 }, [UDP] = { 6, 0xffff }, [ICMP] = { 2 }, [ICMPV6] = { 2 } }

-- Zeros behind data up to a length; what is beyond goes.
local function fit(data, length)
  return #data >= length and data:sub(1, length) or data .. ("\0"):rep(length - #data)
end

-- The length that the IP header means; nil where it makes no sense.
local function length_of(data, wire)
  if data:byte() >> 4 == 6 then
    local length, following = (">I2B"):unpack(data, 5)
    -- Zero stands for a jumbogram (RFC 2675), or for what is cut into segments later.
    if length == 0 and following ~= HOP_BY_HOP and wire > 40 then
      length = math.min(wire - 40, LENGTH_MOST)
    end
    return 40 + length
  end
  local length = (">I2"):unpack(data, 3)
  if length == 0 then
    length = math.min(wire, LENGTH_MOST)
  end
  return length >= (data:byte() & 15) * 4 and length or nil
end

-- Writes the length, and the checksum of an IPv4 header.
local function with_header(data, length)
  if data:byte() >> 4 == 6 then
    return data:sub(1, 4) .. (">I2"):pack(length - 40) .. data:sub(7)
  end
  local size = (data:byte() & 15) * 4
  local header = data:sub(1, 2) .. (">I2"):pack(length) .. data:sub(5, 10) .. "\0\0" .. data:sub(13, size)
  return header:sub(1, 10) .. (">I2"):pack(bytes.checksum(header)) .. header:sub(13) .. data:sub(size + 1)
end

--- Gives a packet the length its header says, with zeros for what was not captured; one whose header says
-- none has that of the wire, as far as a header can say it.
-- @param data what was captured of it, at least the IP header without options
-- @param wire how many bytes of it there were
-- @return the packet; nil when its lengths make no sense, or not even its header was captured
function mend.length(data, wire)
  local version = data:byte() >> 4
  local header = version == 6 and 40 or (data:byte() & 15) * 4
  if #data < header or header < 20 then
    return nil
  end
  local length = length_of(data, wire)
  if not length then
    return nil
  end
  return fit(with_header(data, length), length)
end

--- Makes the checksum of a packet's transport right; it must not be a fragment.
-- @param data a whole packet
-- @param proto number of the protocol
-- @param at byte where the transport's header begins
-- @return the packet
function mend.checksum(data, proto, at)
  local where, family = CHECKSUM[proto], data:byte() >> 4
  local rest = data:sub(at)
  if not where or #rest < where[1] + 2 then
    return data
  end
  local place = where[1]
  -- UDP over IPv4 may have none.
  if proto == UDP and family == 4 and rest:sub(place + 1, place + 2) == "\0\0" then
    return data
  end
  rest = rest:sub(1, place) .. "\0\0" .. rest:sub(place + 3)
  local head = ""
  if proto ~= ICMP then
    local ends = family == 4 and data:sub(13, 20) or data:sub(9, 40)
    head = ends .. (family == 4 and (">I2I2"):pack(proto, #rest) or (">I4I4"):pack(#rest, proto))
  end
  local sum = bytes.checksum(head, rest)
  return data:sub(1, at - 1) .. rest:sub(1, place) .. (">I2"):pack(sum == 0 and where[2] or sum)
    .. rest:sub(place + 3)
end

return mend
