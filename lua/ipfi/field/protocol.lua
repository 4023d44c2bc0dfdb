-- SPDX-License-Identifier: GPL-2.0-or-later
-- Names of IP protocols. Those below are known without /etc/protocols, which a small system may lack.
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local protocol = {}

protocol.TCP, protocol.UDP, protocol.ICMP, protocol.ICMPV6 = 6, 17, 1, 58
protocol.DCCP, protocol.SCTP, protocol.UDPLITE = 33, 132, 136

-- IANA, "Assigned Internet Protocol Numbers".
local BY_NAME = {
  icmp = 1, igmp = 2, ipip = 4, tcp = 6, udp = 17, dccp = 33, ipv6 = 41, gre = 47, esp = 50, ah = 51,
  icmpv6 = 58, ospf = 89, vrrp = 112, sctp = 132, udplite = 136,
  icmp6 = 58, ["ipv6-icmp"] = 58,
}
local SHOWN = {
  [1] = "icmp", [2] = "igmp", [4] = "ipip", [6] = "tcp", [17] = "udp", [33] = "dccp", [41] = "ipv6",
    [47] = "gre",
  [50] = "esp", [51] = "ah", [58] = "icmpv6", [89] = "ospf", [112] = "vrrp", [132] = "sctp",
    [136] = "udplite",
}

-- Protocols whose header begins with a source and a destination port.
local WITH_PORTS = { [6] = true, [17] = true, [33] = true, [132] = true, [136] = true }

-- Words that mean any protocol to other firewalls; "ip" is number 0 in protocols(5), which no packet has that
-- a user means.
local ANY = { ip = true, any = true, all = true }

--- Number of a protocol by its name.
-- @return number, or nil and a message
function protocol.number(name)
  local word = name:lower()
  if ANY[word] then
    return nil, ("%s is any protocol: leave proto out"):format(text.quote(name))
  end
  local number = BY_NAME[word] or sys.protocol(name) or sys.protocol(word)
  if number then
    return number
  end
  return nil, ("unknown protocol %s%s"):format(text.quote(name), suggest.hint(name, protocol.names()))
end

--- Name of a protocol, or the number as text when it has none.
function protocol.name(number)
  return SHOWN[number] or sys.protocol_name(number) or tostring(number)
end

--- All known names, sorted.
function protocol.names()
  local names = {}
  for name in pairs(BY_NAME) do
    names[name] = true
  end
  for _, name in ipairs(sys.protocols()) do
    names[name] = not ANY[name:lower()] or nil
  end
  return suggest.keys(names)
end

--- Do packets of this protocol have ports that a rule can ask for?
function protocol.has_ports(number)
  return WITH_PORTS[number] or false
end

protocol.spec = {
  what = "protocol",
  want = "a protocol name or number, or a list of these",
  least = 0,
  most = 255,
  named = protocol.number,
  memo = {},
}

return protocol
