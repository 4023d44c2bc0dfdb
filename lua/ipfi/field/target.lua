-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a NAT rule translates to: addresses and a port range, and the fields "to", "to_port" and "persistent".
local address = require "ipfi.field.address"
local ports = require "ipfi.field.ports"
local protocol = require "ipfi.field.protocol"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local target = {}

local WANT = "an address, a range 'a-b', a prefix, each with or without ':port', or a list of these"

-- Splits "10.0.0.10:8080", "[fd00::1]:80", "[fd00::1]" and what has no port.
-- @return addresses, ports or nil
local function split(item)
  local inner, rest = item:match("^%s*%[([^%[%]]*)%](.*)$")
  if inner then
    local port = rest:match("^%s*:(.*)$")
    if port or not rest:find("%S") then
      return inner, port
    end
    return item, nil
  end
  local _, colons = item:gsub(":", "")
  if colons == 1 then
    return item:match("^(.-):(.*)$")
  end
  return item, nil
end

-- The one port range of a value: { from =, to = nil when the same }, or nil and a message.
local function port_range(value, protos)
  local ranges, negated = ports.parse(value, protos)
  if not ranges then
    return nil, negated
  elseif negated or #ranges ~= 1 then
    return nil, "expected one port, service or range 'a-b'"
  elseif ranges[1].from == 0 then
    return nil, "0 is no port that a packet could be sent to"
  end
  return ranges[1]
end

-- Protocols that a port may be chosen for; nil after a mistake.
local function protocols(c, name)
  if c.wire.icmp then
    return c:fail(name, "%s: ICMP has no ports; a rule asks for one or the other", name)
  end
  return c:protocols_with_ports(name)
end

local function take_port(c, name, value)
  local protos = protocols(c, name)
  local range, problem
  if protos then
    range, problem = port_range(value, protos)
  end
  if range then
    local wire = c.wire
    wire.target = wire.target or {}
    wire.target.port_from, wire.target.port_to = range.from, range.to
    wire.proto = wire.proto or { { from = protocol.TCP }, { from = protocol.UDP } }
  elseif protos then
    c:fail(name, "%s: %s", name, problem)
  end
end

-- The ranges of one element, or nil and a message.
local function ranges_of(item)
  local set = type(item) == "table" and rawget(item, values.ELEMENT) ~= nil
  local parsed, negated = address.parse(item)
  if not parsed then
    -- What may stand in a rule is not what may be translated to.
    return nil, (negated:gsub("^expected .*, got", "expected " .. WANT .. ", got"))
  elseif negated then
    return nil, "a translation has a target; it cannot be '!' something"
  elseif parsed.me then
    return nil, "'me' is no address to translate to; redirect sends to this machine, masquerade from it"
  elseif parsed.sets then
    return nil, "what a dynamic set holds can change; a translation has targets that stay"
  elseif #parsed.ranges == 0 then
    return nil, ("%s has no addresses to translate to"):format(set and "the set" or text.quote(item))
  end
  return parsed
end

-- The elements of "to": joined addresses, families and the text of the ports; or nil and a message.
local function parse(value)
  local list = type(value) == "table" and rawget(value, values.ELEMENT) == nil and value or { value }
  local count, problem = values.length(list)
  if not count then
    return nil, problem
  end
  local all = { ranges = {}, families = 0, port = nil }
  for i = 1, count do
    local item, port = list[i], nil
    if type(item) == "string" then
      item, port = split(item)
    elseif type(item) ~= "table" then
      return nil, ("expected %s, got %s"):format(WANT, text.quote(item))
    end
    local parsed, why = ranges_of(item)
    if not parsed then
      return nil, why
    end
    table.move(parsed.ranges, 1, #parsed.ranges, #all.ranges + 1, all.ranges)
    all.families = all.families | parsed.families
    if i > 1 and port ~= all.port then
      return nil, "all of a list have the same port or none; write it once, as to_port"
    end
    all.port = port
  end
  return all
end

-- redirect: a port alone, the address is this machine's.
local function check_redirect(c, value)
  local port = type(value) == "string" and value:match("^%s*:(.*)$") or value
  if type(value) == "table" or (type(value) == "string" and (value:find("%..*%.") or value:find(":.*:"))) then
    return c:fail("to", "to: redirect sends to this machine, only a port can be said: to = 8080; "
      .. "dnat sends to another address")
  end
  take_port(c, "to", port)
end

local function check_to(c, value)
  if c.verdict == "masquerade" then
    return c:fail("to", "to: masquerade takes the address of the device that a connection leaves by; "
      .. "snat { to = ... } takes one that is written")
  elseif c.verdict == "redirect" then
    return check_redirect(c, value)
  end
  local parsed, problem = parse(value)
  if not parsed then
    return c:fail("to", "to: %s", problem)
  end
  c.wire.target = { addrs = { ranges = parsed.ranges } }
  c:take_room("to", parsed.ranges)
  c:narrow("to", parsed.families)
  if parsed.port then
    take_port(c, "to", parsed.port)
  end
end

local function check_to_port(c, value)
  if c.failed.to then
    return
  elseif c.wire.target and c.wire.target.port_from then
    return c:fail("to_port", "to_port: the port stands in 'to' already")
  end
  take_port(c, "to_port", value)
end

local function check_persistent(c, value)
  if type(value) ~= "boolean" then
    return c:fail("persistent", "persistent: expected true or false, got %s", text.quote(value))
  end
  c.persistent = value
end

local function read_to(wire)
  local to = wire.target
  if not to or not to.addrs then
    return nil
  end
  return address.written(to.addrs, false)
end

local function read_to_port(wire)
  local to = wire.target
  if not to or not to.port_from then
    return nil
  end
  return values.written { { from = to.port_from, to = to.port_to } }
end

local FILTER_RULE = "only NAT rules translate: write dnat, redirect, snat or masquerade in nat = { ... }"
local BARRED = { filter = FILTER_RULE }

--- The value of "to" with its sets spread out: text or a list of text; anything else as it is.
function target.spell(value)
  local list = type(value) == "table" and rawget(value, values.ELEMENT) == nil and value or { value }
  local out = {}
  for _, item in ipairs(list) do
    if type(item) == "table" then
      local spelt = address.spell(item)
      for _, part in ipairs(type(spelt) == "table" and spelt or { spelt }) do
        out[#out + 1] = part
      end
    else
      out[#out + 1] = item
    end
  end
  return #out == 1 and out[1] or out
end

--- The fields, as fields.lua wants them.
target.fields = {
  {
    name = "to",
    forms = [['10.0.0.10', '10.0.0.10:8080', '[fd00::1]:80', '10.0.0.10-10.0.0.20', '192.0.2.0/28', a list]],
    help = "What dnat and snat translate to. Of several addresses a connection gets one of its own family. "
      .. "Of redirect a port of this machine. Without a port, ports stay as they are where they are free.",
    check = check_to,
    read = read_to,
    barred = BARRED,
  },
  {
    name = "to_port",
    forms = [[8080, 'http', '1024-65535']],
    help = "The port, or a range that one is taken from; without proto the rule is about TCP and UDP then.",
    check = check_to_port,
    read = read_to_port,
    barred = BARRED,
  },
  {
    name = "persistent",
    forms = "true or false",
    help = "All connections of one source end get the same translation, whomever they go to (RFC 4787: "
      .. "endpoint-independent mapping).",
    check = check_persistent,
    read = function(wire) return values.contains(wire.flags, "persistent") or nil end,
    barred = BARRED,
  },
}

return target
