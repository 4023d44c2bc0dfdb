-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a namespace may have of its machine: memory, lines in the system log, IPv6. A world inside another one
-- has a namespace that is not the machine's first.
package.path = "lua/?.lua;tests/unit/?.lua"

local compile = require "ipfi.policy.compile"
local engine = require "ipfi.c.engine"
local explain = require "ipfi.live.explain"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"

local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

local function settle(world)
  world:device("eth0", { addresses = { "192.0.2.1/24", "2001:db8::1/64" }, standard = true })
  world:device("eth1", { addresses = { "10.0.0.1/24", "2001:db8:1::1/64" } })
  return world
end

-- A namespace that is not the machine's first.
local function inside_of(outside)
  return settle(engine.new { seed = 8, time = 1700000000, inside = outside })
end

local function commit(world, source)
  return scene.commit(world, scene.checked(source))
end

local function pass(world, fields)
  return assert(world:pass {
    list = fields.dir, iif = fields.iif, oif = fields.oif, data = assert(packet.build(fields)),
  }).verdict
end

local function ask(number, family)
  return { dir = "in", iif = "eth0", proto = "udp", dport = 53, sport = 1000 + number // 250,
    src = (family == 6 and "2001:db8:9::" or "198.51.100.") .. number % 250 + 1,
    dst = family == 6 and "2001:db8::1" or "192.0.2.1" }
end

local function question(world, fields)
  local meta = { list = fields.dir, iif = fields.iif, oif = fields.oif }
  return kernel.with(world, function()
    return kernel.list(explain.question(assert(packet.build(fields)), meta), "test")
  end)
end

-- IPv6 that is off

local ME = [[nat = { masquerade { "out", oif = "eth0" },
      dnat { "www", iif = "eth0", proto = "tcp", dport = 80, to = "10.0.0.9" } },
    rules = { allow { "me", dst = "me", state = true }, allow { "dns", proto = "udp", state = true } }]]

function cases.without_ipv6_its_hooks_are_not_there()
  local world <close> = settle(engine.new { seed = 1, ipv6 = false })
  commit(world, ME)
  expect(pass(world, ask(1)), "accept")
  local stats = kernel.of(world).ask({ cmd = "stats" }, "test").stats
  expect(stats.packets, 1)
  -- Such a packet comes by nothing of ours, at most over a bridge: no table of IPv6's is looked into.
  expect(pass(world, ask(1, 6)), "accept")
  stats = kernel.of(world).ask({ cmd = "stats" }, "test").stats
  expect(stats.packets, 1)
  expect(stats.states, 1)
end

function cases.without_ipv6_questions_about_it_are_refused()
  local world <close> = settle(engine.new { seed = 1, ipv6 = false })
  for _ = 1, 2 do
    for _, fields in ipairs {
      ask(1, 6),
      { dir = "out", oif = "eth0", proto = "tcp", flags = "S", src = "2001:db8::1", dst = "2001:db8::9",
        sport = 1, dport = 2 },
      { dir = "forward", iif = "eth1", oif = "eth0", proto = "udp", src = "2001:db8:1::2",
        dst = "2001:db8:5::9", sport = 1, dport = 2 },
    } do
      local done, problem = pcall(question, world, fields)
      expect(done, false)
      local said = tostring(type(problem) == "table" and problem.message or problem)
      if not said:find("ipv6.disable=1", 1, true) then
        error(said)
      end
    end
    expect(#question(world, ask(1)) > 0, true)
    commit(world, ME)
  end
end

-- The system log

local NARROW = [[limits = { max_states = 2 },
    rules = { allow { "dns", dir = "in", proto = "udp", state = true } }]]

local function fill(world)
  for number = 1, 3 do
    pass(world, ask(number))
    -- A connection that has been answered makes no room.
    local other = ask(number)
    pass(world, { dir = "out", oif = "eth0", proto = "udp", src = other.dst, dst = other.src,
      sport = other.dport, dport = other.sport })
  end
end

-- Everything that the module has to say of a namespace.
local function provoke(world)
  commit(world, NARROW)
  fill(world)
  local last = scene.checked [[rules = { deny { "all", log = "prefix" } }]]
  kernel.of(world).transact(compile.messages(last, { confirm = 5 }), "test")
  world:advance(6)
  commit(world, [[limits = { max_states = 64 },
    nat = { snat { "narrow", oif = "eth0", proto = "udp", to = "192.0.2.1", to_port = 7 } },
    rules = { allow { "dns", dir = "forward", proto = "udp", state = true },
              allow { "ftp", proto = "tcp", dport = 21, helper = "ftp" } }]])
  for number = 1, 2 do
    pass(world, { dir = "forward", iif = "eth1", oif = "eth0", proto = "udp", src = "10.0.0." .. 1 + number,
      dst = "198.51.100.9", sport = 5, dport = 53 })
  end
  local client = { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100.9", sport = 1000,
    dst = "192.0.2.1", dport = 21 }
  local server = { dir = "out", oif = "eth0", proto = "tcp", src = client.dst, sport = 21, dst = client.src,
    dport = 1000 }
  local function send(from, fields)
    for name, value in pairs(from) do
      fields[name] = value
    end
    return pass(world, fields)
  end
  world:advance(60)
  send(client, { flags = "S", seq = 100 })
  send(server, { flags = "SA", seq = 500, ack = 101 })
  send(client, { flags = "A", seq = 101, ack = 501 })
  send(client, { flags = "PA", seq = 101, ack = 501, payload = "PORT 203,0,113,1,4,210\r\n" })
  return table.concat(world:said(), "\n")
end

function cases.the_log_is_the_first_namespaces()
  local outside <close> = scene.gateway()
  local inside <close> = inside_of(outside)
  local said = provoke(outside)
  for _, line in ipairs { "state table full: 2 entries", "was not confirmed in time", "no translation left",
    "not believed (ftp-foreign)" } do
    if not said:find(line, 1, true) then
      error("missing: " .. line .. "\nin: " .. said)
    end
  end
  expect(provoke(inside), "")
end

-- Memory

local function stats(world)
  return kernel.of(world).ask({ cmd = "stats" }, "test").stats
end

local function limits(world)
  return kernel.of(world).ask({ cmd = "limits_get" }, "test").limits
end

local function set_limits(world, values)
  return pcall(function()
    return kernel.of(world).ask({ cmd = "limits_set", limits = values }, "test")
  end)
end

local function refused(problem, ...)
  local said = tostring(type(problem) == "table" and problem.message or problem)
  for _, word in ipairs { ... } do
    if not said:find(word, 1, true) then
      error(said, 2)
    end
  end
end

local OPEN = [[rules = { allow { "all", state = true } }]]

function cases.only_the_first_namespace_raises_what_costs_memory()
  local outside <close> = scene.gateway()
  local inside <close> = inside_of(outside)
  local first = limits(outside).max_states
  expect(limits(inside).max_states, first)
  expect(set_limits(inside, { max_states = first }), true)
  local done, problem = set_limits(inside, { max_states = first + 1 })
  expect(done, false)
  refused(problem, "max_states", "first network namespace")
  done, problem = set_limits(inside, { udp_new = 5, max_states = 0x7fffffff })
  expect(done, false)
  refused(problem, "max_states")
  expect(limits(inside).udp_new, 30, "nothing of it is set")
  done, problem = pcall(commit, inside, ("limits = { max_states = %d }, %s"):format(first + 1, OPEN))
  expect(done, false)
  refused(problem, "max_states", "first network namespace")
  expect(kernel.of(inside).ask({ cmd = "info" }, "test").info.generation, 0)
  -- Less it may have, more of what costs nothing, and the first one what it likes.
  expect(set_limits(inside, { max_states = 10, udp_new = 3600, max_states_per_source = 1000000 }), true)
  expect(set_limits(outside, { max_states = first * 2 }), true)
  expect(set_limits(inside, { max_states = first * 2 }), true)
end

function cases.a_lower_limit_of_the_first_is_everybodys()
  local outside <close> = scene.gateway()
  local inside <close> = inside_of(outside)
  commit(inside, "limits = { max_states = 100, udp_new = 3600 }," .. OPEN)
  for number = 1, 50 do
    expect(pass(inside, ask(number)), "accept")
  end
  expect(set_limits(outside, { max_states = 40 }), true)
  expect(limits(inside).max_states, 40)
  expect(stats(inside).max_states, 40)
  expect(stats(inside).states, 50, "the old ones are kept")
  expect(pass(inside, ask(51)), "drop", "and new ones refused")
  -- A rollback brings nothing back that would be more.
  kernel.of(inside).transact(compile.messages(scene.checked("limits = { max_states = 10 }," .. OPEN),
    { confirm = 5 }), "test")
  expect(limits(inside).max_states, 10)
  inside:advance(6)
  expect(limits(inside).max_states, 40)
  expect(set_limits(outside, { max_states = 1000 }), true)
  expect(limits(inside).max_states, 100, "what was set counts again")
  expect(pass(inside, ask(51)), "accept")
end

local function open_tcp(world, number)
  local client = { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100." .. number % 250 + 1,
    dst = "192.0.2.1", sport = 2000 + number, dport = 22, flags = "S", seq = 100 }
  local verdict = pass(world, client)
  pass(world, { dir = "out", oif = "eth0", proto = "tcp", src = client.dst, dst = client.src, sport = 22,
    dport = client.sport, flags = "SA", seq = 500, ack = 101 })
  client.flags, client.seq, client.ack = "A", 101, 501
  pass(world, client)
  return verdict
end

local function kill_all(world)
  return kernel.of(world).ask({ cmd = "states_delete" }, "test").stats.states
end

function cases.tombstones_have_places_and_go_first()
  local world <close> = scene.gateway()
  commit(world, "limits = { max_states = 64 }," .. OPEN)
  local size = stats(world).memory
  for round = 1, 5 do
    for number = 1, 64 do
      expect(open_tcp(world, round * 100 + number), "accept", round)
    end
    expect(stats(world).states, 64)
    expect(kill_all(world), 64)
    expect(stats(world).states, 0, "gone to all who ask")
    expect(kill_all(world), 0)
    local now = stats(world)
    expect(now.evicted, 0, "no state makes room where there are tombstones")
    if now.memory - size < 64 * 160 then
      error("tombstones take no memory?")
    end
    -- What died is freed within a tick: nothing piles up.
    world:advance(1)
    if stats(world).memory - size > 64 * 200 then
      error(("%d bytes more after round %d"):format(stats(world).memory - size, round))
    end
  end
  expect(stats(world).states_peak, 64)
end

function cases.a_tombstone_has_its_own_deadline()
  local world <close> = scene.gateway()
  commit(world, "limits = { max_states = 64, tcp_established = 86400 }," .. OPEN)
  local empty = stats(world).memory
  open_tcp(world, 1)
  kill_all(world)
  world:advance(118)
  expect(stats(world).memory > empty, true, "for the time of TIME_WAIT")
  world:advance(4)
  expect(stats(world).memory, empty)
end

function cases.evictions_leave_little_behind()
  local world <close> = scene.gateway()
  commit(world, "limits = { max_states = 100 }," .. OPEN)
  local empty, most = stats(world).memory, 0
  for number = 1, 10000 do
    pass(world, ask(number))
    most = math.max(most, stats(world).memory - empty)
  end
  -- The limit, and 1024 that wait to be freed. The clock has stood still: grace periods have not.
  if most > (100 + 1024) * 200 + 65536 then
    error(most .. " bytes")
  end
  expect(stats(world).states, 100)
end

function cases.memory_counts_what_states_are()
  local world <close> = scene.gateway()
  commit(world, [[limits = { max_states = 1000 }, nat = { masquerade { "out", oif = "eth0", proto = "udp" } },
    rules = { allow { "ftp", proto = "tcp", dport = 21, helper = "ftp" }, allow { "all", state = true } }]])
  local empty = stats(world)
  expect(pass(world, ask(1)), "accept")
  local plain = stats(world).memory - empty.memory
  expect(plain >= 160 and plain <= 192, true, plain .. " bytes a plain one")
  expect(stats(world).state_size <= 192 + 17, true)
  pass(world, { dir = "forward", iif = "eth1", oif = "eth0", proto = "udp", src = "10.0.0.2",
    dst = "198.51.100.9", sport = 5, dport = 53 })
  local extended = stats(world).memory - empty.memory - plain
  expect(extended > 2 * plain, true, extended .. " bytes an extended one")
  pass(world, { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100.9", dst = "192.0.2.1", sport = 9,
    dport = 21, flags = "S", seq = 1 })
  local watched = stats(world).memory - empty.memory - plain - extended
  expect(watched > extended + 2000, true, watched .. " bytes one that is watched")
  -- At the limit, with as many of each kind.
  local now = stats(world)
  local average = (plain + extended + watched) / 3
  expect(now.memory_at_limit > 1000 * average and now.memory_at_limit < 1000 * (average + 64), true)
  expect(now.state_size, math.ceil(now.memory_at_limit / 1000))
  kill_all(world)
  world:advance(130)
  expect(stats(world).memory, empty.memory, "all is given back")
end

return cases
