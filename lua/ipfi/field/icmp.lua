-- SPDX-License-Identifier: GPL-2.0-or-later
-- Names of ICMP and ICMPv6 messages. On the wire both share one number space: type << 8 | code, and
-- ICMP6 added for ICMPv6 (IPFI_ICMP6 of the uapi header).
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local icmp = {}

local ICMP6 = 1 << 16
local V4, V6 = 1, 2

-- Name = { type, code } or { type } in each family. IANA, "ICMP Parameters" (RFC 792 and its successors)
-- and "ICMPv6 Parameters" (RFC 4443, 4861, 2710, 3810, 4286). A name that stands in both families means
-- the message of that purpose in each.
local NAMES = {
  ["echo-reply"] = { v4 = { 0 }, v6 = { 129 } },
  ["echo-request"] = { v4 = { 8 }, v6 = { 128 } },
  ["destination-unreachable"] = { v4 = { 3 }, v6 = { 1 } },
  ["time-exceeded"] = { v4 = { 11 }, v6 = { 3 } },
  ["parameter-problem"] = { v4 = { 12 }, v6 = { 4 } },
  ["redirect"] = { v4 = { 5 }, v6 = { 137 } },
  ["router-advertisement"] = { v4 = { 9 }, v6 = { 134 } },
  ["router-solicitation"] = { v4 = { 10 }, v6 = { 133 } },
  ["host-unreachable"] = { v4 = { 3, 1 }, v6 = { 1, 3 } },
  ["port-unreachable"] = { v4 = { 3, 3 }, v6 = { 1, 4 } },
  ["ttl-exceeded"] = { v4 = { 11, 0 }, v6 = { 3, 0 } },
  ["reassembly-exceeded"] = { v4 = { 11, 1 }, v6 = { 3, 1 } },
  ["admin-prohibited"] = { v4 = { 3, 13 }, v6 = { 1, 1 } },

  ["network-unreachable"] = { v4 = { 3, 0 } },
  ["protocol-unreachable"] = { v4 = { 3, 2 } },
  ["fragmentation-needed"] = { v4 = { 3, 4 } },
  ["source-quench"] = { v4 = { 4 } },
  ["timestamp-request"] = { v4 = { 13 } },
  ["timestamp-reply"] = { v4 = { 14 } },
  ["info-request"] = { v4 = { 15 } },
  ["info-reply"] = { v4 = { 16 } },
  ["address-mask-request"] = { v4 = { 17 } },
  ["address-mask-reply"] = { v4 = { 18 } },

  ["no-route"] = { v6 = { 1, 0 } },
  ["packet-too-big"] = { v6 = { 2 } },
  ["mld-query"] = { v6 = { 130 } },
  ["mld-report"] = { v6 = { 131 } },
  ["mld-done"] = { v6 = { 132 } },
  ["mld2-report"] = { v6 = { 143 } },
  ["neighbour-solicitation"] = { v6 = { 135 } },
  ["neighbour-advertisement"] = { v6 = { 136 } },
  ["neighbor-solicitation"] = { v6 = { 135 } },
  ["neighbor-advertisement"] = { v6 = { 136 } },
}

local WANT = "an ICMP message by name, as type or 'type/code', or a list of these"

local function range(base, message)
  local from = base + (message[1] << 8) + (message[2] or 0)
  return { from = from, to = message[2] and from or from + 255 }
end

--- All names, sorted.
function icmp.names()
  return suggest.keys(NAMES)
end

-- The ranges of one element, and the families they belong to; or nil and a message.
local function parse(item, families)
  local type_, code
  if math.type(item) == "integer" then
    type_ = item
  elseif type(item) == "string" then
    type_, code = item:match("^(%d+)/(%d+)$")
    type_ = tonumber(type_ or item:match("^%d+$"))
    code = tonumber(code)
  end
  if type_ then
    if type_ < 0 or type_ > 255 or (code or 0) > 255 then
      return nil, ("ICMP type and code are 0 to 255, got %s"):format(text.quote(item))
    elseif families == V4 | V6 then
      return nil, ("icmp = %s: which family? Say proto = 'icmp' or proto = 'icmpv6', or use a name")
        :format(text.quote(item))
    end
    return { range(families == V6 and ICMP6 or 0, { type_, code }) }, families
  elseif type(item) ~= "string" then
    return nil, ("expected %s, got %s"):format(WANT, text.quote(item))
  end
  local message = NAMES[item:lower()]
  if not message then
    return nil, ("unknown ICMP message %s%s"):format(text.quote(item), suggest.hint(item, icmp.names()))
  end
  local ranges, used = {}, 0
  if message.v4 and families & V4 ~= 0 then
    ranges[#ranges + 1] = range(0, message.v4)
    used = used | V4
  end
  if message.v6 and families & V6 ~= 0 then
    ranges[#ranges + 1] = range(ICMP6, message.v6)
    used = used | V6
  end
  if used == 0 then
    return nil, ("%s does not exist in %s, the only family this rule can match")
      :format(text.quote(item), families == V4 and "ICMP" or "ICMPv6")
  end
  return ranges, used
end

--- Parses the value of the field icmp.
-- @param value what was written
-- @param families mask (1 IPv4, 2 IPv6) of those the rule can match
-- @return list of ranges, true when negated, mask of the families used; or nil and a message
function icmp.parse(value, families)
  local list, negated = values.elements(value, WANT)
  if not list then
    return nil, negated
  end
  local ranges, used = {}, 0
  for _, item in ipairs(list) do
    local more, theirs = parse(item, families)
    if not more then
      return nil, theirs
    end
    table.move(more, 1, #more, #ranges + 1, ranges)
    used = used | theirs
  end
  return values.merge(ranges), negated, used
end

-- Types that ask for an answer and so open a connection: RFC 792, RFC 950, RFC 8335; RFC 4443, RFC 4620.
local QUERIES = { 8, 13, 15, 17, 42, 256 + 128, 256 + 139, 256 + 160 }

--- Is any message of these ranges, as parse() gives them, one that opens a connection?
function icmp.opens(ranges)
  for _, r in ipairs(ranges) do
    for _, query in ipairs(QUERIES) do
      if r.from >> 8 <= query and query <= (r.to or r.from) >> 8 then
        return true
      end
    end
  end
  return false
end

-- { [number of type and code] = name }, for messages by type alone under the type's range.
local by_number = {}
for _, name in ipairs(icmp.names()) do
  for family, message in pairs(NAMES[name]) do
    local r = range(family == "v6" and ICMP6 or 0, message)
    local key = ("%d-%d"):format(r.from, r.to)
    -- "neighbour" comes after "neighbor" in the alphabet and so wins, as the rest of the project spells it.
    by_number[key] = name
  end
end

--- A range of the wire as it would be written.
function icmp.range_text(r)
  local to = r.to or r.from
  local name = by_number[("%d-%d"):format(r.from, to)]
  if name then
    return name
  end
  local type_, code = r.from >> 8 & 255, r.from & 255
  if to == r.from then
    return ("%d/%d"):format(type_, code)
  elseif code == 0 and to == r.from + 255 then
    return tostring(type_)
  end
  return ("%d/%d-%d/%d"):format(type_, code, to >> 8 & 255, to & 255)
end

--- Ranges of the wire as they would be written; a name that covers both families stands once.
function icmp.written(ranges, negated)
  local list, seen = {}, {}
  for _, r in ipairs(ranges) do
    local item = icmp.range_text(r)
    if not seen[item] then
      seen[item] = true
      list[#list + 1] = negated and "!" .. item or item
    end
  end
  return #list == 1 and list[1] or list
end

return icmp
