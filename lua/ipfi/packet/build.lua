-- SPDX-License-Identifier: GPL-2.0-or-later
-- Headers as bytes: what packet.build() makes of fields that were checked. All numbers, nothing optional.
local bytes = {}

-- Dont-fragment: every packet stands for itself, so it needs no identification (RFC 6864, 4.1).
local DONT_FRAGMENT = 0x4000

-- Most 16-bit words that one string.unpack reads.
local WORDS = 64
local FORMATS = {}
for count = 1, WORDS do
  FORMATS[count] = ">" .. ("I2"):rep(count)
end

local function add_words(sum, n, ...)
  local words = { ... }
  for i = 1, n do
    sum = sum + words[i]
  end
  return sum
end

--- The one's complement sum of the Internet checksum, not yet folded (RFC 1071).
function bytes.sum(data)
  if #data % 2 == 1 then
    data = data .. "\0"
  end
  local sum, at, left = 0, 1, #data // 2
  while left > 0 do
    local n = math.min(left, WORDS)
    sum = add_words(sum, n, FORMATS[n]:unpack(data, at))
    at, left = at + 2 * n, left - n
  end
  return sum
end

--- The Internet checksum of one or two pieces, the first of an even length.
-- @return 0 to 0xffff; of bytes that hold their own right checksum it is 0
function bytes.checksum(data, more)
  local sum = bytes.sum(data) + (more and bytes.sum(more) or 0)
  while sum > 0xffff do
    sum = (sum & 0xffff) + (sum >> 16)
  end
  return ~sum & 0xffff
end

-- The pseudo header that the checksums of transport headers cover (RFC 9293, 3.1; RFC 8200, 8.1).
local function pseudo(ip, length)
  if ip.family == 4 then
    return (">c4c4I2I2"):pack(ip.src, ip.dst, ip.proto, length)
  end
  return (">c16c16I4I4"):pack(ip.src, ip.dst, length, ip.proto)
end

-- CRC32c of SCTP (RFC 9260, appendix A), by nibbles: reflected polynomial 0x82f63b78.
local CRC = {}
for i = 0, 15 do
  local value = i
  for _ = 1, 4 do
    value = value & 1 ~= 0 and value >> 1 ~ 0x82f63b78 or value >> 1
  end
  CRC[i] = value
end

local function crc32c(data)
  local crc = 0xffffffff
  for i = 1, #data do
    crc = crc ~ data:byte(i)
    crc = crc >> 4 ~ CRC[crc & 15]
    crc = crc >> 4 ~ CRC[crc & 15]
  end
  return ~crc & 0xffffffff
end

-- Puts a checksum of 16 bits at an offset that holds zeros.
local function sealed(ip, data, offset, zero)
  local sum = bytes.checksum(pseudo(ip, #data), data)
  if sum == 0 and zero then
    sum = zero
  end
  return data:sub(1, offset) .. (">I2"):pack(sum) .. data:sub(offset + 3)
end

--- Transport headers by protocol number: function (ip, t) -> bytes of header and payload with the checksum.
-- ip has family, src, dst (as bytes), proto; t the fields of the header and payload.
bytes.transport = {
  -- RFC 9293, 3.1
  [6] = function(ip, t)
    local header = 20 + #t.options
    return sealed(ip, (">I2I2I4I4BBI2I2I2"):pack(t.sport, t.dport, t.seq, t.ack, header << 2, t.flags,
      t.window, 0, 0) .. t.options .. t.payload, 16)
  end,
  -- RFC 768; a checksum that is 0 goes as 0xffff, for 0 means none
  [17] = function(ip, t)
    return sealed(ip, (">I2I2I2I2"):pack(t.sport, t.dport, 8 + #t.payload, 0) .. t.payload, 6, 0xffff)
  end,
  -- RFC 4340, 5.1: a request (type 0) with long sequence numbers and a service code, all of it covered
  [33] = function(ip, t)
    local header = (">I2I2BBI2BBI2I4I4"):pack(t.sport, t.dport, 5, 0, 0, 0x01, 0, 0, t.seq, 0)
    return sealed(ip, header .. t.payload, 6)
  end,
  -- RFC 9260, 3.1; behind the common header an INIT chunk (3.3.2), for a packet without chunks is none
  [132] = function(_, t)
    local chunks = t.payload ~= "" and t.payload
      or (">BBI2I4I4I2I2I4"):pack(1, 0, 20, t.seq, 65535, 10, 10, t.seq)
    local data = (">I2I2I4I4"):pack(t.sport, t.dport, 0, 0) .. chunks
    return data:sub(1, 8) .. ("<I4"):pack(crc32c(data)) .. data:sub(13)
  end,
  -- RFC 3828; coverage 0 is all of it
  [136] = function(ip, t)
    return sealed(ip, (">I2I2I2I2"):pack(t.sport, t.dport, 0, 0) .. t.payload, 6, 0xffff)
  end,
}

--- Bytes of the shortest header of each.
bytes.header = { [6] = 20, [17] = 8, [33] = 20, [132] = 12, [136] = 8, [1] = 8, [58] = 8 }

--- An ICMP or ICMPv6 message (RFC 792, RFC 4443): type and code, the four bytes behind the checksum, the
--- rest.
function bytes.icmp(ip, type_, code, word, rest)
  local data = (">BBI2c4"):pack(type_, code, 0, word) .. rest
  local sum = ip.family == 4 and bytes.checksum(data) or bytes.checksum(pseudo(ip, #data), data)
  return data:sub(1, 2) .. (">I2"):pack(sum) .. data:sub(5)
end

--- A whole packet: the IP header (RFC 791, RFC 8200) and what follows it.
-- @param ip { family =, src =, dst = as bytes, proto =, dscp =, ttl = }
function bytes.ip(ip, rest)
  if ip.family == 6 then
    return (">I4I2BBc16c16"):pack(6 << 28 | ip.dscp << 22, #rest, ip.proto, ip.ttl, ip.src, ip.dst) .. rest
  end
  local header = (">BBI2I2I2BBI2c4c4"):pack(0x45, ip.dscp << 2, 20 + #rest, 0, DONT_FRAGMENT, ip.ttl,
    ip.proto, 0, ip.src, ip.dst)
  return header:sub(1, 10) .. (">I2"):pack(bytes.checksum(header)) .. header:sub(13) .. rest
end

return bytes
