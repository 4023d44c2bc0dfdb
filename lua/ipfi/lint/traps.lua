-- SPDX-License-Identifier: GPL-2.0-or-later
-- Rules that do something else than they seem to: what lint says beside rules that are of no use. They are
-- found by what is written, so only what is certain is told.
local rule = require "ipfi.policy.rule"
local sys = require "ipfi.c.sys"
local values = require "ipfi.base.values"

local traps = {}

local is_negated = values.is_negated
local SYN, ACK = 0x02, 0x10

-- A limit is asked by packets that find no state: of a connection that is the first. A rule for SYN says so.
local function check_limit(one, add)
  local wire = one.wire
  if not (wire.limit_count and values.contains(wire.flags, "stateful")) then
    return
  end
  local mask, value = wire.tcp_mask or 0, wire.tcp_value or 0
  if mask & SYN ~= 0 and value & SYN ~= 0 and value & ACK == 0 then
    return
  end
  add("limit", "its limit counts new states only: what belongs to a state passes without it; say state = "
    .. "false to count every packet, or flags = 'S/SA' where new connections are meant")
end

-- The distance of the ends of a range of addresses, as bytes; nil where it is one address.
local function span(range)
  if not range.to or range.to == range.from then
    return nil
  end
  local from, to = sys.address(range.from).bytes, sys.address(range.to).bytes
  local borrow, out = 0, {}
  for i = #from, 1, -1 do
    local difference = to:byte(i) - from:byte(i) - borrow
    borrow = difference < 0 and 1 or 0
    out[i] = string.char(difference & 0xff)
  end
  return table.concat(out)
end

local function only_range(addresses)
  local ranges = addresses and not addresses.me and not addresses.set and addresses.ranges or {}
  return #ranges == 1 and ranges[1] or nil
end

-- As many addresses, or ports, behind a translation as before it: that looks as if each had its own.
local function check_mapping(one, add)
  local wire = one.wire
  local field = one.verdict == "snat" and "src" or one.verdict == "dnat" and "dst" or nil
  local before = field and not is_negated(wire, field) and only_range(wire[field])
  local after = wire.target and only_range(wire.target.addrs)
  local many = before and span(before)
  if many and after and many == span(after) then
    add("mapping", ("it has as many addresses in to as in %s, but gives no address its own one: to is a pool")
      :format(field))
  end
  local ports = one.verdict ~= "snat" and one.verdict ~= "masquerade" and not is_negated(wire, "dport")
    and wire.dport or {}
  local first = #ports == 1 and ports[1].to and ports[1]
  local from, to = wire.target and wire.target.port_from, wire.target and wire.target.port_to
  if first and from and to and to - from == first.to - first.from and from ~= first.from then
    add("mapping", ("its ports do not shift: of %d-%d any is taken, whatever port was asked for; write a "
      .. "rule for each"):format(from, to))
  end
end

-- Do two lists of ranges of numbers have something in common? nil has everything.
local function meet(a, b)
  if not a or not b then
    return true
  end
  for _, x in ipairs(a) do
    for _, y in ipairs(b) do
      if x.from <= (y.to or y.from) and y.from <= (x.to or x.from) then
        return true
      end
    end
  end
  return false
end

local function family_of(address)
  return address:find(":", 1, true) and 6 or 4
end

-- Do addresses of a rule and a list of ranges have something in common? Sets and "me" may hold anything.
local function meet_addresses(addresses, ranges)
  if not addresses or addresses.me or addresses.set then
    return true
  end
  for _, x in ipairs(addresses.ranges or {}) do
    for _, y in ipairs(ranges) do
      if family_of(x.from) == family_of(y.from) and sys.compare_addresses(x.from, y.to or y.from) <= 0
        and sys.compare_addresses(y.from, x.to or x.from) <= 0 then
        return true
      end
    end
  end
  return false
end

local function stands_in(wire, list)
  for _, name in ipairs(wire.lists) do
    if name == list then
      return true
    end
  end
  return false
end

-- Could the devices of two rules be the same?
local function meet_devices(a, b)
  return not a or not b or a == b or a:find("*", 1, true) ~= nil or b:find("*", 1, true) ~= nil
end

-- May a filter rule let pass what a NAT rule made of a connection?
-- @param ranges the addresses that it has then, nil for this machine's
local function may_allow(other, wire, ranges, ports)
  local filter = other.wire
  local function differs(name, meets)
    return not is_negated(filter, name) and not is_negated(wire, name) and not meets
  end
  if other.verdict ~= "allow" or not (ranges and stands_in(filter, "forward") or stands_in(filter, "in")) then
    return false
  elseif ranges and not stands_in(filter, "forward") and not filter.dst then
    -- A rule for what is for this machine, whose addresses nobody named.
    return false
  elseif filter.family and (wire.family and filter.family ~= wire.family
    or ranges and family_of(ranges[1].from) ~= filter.family and #ranges == 1) then
    return false
  end
  return not (differs("proto", meet(filter.proto, wire.proto)) or differs("dport", meet(filter.dport, ports))
    or (ranges and not is_negated(filter, "dst") and not meet_addresses(filter.dst, ranges))
    or differs("iif", meet_devices(filter.iif, wire.iif))
    or differs("src", not wire.src or meet_addresses(filter.src, wire.src.ranges or {}) or wire.src.me
      or wire.src.set))
end

-- Filter rules see a connection behind the translation of its destination: one that is never allowed there
-- was translated for nothing.
local function check_allowed(p, one, add)
  local wire = one.wire
  -- Who has not written any rule yet knows that nothing passes.
  if (one.verdict ~= "dnat" and one.verdict ~= "redirect") or #p.rules == 0 then
    return
  end
  local list = one.verdict == "dnat" and "forward" or "in"
  local ranges = wire.target and wire.target.addrs and wire.target.addrs.ranges
  if p.default[list] == "allow" or (one.verdict == "dnat" and not ranges) then
    return
  end
  local ports = wire.dport
  if wire.target and wire.target.port_from then
    ports = { { from = wire.target.port_from, to = wire.target.port_to } }
  end
  for _, other in ipairs(p.rules) do
    if may_allow(other, wire, ranges, ports) then
      return
    end
  end
  add("unallowed", ("no rule allows what it translates: rules of list '%s' see the connection as it is "
    .. "behind the translation"):format(list))
end

--- Looks at all rules of a policy.
-- @param p a checked policy
-- @param add function (rule, kind, text) called for each finding, NAT rules first
function traps.find(p, add)
  for _, part in ipairs { p.nat, p.rules } do
    for _, one in ipairs(part) do
      local function tell(kind, text)
        add(one, kind, text)
      end
      if rule.is_nat(one.verdict) then
        check_mapping(one, tell)
        check_allowed(p, one, tell)
      else
        check_limit(one, tell)
      end
    end
  end
end

return traps
