-- SPDX-License-Identifier: GPL-2.0-or-later
-- Rule sets like those of ClassBench (D. E. Taylor, J. S. Turner: ClassBench: A Packet Classification
-- Benchmark, IEEE/ACM Transactions on Networking 15(3), 2007): in the format of its filter sets, with the
-- traits of its three kinds of seeds: which protocols and classes of ports rules ask, how long their prefixes
-- are, and how the networks of a set branch. The numbers below are about what the paper reports of real sets;
-- a set is made anew from its seed, so none is kept.
--
--   lua5.4 tests/lua/classbench.lua KIND COUNT [SEED]          a filter set, KIND acl, fw or ipc
--   lua5.4 tests/lua/classbench.lua policy FILE                a filter set as a policy
local classbench = {}

-- The paper's classes of ports: any, the high ones, the low ones, some range, exactly one.
local WELL_KNOWN = { 20, 21, 22, 23, 25, 53, 80, 110, 123, 135, 137, 139, 143, 161, 443, 445, 514, 993, 1433,
  1521, 1723, 3306, 3389, 5060, 8080 }
local RANGES = { { 6000, 6063 }, { 33434, 33523 }, { 135, 139 }, { 20, 21 }, { 67, 68 }, { 5000, 5500 },
  { 8000, 8100 }, { 16384, 32767 }, { 1024, 5000 }, { 2300, 2400 }, { 1, 19 }, { 49152, 65535 } }

local PORTS = {
  WC = function() return 0, 65535 end,
  HI = function() return 1024, 65535 end,
  LO = function() return 0, 1023 end,
  AR = function()
    local range = RANGES[math.random(#RANGES)]
    return range[1], range[2]
  end,
  EM = function()
    local port = math.random() < 0.7 and WELL_KNOWN[math.random(#WELL_KNOWN)] or math.random(1, 65535)
    return port, port
  end,
}

-- Weights. prefixes = { { from length, to length, weight } }; networks = how many there are at each branching
-- of the tree of addresses, so that few make sets with much overlap.
local KINDS = {
  acl = {
    protos = { [6] = 70, [17] = 22, [1] = 3, [0] = 4, [47] = 1 },
    sport = { WC = 97, HI = 1, EM = 1, AR = 1, LO = 0 },
    dport = { EM = 62, WC = 20, AR = 12, HI = 5, LO = 1 },
    src = { { 0, 0, 6 }, { 8, 15, 4 }, { 16, 23, 25 }, { 24, 27, 35 }, { 28, 32, 30 } },
    dst = { { 0, 0, 2 }, { 16, 23, 13 }, { 24, 27, 30 }, { 28, 31, 20 }, { 32, 32, 35 } },
    networks = 24,
  },
  fw = {
    protos = { [6] = 58, [17] = 24, [1] = 6, [0] = 10, [50] = 2 },
    sport = { WC = 65, HI = 20, EM = 10, AR = 4, LO = 1 },
    dport = { EM = 48, WC = 30, AR = 10, HI = 8, LO = 4 },
    src = { { 0, 0, 45 }, { 8, 15, 5 }, { 16, 23, 15 }, { 24, 31, 10 }, { 32, 32, 25 } },
    dst = { { 0, 0, 25 }, { 8, 15, 5 }, { 16, 23, 15 }, { 24, 31, 20 }, { 32, 32, 35 } },
    networks = 10,
  },
  ipc = {
    protos = { [6] = 52, [17] = 30, [1] = 4, [0] = 12, [47] = 2 },
    sport = { WC = 80, HI = 5, EM = 11, AR = 3, LO = 1 },
    dport = { EM = 45, WC = 38, AR = 9, HI = 6, LO = 2 },
    src = { { 0, 0, 12 }, { 8, 15, 8 }, { 16, 23, 25 }, { 24, 31, 25 }, { 32, 32, 30 } },
    dst = { { 0, 0, 8 }, { 8, 15, 7 }, { 16, 23, 25 }, { 24, 31, 25 }, { 32, 32, 35 } },
    networks = 16,
  },
}

-- One of the keys of a table of weights; the keys' order is fixed, so that a seed says all.
local function choose(weights)
  local keys, total = {}, 0
  for key, weight in pairs(weights) do
    keys[#keys + 1] = key
    total = total + weight
  end
  table.sort(keys)
  local at = math.random() * total
  for _, key in ipairs(keys) do
    at = at - weights[key]
    if at < 0 then
      return key
    end
  end
  return keys[#keys]
end

local function choose_length(prefixes)
  local weights = {}
  for i, one in ipairs(prefixes) do
    weights[i] = one[3]
  end
  local one = prefixes[choose(weights)]
  return math.random(one[1], one[2])
end

-- Addresses lie together: each byte is one of a few that stand at that place of the tree.
local function address_maker(networks)
  local tree = {}
  return function()
    local node, address = tree, 0
    for depth = 1, 4 do
      local most = depth == 4 and 64 or networks
      local place = math.floor(math.random() ^ 2 * most) + 1
      node[place] = node[place] or { byte = depth == 1 and math.random(1, 223) or math.random(0, 255) }
      node = node[place]
      address = address << 8 | node.byte
    end
    return address
  end
end

local function prefix_text(address, length)
  local bits = length == 0 and 0 or address & (0xffffffff << (32 - length)) & 0xffffffff
  return ("%d.%d.%d.%d/%d"):format(bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255, length)
end

local WITH_PORTS = { [6] = true, [17] = true }

-- How much of all packets a range of ports leaves out, in bits.
local function bits_of(from, to)
  return 16 - math.log(to - from + 1, 2)
end

-- A rule, and about how special it is.
local function line_of(kind, src, dst)
  local proto = choose(kind.protos)
  local from, to, low, high = 0, 65535, 0, 65535
  if WITH_PORTS[proto] then
    from, to = PORTS[choose(kind.sport)]()
    low, high = PORTS[choose(kind.dport)]()
  end
  local src_length, dst_length = choose_length(kind.src), choose_length(kind.dst)
  return ("@%s\t%s\t%d : %d\t%d : %d\t0x%02x/0x%s"):format(prefix_text(src(), src_length),
    prefix_text(dst(), dst_length), from, to, low, high, proto, proto == 0 and "00" or "FF"),
    src_length + dst_length + bits_of(from, to) + bits_of(low, high) + (proto == 0 and 0 or 8)
end

-- Rules stand about as people write them, the special ones before the general ones, but not quite: that is
-- where rules come to stand behind others that take their packets.
local DISORDER = 12

--- Makes a filter set.
-- @param name "acl", "fw" or "ipc"
-- @param count number of rules; no two are the same
-- @param seed integer
-- @return list of lines in ClassBench's format
function classbench.generate(name, count, seed)
  local kind = assert(KINDS[name], "acl, fw or ipc")
  math.randomseed(seed)
  local src, dst = address_maker(kind.networks), address_maker(kind.networks)
  local rules, known, lines = {}, {}, {}
  while #rules < count do
    local line, special = line_of(kind, src, dst)
    if not known[line] then
      known[line] = true
      rules[#rules + 1] = { line = line, place = special + math.random() * DISORDER, number = #rules }
    end
  end
  table.sort(rules, function(a, b)
    return a.place > b.place or (a.place == b.place and a.number < b.number)
  end)
  for i, rule in ipairs(rules) do
    lines[i] = rule.line
  end
  return lines
end

--- Reads a line of a filter set.
-- @return { src =, dst = prefixes, sport =, dport = { from, to }, proto = number or nil }
function classbench.parse(line)
  local src, dst, from, to, low, high, proto, mask =
    line:match("^@(%S+)%s+(%S+)%s+(%d+) : (%d+)%s+(%d+) : (%d+)%s+0[xX](%x+)/0[xX](%x+)")
  assert(src, "no rule of ClassBench: " .. line)
  return {
    src = src, dst = dst,
    sport = { tonumber(from), tonumber(to) }, dport = { tonumber(low), tonumber(high) },
    proto = tonumber(mask, 16) ~= 0 and tonumber(proto, 16) or nil,
  }
end

local function ports_text(name, range)
  if range[1] == 0 and range[2] == 65535 then
    return ""
  end
  return (", %s = '%d-%d'"):format(name, range[1], range[2])
end

--- Makes a policy's source of a filter set: rules of the list forward, which by turns (each seventh and each
-- third in eleven) deny or reject and else allow.
-- @param lines list of lines
function classbench.policy(lines)
  local out = { 'return policy { name = "classbench", rules = {',
    'group { "set", dir = "forward", family = 4 } {' }
  for i, line in ipairs(lines) do
    local one = classbench.parse(line)
    local verdict = i % 7 == 0 and "deny" or i % 11 == 3 and "reject" or "allow"
    out[#out + 1] = ("%s { 'r%d'%s, src = '%s', dst = '%s'%s%s },"):format(verdict, i,
      one.proto and (", proto = %d"):format(one.proto) or "", one.src, one.dst,
      ports_text("sport", one.sport), ports_text("dport", one.dport))
  end
  out[#out + 1] = "} } }\n"
  return table.concat(out, "\n")
end

if arg and arg[0] and arg[0]:find("classbench.lua", 1, true) and arg[1] then
  if arg[1] == "policy" then
    local lines = {}
    for line in io.lines(arg[2]) do
      lines[#lines + 1] = line
    end
    io.stdout:write(classbench.policy(lines))
  else
    io.stdout:write(table.concat(classbench.generate(arg[1], tonumber(arg[2]), tonumber(arg[3] or 1)), "\n"),
      "\n")
  end
end

return classbench
