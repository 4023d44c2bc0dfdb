-- SPDX-License-Identifier: GPL-2.0-or-later
-- Packets as tables: what fw.simulate, fw.explain and a policy's tests take. Each field has one value,
-- written as in a rule; what is left out gets the value that an ordinary packet would have.
local bytes = require "ipfi.packet.build"
local dscp = require "ipfi.field.dscp"
local icmp = require "ipfi.field.icmp"
local lists = require "ipfi.field.lists"
local parse = require "ipfi.packet.parse"
local ports = require "ipfi.field.ports"
local protocol = require "ipfi.field.protocol"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local tcpflags = require "ipfi.field.tcpflags"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local packet = {}

local TCP, ICMP, ICMPV6 = protocol.TCP, protocol.ICMP, protocol.ICMPV6
-- IFNAMSIZ less the NUL.
local DEVICE_LENGTH = 15
-- The core reads at most what an IPv4 packet can hold.
local LENGTH_MOST = 65535

--- The other side when a packet does not say who it is: of the ranges for documentation (RFC 5737, RFC
--- 9637).
packet.STRANGER = { [4] = "198.51.100.1", [6] = "3fff::1" }
-- Whom such a stranger asks through this machine.
local BEYOND = { [4] = "203.0.113.1", [6] = "3fff:2::1" }
-- This machine when nobody says which addresses it has.
local OWN = { [4] = "192.0.2.1", [6] = "3fff:1::1" }

-- What an ordinary client and server look like.
local SPORT, DPORT, SEQ, ACK, WINDOW, TTL = 40000, 80, 1000, 2000, 64240, 64

-- Neighbour discovery and listener messages: the hop limit that their RFCs demand (4861; 2710, 3810) and the
-- bytes behind their first eight.
local SIGNALS = {
  [130] = { ttl = 1, rest = 16 }, [131] = { ttl = 1, rest = 16 }, [132] = { ttl = 1, rest = 16 },
  [143] = { ttl = 1, rest = 0 },
  [133] = { ttl = 255, rest = 0 }, [134] = { ttl = 255, rest = 8 }, [135] = { ttl = 255, rest = 16 },
  [136] = { ttl = 255, rest = 16 }, [137] = { ttl = 255, rest = 32 },
}

-- Most that an ICMP error has in all (RFC 1812, 4.3.2.3; RFC 4443, 2.4).
local ERROR_MOST = { [4] = 576, [6] = 1280 }
local ERRORS = { [4] = { [3] = true, [11] = true, [12] = true },
  [6] = { [1] = true, [2] = true, [3] = true, [4] = true } }

-- Raised inside build() with a message; build() returns it.
local Problem = {}

local function fail(message, ...)
  error(setmetatable({ message = message:format(...) }, Problem), 0)
end

local function whole_number(name, least, most)
  return function(value)
    local number = values.integer(value, true)
    if not number or number < least or number > most then
      fail("%s: expected a number from %d to %d, got %s", name, least, most, text.quote(value))
    end
    return number
  end
end

-- One value of a field that in rules may have many.
local function single(name, value, ranges, problem)
  if not ranges then
    problem = problem:gsub("^expected .*, got", "expected one value, got")
    fail("%s%s", problem:find(name .. ":", 1, true) == 1 and "" or name .. ": ", problem)
  elseif problem or #ranges ~= 1 or (ranges[1].to or ranges[1].from) ~= ranges[1].from then
    fail("%s: a packet has one, not %s", name,
      type(value) == "table" and "a list" or text.quote(value))
  end
  return ranges[1].from
end

local function device(name)
  return function(value)
    if type(value) ~= "string" or value == "" or #value > DEVICE_LENGTH or value:find("[%s/%c*!]") then
      fail("%s: expected the name of a device, got %s", name, text.quote(value))
    end
    return value
  end
end

local function bytes_of(name)
  return function(value)
    if type(value) ~= "string" then
      fail("%s: expected bytes, got %s", name, text.quote(value))
    end
    return value
  end
end

local function list_of(value)
  local list = lists.named(value)
  if not list then
    fail("dir: a packet is in list in, out or forward, got %s%s", text.quote(value),
      type(value) == "string" and suggest.hint(value, lists.names) or "")
  end
  return list
end

local function address_of(name)
  return function(value)
    if value == "me" then
      return value
    end
    local parsed = type(value) == "string" and sys.address(value)
    if not parsed then
      fail("%s: expected one address or 'me', got %s%s", name, text.quote(value),
        type(value) == "string" and value:find("%a") and not value:find(":")
        and " (names are not looked up)" or "")
    end
    return parsed
  end
end

local function family_of(value)
  if value ~= 4 and value ~= 6 then
    fail("family: expected 4 or 6, got %s", text.quote(value))
  end
  return value
end

local function boolean_of(name)
  return function(value)
    if type(value) ~= "boolean" then
      fail("%s: expected true or false, got %s", name, text.quote(value))
    end
    return value
  end
end

local function proto_of(value)
  return single("proto", value, values.ranges(value, protocol.spec))
end

local function dscp_of(value)
  return single("dscp", value, values.ranges(value, dscp.spec))
end

local function user_of(value)
  local number = type(value) == "string" and sys.user(value) or values.integer(value)
  if not number or number < 0 or number > 4294967294 then
    fail("user: expected a user's name or number, got %s", text.quote(value))
  end
  return number
end

local function flags_of(value)
  local bits, problem = tcpflags.of_packet(value)
  if not bits then
    fail("flags: %s", problem)
  end
  return bits
end

-- Read when the family and the protocol are known.
local function later(value)
  return value
end

--- The fields of a packet: { name =, forms = the values it takes, help = }.
packet.fields = {
  { name = "dir", forms = "'in', 'out' or 'forward'", read = list_of,
    help = "The list that judges it: for this machine ('in', also without dir), made here, or passing "
      .. "through." },
  { name = "iif", forms = "the name of a device", read = device "iif", help = "The device it comes in by." },
  { name = "oif", forms = "the name of a device", read = device "oif", help = "The device it leaves by." },
  { name = "family", forms = "4 or 6", read = family_of,
    help = "Without it, that of the addresses, else 4." },
  { name = "proto", forms = "'tcp', 'udp', 'icmp' ... or a number", read = proto_of,
    help = "The protocol. flags mean TCP, icmp ICMP." },
  { name = "src", forms = "an address, or 'me'", read = address_of "src",
    help = "Without it, this machine with dir = 'out', else a stranger (198.51.100.1, 3fff::1)." },
  { name = "dst", forms = "an address, or 'me'", read = address_of "dst",
    help = "Without it, this machine with dir = 'in', else a stranger." },
  { name = "sport", forms = "a port by number or name", read = later, help = "Without it, 40000." },
  { name = "dport", forms = "a port by number or name", read = later, help = "Without it, 80." },
  { name = "flags", forms = "'S', 'SA', 'FA' ...; letters F S R P A U E C", read = flags_of,
    help = "The TCP flags that are set. Without them, 'S'." },
  { name = "icmp", forms = "a message by name, a type, 'type/code', { type, code }", read = later,
    help = "The ICMP message." },
  { name = "length", forms = "bytes", read = whole_number("length", 20, LENGTH_MOST),
    help = "Of the whole packet; zeros follow the payload up to it." },
  { name = "dscp", forms = "'ef', 'af11', 0 to 63", read = dscp_of, help = "Without it, 0." },
  { name = "mark", forms = "a number", read = whole_number("mark", 0, 0xffffffff),
    help = "The packet's mark." },
  { name = "ipsec", forms = "true or false", read = boolean_of "ipsec",
    help = "It came through IPsec, or, with dir = 'out', will leave through it." },
  { name = "user", forms = "a user's name or number", read = user_of,
    help = "The owner of the socket; only with dir = 'out'." },
  { name = "ttl", forms = "0 to 255", read = whole_number("ttl", 0, 255),
    help = "The time to live, or hop limit. Without it, 64; 255 or 1 in messages that must have these." },
  { name = "seq", forms = "a number", read = whole_number("seq", 0, 0xffffffff),
    help = "TCP's sequence number, or that of an ICMP query." },
  { name = "ack", forms = "a number", read = whole_number("ack", 0, 0xffffffff),
    help = "TCP's acknowledgement number." },
  { name = "window", forms = "a number", read = whole_number("window", 0, 65535),
    help = "TCP's window as in the header. Without it, 64240." },
  { name = "options", forms = "bytes", read = bytes_of "options", help = "TCP's options." },
  { name = "id", forms = "a number", read = whole_number("id", 0, 65535),
    help = "The identifier of an ICMP query." },
  { name = "mtu", forms = "a number", read = whole_number("mtu", 0, 0xffffffff),
    help = "What 'fragmentation-needed' and 'packet-too-big' tell. Without it, 1280." },
  { name = "inner", forms = "a packet, or its bytes", read = later,
    help = "The packet that an ICMP error is about. Without src and dst, one from its dst to its src." },
  { name = "payload", forms = "bytes", read = bytes_of "payload", help = "What follows the headers." },
  { name = "data", forms = "bytes", read = bytes_of "data",
    help = "The whole packet from its IP header on, instead of all fields but dir, iif, oif, mark, "
      .. "ipsec and user." },
}

local by_name, names = {}, {}
for i, field in ipairs(packet.fields) do
  by_name[field.name], names[i] = field, field.name
end
--- Names of the fields, in their order.
packet.field_names = names

-- Fields of the way and not of the bytes.
local OUTSIDE = { dir = true, iif = true, oif = true, mark = true, ipsec = true, user = true, data = true }

-- What parse() tells of packets that cannot be built.
local PARSED = { fragment = "fragments are put together before they are judged; leave it out",
  extensions = "packets are built without extension headers; give the bytes as data" }

local function read_fields(t)
  local p = {}
  for key in next, t do
    if not by_name[key] and (t.data == nil or type(key) ~= "string") then
      if PARSED[key] then
        fail("%s: %s", key, PARSED[key])
      elseif key ~= "truncated" and key ~= "problem" then
        fail("unknown field %s%s", text.quote(key), type(key) == "string" and suggest.hint(key, names)
          or "; a packet is { src = ..., proto = 'tcp', dport = 'ssh' }")
      end
    end
  end
  for _, field in ipairs(packet.fields) do
    local value = t[field.name]
    if value ~= nil and (t.data == nil or OUTSIDE[field.name]) then
      p[field.name] = field.read(value)
    end
  end
  return p
end

-- The family from what says it, and a complaint when two say different ones.
local function settle_family(p)
  local said = p.family and "family"
  local function say(family, who)
    if p.family and p.family ~= family then
      fail("%s is IPv%d, but %s says IPv%d", who, family, said, p.family)
    end
    p.family, said = family, said or who
  end
  for _, name in ipairs { "src", "dst" } do
    if type(p[name]) == "table" then
      say(p[name].family, name)
    end
  end
  if p.proto == ICMP or p.proto == ICMPV6 then
    say(p.proto == ICMP and 4 or 6, "proto")
  end
  p.family = p.family or 4
end

local function settle_proto(p)
  if p.icmp ~= nil then
    if p.proto and p.proto ~= ICMP and p.proto ~= ICMPV6 then
      fail("icmp: protocol '%s' has no ICMP messages", protocol.name(p.proto))
    end
    p.proto = p.proto or (p.family == 6 and ICMPV6 or ICMP)
  elseif p.flags then
    if p.proto and p.proto ~= TCP then
      fail("flags: only TCP has them, not '%s'", protocol.name(p.proto))
    end
    p.proto = TCP
  elseif not p.proto then
    fail(p.dport ~= nil and "proto: which one? A packet with ports says proto = 'tcp' or proto = 'udp'"
      or "proto: which one? Say proto = 'tcp', 'udp', 'icmp' ...")
  end
  for _, name in ipairs { "sport", "dport" } do
    if p[name] ~= nil and not protocol.has_ports(p.proto) then
      fail("%s: protocol '%s' has no ports", name, protocol.name(p.proto))
    end
  end
end

local function settle_ends(p, own)
  local function mine(which)
    local found = own and own(p.family, which == "src" and p.oif or p.iif) or OWN[p.family]
    return sys.address(found)
  end
  local default = { src = p.dir == "out" and "me" or nil, dst = p.dir == "in" and "me" or nil }
  local strangers = { src = packet.STRANGER, dst = p.dir == "forward" and BEYOND or packet.STRANGER }
  for _, name in ipairs { "src", "dst" } do
    local value = p[name] or default[name] or sys.address(strangers[name][p.family])
    p[name] = (value == "me" and mine(name) or value).bytes
  end
end

local function port_of(p, name, default)
  if p[name] == nil then
    return default
  end
  return single(name, p[name], ports.parse(p[name], { p.proto }))
end

-- Type and code of an ICMP message.
local function message_of(p)
  local value = p.icmp
  if value == nil then
    value = "echo-request"
  elseif type(value) == "table" and #value == 2 then
    value = ("%s/%s"):format(tostring(value[1]), tostring(value[2]))
  elseif type(value) == "table" and #value == 1 then
    value = value[1]
  end
  local ranges, negated = icmp.parse(value, p.family == 4 and 1 or 2)
  if not ranges then
    fail("icmp: %s", negated)
  elseif negated or #ranges ~= 1 then
    fail("icmp: a packet has one, not %s", type(value) == "table" and "a list" or text.quote(value))
  end
  return ranges[1].from >> 8 & 255, ranges[1].from & 255
end

local build

-- What an error quotes of the packet it is about.
local function quote(p, outer)
  local inner = p.inner
  if inner == nil then
    fail("icmp: an error is about a packet; say inner = { proto = ..., ... }")
  elseif type(inner) == "table" then
    local about = { family = p.family }
    for key, value in next, inner do
      about[key] = value
    end
    about.src, about.dst = about.src or outer.dst, about.dst or outer.src
    local data, problem = build(about)
    if not data then
      fail("inner: %s", problem)
    end
    inner = data
  elseif type(inner) ~= "string" then
    fail("inner: expected a packet, got %s", text.quote(inner))
  end
  return inner:sub(1, ERROR_MOST[p.family] - (p.family == 4 and 28 or 48))
end

local function build_icmp(p, ip)
  local type_, code = message_of(p)
  local word, rest = "\0\0\0\0", p.payload or ""
  if ERRORS[p.family][type_] then
    local mtu = p.mtu or 1280
    word = (p.family == 4 and type_ == 3 and code == 4 and (">I2I2"):pack(0, mtu & 0xffff))
      or (p.family == 6 and type_ == 2 and (">I4"):pack(mtu)) or word
    rest = quote(p, { src = p.src_text, dst = p.dst_text })
  elseif p.family == 6 and SIGNALS[type_] then
    local signal = SIGNALS[type_]
    p.ttl = p.ttl or signal.ttl
    rest = rest .. ("\0"):rep(signal.rest - #rest)
  else
    word = (">I2I2"):pack(p.id or 1, (p.seq or 1) & 0xffff)
  end
  return bytes.icmp(ip, type_, code, word, rest)
end

local function build_transport(p, ip)
  if p.proto == (p.family == 4 and ICMP or ICMPV6) then
    return build_icmp(p, ip)
  end
  local make = bytes.transport[p.proto]
  if not make then
    return p.payload or ""
  end
  local options = p.options or ""
  options = options .. ("\0"):rep(-#options % 4)
  if #options > 40 then
    fail("options: TCP's header holds at most 40 bytes of them, got %d", #options)
  end
  local flags = p.flags or 2
  return make(ip, {
    sport = port_of(p, "sport", SPORT),
    dport = port_of(p, "dport", DPORT),
    flags = flags,
    seq = p.seq or SEQ,
    ack = p.ack or (flags & 16 ~= 0 and ACK or 0),
    window = p.window or WINDOW,
    options = options,
    payload = p.payload or "",
  })
end

-- Zeros behind the payload up to the length that was said.
local function stretch(p, header)
  local options = p.proto == TCP and (#(p.options or "") + 3) // 4 * 4 or 0
  local bare = header + (bytes.header[p.proto] or 0) + options
  local room = p.length - bare
  if room < #(p.payload or "") then
    fail("length: the headers and the payload alone have %d bytes", bare + #(p.payload or ""))
  end
  p.payload = (p.payload or "") .. ("\0"):rep(room - #(p.payload or ""))
end

local function show(address)
  return #address == 4 and ("%d.%d.%d.%d"):format(address:byte(1, 4))
    or ("%x:%x:%x:%x:%x:%x:%x:%x"):format((">I2I2I2I2I2I2I2I2"):unpack(address))
end

local function make(t, own)
  if type(t) ~= "table" then
    fail("expected a packet { src = ..., proto = 'tcp', dport = 'ssh' }, got %s", text.quote(t))
  end
  local p = read_fields(t)
  p.dir = p.dir or "in"
  if p.dir == "in" and p.oif then
    fail("oif: a packet for this machine leaves by no device; use iif")
  elseif p.dir == "out" and p.iif then
    fail("iif: a packet made here comes in by no device; use oif")
  elseif p.user and p.dir ~= "out" then
    fail("user: only packets made here have one; say dir = 'out'")
  end
  local meta = { list = p.dir, iif = p.iif, oif = p.oif, mark = p.mark, user = p.user,
    ipsec = p.ipsec }
  if p.data then
    return p.data, meta
  end
  settle_family(p)
  settle_proto(p)
  settle_ends(p, own)
  local ip = { family = p.family, src = p.src, dst = p.dst, proto = p.proto, dscp = p.dscp or 0 }
  p.src_text, p.dst_text = show(p.src), show(p.dst)
  if p.length then
    stretch(p, p.family == 4 and 20 or 40)
  end
  local rest = build_transport(p, ip)
  ip.ttl = p.ttl or TTL
  local data = bytes.ip(ip, rest)
  if #data > LENGTH_MOST then
    fail("payload: the packet would have %d bytes; at most %d are possible", #data, LENGTH_MOST)
  end
  return data, meta
end

--- Makes the bytes of a packet.
-- @param t a packet table, see packet.fields
-- @param own optional function (family, name of a device or nil) -> an address of this machine as text, or
--   nil; without it, one of the documentation's
-- @return bytes from the IP header on, { list =, iif =, oif =, mark =, user = } as the engine and the kernel
--   take it; or nil and what is wrong ("dport: ...")
function build(t, own)
  local ok, data, meta = pcall(make, t, own)
  if ok then
    return data, meta
  elseif getmetatable(data) == Problem then
    return nil, data.message
  end
  error(data, 0)
end

packet.build = build

local Packet = { __name = "packet" }

--- Reads the bytes of a packet, see packet_parse.lua.
-- @return packet table; tostring() of it is its line
function packet.parse(data)
  local t, at = parse(data)
  return setmetatable(t, Packet), at
end

local function end_point(host, number)
  if not number then
    return host
  end
  return host:find(":", 1, true) and ("[%s]:%d"):format(host, number) or ("%s:%d"):format(host, number)
end

local function line(t)
  if not t.src then
    return t.problem or "no packet"
  end
  local words = { end_point(t.src, t.sport), ">", end_point(t.dst, t.dport), t.proto }
  local function add(form, ...)
    words[#words + 1] = form:format(...)
  end
  if t.flags then
    add("%s", t.flags == "" and "none" or t.flags)
  end
  if t.icmp then
    add("%s", t.icmp)
  end
  if t.id then
    add("id %d", t.id)
  end
  if t.fragment then
    add("fragment %d%s", t.fragment.offset, t.fragment.more and "+" or "")
  end
  add("len %d", t.length)
  if t.inner then
    add("(about %s)", line(t.inner))
  end
  return table.concat(words, " ")
end

Packet.__tostring = line

--- A packet on one line: "10.0.0.1:1234 > 10.0.0.2:22 tcp S len 60".
-- @param t bytes, what packet.parse() returned, or a packet table
-- @return the line; or nil and what is wrong with the table
function packet.line(t)
  if getmetatable(t) == Packet then
    return line(t)
  elseif type(t) ~= "string" then
    local data, problem = build(t)
    if not data then
      return nil, problem
    end
    t = data
  end
  return line(parse(t))
end

return packet
