-- SPDX-License-Identifier: GPL-2.0-or-later
-- Explanations: each packet is asked about, then passed, and what became of it compared with the answer.
-- Random policies, conversations, time and commits in between; a case that fails says its seed and step.
package.path = "lua/?.lua;tests/unit/?.lua"

local explain = require "ipfi.live.explain"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local running = require "ipfi.live.ruleset"
local sets = require "ipfi.live.sets"
local states = require "ipfi.live.states"
local stats = require "ipfi.live.stats"

local scene = require "engine_scene"

local cases = {}
local expect, gateway = scene.expect, scene.gateway

local function commit(world, source)
  return scene.commit(world, scene.policy(source))
end

local OWN = { eth0 = { "192.0.2.1", "2001:db8::1" }, eth1 = { "10.0.0.1", "2001:db8:1::1" } }

local IS_OWN = {}
for _, list in pairs(OWN) do
  for _, address in ipairs(list) do
    IS_OWN[address] = true
  end
end

local function judge(world, data, meta)
  return kernel.with(world, function()
    local rows = running.by_id()
    return explain.judgement(kernel.list(explain.question(data, meta), "test"), rows, data, meta)
  end)
end

-- What the module has counted: reasons, and packets of rules by their names.
local function counts(world)
  return kernel.with(world, function()
    local all, rules = stats.get(), {}
    local now = running.get()
    for _, list in ipairs { now.rules, now.nat } do
      for _, row in ipairs(list) do
        rules[row.name] = row.packets
      end
    end
    local reasons = {}
    for _, group in ipairs { all.drops, all.passes } do
      for name, number in pairs(group) do
        reasons[name] = number
      end
    end
    return { reasons = reasons, rules = rules, states = all.states }
  end)
end

local function difference(before, after)
  local names = {}
  for name, number in pairs(after) do
    local more = number - (before[name] or 0)
    if more ~= 0 then
      names[#names + 1] = more == 1 and name or ("%s*%d"):format(name, more)
    end
  end
  table.sort(names)
  return table.concat(names, " ")
end

local function end_points(t)
  return ("%s %s > %s %s"):format(t.src, t.sport or t.id or "-", t.dst, t.dport or "-")
end

-- The state of the connection that a packet shows as it arrives, from one end or the other.
local function state_of(world, id, t)
  return kernel.with(world, function()
    for row in states.query(id and { id = id } or {}):each() do
      if id then
        return row.state
      end
      local same = row.proto == t.proto and row.src == t.src and row.dst == t.dst
      if same and (not t.sport or (row.sport == t.sport and row.dport == t.dport))
        and (not t.id or row.sport == t.id) then
        return row.state
      end
      -- An answer takes the connection up that its other end has begun.
      if row.proto == "tcp" and row.src == t.dst and row.dst == t.src and row.sport == t.dport
        and row.dport == t.sport then
        return row.state
      end
    end
  end)
end

local DROPPED = { deny = "drop", reject = "drop", allow = "accept" }

-- Asks, passes, compares. Returns what became of the packet.
local function try(world, data, meta)
  local before = counts(world)
  local told = judge(world, data, meta)
  local asked = counts(world)
  expect(difference(before.reasons, asked.reasons) .. difference(before.rules, asked.rules), "",
    "asking counts nothing")
  expect(asked.states, before.states, "asking makes no state")
  local out = assert(world:pass { list = meta.list, iif = meta.iif, oif = meta.oif, mark = meta.mark,
    user = meta.user, data = data })
  local after = counts(world)
  local arrived, left = packet.parse(data), packet.parse(out.data)
  local what = tostring(told) .. "\n" .. tostring(left) .. "\ncounted: "
    .. difference(before.reasons, after.reasons) .. "; " .. difference(before.rules, after.rules)
  expect(out.verdict, DROPPED[told.verdict], "verdict of " .. what)
  -- The reset that a socket here gets comes in by the loopback device, and is judged itself.
  local resets_itself = told.verdict == "reject" and told.list == "out"
  if resets_itself then
    expect((after.reasons[told.reason] or 0) > (before.reasons[told.reason] or 0), true, "reason of " .. what)
    return out, left, told
  end
  local reasons = told.reason
  if told.verdict == "reject" and after.reasons["own-reject"] ~= before.reasons["own-reject"] then
    local both = { "own-reject", told.reason }
    table.sort(both)
    reasons = table.concat(both, " ")
  end
  expect(difference(before.reasons, after.reasons), reasons, "reason of " .. what)
  local rules = {}
  if told.reason:find "^rule%-" or (told.rule and told.reason == "expected") or told.reason == "rejudged" then
    rules[1] = told.rule ~= "default" and told.rule or nil
  end
  if told.dstnat and told.reason ~= "table-full" and told.reason ~= "nat-full"
    and told.reason ~= "nat-failed" and told.reason ~= "bad-checksum" then
    rules[#rules + 1] = told.dstnat.rule
  end
  if told.srcnat and told.verdict == "allow" then
    rules[#rules + 1] = told.srcnat.rule
  end
  table.sort(rules)
  local counted = difference(before.rules, after.rules)
  -- A rule that dropped for want of room has counted nothing or its packet: both stand in the reason.
  if told.verdict == "allow" or told.reason:find "^rule%-" then
    expect(counted, table.concat(rules, " "), "rules that count " .. what)
  end
  if told.verdict == "allow" then
    local nat = told.nat or arrived
    expect(end_points(left), end_points { src = nat.src, dst = nat.dst, sport = nat.sport or left.sport,
      id = nat.sport or left.id, dport = nat.dport or left.dport }, "translation of " .. what)
    if told.state then
      expect(state_of(world, told.state_id, arrived), told.state, "state of " .. what)
    end
  end
  return out, left, told
end

-- Random policies.

local function pick(list)
  return list[math.random(#list)]
end

local function chance(percent)
  return math.random(100) <= percent
end

local NEAR = { "10.0.0.2", "10.0.0.3", "10.0.0.10" }
local FAR = { "198.51.100.9", "198.51.100.10", "203.0.113.5" }
local PORTS = { 21, 22, 53, 80, 8080 }

local FIELDS = {
  function() return ("proto = %q, dport = %d"):format(pick { "tcp", "udp" }, pick(PORTS)) end,
  function() return ("proto = 'tcp', dport = { %d, %d }"):format(pick(PORTS), pick(PORTS)) end,
  function() return ("src = %q"):format(pick { "10.0.0.0/24", "!10.0.0.0/24", "198.51.100.0/24", pick(FAR),
    "me" }) end,
  function() return ("dst = %q"):format(pick { "10.0.0.10", "me", "!me", pick(FAR), "192.0.2.1" }) end,
  function() return ("iif = %q"):format(pick { "eth0", "eth1", "eth*", "!eth0" }) end,
  function() return "proto = { 'icmp', 'icmpv6' }" end,
  function() return "icmp = 'echo-request'" end,
  function() return "proto = 'tcp', flags = 'S'" end,
  function() return ("limit = '%d/day'"):format(math.random(3)) end,
  function() return ("mark = %d"):format(math.random(2)) end,
  function() return ("family = %d"):format(pick { 4, 6 }) end,
  function() return "length = '0-100'" end,
  function() return "src = bans" end,
}

local function random_rule(number)
  local verdict = pick { "allow", "allow", "allow", "deny", "reject" }
  local parts, seen = { ("%q"):format("r" .. number) }, {}
  for _ = 1, math.random(3) do
    local field = pick(FIELDS)()
    local known = false
    for name in field:gmatch "(%w+) =" do
      known = known or seen[name]
    end
    if not known and not ((seen.icmp or seen.flags) and field:find "proto")
      and not ((seen.proto or seen.family) and (field:find "icmp" or field:find "flags"
      or field:find "family")) and not (field:find "family" and (seen.src or seen.dst or seen.icmp))
      and not (seen.family and (field:find "src" or field:find "dst")) then
      parts[#parts + 1] = field
      for name in field:gmatch "(%w+) =" do
        seen[name] = true
      end
    end
  end
  if verdict == "allow" and chance(70) then
    parts[#parts + 1] = "state = true"
    if chance(15) then
      parts[#parts + 1] = ("per_source = %d"):format(math.random(3))
    end
  end
  return ("%s { %s }"):format(verdict, table.concat(parts, ", "))
end

local NAT = {
  function(name) return ("masquerade { %q, oif = 'eth0', src = '10.0.0.0/24' }"):format(name) end,
  function(name) return ("snat { %q, oif = 'eth0', proto = 'tcp', to = '192.0.2.%d-192.0.2.13'%s }")
    :format(name, 10 + math.random(3), chance(50) and ", persistent = true" or "") end,
  function(name) return ("snat { %q, proto = 'udp', src = '10.0.0.0/24', to = '192.0.2.20', to_port = '%s' }")
    :format(name, pick { "5000-5001", "6000-7000" }) end,
  function(name) return ("dnat { %q, iif = 'eth0', proto = 'tcp', dport = %d, to = '10.0.0.10' }")
    :format(name, pick(PORTS)) end,
  function(name) return ("dnat { %q, iif = 'eth0', dst = '192.0.2.1', proto = 'tcp', dport = %d, "
    .. "to = '10.0.0.2-10.0.0.3', to_port = %d }"):format(name, pick(PORTS), pick(PORTS)) end,
  function(name) return ("redirect { %q, iif = 'eth1', proto = 'udp', dport = 53, to_port = %d }")
    :format(name, pick(PORTS)) end,
  function(name) return ("redirect { %q, iif = 'eth1', proto = 'tcp', dport = %d, to_port = 8080, "
    .. "limit = '2/day' }"):format(name, pick(PORTS)) end,
}

local function random_policy(number)
  local rules, nat = {}, {}
  for i = 1, math.random(8) do
    rules[i] = random_rule(i)
  end
  if chance(25) then
    table.insert(rules, 1, "allow { 'control', proto = 'tcp', dport = 21, helper = 'ftp' }")
  end
  rules[#rules + 1] = "deny { 'banned', src = bans }"
  if chance(60) then
    for i = 1, math.random(3) do
      nat[i] = pick(NAT)("n" .. i)
    end
  end
  return ([[local bans = set { name = "bans", dynamic = true }
    return policy { name = "p%d", default = { ["in"] = %q, out = %q, forward = %q },
    limits = { max_states = %d, max_states_per_source = %d, tcp_loose = %s },
    nat = { %s }, rules = { %s } }]]):format(number, pick { "deny", "allow" }, pick { "deny", "allow" },
    pick { "deny", "allow" }, chance(20) and math.random(4) or 1000, chance(20) and math.random(4) or 0,
    tostring(chance(80)), table.concat(nat, ", "), table.concat(rules, ", "))
end

-- Random packets: fresh ones, and answers to those that passed.

local function random_packet()
  local dir = pick { "in", "forward", "forward", "out" }
  local six = chance(10)
  local from = pick { "eth0", "eth1" }
  local other = from == "eth0" and "eth1" or "eth0"
  local t = { dir = dir, proto = pick { "tcp", "tcp", "udp", "icmp", "gre" }, mark = math.random(0, 2),
    sport = 40000 + math.random(3), dport = pick(PORTS), seq = math.random(0, 3) * 1000 }
  local near, far = pick(NEAR), pick(FAR)
  if six then
    near, far = "2001:db8:1::2", "3fff::9"
  end
  local own = OWN[from][six and 2 or 1]
  if dir == "in" then
    t.iif, t.src, t.dst = from, from == "eth0" and far or near, own
  elseif dir == "forward" then
    t.iif, t.oif = from, other
    t.src = from == "eth0" and far or near
    t.dst = from == "eth0" and near or far
  else
    t.oif, t.src, t.dst = from, own, from == "eth0" and far or near
    t.user = chance(50) and 1000 or nil
  end
  if t.proto == "tcp" then
    t.flags = pick { "S", "S", "S", "A", "SA", "R", "FA" }
  elseif t.proto == "icmp" then
    t.proto = six and "icmpv6" or "icmp"
    t.icmp, t.id, t.sport, t.dport = pick { "echo-request", "echo-reply" }, math.random(3), nil, nil
  end
  if t.proto ~= "tcp" then
    t.seq = nil
  end
  if t.proto == "gre" then
    t.sport, t.dport = nil, nil
  end
  return t
end

-- What the other side may answer to a packet that left; or what a router may say of it.
local function answer_to(meta, left)
  local back = { proto = left.proto, src = left.dst, dst = left.src, mark = 0 }
  if meta.list == "forward" or (meta.list == "in" and not IS_OWN[left.dst]) then
    back.dir = "forward"
    back.iif = left.dst:find "^10%." and "eth1" or left.dst:find "^2001" and "eth1" or "eth0"
  elseif meta.list == "in" then
    back.dir, back.oif = "out", meta.iif
  else
    back.dir, back.iif = "in", meta.oif
  end
  if back.dir == "forward" and IS_OWN[left.src] then
    back.dir = "in"
  end
  -- What is not for this machine unless a live translation says so is on its way through.
  if back.dir == "in" and not IS_OWN[back.dst] then
    back.dir, back.oif = "forward", back.iif == "eth0" and "eth1" or "eth0"
  end
  if chance(15) and left.proto ~= "gre" then
    back.proto = left.family == 6 and "icmpv6" or "icmp"
    back.icmp = left.family == 6 and "port-unreachable" or "port-unreachable"
    back.inner = left.bytes
    return back
  end
  if left.proto == "tcp" then
    back.flags = left.flags == "S" and pick { "SA", "SA", "RA" } or pick { "A", "A", "FA", "R", "S" }
    back.seq, back.ack = 5000, (left.seq + (left.flags:find "[SF]" and 1 or 0)) & 0xffffffff
    if left.flags ~= "S" then
      back.seq = left.ack
    end
  end
  if left.icmp then
    back.icmp, back.id = pick { "echo-reply", "echo-request" }, left.id
  else
    back.sport, back.dport = left.dport, left.sport
  end
  return back
end

local function play(seed, steps)
  math.randomseed(seed)
  local world <close> = gateway(seed)
  local recent, source = {}, nil
  local step, t = 0, nil
  local ok, problem = pcall(function()
    while step < steps do
      if step % 40 == 0 then
        source = random_policy(step)
        commit(world, source)
      elseif chance(3) then
        world:advance(pick { 1, 5, 31, 121 })
      elseif chance(2) then
        kernel.with(world, function() states.query({}):kill() end)
      elseif chance(3) then
        kernel.with(world, function()
          local bans = sets.get("bans")
          if chance(50) then bans:add(pick(FAR)) else bans:del(pick(FAR)) end
        end)
      end
      local from = #recent > 0 and chance(55) and pick(recent)
      t = from and answer_to(from.meta, from.left) or random_packet()
      local data, meta = packet.build(t)
      if data then
        if chance(3) and #data > 28 then
          data = data:sub(1, -2) .. string.char((data:byte(-1) + 1) & 0xff)
        end
        local out, left = try(world, data, meta)
        if out.verdict == "accept" then
          left.bytes = out.data
          table.insert(recent, 1, { meta = meta, left = left })
          recent[9] = nil
        end
      elseif not meta:find "inner" then
        error(meta)
      end
      step = step + 1
    end
  end)
  if not ok then
    error(("seed %d, step %d, packet %s\n%s\n%s"):format(seed, step, t and packet.line(t) or "?",
      tostring(problem), source), 0)
  end
end

function cases.an_explanation_is_what_happens_next()
  for seed = tonumber(os.getenv "SEED") or 1, tonumber(os.getenv "SEEDS") or 8 do
    play(seed, 400)
  end
end

return cases
