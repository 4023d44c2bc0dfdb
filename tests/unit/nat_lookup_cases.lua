-- SPDX-License-Identifier: GPL-2.0-or-later
-- Look-up and insertion ask the same question: whatever nodes one key has in the state table, a packet with
-- that key is found or can be entered, in whichever list, direction and interface it comes.
package.path = "lua/?.lua;tests/unit/?.lua"

local explain = require "ipfi.live.explain"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local running = require "ipfi.live.ruleset"
local states = require "ipfi.live.states"
local stats = require "ipfi.live.stats"

local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

-- The two ends of the key, the lower first, in each family, and others that translations need.
local ENDS = {
  { low = "192.0.2.1", high = "198.51.100.9", others = { "203.0.113.1", "203.0.113.2" } },
  { low = "2001:db8::1", high = "2001:db8:9::9", others = { "2001:db8:f::1", "2001:db8:f::2" } },
}
local LOW_PORT, HIGH_PORT, OTHER_PORT = 8080, 40000, 5555

-- What gives the key a node that is found in some ways: by the end points between the translations (R), by
-- what arrives from the lower (L) or the higher end (H). Each is a rule, or none, and a packet that makes it.
local function makers(ends, proto)
  local low, high = { ends.low, LOW_PORT }, { ends.high, HIGH_PORT }
  local other, third = { ends.others[1], OTHER_PORT }, { ends.others[2], OTHER_PORT }
  local function from(a, b)
    return { dir = "forward", iif = "eth1", oif = "eth0", proto = proto, src = a[1], sport = a[2], dst = b[1],
      dport = b[2] }
  end
  local function rule(verdict, a, b, to)
    local form = "%s { 'NAME', src = %q, dst = %q, proto = %q, dport = %d, to = %q, to_port = %d }"
    return form:format(verdict, a[1], b[1], proto, b[2], to[1], to[2])
  end
  return {
    { name = "RLH, from the lower", packet = from(low, high) },
    { name = "RLH, from the higher", packet = from(high, low) },
    { name = "RL", rule = rule("snat", low, high, other), packet = from(low, high) },
    { name = "RH", rule = rule("snat", high, low, other), packet = from(high, low) },
    { name = "R, from the lower", rule = rule("dnat", low, third, high), packet = from(low, third) },
    { name = "R, from the higher", rule = rule("dnat", high, third, low), packet = from(high, third) },
    { name = "L", rule = rule("dnat", low, high, other), packet = from(low, high) },
    { name = "H", rule = rule("dnat", high, low, other), packet = from(high, low) },
    { name = "L, of replies", rule = rule("snat", other, low, high), packet = from(other, low) },
    { name = "H, of replies", rule = rule("snat", other, high, low), packet = from(other, high) },
  }
end

-- Every list, loopback or not, and direction.
local function probes(ends, proto)
  local list = {}
  for _, turned in ipairs { false, true } do
    local src, sport, dst, dport = ends.low, LOW_PORT, ends.high, HIGH_PORT
    if turned then
      src, sport, dst, dport = dst, dport, src, sport
    end
    for _, way in ipairs { { "in", "eth0" }, { "in", "lo" }, { "out", nil, "eth0" }, { "out", nil, "lo" },
      { "forward", "eth0", "eth1" } } do
      list[#list + 1] = { dir = way[1], iif = way[2], oif = way[3], proto = proto, src = src, sport = sport,
        dst = dst, dport = dport }
    end
  end
  return list
end

local function pass(world, fields)
  local data = assert(packet.build(fields))
  return assert(world:pass { list = fields.dir, iif = fields.iif, oif = fields.oif, data = data }), data
end

local function kill(world, filter)
  return kernel.with(world, function()
    return states.query(filter):kill()
  end)
end

local function verdict_of(world, fields, data)
  return kernel.with(world, function()
    local meta = { list = fields.dir, iif = fields.iif, oif = fields.oif }
    local rows = running.by_id()
    return explain.judgement(kernel.list(explain.question(data, meta), "test"), rows, data, meta).verdict
  end)
end

local function counter(world, reason)
  return kernel.with(world, function()
    return stats.get().drops[reason]
  end)
end

-- A world with two nodes of the key, or one; the rule of the first stays only as long as it needs it.
local function prepare(one, other)
  local world = scene.gateway()
  local function commit(...)
    local rules = {}
    for i, maker in ipairs { ... } do
      rules[#rules + 1] = maker.rule and maker.rule:gsub("NAME", "rule " .. i) or nil
    end
    -- One rule more, that nobody meets: translation is active in every world.
    rules[#rules + 1] = "dnat { 'none', iif = 'none0', to = '192.0.2.77' }"
    scene.commit(world, scene.checked(("nat = { %s }, rules = { allow { 'any', state = true } }"):format(
      table.concat(rules, ", "))))
  end
  commit(one)
  pass(world, one.packet)
  commit(other)
  pass(world, other.packet)
  return world
end

-- Sends each probe to worlds with these nodes; the packet that is first is each once.
local function try(one, other, list, killed, compare)
  for first = 1, #list do
    local world <close> = prepare(one, other)
    if killed then
      kill(world, killed)
    end
    local what = ("%s; %s; %s; first %d"):format(one.name, other.name, killed and "killed" or "alive", first)
    local fields = list[first]
    local data = assert(packet.build(fields))
    -- What leaves by loopback comes in as well: that is another question.
    local told = compare and fields.oif ~= "lo" and verdict_of(world, fields, data)
    local out = pass(world, fields)
    if told then
      expect(out.verdict, told == "allow" and "accept" or "drop", what)
    end
    for i = 1, #list - 1 do
      pass(world, list[(first + i - 1) % #list + 1])
    end
    expect(counter(world, "lookup-failed"), 0, what)
  end
end

local function every_node(proto)
  for _, ends in ipairs(ENDS) do
    local all, list = makers(ends, proto), probes(ends, proto)
    for i, one in ipairs(all) do
      for k, other in ipairs(all) do
        try(one, other, list, nil, (i + k) % 3 == 0)
        if i ~= k then
          -- Without the first one's state, which has its end of the key, or its node may be another's.
          local ended = { src = one.packet.src, dst = one.packet.dst }
          try(one, other, { list[1], list[2], list[7], list[9] }, ended, true)
        end
      end
    end
  end
end

function cases.every_udp_packet_is_found_or_entered()
  every_node "udp"
end

-- Of TCP, tombstones stay behind.
function cases.every_tcp_packet_is_found_or_entered()
  every_node "tcp"
end

return cases
