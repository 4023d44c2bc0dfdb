-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a rule says, in one form for each meaning: rules that do the same are equal here, in whatever order or
-- words their values were written, and whether they were just checked or come from the kernel.
local sys = require "ipfi.c.sys"
local values = require "ipfi.base.values"

local canonical = {}

local is_negated = values.is_negated

local function sign(wire, name)
  return is_negated(wire, name) and "!" or ""
end

local function plain(name)
  return function(wire)
    return wire[name] ~= nil and sign(wire, name) .. tostring(wire[name]) or nil
  end
end

local function flag(name)
  return function(wire)
    return values.contains(wire.flags, name) and "true" or nil
  end
end

-- Numbers: sorted, those that touch joined.
local function ranges(name)
  return function(wire)
    if not wire[name] then
      return nil
    end
    local list = {}
    for i, range in ipairs(wire[name]) do
      list[i] = { from = range.from, to = range.to or range.from }
    end
    local parts = {}
    for i, range in ipairs(values.merge(list)) do
      parts[i] = ("%d-%d"):format(range.from, range.to or range.from)
    end
    return sign(wire, name) .. table.concat(parts, ",")
  end
end

-- The address behind this one, as bytes; nil behind the last.
local function successor(bytes)
  local head, last, rest = bytes:match("^(.-)([^\xff])(\xff*)$")
  -- The last byte that is not 0xff goes up by one, those behind it become 0.
  return last and head .. string.char(last:byte() + 1) .. ("\0"):rep(#rest)
end

-- Ranges of addresses as bytes, IPv4 first, sorted, those that touch joined.
local function joined(list)
  local all = {}
  for i, range in ipairs(list or {}) do
    local from = sys.address(range.from).bytes
    all[i] = { from = from, to = range.to and sys.address(range.to).bytes or from }
  end
  table.sort(all, function(a, b)
    if #a.from ~= #b.from then
      return #a.from < #b.from
    end
    return a.from < b.from
  end)
  local parts = {}
  for _, range in ipairs(all) do
    local last = parts[#parts]
    local behind = last and (successor(last.to) or last.to)
    if last and #last.to == #range.from and range.from <= behind then
      last.to = range.to > last.to and range.to or last.to
    else
      parts[#parts + 1] = range
    end
  end
  return parts
end

local function addresses_text(wire)
  local parts = {}
  for i, range in ipairs(joined(wire.ranges)) do
    parts[i] = range.from .. range.to
  end
  local sets = table.move(wire.set or {}, 1, #(wire.set or {}), 1, {})
  table.sort(sets)
  return (wire.me and "me " or "") .. table.concat(sets, ",") .. " " .. table.concat(parts, ",")
end

local function addresses(name)
  return function(wire)
    return wire[name] and sign(wire, name) .. addresses_text(wire[name]) or nil
  end
end

local function lists(wire)
  if not wire.lists then
    return nil
  end
  local names = table.move(wire.lists, 1, #wire.lists, 1, {})
  table.sort(names)
  return table.concat(names, ",")
end

local function tcp_flags(wire)
  return wire.tcp_mask and ("%d/%d"):format(wire.tcp_value or 0, wire.tcp_mask) or nil
end

local function mark(wire)
  local mask = wire.mark_mask or 0xffffffff
  return wire.mark_value and ("%s%d/%d"):format(sign(wire, "mark"), wire.mark_value, mask) or nil
end

local function divisor(a, b)
  while b ~= 0 do
    a, b = b, a % b
  end
  return a
end

-- 60 a minute are one a second; it is the burst that differs unless it is said.
local function limit(wire)
  local count, period = wire.limit_count, wire.limit_period
  if not count then
    return nil
  end
  local common = divisor(count, period)
  return ("%d/%d %d"):format(count // common, period // common, wire.limit_burst or count)
end

local function target_addresses(wire)
  local to = wire.target
  return to and to.addrs and addresses_text(to.addrs) or nil
end

local function target_ports(wire)
  local to = wire.target
  return to and to.port_from and ("%d-%d"):format(to.port_from, to.port_to or to.port_from) or nil
end

--- What makes two rules different, in the order in which it is told: { name = the field's, attrs = the
-- attributes of enum ipfi_rule_attr that say it, of = function (wire) -> text that is the same for the
-- same meaning, nil for a field that is absent }. NEGATED and FLAGS belong to several and are always
-- looked at.
canonical.fields = {
  { name = "verdict", attrs = { "verdict" }, of = plain "verdict" },
  { name = "dir", attrs = { "lists" }, of = lists },
  { name = "family", attrs = { "family" }, of = plain "family" },
  { name = "iif", attrs = { "iif" }, of = plain "iif" },
  { name = "oif", attrs = { "oif" }, of = plain "oif" },
  { name = "proto", attrs = { "proto" }, of = ranges "proto" },
  { name = "src", attrs = { "src" }, of = addresses "src" },
  { name = "dst", attrs = { "dst" }, of = addresses "dst" },
  { name = "sport", attrs = { "sport" }, of = ranges "sport" },
  { name = "dport", attrs = { "dport" }, of = ranges "dport" },
  { name = "icmp", attrs = { "icmp" }, of = ranges "icmp" },
  { name = "flags", attrs = { "tcp_mask", "tcp_value" }, of = tcp_flags },
  { name = "length", attrs = { "length" }, of = ranges "length" },
  { name = "dscp", attrs = { "dscp" }, of = ranges "dscp" },
  { name = "user", attrs = { "user" }, of = ranges "user" },
  { name = "mark", attrs = { "mark_value", "mark_mask" }, of = mark },
  { name = "ipsec", attrs = { "ipsec" }, of = plain "ipsec" },
  { name = "limit", attrs = { "limit_count", "limit_period", "limit_burst" }, of = limit },
  { name = "per_source", attrs = { "per_source" }, of = plain "per_source" },
  { name = "state", attrs = {}, of = flag "stateful" },
  { name = "helper", attrs = { "helper" }, of = plain "helper" },
  { name = "ftp_foreign", attrs = {}, of = flag "ftp_foreign" },
  { name = "mss", attrs = { "mss" }, of = plain "mss" },
  { name = "to", attrs = { "target" }, of = target_addresses },
  { name = "to_port", attrs = { "target" }, of = target_ports },
  { name = "persistent", attrs = {}, of = flag "persistent" },
  { name = "log", attrs = { "log" }, of = plain "log" },
  { name = "comment", attrs = { "comment" }, of = plain "comment" },
}

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

--- The fields in which two rules differ, whatever their names and places.
-- @param a, b rules of the wire
-- @return list of fields, of those above
function canonical.differing(a, b)
  local list = {}
  -- Most rules stay as they are, so what is the same to the letter is not looked into.
  local shared = same(a.flags, b.flags) and same(a.negated, b.negated)
  for _, field in ipairs(canonical.fields) do
    local equal = shared
    for _, attr in ipairs(field.attrs) do
      equal = equal and same(a[attr], b[attr])
    end
    if not equal and field.of(a) ~= field.of(b) then
      list[#list + 1] = field
    end
  end
  return list
end

--- All that a rule says, as one text: equal for rules that differ in nothing but name and place.
-- @param wire a rule of the wire
function canonical.text(wire)
  local parts = {}
  for _, field in ipairs(canonical.fields) do
    local said = field.of(wire)
    if said then
      parts[#parts + 1] = ("%s=%d:%s"):format(field.name, #said, said)
    end
  end
  return table.concat(parts, " ")
end

return canonical
