-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of lint: thousands of small rule sets, each held against a slow reading of module/core/rule.h that
-- asks every packet of a small world. Policies as people write them stand in tests/lua/lint_spec.lua.
local codec = require "ipfi.c.codec"
local lint = require "ipfi.c.lint"

local cases = {}

-- How many rule sets each case tries.
local SETS = tonumber(os.getenv "LINT_SETS") or 200

local LISTS = { "in", "out", "forward" }

local function has(list, value)
  for _, one in ipairs(list or {}) do
    if one == value then
      return true
    end
  end
  return false
end

local function in_ranges(ranges, value)
  for _, range in ipairs(ranges) do
    if value >= range.from and value <= (range.to or range.from) then
      return true
    end
  end
  return false
end

-- The small world: values between which no rule of it makes a difference. Addresses are numbered within
-- their family; the last one is any other.
local ADDRESSES = { [4] = {}, [6] = {} }
for i = 0, 5 do
  ADDRESSES[4][i + 1] = "10.0.0." .. i
  ADDRESSES[6][i + 1] = i == 0 and "fd00::" or "fd00::" .. i
end
ADDRESSES[4][7], ADDRESSES[6][7] = "172.16.0.1", "fd00::ffff"

local PLACE = {}
for _, list in pairs(ADDRESSES) do
  for i, address in ipairs(list) do
    PLACE[address] = i
  end
end

local DEVICES = { "eth0", "eth1", "eth7", "en0", "e9", "lo", "wl0" }
local PATTERNS = { "eth0", "eth1", "eth*", "e*", "en0", "lo", "*" }
local PORTS = { 1, 2, 3, 4, 9 }
local ICMP = {
  [4] = { 0x0800, 0x0801, 0x0000, 0x0001, 0x0300, 0x0301, 0x0500, 0x0501, 0x0d00, 0x0e00 },
  [6] = { 0x8000, 0x8001, 0x8100, 0x8101, 0x0100, 0x0101, 0x8700, 0x8701, 0x8b00, 0x8c00 },
}
local ERRORS = { [4] = { [3] = true }, [6] = { [1] = true } }
local QUERIES = { [4] = { [8] = true, [13] = true }, [6] = { [128] = true, [139] = true } }
-- F, S, R, A as in the header; the combinations that get past the parser.
-- Each of the six with and without PSH and URG.
local FLAGS = {}
for _, flags in ipairs { 0x02, 0x12, 0x10, 0x11, 0x04, 0x14 } do
  for _, more in ipairs { 0, 0x08, 0x20, 0x28 } do
    FLAGS[#FLAGS + 1] = flags | more
  end
end
local LENGTHS = { 20, 28, 32, 40, 48, 52, 60, 88, 99, 100, 199, 200, 70000 }
local DSCPS = { 0, 2, 4, 20, 60 }
local USERS = { false, 0, 1500, 5000 }
local MARKS = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }
local PROTOS = { 1, 6, 17, 47, 58, 132, 136 }
local HEADER = { [1] = 8, [6] = 20, [17] = 8, [58] = 8, [132] = 12, [136] = 8 }
local WITH_PORTS = { [6] = true, [17] = true, [132] = true, [136] = true }

local function pick(list)
  return list[math.random(#list)]
end

local function chance(p)
  return math.random() < p
end

-- One or two ranges over the places of a list.
local function random_ranges(list, most)
  local ranges = {}
  for i = 1, chance(0.25) and 2 or 1 do
    local a, b = math.random(most or #list), math.random(most or #list)
    ranges[i] = { from = list[math.min(a, b)], to = list[math.max(a, b)] }
  end
  return ranges
end

local function random_addresses(wire, name)
  local addresses = {}
  if chance(0.8) then
    addresses.ranges = random_ranges(ADDRESSES[wire.family or 4], 6)
  end
  if chance(0.15) then
    addresses.me = true
  end
  if chance(0.15) then
    addresses.set = { pick { "a", "b" } }
  end
  if next(addresses) == nil then
    addresses.me = true
  end
  wire[name] = addresses
end

-- How each field gets a value; negation is left to who asks.
local MAKE = {
  family = function(wire) wire.family = pick { 4, 4, 6 } end,
  iif = function(wire) wire.iif = pick(PATTERNS) end,
  oif = function(wire) wire.oif = pick(PATTERNS) end,
  proto = function(wire)
    wire.proto = { { from = pick(PROTOS) } }
    if chance(0.2) then
      wire.proto[2] = { from = 6, to = 17 }
    end
  end,
  src = function(wire) random_addresses(wire, "src") end,
  dst = function(wire) random_addresses(wire, "dst") end,
  sport = function(wire) wire.sport = random_ranges(PORTS, 4) end,
  dport = function(wire) wire.dport = random_ranges(PORTS, 4) end,
  icmp = function(wire)
    local family = wire.family or pick { 4, 6 }
    local from = pick(ICMP[family]) | (family == 6 and 0x10000 or 0)
    wire.icmp = { { from = from, to = chance(0.5) and from & ~0xff | 0xff or from } }
  end,
  tcp_flags = function(wire)
    wire.tcp_mask = pick { 0x02, 0x12, 0x17, 0x3f, 0x04, 0x01 }
    wire.tcp_value = wire.tcp_mask & pick { 0x02, 0x12, 0x10, 0x04, 0 }
  end,
  length = function(wire)
    wire.length = { pick { { from = 0, to = 30 }, { from = 0, to = 99 }, { from = 100, to = 199 },
      { from = 200, to = 65575 }, { from = 200, to = 0xffffffff } } }
  end,
  dscp = function(wire)
    wire.dscp = { pick { { from = 0 }, { from = 4, to = 46 }, { from = 5, to = 63 } } }
  end,
  user = function(wire) wire.user = { pick { { from = 0 }, { from = 1000, to = 2000 } } } end,
  mark = function(wire)
    wire.mark_mask = pick { 0x3, 0x1, 0x4, 0xffffffff }
    wire.mark_value = pick(MARKS) & wire.mark_mask
  end,
  limit = function(wire) wire.limit_count, wire.limit_period = 1, 1000 end,
  per_source = function(wire) wire.per_source = 3 end,
}
local NEGATABLE = { iif = true, oif = true, proto = true, src = true, dst = true, sport = true, dport = true,
  icmp = true, length = true, dscp = true, user = true, mark = true }
-- In this order, for some look at those before them.
local FIELDS = { "family", "iif", "oif", "proto", "src", "dst", "sport", "dport", "icmp", "tcp_flags",
  "length", "dscp", "user", "mark", "limit", "per_source" }

local function random_rule(i, active)
  local wire = { name = "r" .. i, verdict = pick { "allow", "allow", "deny", "reject" }, negated = {} }
  wire.lists = pick { { "in" }, { "in" }, { "out" }, { "forward" }, { "in", "out" }, LISTS }
  wire.fields = {}
  for _, name in ipairs(FIELDS) do
    if active[name] and chance(active[name])
      and (name ~= "user" or (#wire.lists == 1 and wire.lists[1] == "out"))
      and (name ~= "per_source" or wire.verdict == "allow") then
      MAKE[name](wire)
      wire.fields[name] = true
      if NEGATABLE[name] and chance(0.2) then
        wire.negated[#wire.negated + 1] = name
      end
    end
  end
  -- Some do something beside.
  wire.log = chance(0.1) and "x" or nil
  return wire
end

local UNKNOWN = { length = true, dscp = true, limit = true, per_source = true }

local function device_matches(pattern, name)
  if pattern:sub(-1) == "*" then
    return name:sub(1, #pattern - 1) == pattern:sub(1, -2)
  end
  return name == pattern
end

local function address_matches(addresses, packet, side)
  for _, range in ipairs(addresses.ranges or {}) do
    local from, to = PLACE[range.from], PLACE[range.to]
    if packet.family == (range.from:find(":", 1, true) and 6 or 4) and packet[side] >= from
      and packet[side] <= to then
      return true
    end
  end
  local is = packet[side .. "_is"]
  if addresses.me and is.me then
    return true
  end
  for _, name in ipairs(addresses.set or {}) do
    if is[name] then
      return true
    end
  end
  return false
end

local function port_matches(wire, packet, name)
  if not WITH_PORTS[packet.proto] then
    return nil
  elseif packet.proto ~= 6 and packet.proto ~= 17 and (not wire.proto or has(wire.negated, "proto")) then
    return nil
  end
  return in_ranges(wire[name], packet[name])
end

-- Whether a field matches: true, false, or nil when the packet has no such thing.
local ASK = {
  family = function(wire, packet) return wire.family == packet.family end,
  iif = function(wire, packet)
    return packet.iif and device_matches(wire.iif, packet.iif)
  end,
  oif = function(wire, packet)
    return packet.oif and device_matches(wire.oif, packet.oif)
  end,
  proto = function(wire, packet) return in_ranges(wire.proto, packet.proto) end,
  src = function(wire, packet) return address_matches(wire.src, packet, "src") end,
  dst = function(wire, packet) return address_matches(wire.dst, packet, "dst") end,
  sport = function(wire, packet) return port_matches(wire, packet, "sport") end,
  dport = function(wire, packet) return port_matches(wire, packet, "dport") end,
  icmp = function(wire, packet)
    return packet.icmp and in_ranges(wire.icmp, packet.icmp | (packet.family == 6 and 0x10000 or 0))
  end,
  tcp_flags = function(wire, packet)
    return packet.flags and packet.flags & wire.tcp_mask == wire.tcp_value
  end,
  length = function(wire, packet) return in_ranges(wire.length, packet.length) end,
  dscp = function(wire, packet) return in_ranges(wire.dscp, packet.dscp) end,
  user = function(wire, packet)
    return packet.user and in_ranges(wire.user, packet.user)
  end,
  mark = function(wire, packet) return packet.mark & wire.mark_mask == wire.mark_value end,
}

-- conforms: whose limits let it match
local function matches(wire, packet, conforms)
  if not has(wire.lists, packet.list) then
    return false
  end
  for _, name in ipairs(FIELDS) do
    if wire.fields[name] then
      if packet.again and UNKNOWN[name] then
        if wire.verdict ~= "allow" then
          return false
        end
      elseif name == "limit" or name == "per_source" then
        if not conforms[wire] then
          return false
        end
      else
        local answer = ASK[name](wire, packet)
        if answer == nil or answer == has(wire.negated, name) then
          return false
        end
      end
    end
  end
  return true
end

-- Every combination of values: axes is a list of { name, values }.
local function each(axes, call)
  local packet = {}
  local function descend(i)
    if i > #axes then
      return call(packet)
    end
    for _, value in ipairs(axes[i][2]) do
      packet[axes[i][1]] = value
      descend(i + 1)
    end
  end
  descend(1)
end

local function facts_of(active, side)
  local list = { { me = false, a = false, b = false } }
  if not active[side] then
    return list
  end
  for bits = 1, 7 do
    list[bits + 1] = { me = bits & 1 ~= 0, a = bits & 2 ~= 0, b = bits & 4 ~= 0 }
  end
  return list
end

local WAYS = {
  { list = "in", iif = true }, { list = "in", both = true }, { list = "out", oif = true },
  { list = "out", both = true }, { list = "forward", iif = true, oif = true },
}

local function lengths_of(family, proto, is_error)
  local header = family == 4 and 20 or 40
  local least = header + (HEADER[proto] or 0) + (is_error and header or 0)
  local list = {}
  for _, length in ipairs(LENGTHS) do
    if length >= least then
      list[#list + 1] = length
    end
  end
  return list
end

local function wanted(active, name, values)
  return active[name] and values or { values[1] }
end

-- Neighbour discovery: passes by the defaults.
local function is_neighbour(packet)
  return packet.family == 6 and packet.icmp == 0x8700 and packet.list ~= "forward"
end

-- Calls with every packet of the world that rules which ask only the active fields can tell apart.
local function each_packet(active, call)
  local devices = (active.iif or active.oif) and DEVICES or { "eth0" }
  local function packets(way, family, proto, again)
    local icmp = proto == (family == 4 and 1 or 58)
    local messages = { false }
    if icmp then
      messages = {}
      for _, message in ipairs(ICMP[family]) do
        if not again or (QUERIES[family][message >> 8] and message & 0xff == 0) then
          messages[#messages + 1] = message
        end
      end
    end
    for _, message in ipairs(messages) do
      local is_error = message and ERRORS[family][message >> 8]
      each({
        { "device", devices },
        { "device2", way.iif and way.oif and devices or { false } },
        { "src", wanted(active, "src", { 7, 1, 2, 3, 4, 5, 6 }) },
        { "dst", wanted(active, "dst", { 7, 1, 2, 3, 4, 5, 6 }) },
        { "src_is", facts_of(active, "src") },
        { "dst_is", facts_of(active, "dst") },
        { "sport", WITH_PORTS[proto] and wanted(active, "sport", PORTS) or { false } },
        { "dport", WITH_PORTS[proto] and wanted(active, "dport", PORTS) or { false } },
        { "flags", proto ~= 6 and { false } or again and { 0x02, 0x10 }
          or wanted(active, "tcp_flags", FLAGS) },
        { "length", again and { 100 } or active.length and lengths_of(family, proto, is_error) or { 100 } },
        { "dscp", again and { 0 } or wanted(active, "dscp", DSCPS) },
        { "user", way.list == "out" and wanted(active, "user", USERS) or { false } },
        { "mark", wanted(active, "mark", MARKS) },
      }, function(packet)
        packet.list, packet.family, packet.proto, packet.again = way.list, family, proto, again
        packet.icmp = message or nil
        packet.iif = (way.iif or way.both) and packet.device or nil
        packet.oif = way.both and packet.device or way.oif and (packet.device2 or packet.device) or nil
        call(packet)
      end)
    end
  end
  local unknown = active.length or active.dscp or active.limit or active.per_source
  for _, way in ipairs(WAYS) do
    for _, family in ipairs { 4, 6 } do
      for _, proto in ipairs(PROTOS) do
        packets(way, family, proto, false)
        if unknown then
          packets(way, family, proto, true)
        end
      end
    end
  end
end

local function speaks(wire)
  if wire.verdict == "allow" then
    return false
  end
  for name in pairs(wire.fields) do
    if name ~= "iif" and name ~= "oif" and name ~= "limit" and name ~= "per_source" then
      return true
    end
  end
  return false
end

local function effect_of(wire)
  return wire.verdict .. (wire.log or "")
end

-- The packets of the world, those that meet the same rules once: { list =, neighbour =, may = mask of the
-- rules that match, must = of those that do so without a limit }.
local function meetings(rules, active)
  local all, known = {}, {}
  local everybody, nobody = setmetatable({}, { __index = function() return true end }), {}
  each_packet(active, function(packet)
    local may, must = 0, 0
    for i, wire in ipairs(rules) do
      if matches(wire, packet, everybody) then
        may = may | 1 << i
        must = matches(wire, packet, nobody) and must | 1 << i or must
      end
    end
    local neighbour = is_neighbour(packet)
    local key = ("%s %s %d %d"):format(packet.list, neighbour, may, must)
    if not known[key] then
      known[key] = true
      all[#all + 1] = { list = packet.list, neighbour = neighbour, may = may, must = must }
    end
  end)
  return all
end

-- What becomes of a packet. conforms: mask of the rules whose limits let it match; removed: of those that are
-- not there.
local function outcome(rules, packet, conforms, removed, defaults)
  local matching, decided = (packet.must | packet.may & conforms) & ~removed, nil
  for i = 1, matching ~= 0 and #rules or 0 do
    if matching & 1 << i ~= 0 then
      decided = rules[i]
      break
    end
  end
  if packet.neighbour and not (decided and (decided.verdict == "allow" or speaks(decided))) then
    return "allow"
  end
  return decided and effect_of(decided) or defaults[packet.list]
end

local function encode(rules)
  local messages = {}
  for i, wire in ipairs(rules) do
    local copy = {}
    for key, value in pairs(wire) do
      copy[key] = value
    end
    copy.fields = nil
    messages[i] = { cmd = "rule_add", rule = copy }
  end
  return codec.encode(messages)
end

local function numbered(rules, defaults)
  local numbers, count = {}, 0
  local function number(effect)
    if not numbers[effect] then
      count = count + 1
      numbers[effect] = count
    end
    return numbers[effect]
  end
  local effects, standard = {}, {}
  for i, wire in ipairs(rules) do
    effects[i] = number(effect_of(wire))
  end
  for list, effect in pairs(defaults) do
    standard[list] = number(effect)
  end
  return effects, standard
end

local function show(rules, answer)
  local function write(value)
    if type(value) ~= "table" then
      return tostring(value)
    end
    local keys, out = {}, {}
    for key in pairs(value) do
      keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for i, key in ipairs(keys) do
      out[i] = tostring(key) .. "=" .. write(value[key])
    end
    return "{ " .. table.concat(out, ", ") .. " }"
  end
  local lines = {}
  for i, wire in ipairs(rules) do
    lines[i] = i .. ": " .. write(wire)
  end
  lines[#lines + 1] = write(answer)
  return table.concat(lines, "\n")
end

-- The subsets of the rules with a limit whose limits let them match, as masks.
local function subsets(rules)
  local limited, list = {}, {}
  for i, wire in ipairs(rules) do
    if wire.fields.limit or wire.fields.per_source then
      limited[#limited + 1] = i
    end
  end
  for bits = 0, (1 << #limited) - 1 do
    local conforms = 0
    for i, number in ipairs(limited) do
      conforms = conforms | (bits >> (i - 1) & 1) << number
    end
    list[#list + 1] = conforms
  end
  return list, #limited
end

-- Mask of the rules that some packet meets first, when all limits but their own are used up.
local function find_met(rules, packets)
  local met = 0
  for _, packet in ipairs(packets) do
    for i = 1, #rules do
      local before = (1 << i) - 1
      if packet.may & 1 << i ~= 0 and packet.must & before == 0 then
        met = met | 1 << i
      end
    end
  end
  return met
end

-- Is there a packet that fares differently when more rules are removed?
local function differ(rules, packets, removed, more, defaults, oracles)
  for _, packet in ipairs(packets) do
    for _, conforms in ipairs(oracles) do
      if outcome(rules, packet, conforms, removed, defaults)
        ~= outcome(rules, packet, conforms, removed | more, defaults) then
        return true
      end
    end
  end
  return false
end

local function check_set(seed, names, count)
  math.randomseed(seed)
  local active = {}
  for _, name in ipairs(names) do
    active[name] = 0.3 + 0.6 * math.random()
  end
  local defaults = { ["in"] = pick { "deny", "allow" }, out = pick { "deny", "reject", "allow" },
    forward = "deny" }
  local rules = {}
  for i = 1, count do
    rules[i] = random_rule(i, active)
  end
  local effects, standard = numbered(rules, defaults)
  local answer = lint.check(encode(rules), effects, standard, { reached = true })
  local function fail(what)
    error(("seed %d: %s\n%s"):format(seed, what, show(rules, answer)), 0)
  end
  if #answer.unknown > 0 or answer.refuted > 0 then
    fail "something was not proven, or refuted"
  end
  -- Never matching is said when it is so, and only then.
  local packets = meetings(rules, active)
  local met, removed, useless = find_met(rules, packets), 0, 0
  for _, finding in ipairs(answer.findings) do
    local bit = 1 << finding.rule
    removed = removed | bit
    useless = finding.kind == "redundant" and useless or useless | bit
  end
  for i in ipairs(rules) do
    local is_met = met & 1 << i ~= 0
    if is_met == (useless & 1 << i ~= 0) then
      fail(("rule %d is %smet"):format(i, is_met and "" or "not "))
    elseif is_met and not answer.reached[i] then
      fail(("rule %d is met, but no packet is shown"):format(i))
    end
  end
  -- All that was found can go at once.
  local oracles, limited = subsets(rules)
  if differ(rules, packets, 0, removed, defaults, oracles) then
    fail "without what was found some packets fare differently"
  end
  -- What is left is needed. Where there are limits less is said than could be, and of IPv6's neighbours too.
  if limited > 0 or active.icmp or active.family then
    return #answer.findings
  end
  for i in ipairs(rules) do
    if removed & 1 << i == 0 and not differ(rules, packets, removed, 1 << i, defaults, oracles) then
      fail(("rule %d could go too"):format(i))
    end
  end
  return #answer.findings
end

local function try(first, names, count, sets)
  local found = 0
  for seed = first, first + (sets or SETS) - 1 do
    found = found + check_set(seed, names, count)
  end
  -- Else the sets were no trial.
  assert(found > (sets or SETS) / 4, "too little was found: " .. found)
end

function cases.addresses_and_ports()
  try(1, { "src", "dport" }, 6, SETS / 10)
  try(10001, { "dport", "sport" }, 6)
end

function cases.both_families()
  try(130001, { "family", "src", "iif" }, 5, SETS / 30)
  try(140001, { "family", "dst", "proto" }, 5, SETS / 10)
end

function cases.protocols()
  try(20001, { "proto", "dport", "tcp_flags" }, 6, SETS / 3)
  try(30001, { "proto", "icmp", "family" }, 6, SETS)
end

function cases.devices()
  try(40001, { "iif", "oif" }, 5)
  try(50001, { "iif", "proto", "mark" }, 5, SETS / 10)
end

function cases.what_no_header_tells()
  try(60001, { "mark", "dscp" }, 5, SETS / 3)
  try(70001, { "user", "mark" }, 5, SETS / 3)
  try(80001, { "src", "mark" }, 4, SETS / 30)
end

function cases.lengths()
  try(90001, { "length", "proto", "family" }, 5, SETS)
  try(100001, { "length", "dscp", "icmp" }, 5, SETS / 10)
end

function cases.limits()
  try(110001, { "limit", "dport" }, 5)
  try(120001, { "limit", "per_source", "proto", "length" }, 5, SETS / 3)
end

return cases
