-- SPDX-License-Identifier: GPL-2.0-or-later
-- From the bytes of an IP packet to a packet table. It tells what is written there, also of packets that the
-- module drops for their headers; what is missing or makes no sense is said in `problem`.
local icmp = require "ipfi.field.icmp"
local protocol = require "ipfi.field.protocol"
local sys = require "ipfi.c.sys"
local tcpflags = require "ipfi.field.tcpflags"

local WITH_ICMP = { [4] = protocol.ICMP, [6] = protocol.ICMPV6 }
-- IPFI_ICMP6 of the uapi header.
local ICMP6 = 1 << 16

-- Extension headers of IPv6 that are followed (RFC 8200, 4; RFC 4302), with the names they are shown by.
local EXTENSIONS = {
  [0] = "hop-by-hop", [43] = "routing", [44] = "fragment", [51] = "ah", [60] = "destination",
}
local EXTENSIONS_MOST = 8

-- Errors quote a packet (RFC 792, RFC 4443).
local ERRORS = { [4] = { [3] = true, [11] = true, [12] = true },
  [6] = { [1] = true, [2] = true, [3] = true, [4] = true } }
-- Messages with an identifier and a sequence number.
local QUERIES = {
  [4] = { [0] = true, [8] = true, [13] = true, [14] = true, [15] = true, [16] = true, [17] = true,
    [18] = true },
  [6] = { [128] = true, [129] = true },
}

local function show4(bytes, at)
  return ("%d.%d.%d.%d"):format(bytes:byte(at, at + 3))
end

local function show6(bytes, at)
  return sys.address(("%x:%x:%x:%x:%x:%x:%x:%x"):format((">I2I2I2I2I2I2I2I2"):unpack(bytes, at))).text
end

-- How the name of a message is written in a rule; type/code for those without one.
local names = {}

local function name_of(family, type_, code)
  local number = (family == 6 and ICMP6 or 0) + (type_ << 8) + code
  local name = names[number]
  if not name then
    name = icmp.range_text { from = number }
    if name:find("/", 1, true) and code == 0 then
      local base = icmp.range_text { from = number, to = number + 255 }
      name = base:find("%a") and base or name
    end
    names[number] = name
  end
  return name
end

local parse

local transport = {
  [protocol.TCP] = function(t, data, at, stop)
    if stop - at + 1 < 20 then
      t.problem = "the TCP header is cut"
      if stop - at + 1 >= 4 then
        t.sport, t.dport = (">I2I2"):unpack(data, at)
      end
      if stop - at + 1 >= 8 then
        t.seq = (">I4"):unpack(data, at + 4)
      end
      return
    end
    local offset, flags
    t.sport, t.dport, t.seq, t.ack, offset, flags, t.window = (">I2I2I4I4BBI2"):unpack(data, at)
    t.flags = tcpflags.letters(flags)
    local header = (offset >> 4) * 4
    if header < 20 or header > stop - at + 1 then
      t.problem = "the TCP header's length is wrong"
      return
    elseif header > 20 then
      t.options = data:sub(at + 20, at + header - 1)
    end
    t.payload = data:sub(at + header, stop)
  end,
  [protocol.UDP] = function(t, data, at, stop)
    if stop - at + 1 < 8 then
      t.problem = "the UDP header is cut"
      return
    end
    t.sport, t.dport = (">I2I2"):unpack(data, at)
    t.payload = data:sub(at + 8, stop)
  end,
}

transport[protocol.UDPLITE] = transport[protocol.UDP]

-- RFC 9260, 3.1: chunks follow the common header.
transport[protocol.SCTP] = function(t, data, at, stop)
  if stop - at + 1 < 12 then
    t.problem = "the SCTP header is cut"
    return
  end
  t.sport, t.dport = (">I2I2"):unpack(data, at)
  t.payload = data:sub(at + 12, stop)
end

-- RFC 4340, 5.1: the header says where the data begins; the long form has all of the sequence number.
transport[protocol.DCCP] = function(t, data, at, stop)
  if stop - at + 1 < 12 then
    t.problem = "the DCCP header is cut"
    return
  end
  local header, kind
  t.sport, t.dport, header, kind = (">I2I2BxxxB"):unpack(data, at)
  if kind & 1 ~= 0 and stop - at + 1 >= 16 then
    t.seq = (">I4"):unpack(data, at + 12)
  end
  t.payload = data:sub(at + header * 4, stop)
end

local function read_icmp(t, data, at, stop)
  if stop - at + 1 < 8 then
    t.problem = "the ICMP header is cut"
    return
  end
  local type_, code = data:byte(at, at + 1)
  t.icmp = name_of(t.family, type_, code)
  if ERRORS[t.family][type_] then
    t.mtu = (t.family == 4 and type_ == 3 and code == 4 and (">I2"):unpack(data, at + 6))
      or (t.family == 6 and type_ == 2 and (">I4"):unpack(data, at + 4)) or nil
    t.inner = parse(data:sub(at + 8, stop), true)
    return
  elseif QUERIES[t.family][type_] then
    t.id, t.seq = (">I2I2"):unpack(data, at + 4)
  end
  t.payload = data:sub(at + 8, stop)
end

-- The IPv6 headers between the first and the transport's. Returns the protocol and where it begins.
local function extensions(t, data, at, stop, proto)
  for _ = 1, EXTENSIONS_MOST do
    local name = EXTENSIONS[proto]
    if not name then
      break
    elseif stop - at + 1 < 8 then
      t.problem = "an extension header is cut"
      break
    end
    t.extensions = t.extensions or {}
    t.extensions[#t.extensions + 1] = name
    local next_proto, length = data:byte(at, at + 1)
    if proto == 44 then
      local offset = (">I2"):unpack(data, at + 2)
      if offset & 0xfff9 ~= 0 then
        t.fragment = { offset = offset & 0xfff8, more = offset & 1 ~= 0 }
      end
      length = 8
    else
      length = proto == 51 and (length + 2) * 4 or (length + 1) * 8
    end
    proto, at = next_proto, at + length
    if t.fragment and t.fragment.offset > 0 then
      break
    end
  end
  return proto, at
end

local function ipv4(t, data)
  local first, tos, length, _, fragment, ttl, proto = (">BBI2I2I2BB"):unpack(data)
  t.family, t.dscp, t.ttl = 4, tos >> 2, ttl
  t.src, t.dst = show4(data, 13), show4(data, 17)
  if fragment & 0x3fff ~= 0 then
    t.fragment = { offset = (fragment & 0x1fff) * 8, more = fragment & 0x2000 ~= 0 }
  end
  return length, proto, (first & 15) * 4 + 1
end

local function ipv6(t, data)
  local first, length, proto, ttl = (">I4I2BB"):unpack(data)
  t.family, t.dscp, t.ttl = 6, first >> 22 & 63, ttl
  t.src, t.dst = show6(data, 9), show6(data, 25)
  return length + 40, proto, 41
end

--- Reads a packet.
-- @param data bytes from the IP header on; the link layer's padding may follow, the end may be missing
-- @param quoted it stands in an ICMP error: being cut is no flaw
-- @return packet table. Beside the fields of packet.fields: fragment = { offset =, more = } of one,
--   extensions = names of the extension headers of IPv6, truncated = true when bytes are missing, problem =
--   what is wrong with its headers. payload is what there is of it. And the byte at which the transport's
--   header begins, nil where there is none.
function parse(data, quoted)
  local t = {}
  local version = #data > 0 and data:byte() >> 4 or 0
  local header = version == 6 and 40 or 20
  if #data < header or (version ~= 4 and version ~= 6) then
    t.problem = (version == 4 or version == 6 or #data == 0) and "the IP header is cut"
      or ("no IP packet: its version is %d"):format(version)
    t.length = #data
    return t
  end
  local length, proto, at = (version == 4 and ipv4 or ipv6)(t, data)
  t.length = length
  local stop = math.min(length, #data)
  if length > #data and not quoted then
    t.truncated = true
  elseif length < at - 1 or at < 21 then
    t.problem = "the IP header's lengths are wrong"
    t.proto = protocol.name(proto)
    return t
  end
  if version == 6 then
    proto, at = extensions(t, data, at, stop, proto)
  end
  t.proto = protocol.name(proto)
  if t.problem or (t.fragment and t.fragment.offset > 0) then
    t.payload = data:sub(at, stop)
    return t
  end
  local read = transport[proto] or (proto == WITH_ICMP[version] and read_icmp)
  if read then
    read(t, data, at, stop)
  else
    t.payload = data:sub(at, stop)
  end
  if quoted then
    t.problem = nil
  end
  return t, at
end

return parse
