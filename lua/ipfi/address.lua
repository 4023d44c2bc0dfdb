-- SPDX-License-Identifier: GPL-2.0-or-later
-- Addresses of both families: single ones, prefixes, ranges, lists, sets and "me".
local suggest = require "ipfi.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.text"
local values = require "ipfi.values"

local address = {}

--- Bits of a families mask.
address.V4, address.V6, address.BOTH = 1, 2, 3

local BITS = { [4] = 32, [6] = 128 }
local MASK = { [4] = address.V4, [6] = address.V6 }

local WANT = "an address, a prefix, a range 'a-b', 'me', a set or a list of these"

--- The mask bit of family 4 or 6.
function address.mask(family)
  return MASK[family]
end

local function bad(item)
  local why = ""
  if item == "Me" or item == "ME" or suggest.nearest(item, { "me" }) then
    why = "; did you mean 'me'?"
  elseif item:find("%%") then
    why = " (a zone has no meaning here; use iif or oif)"
  elseif item:find("%a") and not item:find(":") then
    why = " (names are not looked up: a rule holds addresses)"
  end
  return nil, ("bad address %s%s"):format(text.quote(item), why)
end

-- One element that is text: a range { from =, to = or nil } and its family, or nil and a message.
local function parse(item)
  local whole = sys.address(item)
  if whole then
    return { from = whole.text }, whole.family
  end
  local base, length = item:match("^%s*([^%s/]+)/(%d+)%s*$")
  if base then
    local a, bits = sys.address(base), tonumber(length)
    if not a then
      return bad(item)
    elseif bits > BITS[a.family] then
      return nil, ("%s: an IPv%d prefix has at most %d bits")
        :format(text.quote(item), a.family, BITS[a.family])
    end
    local from, to = sys.prefix_range(a.text, bits)
    return { from = from, to = from ~= to and to or nil }, a.family
  end
  local first, last = item:match("^%s*([^%s%-]+)%s*%-%s*([^%s%-]+)%s*$")
  if first then
    local a, b = sys.address(first), sys.address(last)
    if not a or not b then
      return bad(item)
    elseif a.family ~= b.family then
      return nil, ("the range %s begins in one family and ends in the other"):format(text.quote(item))
    end
    local order = sys.compare_addresses(a.text, b.text)
    if order > 0 then
      return nil, ("the range %s ends before it begins"):format(text.quote(item))
    end
    return { from = a.text, to = order < 0 and b.text or nil }, a.family
  end
  if item:find("/", 1, true) then
    return nil, ("bad prefix %s: write it as 192.0.2.0/24 or 2001:db8::/32"):format(text.quote(item))
  end
  return bad(item)
end

local Set = { __name = "set" }
Set.__index = Set
Set.__metatable = "set"

local function is_set(value)
  return type(value) == "table" and rawget(value, values.ELEMENT) ~= nil
end

--- Parses the value of an address field.
-- @param value text, set, or list of these
-- @return { ranges =, me =, families = mask, written = list of text }, true when negated; or nil and a
--   message
function address.parse(value)
  if type(value) == "string" and value ~= "me" and value:find("^[%x:]") then
    local range, family = parse(value)
    if not range then
      return nil, family
    end
    return { ranges = { range }, families = MASK[family], written = { value } }, false
  end
  local list, negated = values.elements(value, WANT)
  if not list then
    return nil, negated
  end
  local parsed = { ranges = {}, families = 0, written = {} }
  local ranges, written, seen = parsed.ranges, parsed.written, {}
  local function add(range, family)
    local key = range.to and range.from .. "-" .. range.to or range.from
    if not seen[key] then
      seen[key] = true
      ranges[#ranges + 1] = range
    end
    parsed.families = parsed.families | MASK[family]
  end
  for _, item in ipairs(list) do
    if is_set(item) then
      for i, range in ipairs(item.ranges) do
        add(range, item.family_of[i])
      end
      parsed.me = parsed.me or item.me
      parsed.families = parsed.families | item.families
      table.move(item.written, 1, #item.written, #written + 1, written)
    elseif item == "me" then
      parsed.me = true
      parsed.families = address.BOTH
      written[#written + 1] = "me"
    elseif type(item) ~= "string" then
      return nil, ("expected %s, got %s"):format(WANT, text.quote(item))
    else
      local range, family = parse(item)
      if not range then
        return nil, family
      end
      add(range, family)
      written[#written + 1] = item
    end
  end
  return parsed, negated
end

--- Makes a set: addresses with a name of their own in a policy. ~s means "not in s".
-- @param list what the set holds: as the value of an address field, but never negated
-- @return the set, or nil and a message
function address.set(list)
  if type(list) ~= "table" then
    return nil, ("expected a list of addresses, got %s"):format(text.quote(list))
  end
  local parsed, negated = address.parse(list)
  if not parsed then
    return nil, negated
  elseif negated then
    return nil, "a set holds addresses; negate it where it is used: src = ~s"
  end
  local family_of = {}
  for i, range in ipairs(parsed.ranges) do
    family_of[i] = range.from:find(":", 1, true) and 6 or 4
  end
  return setmetatable({
    [values.ELEMENT] = false,
    ranges = parsed.ranges,
    family_of = family_of,
    me = parsed.me,
    families = parsed.families,
    written = parsed.written,
  }, Set)
end

function Set.__bnot(set)
  local other = {}
  for key, value in next, set do
    other[key] = value
  end
  other[values.ELEMENT] = not set[values.ELEMENT]
  return setmetatable(other, Set)
end

function Set.__len(set)
  return #set.written
end

function Set.__tostring(set)
  return ("%sset { %s }"):format(set[values.ELEMENT] and "~" or "", table.concat(set.written, ", "))
end

--- The forms in which a value was written, sets spread out: text or a list of text.
function address.spell(value)
  local parsed, negated = address.parse(value)
  if not parsed then
    return value
  end
  local list = {}
  for i, item in ipairs(parsed.written) do
    list[i] = negated and "!" .. item or item
  end
  return #list == 1 and list[1] or list
end

-- Number of leading bits two addresses share, when all bits behind them are 0 in the first and 1 in the
-- second; nil when the two are not the ends of a prefix.
local function prefix_length(from, to)
  local a, b = sys.address(from).bytes, sys.address(to).bytes
  local bits = 0
  for i = 1, #a do
    local x, y = a:byte(i), b:byte(i)
    if x == y and bits == (i - 1) * 8 then
      bits = i * 8
    else
      local differing = x ~ y
      local host = bits == (i - 1) * 8 and differing or 0xff
      if host & (host + 1) ~= 0 or x & host ~= 0 or y & host ~= host then
        return nil
      end
      if bits == (i - 1) * 8 then
        while host < 0x80 do
          host = host << 1 | 1
          bits = bits + 1
        end
      end
    end
  end
  return bits
end

--- A range of the wire as it would be written: an address, a prefix or "a-b".
function address.range_text(range)
  if not range.to or range.to == range.from then
    return range.from
  end
  local bits = prefix_length(range.from, range.to)
  return bits and ("%s/%d"):format(range.from, bits) or ("%s-%s"):format(range.from, range.to)
end

--- Addresses of the wire as they would be written.
-- @param wire { ranges =, me = }
function address.written(wire, negated)
  local list = {}
  if wire.me then
    list[1] = negated and "!me" or "me"
  end
  for _, range in ipairs(wire.ranges or {}) do
    local written = address.range_text(range)
    list[#list + 1] = negated and "!" .. written or written
  end
  return #list == 1 and list[1] or list
end

--- An address or prefix for the filter of states.
-- @return { addr =, length = nil for a whole address }, family; or nil and a message
function address.prefix(value)
  if type(value) ~= "string" then
    return nil, ("expected an address or a prefix, got %s"):format(text.quote(value))
  end
  local whole = sys.address(value)
  if whole then
    return { addr = whole.text }, whole.family
  end
  local base, length = value:match("^([^%s/]+)/(%d+)$")
  local a, bits = base and sys.address(base), tonumber(length)
  if not a then
    return bad(value)
  elseif bits > BITS[a.family] then
    return nil, ("%s: an IPv%d prefix has at most %d bits")
      :format(text.quote(value), a.family, BITS[a.family])
  end
  return { addr = a.text, length = bits }, a.family
end

return address
