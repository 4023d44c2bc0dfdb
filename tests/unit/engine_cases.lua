-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of the built-in engine: what the module answers to the program and does with packets, in a world.
package.path = "lua/?.lua;tests/unit/?.lua"

local engine = require "ipfi.c.engine"
local kernel = require "ipfi.base.kernel"
local compile = require "ipfi.policy.compile"
local packet = require "ipfi.packet.packet"
local policy = require "ipfi.policy.policy"

local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

-- Commits a policy, its fields written as in a file.
local function commit(world, source)
  return scene.commit(world, scene.checked(source))
end

-- The scene's gateway, with a policy.
local function gateway(source)
  local world = scene.gateway()
  if source then
    commit(world, source)
  end
  return world
end

local pass, live, like = scene.pass, scene.states, scene.like

-- Nothing that the module warned of may have been said.
local function quiet(world)
  for _, line in ipairs(world:said()) do
    if line:find "WARNING" then
      error(line, 2)
    end
  end
end

local SSH = [[rules = { allow { "ssh", dir = "in", proto = "tcp", dport = 22, state = true } }]]
local SYN = { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100.9", sport = 1000, dst = "192.0.2.1",
  dport = 22, flags = "S", seq = 100 }

function cases.an_unarmed_world_lets_everything_pass()
  local world <close> = gateway()
  expect(pass(world, SYN).verdict, "accept")
  local info = kernel.of(world).ask({ cmd = "info" }, "test").info
  expect(info.armed, 0)
  expect(info.generation, 0)
end

-- The other side's packet in answer to one.
local function reply(to, fields)
  return like({
    dir = to.dir == "in" and "out" or to.dir == "out" and "in" or "forward", iif = to.oif, oif = to.iif,
    proto = to.proto, src = to.dst, dst = to.src, sport = to.dport, dport = to.sport,
  }, fields)
end

local function count(world, reason)
  local stats = kernel.of(world).ask({ cmd = "stats" }, "test").stats
  for _, counter in ipairs(stats.counters) do
    if counter.reason == reason then
      return counter.packets
    end
  end
  error("no reason " .. reason, 2)
end

function cases.rules_decide()
  local world <close> = gateway(SSH)
  expect(pass(world, SYN).verdict, "accept")
  expect(pass(world, like(SYN, { dport = 80 })).verdict, "drop")
  local list = live(world)
  expect(#list, 1)
  expect(list[1].state, "SYN_SENT")
  expect(list[1].rule, "ssh")
  expect(list[1].iif, "eth0")
  quiet(world)
end

function cases.a_conversation_lives_and_ends()
  local world <close> = gateway(SSH)
  local function state()
    local list = live(world)
    return list[1] and list[1].state
  end
  pass(world, SYN)
  expect(pass(world, reply(SYN, { flags = "SA", seq = 5000, ack = 101 })).verdict, "accept")
  expect(state(), "SYN_RECV")
  expect(pass(world, like(SYN, { flags = "A", seq = 101, ack = 5001 })).verdict, "accept")
  expect(state(), "ESTABLISHED")
  expect(pass(world, like(SYN, { flags = "PA", seq = 101, ack = 5001, payload = ("x"):rep(100) })).verdict,
    "accept")
  -- Outside of every window.
  expect(pass(world, like(SYN, { flags = "PA", seq = 4000000, ack = 5001, payload = "y" })).verdict, "drop")
  expect(pass(world, reply(SYN, { flags = "FA", seq = 5001, ack = 201 })).verdict, "accept")
  expect(pass(world, like(SYN, { flags = "FA", seq = 201, ack = 5002 })).verdict, "accept")
  expect(pass(world, reply(SYN, { flags = "A", seq = 5002, ack = 202 })).verdict, "accept")
  expect(state(), "TIME_WAIT")
  world:advance(119)
  expect(state(), "TIME_WAIT")
  world:advance(2)
  expect(state(), nil)
  quiet(world)
end

function cases.deadlines_hold_to_the_second()
  local world <close> = gateway [[limits = { udp_new = 30, udp_established = 40 },
    rules = { allow { "dns", dir = "in", proto = "udp", dport = 53, state = true } }]]
  local ask = { dir = "in", iif = "eth0", proto = "udp", src = "198.51.100.9", sport = 5000,
    dst = "192.0.2.1",
    dport = 53 }
  for _ = 1, 3 do
    pass(world, ask)
    expect(live(world)[1].state, "UDP_NEW")
    world:advance(29)
  end
  expect(#live(world), 1, "it was renewed")
  world:advance(2)
  expect(#live(world), 0)
  pass(world, ask)
  expect(pass(world, reply(ask)).verdict, "accept")
  expect(live(world)[1].state, "UDP_ESTABLISHED")
  world:advance(39)
  expect(#live(world), 1)
  world:advance(2)
  expect(#live(world), 0)
  expect(pass(world, reply(ask)).verdict, "drop", "an answer that nobody waits for")
  quiet(world)
end

function cases.time_is_the_worlds_own()
  local world <close> = gateway()
  local other <close> = gateway()
  expect(world:now(), 0)
  world:advance(0.25)
  world:advance(1.5)
  expect(world:now(), 1.75)
  expect(other:now(), 0)
end

function cases.a_world_repeats()
  local function play(seed)
    local world <close> = engine.new { seed = seed, time = 0 }
    commit(world, [[nat = { masquerade { "m", oif = "eth0" } }, rules = { allow { "all", state = true } }]])
    local ports = {}
    -- The second and later ones need another port.
    for i = 1, 20 do
      local _, left = pass(world, { dir = "forward", iif = "eth1", oif = "eth0", proto = "udp", sport = 7,
        src = "10.0.0." .. i, dst = "198.51.100.9", dport = 53 })
      ports[i] = left.sport
    end
    return table.concat(ports, " ")
  end
  local first = play(1)
  expect(play(1), first)
  expect(play(2) ~= first, true)
end

function cases.rejected_packets_are_answered()
  local world <close> = gateway [[rules = { reject { "no", dir = "in" }, reject { "not out", dir = "out" },
    reject { "through", dir = "forward" } }]]
  local out, _, answer = pass(world, SYN)
  expect(out.verdict, "drop")
  expect(#out.answers, 1)
  expect(out.answers[1].oif, "eth0")
  expect(packet.line(answer), "192.0.2.1:22 > 198.51.100.9:1000 tcp RA len 40")
  expect(answer.ack, 101)
  expect(answer.problem, nil)
  _, _, answer = pass(world, like(SYN, { flags = "A", ack = 77 }))
  expect(packet.line(answer), "192.0.2.1:22 > 198.51.100.9:1000 tcp R len 40")
  expect(answer.seq, 77)
  _, _, answer = pass(world, like(SYN, { flags = "R" }))
  expect(answer, nil, "nothing answers a reset")

  local ask = { dir = "in", iif = "eth0", proto = "udp", src = "198.51.100.9", sport = 5000,
    dst = "192.0.2.1",
    dport = 53, payload = "question" }
  _, _, answer = pass(world, ask)
  expect(answer.icmp, "admin-prohibited")
  expect(answer.src, "192.0.2.1")
  expect(answer.inner.sport, 5000)
  _, _, answer = pass(world, like(ask, { dir = "forward", iif = "eth1", oif = "eth0", src = "10.0.0.9",
    dst = "203.0.113.5" }))
  expect(answer.src, "10.0.0.1", "who forwards speaks for itself")
  expect(answer.dst, "10.0.0.9")
  _, _, answer = pass(world, like(ask, { src = "2001:db8::9", dst = "2001:db8::1" }))
  expect(answer.icmp, "admin-prohibited")
  expect(answer.src, "2001:db8::1")
  _, _, answer = pass(world, like(SYN, { src = "2001:db8::9", dst = "2001:db8::1" }))
  expect(packet.line(answer), "[2001:db8::1]:22 > [2001:db8::9]:1000 tcp RA len 60")
  -- A local sender gets an error instead.
  out = pass(world, { dir = "out", oif = "eth0", proto = "udp", dst = "198.51.100.9", src = "192.0.2.1",
    dport = 9 })
  expect(out.verdict, "drop")
  expect(#out.answers, 0)
  -- The answers are the firewall's own: no rule stops them.
  expect(count(world, "own-reject"), 6)
  quiet(world)
end

-- A packet whose transport checksum is wrong.
local function damaged(fields)
  local bytes = packet.build(fields)
  return bytes:sub(1, -5) .. "\1" .. bytes:sub(-3)
end

function cases.checksums_are_looked_at()
  local world <close> = gateway(SSH)
  expect(pass(world, { dir = "in", iif = "eth0", data = damaged(SYN) }).verdict, "drop")
  expect(count(world, "bad-checksum"), 1)
  -- What this machine makes is taken as right.
  commit(world, [[rules = { allow { "out", dir = "out", state = true } }]])
  expect(pass(world, { dir = "out", oif = "eth0", data = damaged(SYN) }).verdict, "accept")
end

function cases.checksums_may_count_as_right()
  local world <close> = gateway(SSH)
  local out = world:pass { list = "in", iif = "eth0", data = damaged(SYN), checked = true }
  expect(out.verdict, "accept")
  expect(count(world, "bad-checksum"), 0)
end

function cases.what_is_no_packet_is_refused()
  local world <close> = gateway(SSH)
  for _, bytes in ipairs { "", "x", ("\0"):rep(40), "\x45" .. ("\0"):rep(10), "\x60" .. ("\0"):rep(30) } do
    expect(world:pass { list = "in", iif = "eth0", data = bytes }, nil)
  end
  expect(world:pass { list = "in", iif = "no/device", data = packet.build(SYN) }, nil)
  -- A header of IP that makes no sense is the module's to drop.
  local out = world:pass { list = "in", iif = "eth0", data = "\x41\0\0\x28" .. ("\0"):rep(36) }
  expect(out.verdict, "drop")
  expect(pcall(world.pass, world, { list = "sideways", data = "x" }), false)
  expect(pcall(world.pass, world, { list = "in" }), false)
end

function cases.source_translation()
  local world <close> = gateway [[nat = { masquerade { "out", oif = "eth0" } },
    rules = { allow { "own network", dir = "forward", iif = "eth1", state = true } }]]
  local from = { dir = "forward", iif = "eth1", oif = "eth0", proto = "tcp", src = "10.0.0.5", sport = 4000,
    dst = "198.51.100.9", dport = 80, flags = "S", seq = 100 }
  local out, left = pass(world, from)
  expect(packet.line(left), "192.0.2.1:4000 > 198.51.100.9:80 tcp S len 40")
  expect(out.oif, "eth0")
  expect(left.problem, nil)
  local answer = { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100.9", sport = 80,
    dst = "192.0.2.1",
    dport = 4000, flags = "SA", seq = 700, ack = 101 }
  out, left = pass(world, answer)
  expect(out.verdict, "accept")
  expect(out.list, "forward", "what arrived here goes on")
  expect(out.oif, "eth1")
  expect(packet.line(left), "198.51.100.9:80 > 10.0.0.5:4000 tcp SA len 40")
  local row = live(world)[1]
  expect(row.src, "10.0.0.5")
  expect(row.nat_src, "192.0.2.1")
  -- An error about it finds its way, inside and outside.
  out, left = pass(world, { dir = "in", iif = "eth0", src = "203.0.113.7", dst = "192.0.2.1",
    icmp = "host-unreachable",
    inner = { proto = "tcp", seq = 100, src = "192.0.2.1", sport = 4000, dst = "198.51.100.9", dport = 80 } })
  expect(out.verdict, "accept")
  expect(left.dst, "10.0.0.5")
  expect(left.inner.src, "10.0.0.5")
  expect(out.list, "forward")
  -- Its address goes, and it with that.
  world:device("eth0", { addresses = { "192.0.2.2/24" } })
  expect(#live(world), 0)
  quiet(world)
end

function cases.destination_translation()
  local world <close> = gateway [[
    nat = { dnat { "to www", iif = "eth0", proto = "tcp", dport = 80, to = "10.0.0.10" },
            redirect { "proxy", iif = "eth1", proto = "tcp", dport = 8080, to = 3128 } },
    rules = { allow { "www", dir = "forward", proto = "tcp", dst = "10.0.0.10", dport = 80, state = true },
              allow { "own", dir = "in", proto = "tcp", dst = "me", dport = 3128, state = true } }]]
  local out, left = pass(world, like(SYN, { dport = 80 }))
  expect(out.verdict, "accept")
  expect(out.list, "forward")
  expect(out.oif, "eth1")
  expect(packet.line(left), "198.51.100.9:1000 > 10.0.0.10:80 tcp S len 40")
  out, left = pass(world, { dir = "forward", iif = "eth1", oif = "eth0", proto = "tcp", src = "10.0.0.10",
    sport = 80,
    dst = "198.51.100.9", dport = 1000, flags = "SA", seq = 9, ack = 101 })
  expect(out.verdict, "accept")
  expect(packet.line(left), "192.0.2.1:80 > 198.51.100.9:1000 tcp SA len 40")
  out, left = pass(world, { dir = "forward", iif = "eth1", oif = "eth0", proto = "tcp", src = "10.0.0.5",
    dst = "198.51.100.9", dport = 8080, flags = "S" })
  expect(out.verdict, "accept")
  expect(out.list, "in")
  expect(left.dst, "10.0.0.1")
  expect(left.dport, 3128)
  expect(pass(world, like(SYN, { dport = 81 })).verdict, "drop")
  quiet(world)
end

-- A destination that becomes the very end that the packet comes from: its answers look like itself.
function cases.a_connection_to_its_own_end_is_refused_as_what_it_was()
  local world <close> = gateway [[nat = { dnat { "turned", proto = "tcp", to = "10.0.0.9" } },
    rules = { reject { "through", dir = "forward" } }]]
  local out, _, answer = pass(world, { dir = "forward", iif = "eth1", oif = "eth1", proto = "tcp",
    src = "10.0.0.9", sport = 1024, dst = "203.0.113.5", dport = 1024 })
  expect(out.verdict, "drop")
  expect(packet.line(answer), "203.0.113.5:1024 > 10.0.0.9:1024 tcp RA len 40")
  expect(answer.problem, nil)
  quiet(world)
end

function cases.unknown_devices_are_made()
  local world <close> = engine.new()
  commit(world, [[nat = { masquerade { "out", oif = "wan*" } }, rules = { allow { "all", state = true } }]])
  local _, left = pass(world, { dir = "forward", iif = "lan0", oif = "wan0", proto = "udp", src = "10.0.0.5",
    dst = "198.51.100.9", dport = 53 })
  expect(left.src:match "^198%.18%.%d+%.1$" ~= nil, true, left.src)
  _, left = pass(world, { dir = "forward", iif = "lan0", oif = "wan0", proto = "udp", src = "fd00::5",
    dst = "2001:db8:ffff::9", dport = 53 })
  expect(left.src:match "^2001:db8:%x+::1$" ~= nil, true, left.src)
  expect(world:ifname(world:ifindex "wan0"), "wan0")
  expect(world:ifindex "wan1", nil)
  expect(table.concat(world:interfaces(), " "), "lo lan0 wan0")
end

function cases.what_is_for_here_is_me()
  local world <close> = engine.new()
  commit(world, [[rules = { allow { "me", dir = "in", dst = "me" }, allow { "mine", dir = "out",
    src = "me" } }]])
  local asked = { dir = "in", iif = "eth0", proto = "udp", src = "198.51.100.9", dst = "203.0.113.77",
    dport = 53 }
  expect(pass(world, asked).verdict, "accept")
  expect(pass(world, reply(asked)).verdict, "accept")
  expect(pass(world, like(asked, { dst = "2001:db8:9::9", src = "2001:db8:8::8" })).verdict, "accept")
  -- What many get is nobody's own.
  expect(pass(world, like(asked, { dst = "224.0.0.251" })).verdict, "drop")
  expect(pass(world, like(asked, { dst = "255.255.255.255" })).verdict, "drop")
end

function cases.loopback_goes_out_and_comes_in()
  local world <close> = gateway [[rules = { allow { "lo", iif = "lo", state = true } }]]
  local ask = { dir = "out", oif = "lo", proto = "udp", src = "127.0.0.1", sport = 700, dst = "127.0.0.1",
    dport = 53 }
  local out = pass(world, ask)
  expect(out.verdict, "accept")
  expect(out.list, "in")
  expect(out.iif, "lo")
  expect(live(world)[1].oif, "lo")
  expect(live(world)[1].packets, 1)
  out = pass(world, like(ask, { sport = 53, dport = 700 }))
  expect(out.verdict, "accept")
  expect(live(world)[1].state, "UDP_ESTABLISHED")
  -- Addresses of its own lead there without being told.
  expect(pass(world, { dir = "out", proto = "udp", src = "192.0.2.1", dst = "192.0.2.1", dport = 9 }).iif,
    "lo")
end

function cases.owners_and_marks_are_seen()
  local world <close> = gateway [[rules = { allow { "root", dir = "out", user = 0 },
    allow { "marked", dir = "in", mark = 7 } }]]
  local out = { dir = "out", oif = "eth0", proto = "udp", src = "192.0.2.1", dst = "198.51.100.9",
    dport = 53 }
  expect(pass(world, like(out, { user = 0 })).verdict, "accept")
  expect(pass(world, like(out, { user = 1000 })).verdict, "drop")
  expect(pass(world, out).verdict, "drop", "a packet of no socket")
  local asked = reply(out)
  expect(pass(world, like(asked, { mark = 7 })).verdict, "accept")
  expect(pass(world, like(asked, { mark = 8 })).verdict, "drop")
end

function cases.a_full_table_evicts_or_refuses()
  local world <close> = gateway [[limits = { max_states = 2 },
    rules = { allow { "dns", dir = "in", proto = "udp", state = true },
              allow { "ssh", dir = "in", proto = "tcp", state = true } }]]
  local function ask(n)
    return { dir = "in", iif = "eth0", proto = "udp", src = "198.51.100." .. n, sport = 1000,
      dst = "192.0.2.1", dport = 53 }
  end
  for n = 1, 2 do
    pass(world, ask(n))
    expect(pass(world, reply(ask(n))).verdict, "accept")
  end
  expect(pass(world, ask(3)).verdict, "drop")
  expect(count(world, "table-full"), 1)
  local said = world:said()
  expect(said[1], "ipfi: state table full: 2 entries")
  expect(#said, 1)
  pass(world, ask(4))
  expect(#world:said(), 0, "once in five seconds")
  world:advance(6)
  pass(world, ask(4))
  expect(#world:said(), 1)
  quiet(world)
end

function cases.limits_are_refilled_by_the_clock()
  local world <close> = gateway [[rules = { allow { "ssh", dir = "in", proto = "tcp", dport = 22,
    limit = "2/minute" } }]]
  local function passes()
    return pass(world, SYN).verdict == "accept"
  end
  expect(passes(), true)
  expect(passes(), true)
  expect(passes(), false)
  world:advance(29)
  expect(passes(), false)
  world:advance(2)
  expect(passes(), true)
  expect(passes(), false)
end

function cases.states_from_one_source_are_counted()
  local world <close> = gateway [[rules = { allow { "ssh", dir = "in", proto = "tcp", dport = 22,
    state = true,
    per_source = 2 } }]]
  for port = 1, 3 do
    expect(pass(world, like(SYN, { sport = port })).verdict, port <= 2 and "accept" or "drop")
  end
  expect(pass(world, like(SYN, { src = "198.51.100.10" })).verdict, "accept")
  world:advance(121)
  expect(pass(world, SYN).verdict, "accept")
end

function cases.new_rules_judge_live_states()
  local world <close> = gateway(SSH)
  pass(world, SYN)
  commit(world, [[rules = { allow { "web", dir = "in", proto = "tcp", dport = 80, state = true } }]])
  expect(#live(world), 1)
  expect(pass(world, reply(SYN, { flags = "SA", seq = 1, ack = 101 })).verdict, "drop")
  expect(#live(world), 0)
  quiet(world)
end

function cases.sets_have_members_for_a_time()
  local world <close> = gateway [[rules = {
    deny { "banned", dir = "in", src = set { name = "bans", dynamic = true } }, allow { "ssh", dir = "in",
      state = true } }]]
  local link = kernel.of(world)
  pass(world, SYN)
  expect(#live(world), 1)
  local answer = link.ask({ cmd = "set_add", set = { name = "bans",
    member = { { addr = "198.51.100.9", timeout = 5000 } } } }, "test")
  expect(answer.set.changed, 1)
  expect(pass(world, SYN).verdict, "drop")
  expect(#live(world), 0)
  world:advance(4.9)
  expect(pass(world, SYN).verdict, "drop")
  world:advance(0.2)
  expect(pass(world, SYN).verdict, "accept")
  world:advance(1)
  local members = 0
  for message in link.dump({ cmd = "sets_dump" }, "test") do
    members = members + message.set.members
  end
  expect(members, 0)
  quiet(world)
end

-- FTP through a translation: the server announces where it listens, and the client reads where it finds that.
-- The plan compares with the sets of the rules that run, not with those of rules that may come back.
function cases.running_rules_name_their_sets()
  local world <close> = gateway [[rules = { deny { "all", src = set { name = "bans", dynamic = true } } }]]
  local link = kernel.of(world)
  local function declared()
    local rows = link.list({ cmd = "rules_dump" }, "test")
    return table.concat(rows[1].ruleset.set or {}, ",")
  end
  expect(declared(), "bans")
  local _, words = policy.words { direct = true }
  local p = words.policy { name = "without", rules = { words.deny { "all" } } }
  link.transact(compile.messages(p, { confirm = 60 }), "test")
  expect(declared(), "")
  expect(#link.list({ cmd = "sets_dump" }, "test"), 1, "kept for the rules that may come back")
  world:advance(61)
  expect(declared(), "bans")
  link.close()
end

function cases.ftp_is_followed_through_translation()
  local world <close> = gateway [[
    nat = { dnat { "to ftp", iif = "eth0", proto = "tcp", dport = 21, to = "10.0.0.10" } },
    rules = { allow { "ftp", dir = "forward", proto = "tcp", dport = 21, helper = "ftp" } }]]
  local client = like(SYN, { dport = 21 })
  local server = { dir = "forward", iif = "eth1", oif = "eth0", proto = "tcp", src = "10.0.0.10", sport = 21,
    dst = "198.51.100.9", dport = 1000 }
  pass(world, client)
  pass(world, like(server, { flags = "SA", seq = 500, ack = 101 }))
  pass(world, like(client, { flags = "A", seq = 101, ack = 501 }))
  pass(world, like(client, { flags = "PA", seq = 101, ack = 501, payload = "PASV\r\n" }))
  local out, left = pass(world, like(server, { flags = "PA", seq = 501, ack = 107,
    payload = "227 Entering Passive Mode (10,0,0,10,4,210).\r\n" }))
  expect(out.verdict, "accept")
  expect(left.payload, "227 Entering Passive Mode (192,0,2,1,4,210).\r\n")
  expect(left.problem, nil)
  local list = {}
  for message in kernel.of(world).dump({ cmd = "expectations_dump" }, "test") do
    list[#list + 1] = message.expectation
  end
  expect(#list, 1)
  expect(list[1].dport, 1234)
  local data = like(SYN, { sport = 1001, dport = 1234, seq = 1 })
  out, left = pass(world, data)
  expect(out.verdict, "accept")
  expect(packet.line(left), "198.51.100.9:1001 > 10.0.0.10:1234 tcp S len 40")
  expect(pass(world, like(data, { sport = 1002 })).verdict, "drop", "once")
  -- What the other side acknowledges is brought into the numbers of who sent it.
  local told = #"227 Entering Passive Mode (192,0,2,1,4,210).\r\n"
  left = select(2, pass(world, like(client, { flags = "A", seq = 107, ack = 501 + told })))
  expect(left.ack, 501 + #"227 Entering Passive Mode (10,0,0,10,4,210).\r\n")
  quiet(world)
end

function cases.events_are_heard()
  local world <close> = gateway(SSH)
  local conn = world:connection()
  expect(conn:subscribe "state", true)
  expect(conn:subscribe "ruleset", true)
  expect(#conn:events(0), 0)
  pass(world, SYN)
  local list = conn:events(0)
  expect(#list, 1)
  expect(list[1].cmd, "event_state")
  expect(list[1].event.kind, "new")
  world:advance(121)
  list = conn:events()
  expect(#list, 1)
  expect(list[1].event.kind, "destroyed")
  expect(list[1].event.cause, "expired")
  commit(world, SSH)
  expect(conn:events(0)[1].cmd, "event_ruleset")
  -- More than a reader takes in time is lost, and he hears of it.
  for port = 1, 20000 do
    world:pass { list = "in", iif = "eth0", data = packet.build(like(SYN, { sport = port,
      src = "198.51.100.77" })) }
  end
  local lost, events = 0, 0
  repeat
    list = conn:events(0)
    for _, event in ipairs(list) do
      lost = lost + (event.cmd == "lost" and 1 or 0)
      events = events + 1
    end
  until #list == 0
  expect(lost, 1)
  expect(events < 20000, true)
  conn:close()
end

function cases.a_transaction_dies_with_its_connection()
  local world <close> = gateway(SSH)
  local conn = world:connection()
  assert(conn:request { cmd = "ruleset_begin", ruleset = { name = "half" } })
  local ok, err = conn:request { cmd = "ruleset_begin", ruleset = { name = "again" } }
  expect(ok, nil)
  expect(err.name, "EEXIST")
  conn:close()
  conn = world:connection()
  ok, err = conn:request { cmd = "ruleset_commit", commit = {} }
  expect(ok, nil)
  expect(err.name, "ENOENT")
  expect(err.message, "this socket has no transaction open: begin one first")
  -- One that is overtaken.
  assert(conn:request { cmd = "ruleset_begin", ruleset = { name = "late" } })
  commit(world, SSH)
  ok, err = conn:request { cmd = "ruleset_commit", commit = { expect = 1 } }
  expect(ok, nil)
  expect(err.name, "ESTALE")
  expect(err.attr, "commit.expect")
  conn:close()
end

function cases.a_dump_may_be_left_early()
  local world <close> = gateway [[rules = { allow { "all", state = true } }]]
  for port = 1, 3000 do
    world:pass { list = "in", iif = "eth0", data = packet.build(like(SYN, { sport = port })) }
  end
  local conn = world:connection()
  local seen = 0
  for _ in conn:dump { cmd = "states_dump" } do
    seen = seen + 1
    if seen == 10 then
      break
    end
  end
  expect(seen, 10)
  local before = conn:dump { cmd = "states_dump" }
  before()
  -- The table doubles while it is read: whoever reads is told.
  for port = 3001, 9000 do
    world:pass { list = "in", iif = "eth0", data = packet.build(like(SYN, { sport = port })) }
  end
  while before() do
    seen = seen + 1
  end
  local err = conn:dump_error()
  expect(err and err.interrupted, true)
  local total = 0
  for _ in conn:dump { cmd = "states_dump" } do
    total = total + 1
  end
  expect(total, 9000)
  expect(conn:dump_error(), nil)
  conn:close()
end

function cases.a_closed_world_answers_nobody()
  local world = gateway(SSH)
  local conn = world:connection()
  conn:subscribe "state"
  local half = world:connection():dump { cmd = "rules_dump" }
  half()
  world:close()
  world:close()
  local replies, err = conn:request { cmd = "info" }
  expect(replies, nil)
  expect(err.name, "ENODEV")
  half()
  expect(pcall(world.now, world), false)
  conn:close()
end

function cases.worlds_are_apart()
  local one <close> = gateway(SSH)
  local other <close> = gateway()
  commit(other, [[rules = { allow { "web", dir = "in", proto = "tcp", dport = 80, state = true } }]])
  expect(pass(one, SYN).verdict, "accept")
  expect(pass(other, SYN).verdict, "drop")
  expect(#live(one), 1)
  expect(#live(other), 0)
  one:advance(3600)
  expect(pass(other, like(SYN, { dport = 80 })).verdict, "accept")
  expect(#live(other), 1)
end

function cases.devices_are_checked()
  local world <close> = engine.new()
  for _, name in ipairs { "", "a/b", "..", "sixteen-letters-", "a b" } do
    expect(pcall(world.device, world, name), false, name)
  end
  for _, address in ipairs { "192.0.2.1/33", "192.0.2", "::1/129", "x", "192.0.2.1/", "192.0.2.1/-1" } do
    expect(pcall(world.device, world, "eth0", { addresses = { address } }), false, address)
  end
  local index = world:device("eth1", { addresses = { "192.0.2.1" } })
  expect(world:device("eth1", {}), index, "the same device")
end

return cases
