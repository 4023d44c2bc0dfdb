-- SPDX-License-Identifier: GPL-2.0-or-later
-- VRFs: networks of one machine whose addresses may be the same. The kernel leads their packets through some
-- hooks twice; each counts, and is translated, once.
package.path = "lua/?.lua;tests/unit/?.lua"

local engine = require "ipfi.c.engine"
local kernel = require "ipfi.base.kernel"
local scene = require "engine_scene"
local states = require "ipfi.live.states"

local cases = {}
local expect = scene.expect

-- Both families: the machine's addresses in each VRF, hosts on either side.
local FAMILIES = {
  { family = 4, inner = "10.0.0.1", outer = "192.0.2.1", host = "10.0.0.10", server = "192.0.2.80",
    nets = { "10.0.0.1/24", "192.0.2.1/24" } },
  { family = 6, inner = "2001:db8:a::1", outer = "2001:db8:b::1", host = "2001:db8:a::10",
    server = "2001:db8:b::80", nets = { "2001:db8:a::1/64", "2001:db8:b::1/64" } },
}

-- A machine with the VRFs blue and red, the same addresses in both.
local function machine(source)
  local world = engine.new { seed = 3, time = 1700000000 }
  for _, name in ipairs { "blue", "red" } do
    world:device(name, { vrf = true })
    world:device(name .. "-in", { vrf = name, addresses = { FAMILIES[1].nets[1], FAMILIES[2].nets[1] } })
    world:device(name .. "-out", { vrf = name, addresses = { FAMILIES[1].nets[2], FAMILIES[2].nets[2] },
      standard = true })
  end
  scene.commit(world, scene.checked(source))
  return world
end

local with, pass, live = scene.like, scene.pass, scene.states

local function stats(world)
  return kernel.of(world).ask({ cmd = "stats" }, "test").stats
end

local function count(world, reason)
  for _, counter in ipairs(stats(world).counters) do
    if counter.reason == reason then
      return counter.packets
    end
  end
  return 0
end

local function rules(world)
  local list = {}
  for message in kernel.of(world).dump({ cmd = "rules_dump" }, "test") do
    if message.rule then
      list[message.rule.name] = message.rule
    end
  end
  return list
end

local function each_family(test)
  return function()
    for _, at in ipairs(FAMILIES) do
      test(at)
    end
  end
end

local function request(at, vrf, more)
  return with({ dir = "forward", iif = vrf .. "-in", oif = vrf .. "-out", proto = "udp", src = at.host,
    sport = 4000, dst = at.server, dport = 53, payload = "x" }, more)
end

local function reply(at, vrf, more)
  return with({ dir = "forward", iif = vrf .. "-out", oif = vrf .. "-in", proto = "udp", src = at.server,
    sport = 53, dst = at.host, dport = 4000, payload = "x" }, more)
end

local FORWARD = [[rules = { allow { "all", dir = "forward", state = true, proto = "udp" } }]]

cases.equal_addresses_in_two_vrfs_are_two_connections = each_family(function(at)
  local world <close> = machine(FORWARD)
  expect(pass(world, request(at, "blue")).verdict, "accept")
  expect(#live(world), 1)
  -- To red it is a stranger: only who asked there gets an answer.
  expect(pass(world, reply(at, "red")).verdict, "accept")
  expect(#live(world), 2)
  expect(pass(world, reply(at, "blue")).verdict, "accept")
  local list = live(world, { vrf = "blue" })
  expect(#list, 1)
  expect(list[1].vrf, "blue")
  expect(list[1].dst_vrf, nil)
  expect(list[1].state, "UDP_ESTABLISHED")
  expect(list[1].packets, 1)
  expect(list[1].reply_packets, 1)
  list = live(world, { vrf = "red" })
  expect(#list, 1)
  expect(list[1].src, at.server)
  expect(list[1].state, "UDP_NEW")
  expect(#live(world, { vrf = false }), 0)
  kernel.with(world, function()
    expect(states.query({ vrf = "red" }):kill(), 1)
  end)
  expect(#live(world), 1)
  expect(live(world)[1].vrf, "blue")
end)

cases.every_packet_counts_once = each_family(function(at)
  local world <close> = machine [[rules = {
    allow { "in", dir = "in", proto = "udp", state = true },
    allow { "out", dir = "out", proto = "udp", state = true },
    allow { "forward", dir = "forward", proto = "udp", state = true } }]]
  local before = stats(world).packets
  pass(world, request(at, "blue"))
  pass(world, reply(at, "blue"))
  expect(stats(world).packets - before, 2, "forward")
  before = stats(world).packets
  pass(world, { dir = "in", iif = "blue-in", proto = "udp", src = at.host, sport = 5000, dst = at.inner,
    dport = 53 })
  pass(world, { dir = "out", oif = "blue-in", proto = "udp", src = at.inner, sport = 53, dst = at.host,
    dport = 5000 })
  expect(stats(world).packets - before, 2, "in")
  before = stats(world).packets
  pass(world, { dir = "out", oif = "red-out", proto = "udp", src = at.outer, sport = 6000, dst = at.server,
    dport = 53 })
  pass(world, { dir = "in", iif = "red-out", proto = "udp", src = at.server, sport = 53, dst = at.outer,
    dport = 6000 })
  expect(stats(world).packets - before, 2, "out")
  for _, row in ipairs(live(world)) do
    expect(row.packets, 1, row.list)
    expect(row.reply_packets, 1, row.list)
  end
  expect(#live(world), 3)
  for _, name in ipairs { "in", "out", "forward" } do
    expect(rules(world)[name].packets, 1, name)
  end
end)

cases.what_stays_in_a_vrf_goes_as_over_loopback = each_family(function(at)
  local world <close> = machine [[
    rules = { allow { "own", iif = "blue", proto = "udp", dport = 53, state = true } }]]
  local out = pass(world, { dir = "out", oif = "blue", proto = "udp", src = at.inner, sport = 7000,
    dst = at.inner, dport = 53 })
  expect(out.verdict, "accept")
  expect(out.list, "in")
  expect(live(world)[1].packets, 1)
  expect(live(world)[1].vrf, "blue")
end)

cases.translations_are_of_their_vrf = each_family(function(at)
  local world <close> = machine [[
    nat = { masquerade { "blue out", oif = "blue-out" }, masquerade { "red out", oif = "red-out" },
            dnat { "www", iif = "blue", proto = "tcp", dport = 80, to = { "10.0.0.10", "2001:db8:a::10" } } },
    rules = { allow { "all", dir = "forward", state = true } }]]
  -- The same end points in both: each keeps its port, for neither takes the other's.
  for _, vrf in ipairs { "blue", "red" } do
    local out, parsed = pass(world, request(at, vrf))
    expect(out.verdict, "accept", vrf)
    expect(parsed.src, at.outer, vrf)
    expect(parsed.sport, 4000, vrf)
    out, parsed = pass(world, { dir = "in", iif = vrf .. "-out", proto = "udp", src = at.server, sport = 53,
      dst = at.outer, dport = 4000 })
    expect(out.verdict, "accept", vrf)
    expect(out.oif, vrf .. "-in", vrf)
    expect(parsed.dst, at.host, vrf)
  end
  expect(rules(world)["blue out"].packets, 1)
  expect(rules(world)["red out"].packets, 1)
  for _, row in ipairs(live(world)) do
    expect(row.packets, 1, row.vrf)
    expect(row.reply_packets, 1, row.vrf)
  end
  local syn = { dir = "in", proto = "tcp", src = at.server, sport = 2000, dst = at.outer, dport = 80,
    flags = "S", seq = 7 }
  local out, parsed = pass(world, with(syn, { iif = "blue-out" }))
  expect(out.verdict, "accept")
  expect(out.oif, "blue-in")
  expect(parsed.dst, at.host)
  expect(rules(world).www.packets, 1)
  local back = { dir = "forward", iif = "blue-in", oif = "blue-out", proto = "tcp", src = at.host, sport = 80,
    dst = parsed.src, dport = parsed.sport, flags = "SA", seq = 90, ack = 8 }
  out, parsed = pass(world, back)
  expect(out.verdict, "accept")
  expect(parsed.src, at.outer)
  expect(parsed.sport, 80)
  expect(parsed.dst, at.server)
  -- No rule of red's does that.
  out, parsed = pass(world, with(syn, { iif = "red-out" }))
  expect(out.verdict, "drop")
  expect(parsed.dst, at.outer)
end)

cases.rules_know_an_interface_by_both_names = each_family(function(at)
  for name, allowed in pairs { ["blue-in"] = true, blue = true, ["bl*"] = true, red = false,
    ["red-in"] = false, ["!blue"] = false, ["!blue-in"] = false, ["!red"] = true } do
    local world <close> = machine(
      ([[rules = { allow { "some", dir = "forward", iif = "%s", proto = "udp" } }]]):format(name))
    expect(pass(world, request(at, "blue")).verdict, allowed and "accept" or "drop", name)
  end
  for name, allowed in pairs { ["blue-out"] = true, blue = true, red = false, ["!blue"] = false } do
    local world <close> = machine(
      ([[rules = { allow { "some", dir = "forward", oif = "%s", proto = "udp" } }]]):format(name))
    expect(pass(world, request(at, "blue")).verdict, allowed and "accept" or "drop", name)
  end
end)

cases.live_connections_are_evaluated_again_by_both_names = each_family(function(at)
  local world <close> = machine(FORWARD)
  pass(world, request(at, "blue"))
  local function now(vrf)
    scene.commit(world, scene.checked(([[
      rules = { allow { "%s", dir = "forward", iif = "%s", proto = "udp", state = true } }]])
      :format(vrf, vrf)))
  end
  now "blue"
  expect(pass(world, reply(at, "blue")).verdict, "accept")
  expect(live(world)[1].rule, "blue")
  now "red"
  expect(pass(world, reply(at, "blue")).verdict, "drop")
  expect(#live(world), 0)
end)

cases.a_source_counts_in_its_vrf = each_family(function(at)
  local world <close> = machine [[
    rules = { allow { "few", dir = "forward", proto = "udp", state = true, per_source = 1 } }]]
  expect(pass(world, request(at, "blue")).verdict, "accept")
  expect(pass(world, request(at, "blue", { sport = 4001 })).verdict, "drop")
  expect(pass(world, request(at, "red")).verdict, "accept")
  expect(pass(world, request(at, "red", { sport = 4001 })).verdict, "drop")
end)

cases.errors_belong_to_their_vrf = each_family(function(at)
  local world <close> = machine(FORWARD)
  local out = pass(world, request(at, "blue"))
  local function send(vrf)
    return pass(world, { dir = "forward", iif = vrf .. "-out", oif = vrf .. "-in", src = at.server,
      dst = at.host, proto = at.family == 4 and "icmp" or "icmpv6",
      icmp = at.family == 4 and "3/3" or "1/4", inner = out.data })
  end
  expect(send("blue").verdict, "accept")
  expect(send("red").verdict, "drop")
  expect(count(world, "related"), 1)
end)

-- Routes may lead from one VRF to another.
local function between(at, source, first)
  local world <close> = machine(source)
  world:device("red-in", { vrf = "red", addresses = { "10.9.0.1/24", "2001:db8:9::1/64" } })
  local out, parsed = pass(world, with(request(at, "blue", { oif = "red-out" }), first))
  expect(out.verdict, "accept")
  expect(parsed.dst, at.server)
  local asked = live(world)[1]
  out, parsed = pass(world, { dir = "forward", iif = "red-out", oif = "blue-in", proto = "udp",
    src = at.server, sport = 53, dst = parsed.src, dport = parsed.sport })
  expect(out.verdict, "accept")
  expect(parsed.dst, at.host)
  expect(parsed.src, asked.dst)
  expect(parsed.sport, 53)
  local list = live(world)
  expect(#list, 1)
  expect(list[1].vrf, "blue")
  expect(list[1].dst_vrf, "red")
  expect(list[1].packets, 1)
  expect(list[1].reply_packets, 1)
  expect(list[1].state, "UDP_ESTABLISHED")
  return world
end

cases.a_connection_may_go_from_one_vrf_to_another = each_family(function(at)
  between(at, FORWARD)
  -- Where others are translated it is found as it arrives, from either side.
  between(at, [[nat = { dnat { "other", iif = "blue", proto = "udp", dport = 5353,
    to = { "10.0.0.9", "2001:db8:a::9" } } }, ]] .. FORWARD)
  between(at, [[nat = { masquerade { "out", oif = "red" } }, ]] .. FORWARD)
  -- What is translated as it arrives has a state before anybody knows where it goes.
  local to = at.family == 4 and "198.51.100.1" or "2001:db8:cc::1"
  local published = ([[nat = { dnat { "to red", iif = "blue", proto = "udp", dst = "%s", to = "%s" }%%s }, ]])
    :format(to, at.server)
  between(at, published:format "" .. FORWARD, { dst = to })
  between(at, published:format ", masquerade { \"out\", oif = \"red\" }" .. FORWARD, { dst = to })
end)

-- No NAT rule is asked about what belongs to a live connection, wherever that goes.
cases.a_connection_between_vrfs_is_known_as_it_arrives = each_family(function(at)
  local world <close> = machine([[nat = { masquerade { "other", oif = "blue-out" } }, ]] .. FORWARD)
  world:device("red-in", { vrf = "red", addresses = { "10.9.0.1/24", "2001:db8:9::1/64" } })
  local across = request(at, "blue", { oif = "red-out" })
  pass(world, across)
  scene.commit(world, scene.checked([[nat = { dnat { "later", proto = "udp", dport = 53,
    to = { "192.0.2.81", "2001:db8:b::81" } } }, ]] .. FORWARD))
  local out, parsed = pass(world, across)
  expect(out.verdict, "accept")
  expect(parsed.dst, at.server)
  expect(rules(world).later.packets, 0)
  expect(#live(world), 1)
  expect(live(world)[1].packets, 2)
end)

-- Routes may lead from a VRF to an interface of none, and from there to the VRF's own: what goes that way
-- is sent in the VRF as if it were made here.
local function leaking(at, source)
  local world = machine(source)
  world:device("other", { addresses = { "10.9.0.1/24", "2001:db8:9::1/64" } })
  local own, peer = "10.9.0.1", "10.9.0.2"
  if at.family == 6 then
    own, peer = "2001:db8:9::1", "2001:db8:9::2"
  end
  local function go(iif, oif, src, sport, dst, dport)
    local out, parsed = pass(world, { dir = "forward", iif = iif, oif = oif, proto = "udp",
      src = src, sport = sport, dst = dst, dport = dport, payload = "x" })
    expect(out.verdict, "accept", sport)
    return parsed, out.oif
  end
  return world, own, peer, go
end

local function twice(world, filter, vrf, dst_vrf)
  local list = live(world, filter)
  expect(#list, 1)
  expect(list[1].packets, 2)
  expect(list[1].reply_packets, 2)
  expect(list[1].vrf or "", vrf)
  expect(list[1].dst_vrf or "", dst_vrf)
end

cases.a_connection_may_go_between_a_vrf_and_the_rest = each_family(function(at)
  for _, nat in ipairs { "", [[nat = { masquerade { "another", oif = "blue-out" } }, ]] } do
    local world <close>, _, peer, go = leaking(at, nat .. FORWARD)
    for _ = 1, 2 do
      expect(go("blue-in", "other", at.host, 4000, peer, 53).src, at.host)
      local parsed, oif = go("other", "blue", peer, 53, at.host, 4000)
      expect(parsed.dst, at.host)
      expect(oif, "blue-in")
    end
    twice(world, { sport = 4000 }, "blue", "")
    for _ = 1, 2 do
      expect(go("other", "blue", peer, 5000, at.host, 80).src, peer)
      expect(go("blue-in", "other", at.host, 80, peer, 5000).dst, peer)
    end
    twice(world, { sport = 5000 }, "", "blue")
    expect(rules(world).all.packets, 2)
  end
end)

cases.what_leaves_a_vrf_is_translated_where_it_leaves = each_family(function(at)
  local world <close>, own, peer, go =
    leaking(at, [[nat = { masquerade { "out", oif = "other" } }, ]] .. FORWARD)
  for _ = 1, 2 do
    local parsed = go("blue-in", "other", at.host, 4000, peer, 53)
    expect(parsed.src, own)
    local oif
    parsed, oif = go("other", "blue", peer, 53, own, parsed.sport)
    expect(parsed.dst, at.host)
    expect(parsed.dport, 4000)
    expect(oif, "blue-in")
  end
  twice(world, { sport = 4000 }, "blue", "")
  expect(rules(world).out.packets, 1)
end)

cases.a_vrf_for_which_no_number_is_left_is_refused = function()
  local world <close> = engine.new { seed = 3, time = 1700000000 }
  scene.commit(world, scene.checked [[rules = { allow { "all", proto = "udp", state = true } }]])
  local function ask(n)
    local vrf = ("vrf%d"):format(n)
    world:device(vrf, { vrf = true })
    world:device(vrf .. "i", { vrf = vrf, addresses = { "10.0.0.1/24" } })
    return pass(world, { dir = "in", iif = vrf .. "i", proto = "udp", src = "10.0.0.2", sport = 4000,
      dst = "10.0.0.1", dport = 53 }).verdict
  end
  for n = 1, 254 do
    expect(ask(n), "accept", n)
  end
  expect(#live(world), 254)
  expect(ask(255), "drop")
  expect(count(world, "vrf-full"), 1)
  expect(ask(254), "accept")
end

return cases
