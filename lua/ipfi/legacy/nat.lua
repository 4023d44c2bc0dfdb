-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the original's rules for address translation say beside whom they are about: which kind, and to what.
local legacy_values = require "ipfi.legacy.values"
local protocol = require "ipfi.field.protocol"
local text = require "ipfi.base.text"

local legacy_nat = {}

-- The directions of each kind, and the option that turns it off.
local KINDS = {
  dnat = { PRE = true, OUTPUT = true, told = "DNAT has DIRECTION=PRE or OUTPUT", option = "NAT" },
  snat = { POST = true, told = "SNAT has DIRECTION=POST", option = "NAT" },
  masquerade = { POST = true, told = "MASQUERADE has DIRECTION=POST", option = "MASQUERADE" },
}

--- Why a rule of these directions cannot ask for the device by which a packet leaves.
legacy_nat.NO_WAY_OUT = {
  PRE = "the way out is not known yet where destinations are translated",
  OUTPUT = "the way out is not known yet where destinations are translated",
}

local function kind_of(c, nat, snat, masquerade)
  if snat and masquerade then
    return nil, "SNAT and MASQUERADE in one rule"
  elseif snat or masquerade then
    return snat and "snat" or "masquerade"
  elseif nat or c.address or c.port then
    return "dnat"
  end
  return nil, "it says neither NAT, SNAT nor MASQUERADE"
end

--- Takes the kind of translation out of the record; a rule whose direction is that of another kind is left
-- out.
-- @param c check of legacy_rule.lua
-- @param options of legacy_options.lua
function legacy_nat.kind(c, options)
  c.address, c.port = c.record:take "NEWADDR", c.record:take "NEWPORT"
  local word, problem = kind_of(c, c:asks "NAT", c:asks "SNAT", c:asks "MASQUERADE")
  c.draft.word = word
  if problem then
    c:drop(c.record, problem)
  elseif c.direction and not KINDS[word][c.direction] then
    c:drop(c.record, ("DIRECTION=%s: %s"):format(c.direction, KINDS[word].told))
  elseif not options.on[KINDS[word].option] then
    c:drop(c.record, ("%s is NO in options, so the rule was not in force"):format(KINDS[word].option))
  end
end

local function take_address(c)
  local entry = c.address
  if not entry then
    return nil
  end
  local address, problem = legacy_values.address(entry)
  if problem then
    c:fail(entry, problem)
  elseif not address then
    c:drop(entry, ("NEWADDR: %s is the name of a host, but a rule holds addresses")
      :format(text.quote(entry.value)))
  end
  return address
end

local function take_port(c)
  local entry = c.port
  if not entry then
    return nil
  end
  local port, problem = legacy_values.number(entry, 1, 65535)
  if problem then
    c:fail(entry, problem)
  elseif c.draft.fields.icmp or (c.protocol and not protocol.has_ports(c.protocol)) then
    c:drop(entry, ("NEWPORT: protocol %d has no ports"):format(c.protocol))
  end
  return port
end

-- The address of a field when it is a single one: neither a list nor an interval nor negated.
local function single(value)
  return type(value) == "string" and value:find("^[%d.]+$") and value or nil
end

-- A new port alone: the address stays, which our rules say by naming it.
local function port_only(c, port)
  local dst = c.draft.fields.dst
  if dst == "me" then
    c.draft.word = "redirect"
    c:put("to_port", port)
  elseif single(dst) then
    c:put("to", ("%s:%d"):format(dst, port))
  else
    c:drop(c.port, "NEWPORT without NEWADDR is kept only for one destination (one DSTADDR, or MYDSTADDR)")
  end
end

-- Our rules for destinations are asked of what comes in and of what is made here alike.
local function limit_to_hook(c)
  local fields = c.draft.fields
  if c.direction == "PRE" then
    if not fields.iif then
      c:put("iif", "*")
    end
  elseif not fields.src then
    c:put("src", "me")
  elseif fields.src ~= "me" then
    c:lose(c.record, "DIRECTION=OUTPUT with source addresses of its own would also be about what comes in")
  end
end

--- Says what the translation is to. The fields must have been put before.
-- @param c check of legacy_rule.lua
function legacy_nat.finish(c)
  local word = c.draft.word
  if c.dropped or not word then
    return
  end
  local address, port = take_address(c), take_port(c)
  if c.dropped or c.failed then
    return
  end
  if word == "masquerade" then
    if address then
      c:note(c.address, "NEWADDR has no effect with MASQUERADE, which takes the address of the device")
    end
    if port then
      c:put("to_port", port)
    end
  elseif address then
    c:put("to", port and ("%s:%d"):format(address, port) or address)
  elseif word == "dnat" and port then
    port_only(c, port)
  else
    c:drop(c.record, "it has no NEWADDR")
  end
  if word == "dnat" then
    limit_to_hook(c)
  end
  -- The others say the family by their addresses.
  if not c.draft.fields.to then
    c:put("family", 4)
  end
end

return legacy_nat
