-- SPDX-License-Identifier: GPL-2.0-or-later
-- What lint says of a rule set of ClassBench, proven: build/ipfi tests/lua/classbench_lint.lua POLICY SET
--
-- Every rule is either found never to match or has a packet that reaches it: the built-in engine counts each
-- of these packets, and each witness, at the rule that was said. In what is found never to match, random
-- packets are drawn, and none gets past the rules before, as a slow reading of the set itself says.
local lint = require "ipfi.lint.lint"
local trial = require "ipfi.lint.trial"
local classbench = dofile "tests/lua/classbench.lua"

-- Random packets for each rule that never matches.
local DRAWN = 4

local p = fw.load(args[1])
local answer, rules = lint.inquire(p, { reached = true })

assert(#answer.unknown == 0, "not all could be proven")
assert(answer.refuted == 0, "the core's own search did not agree")

local never, redundant, witnesses = {}, 0, {}
local function add(found, rule, meets)
  witnesses[#witnesses + 1] = { found = found, packet = lint.packet(found), verdict = rules[rule].verdict,
    meets = rules[meets].name }
end
for _, finding in ipairs(answer.findings) do
  if finding.kind == "redundant" then
    redundant = redundant + 1
    assert(finding.meets == finding.rule)
  else
    never[#never + 1] = finding.rule
    assert(finding.kind == "shadowed" and finding.meets < finding.rule)
  end
  add(finding.packet, finding.rule, finding.meets)
end
local is_never = {}
for _, rule in ipairs(never) do
  is_never[rule] = true
end
for i in ipairs(rules) do
  assert(is_never[i] or answer.reached[i], "a rule that is neither")
  if answer.reached[i] then
    add(answer.reached[i], i, i)
  end
end
local failed, tried = trial.run(p, witnesses)
assert(#failed == 0, #failed .. " witnesses met another rule")
assert(tried > #witnesses * 0.95, "too few could be tried: " .. tried .. " of " .. #witnesses)

-- The set itself, read slowly.
local set = {}
for line in io.lines(args[2]) do
  local one = classbench.parse(line)
  for _, side in ipairs { "src", "dst" } do
    local a, b, c, d, length = one[side]:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)/(%d+)$")
    local address = tonumber(a) << 24 | tonumber(b) << 16 | tonumber(c) << 8 | tonumber(d)
    one[side] = { address, address | 0xffffffff >> tonumber(length) }
  end
  set[#set + 1] = one
end
assert(#set == #rules)

local function within(range, value)
  return value >= range[1] and value <= range[2]
end

local function matches(one, packet)
  return within(one.src, packet.src) and within(one.dst, packet.dst) and within(one.sport, packet.sport)
    and within(one.dport, packet.dport) and (not one.proto or one.proto == packet.proto)
end

local function draw(one)
  -- Ends of ranges are where mistakes would be.
  local function any(range)
    local how = math.random(4)
    return how == 1 and range[1] or how == 2 and range[2] or math.random(range[1], range[2])
  end
  return { src = any(one.src), dst = any(one.dst), sport = any(one.sport), dport = any(one.dport),
    proto = one.proto or ({ 1, 6, 17, 47 })[math.random(4)] }
end

-- Port 0 and senders from multicast addresses do not get as far as the rules.
local function exists(packet)
  local ports = packet.proto ~= 6 and packet.proto ~= 17 or packet.dport ~= 0 and (packet.sport ~= 0
    or packet.proto == 17)
  return ports and packet.src >> 28 ~= 14 and packet.src ~= 0xffffffff
end

math.randomseed(1)
for _, rule in ipairs(never) do
  for _ = 1, DRAWN do
    local packet, taken = draw(set[rule]), false
    for i = 1, rule - 1 do
      taken = matches(set[i], packet)
      if taken then
        break
      end
    end
    assert(taken or not exists(packet), "a packet gets to a rule that never matches")
  end
end
print(("%d rules, %d never match, %d redundant, %d witnesses tried"):format(#rules, #never, redundant, tried))
