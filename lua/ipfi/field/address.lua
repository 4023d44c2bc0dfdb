-- SPDX-License-Identifier: GPL-2.0-or-later
-- Addresses of both families: single ones, prefixes, ranges, lists, sets and "me".
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local address = {}

-- IPFI_SET_NAME_LEN of the uapi header.
local SET_NAME_LENGTH = 31

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
  elseif item:find("^@") then
    why = " (a dynamic set is used by its value: local bans = set { name = 'bans', dynamic = true }, "
      .. "then src = bans)"
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

--- The class of sets.
address.Set = Set

local function is_set(value)
  return type(value) == "table" and rawget(value, values.ELEMENT) ~= nil
end

--- Parses the value of an address field.
-- @param value text, set, or list of these
-- @return { ranges =, me =, sets = names of dynamic sets or nil, families = mask, written = list of text },
--   true when negated; or nil and a message
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
  local function add_dynamic(name)
    parsed.sets = parsed.sets or {}
    if not seen[name] then
      seen[name] = true
      parsed.sets[#parsed.sets + 1] = name
    end
  end
  for _, item in ipairs(list) do
    if is_set(item) then
      for i, range in ipairs(item.ranges) do
        add(range, item.family_of[i])
      end
      for _, name in ipairs(item.sets or {}) do
        add_dynamic(name)
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
    sets = parsed.sets,
    families = parsed.families,
    written = parsed.written,
  }, Set)
end

--- Checks the name of a dynamic set.
-- @return nil, or a message
function address.bad_set_name(name)
  if type(name) ~= "string" then
    return ("the name of a dynamic set is text, got %s"):format(text.quote(name))
  elseif #name > SET_NAME_LENGTH then
    return ("the name %s has %d bytes; at most %d fit"):format(text.quote(name), #name, SET_NAME_LENGTH)
  elseif not name:find("^[%w_][%w_.-]*$") then
    return ("%s is no name of a dynamic set: letters, digits, '_', and behind the first '.' and '-'")
      :format(text.quote(name))
  end
  return nil
end

--- Makes a dynamic set: a name that rules use like a set, and that gets its members while the rules run.
-- @param spec { name =, dynamic = true }
-- @return the set, or nil and a message
function address.dynamic(spec)
  for key in next, spec do
    if math.type(key) == "integer" then
      return nil, "a dynamic set gets its members while it runs, by fw.set(name):add(...); addresses that "
        .. "the policy knows stand in a set { ... } without a name, and both may stand in one list: "
        .. "src = { bans, '192.0.2.1' }"
    elseif key ~= "name" and key ~= "dynamic" then
      return nil, ("unknown %s%s; a dynamic set is written set { name = 'bans', dynamic = true }")
        :format(text.quote(key), type(key) == "string" and suggest.hint(key, { "name", "dynamic" }) or "")
    end
  end
  if spec.dynamic ~= true then
    return nil, "only a dynamic set has a name: say dynamic = true, or leave the name out"
  elseif spec.name == nil then
    return nil, "a dynamic set needs a name, by which fw.set() finds it: "
      .. "set { name = 'bans', dynamic = true }"
  end
  local problem = address.bad_set_name(spec.name)
  if problem then
    return nil, problem
  end
  return setmetatable({
    [values.ELEMENT] = false,
    ranges = {},
    family_of = {},
    sets = { spec.name },
    families = address.BOTH,
    written = { "@" .. spec.name },
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

--- Addresses of the wire as they would be written; a dynamic set as its name behind "@".
-- @param wire { ranges =, me =, set = }
function address.written(wire, negated)
  local list = {}
  if wire.me then
    list[1] = negated and "!me" or "me"
  end
  for _, name in ipairs(wire.set or {}) do
    list[#list + 1] = (negated and "!@" or "@") .. name
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

--- A member of a dynamic set: an address or a network. Of a network that is written with bits of a host the
-- meaning is not clear, and who bans should not guess.
-- @return { addr =, length = nil for a whole address }; or nil and a message
function address.member(value)
  local member, problem = address.prefix(value)
  if not member then
    if type(value) == "string" and value:find("^[%x:.]+%s*%-%s*[%x:.]+$") then
      problem = ("%s: a dynamic set holds addresses and prefixes, no ranges"):format(text.quote(value))
    end
    return nil, problem
  elseif member.length then
    local network = sys.prefix_range(member.addr, member.length)
    if network ~= member.addr then
      return nil, ("%s has bits set behind its prefix; did you mean '%s/%d'?")
        :format(text.quote(value), network, member.length)
    end
  end
  return member
end

return address
