-- SPDX-License-Identifier: GPL-2.0-or-later
-- Live connections whose packets come in or leave by other interfaces than before. Each packet is asked
-- about, then passed, and both must agree.
package.path = "lua/?.lua;tests/unit/?.lua"

local compile = require "ipfi.policy.compile"
local engine = require "ipfi.c.engine"
local explain = require "ipfi.live.explain"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local running = require "ipfi.live.ruleset"
local stats = require "ipfi.live.stats"

local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

-- The own network, two uplinks and a tunnel over them.
local function gateway(source)
  local world = engine.new { seed = 7, time = 1700000000 }
  world:device("wan0", { addresses = { "203.0.113.1/24", "2001:db8::1/64" }, standard = true })
  world:device("wan1", { addresses = { "198.51.100.1/24", "2001:db8:1::1/64" } })
  world:device("tun0", { addresses = { "10.8.0.1/24", "2001:db8:8::1/64" } })
  world:device("tun1", { addresses = { "10.9.0.1/24", "2001:db8:9::1/64" } })
  world:device("lan0", { addresses = { "10.0.0.1/24", "2001:db8:a::1/64" } })
  if source then
    scene.commit(world, scene.checked("stateful = true, " .. source))
  end
  return world
end

local function commit(world, source)
  scene.commit(world, scene.checked("stateful = true, " .. source))
end

local function counts(world)
  return kernel.with(world, function()
    local all, reasons = stats.get(), {}
    for _, group in ipairs { all.drops, all.passes } do
      for name, number in pairs(group) do
        reasons[name] = number
      end
    end
    return reasons
  end)
end

local VERDICT = { deny = "drop", reject = "drop", allow = "accept" }

-- Asks about a packet and lets it pass. Returns its verdict and reason, and how it left.
local function go(world, fields)
  local data = fields.data or assert(packet.build(fields))
  local meta = { list = fields.dir, iif = fields.iif, oif = fields.oif, user = fields.user }
  local told = kernel.with(world, function()
    local steps = kernel.list(explain.question(data, meta), "test")
    return explain.judgement(steps, running.by_id(), data, meta)
  end)
  local before = counts(world)[told.reason] or 0
  meta.data = data
  local out = assert(world:pass(meta))
  if out.verdict ~= VERDICT[told.verdict] then
    error(("asked: %s, passed: %s"):format(tostring(told), out.verdict), 2)
  end
  expect(counts(world)[told.reason], before + 1, "counted as " .. told.reason)
  for _, line in ipairs(world:said()) do
    if line:find "WARNING" then
      error(line, 2)
    end
  end
  return told.verdict, told.reason, packet.parse(out.data)
end

-- Expects a verdict, "deny rule-deny" say, or "allow" with any reason.
local function goes(world, fields, wanted, what)
  local verdict, reason, left = go(world, fields)
  local got = wanted:find " " and verdict .. " " .. reason or verdict
  if got ~= wanted then
    error(("%sgot %s %s, wanted %s"):format(what and what .. ": " or "", verdict, reason, wanted), 2)
  end
  return left
end

local live, like = scene.states, scene.like

local HOST = { v4 = { "10.0.0.14", "192.0.2.60" }, v6 = { "2001:db8:a::14", "2001:db8:60::60" } }

-- A packet of a client in the own network, and one that answers it.
local function ask(family, fields)
  return like({ dir = "forward", iif = "lan0", proto = "udp", sport = 5060, dport = 5060,
    src = HOST[family][1], dst = HOST[family][2] }, fields)
end

local function answer(family, fields)
  return like({ dir = "forward", oif = "lan0", proto = "udp", sport = 5060, dport = 5060,
    src = HOST[family][2], dst = HOST[family][1] }, fields)
end

local KILL_SWITCH = [[rules = {
  deny { "never in the clear", dir = "forward", iif = "lan0", oif = "wan0" },
  allow { "by a tunnel", dir = "forward", iif = "lan0", oif = "tun*" } }]]

function cases.a_kill_switch_holds_for_live_connections()
  local world <close> = gateway(KILL_SWITCH)
  for _, family in ipairs { "v4", "v6" } do
    goes(world, ask(family, { oif = "tun0" }), "allow")
    goes(world, ask(family, { oif = "wan0" }), "deny rule-deny", "UDP")
    goes(world, ask(family, { oif = "tun0" }), "allow", "it lives on by the tunnel")
    local function c(fields)
      return ask(family, like({ proto = "tcp", dport = 443, oif = "tun0" }, fields))
    end
    local function s(fields)
      return answer(family, like({ proto = "tcp", sport = 443, iif = "tun0" }, fields))
    end
    local data = { flags = "PA", seq = 101, ack = 501, payload = "secret" }
    goes(world, c { flags = "S", seq = 100 }, "allow")
    goes(world, s { flags = "SA", seq = 500, ack = 101 }, "allow")
    goes(world, c { flags = "A", seq = 101, ack = 501 }, "allow")
    goes(world, c(like(data, { oif = "wan0" })), "deny rule-deny", "TCP")
    goes(world, c(data), "allow", "its sender sends it again")
    local echo = { dir = "forward", iif = "lan0", src = HOST[family][1], dst = HOST[family][2],
      icmp = "echo-request", id = 7, seq = 1 }
    goes(world, like(echo, { oif = "tun0" }), "allow")
    goes(world, like(echo, { oif = "wan0" }), "deny rule-deny", "ICMP")
  end
  expect(#live(world), 6)
end

-- Whoever sends a packet with another's addresses from elsewhere must not end the connection.
function cases.a_spoofed_packet_is_dropped_and_ends_nothing()
  local world <close> = gateway [[rules = {
    deny { "spoofed", dir = "forward", iif = "wan0", src = "10.0.0.0/24" },
    allow { "out", dir = "forward", iif = "lan0", oif = "wan0" } }]]
  goes(world, ask("v4", { oif = "wan0" }), "allow")
  goes(world, ask("v4", { iif = "wan0", oif = "wan0" }), "deny rule-deny")
  commit(world, [[rules = {
    deny { "spoofed", dir = "forward", iif = "wan0", src = "10.0.0.0/24" },
    allow { "out again", dir = "forward", iif = "lan0", oif = "wan0" } }]])
  goes(world, ask("v4", { iif = "wan0", oif = "wan0" }), "deny rule-deny", "nor behind a commit")
  goes(world, ask("v4", { oif = "wan0" }), "allow state")
  expect(live(world)[1].rule, "out again")
end

-- Of replies too: a connection from here to there would come in by one and leave by the other.
function cases.replies_are_seen_as_their_connection()
  local world <close> = gateway [[rules = {
    allow { "by wan0", dir = "forward", iif = "lan0", oif = "wan0" },
    allow { "lucky", dir = "forward", iif = "lan0", oif = "wan1", dst = "192.0.2.60" } }]]
  goes(world, ask("v4", { oif = "wan0" }), "allow")
  goes(world, answer("v4", { iif = "wan0" }), "allow state")
  goes(world, answer("v4", { iif = "wan1" }), "allow state", "an asymmetric route that the rules allow")
  expect(live(world)[1].rule, "by wan0")
  expect(live(world)[1].oif, "wan0")
  goes(world, answer("v4", { iif = "tun0" }), "deny default-deny", "one that they do not")
  goes(world, ask("v4", { oif = "wan0" }), "allow state")
  goes(world, ask("v6", { oif = "wan0" }), "allow")
  goes(world, answer("v6", { iif = "wan1" }), "deny default-deny")
end

-- From a tunnel to a server here, which answers by the uplink.
function cases.a_kill_switch_holds_for_replies()
  for _, from in ipairs { [[, iif = "tun0"]], "" } do
    local world <close> = gateway([[rules = {
      deny { "never in the clear", dir = "forward", oif = "wan0" },
      allow { "rest", dir = "forward"]] .. from .. "} }")
    for _, family in ipairs { "v4", "v6" } do
      goes(world, answer(family, { iif = "tun0" }), "allow")
      goes(world, ask(family, { oif = "tun0" }), "allow state")
      goes(world, ask(family, { oif = "wan0" }), "deny", "in the clear")
      goes(world, ask(family, { oif = "tun0" }), "allow state")
    end
  end
end

function cases.spoofed_replies_are_dropped()
  local world <close> = gateway [[rules = {
    deny { "spoofed", dir = "forward", iif = "wan*", src = "10.0.0.0/24" },
    allow { "all", dir = "forward" } }]]
  goes(world, answer("v4", { iif = "tun0" }), "allow")
  goes(world, ask("v4", { oif = "tun0" }), "allow state")
  goes(world, ask("v4", { iif = "wan1", oif = "tun0" }), "deny rule-deny")
  goes(world, ask("v4", { oif = "wan1" }), "allow state", "the server's own, by another route")
end

-- "All the rest from outside" speaks of new connections.
function cases.a_rule_for_the_rest_does_not_bar_replies()
  local world <close> = gateway [[rules = {
    allow { "out", dir = "forward", iif = "lan0", oif = "wan*" },
    deny { "the rest", dir = "forward", iif = "wan*" } }]]
  goes(world, ask("v4", { oif = "wan0" }), "allow")
  goes(world, answer("v4", { iif = "wan1" }), "allow state")
  goes(world, answer("v4", { iif = "wan1", sport = 9 }), "deny rule-deny", "a stranger's")
end

function cases.lists_in_and_out()
  local world <close> = gateway [[rules = {
    deny { "not by wan0", dir = "out", oif = "wan0" },
    allow { "dns", dir = "out", proto = "udp", dport = 53 },
    deny { "no management from outside", dir = "in", iif = "wan*", proto = "udp", dport = 161 },
    allow { "snmp", dir = "in", proto = "udp", dport = 161 } }]]
  for _, hosts in ipairs { { "10.8.0.1", "192.0.2.53" }, { "2001:db8:8::1", "2001:db8:53::53" } } do
    local query = { dir = "out", proto = "udp", src = hosts[1], dst = hosts[2], sport = 3000, dport = 53 }
    goes(world, like(query, { oif = "tun0" }), "allow")
    goes(world, like(query, { oif = "wan0" }), "deny rule-deny", "a socket here")
    goes(world, like(query, { oif = "wan1" }), "allow state")
    local reply = { dir = "in", proto = "udp", src = hosts[2], dst = hosts[1], sport = 53, dport = 3000 }
    goes(world, like(reply, { iif = "wan1" }), "allow state")
    goes(world, like(reply, { iif = "wan0" }), "deny rule-deny", "by where it could not go")
    local get = { dir = "in", proto = "udp", src = hosts[2], dst = hosts[1], sport = 4000, dport = 161 }
    goes(world, like(get, { iif = "tun0" }), "allow")
    goes(world, like(get, { iif = "wan1" }), "deny rule-deny")
    local got = { dir = "out", proto = "udp", src = hosts[1], dst = hosts[2], sport = 161, dport = 4000 }
    goes(world, like(got, { oif = "tun0" }), "allow state")
    goes(world, like(got, { oif = "wan1" }), "deny rule-deny", "the answer, seen as its connection")
    goes(world, like(got, { oif = "wan0" }), "deny rule-deny", "the answer itself")
  end
end

function cases.users_are_asked_again_with_the_interface()
  local world <close> = gateway [[rules = {
    allow { "nobody by the tunnel", dir = "out", oif = "tun0", user = 65534 },
    allow { "root anywhere", dir = "out", user = 0 } }]]
  local query = { dir = "out", proto = "udp", src = "10.8.0.1", dst = "192.0.2.53", sport = 3000, dport = 53 }
  goes(world, like(query, { oif = "tun0", user = 65534 }), "allow")
  goes(world, like(query, { oif = "tun0", user = 65534 }), "allow state")
  goes(world, like(query, { oif = "wan0", user = 65534 }), "deny default-deny")
  goes(world, like(query, { oif = "tun0", sport = 3001, user = 0 }), "allow")
  goes(world, like(query, { oif = "wan0", sport = 3001, user = 0 }), "allow state")
end

function cases.loopback_is_left_alone()
  local world <close> = gateway [[rules = { allow { "lo", iif = "lo" }, allow { "out", dir = "out" } }]]
  local there = { dir = "out", oif = "lo", proto = "tcp", src = "127.0.0.1", dst = "127.0.0.1" }
  local back = like(there, { sport = 80, dport = 9 })
  there = like(there, { sport = 9, dport = 80 })
  for _, p in ipairs { like(there, { flags = "S", seq = 1 }), like(back, { flags = "SA", seq = 5, ack = 2 }),
    like(there, { flags = "A", seq = 2, ack = 6 }),
    like(back, { flags = "PA", seq = 6, ack = 2, payload = "x" }) } do
    local out = assert(world:pass { list = "out", oif = "lo", data = assert(packet.build(p)) })
    expect(out.verdict, "accept")
  end
  expect(#live(world), 1)
  expect(live(world)[1].state, "ESTABLISHED")
end

-- The rows, a trial and a commit know by which interfaces a connection goes now.
function cases.a_commit_asks_about_the_present_interfaces()
  local world <close> = gateway [[rules = { allow { "any tunnel", dir = "forward", oif = "tun*" } }]]
  goes(world, ask("v4", { oif = "tun0" }), "allow")
  goes(world, answer("v4", { iif = "tun0" }), "allow")
  goes(world, ask("v4", { oif = "tun1" }), "allow")
  expect(live(world)[1].oif, "tun1")
  local function denied(source)
    local p = scene.checked("stateful = true, " .. source)
    local told = kernel.of(world).transact(compile.dry_run(p), "trial")
    return told.dry_run and told.dry_run[1].states or 0
  end
  local one = [[rules = { allow { "one", dir = "forward", iif = "lan0", oif = "tun1" } }]]
  local zero = [[rules = { allow { "zero", dir = "forward", iif = "lan0", oif = "tun0" } }]]
  expect(denied(one), 0)
  expect(denied(zero), 1)
  commit(world, one)
  goes(world, answer("v4", { iif = "tun1" }), "allow state")
  expect(live(world)[1].rule, "one")
  goes(world, answer("v4", { iif = "tun0" }), "deny default-deny", "what older rules allowed counts no more")
  commit(world, zero)
  goes(world, answer("v4", { iif = "tun1" }), "deny rejudged", "where it went last is denied now")
  expect(#live(world), 0)
end

function cases.route_and_rules_move_together()
  local world <close> = gateway [[rules = { allow { "zero", dir = "forward", iif = "lan0", oif = "tun0" } }]]
  goes(world, ask("v4", { oif = "tun0" }), "allow")
  commit(world, [[rules = { allow { "one", dir = "forward", iif = "lan0", oif = "tun1" } }]])
  goes(world, ask("v4", { oif = "tun1" }), "allow state")
  expect(live(world)[1].rule, "one")
end

function cases.an_interface_that_comes_back_is_another_one()
  local world <close> = gateway [[rules = { allow { "by tun", dir = "forward", oif = "tun*" } }]]
  goes(world, ask("v4", { oif = "tun0" }), "allow")
  world:device("tun7", { addresses = { "10.7.0.1/24" } })
  goes(world, ask("v4", { oif = "tun7" }), "allow state")
  expect(live(world)[1].oif, "tun7")
end

-- Errors go the way of the packets that answer what they quote.
function cases.errors_leave_by_no_barred_interface()
  local world <close> = gateway [[rules = {
    deny { "never in the clear", dir = "forward", oif = "wan0" }, allow { "all", dir = "forward" } }]]
  goes(world, answer("v4", { iif = "tun0" }), "allow")
  local error = { dir = "forward", iif = "lan0", icmp = "port-unreachable",
    src = HOST.v4[1], dst = HOST.v4[2], inner = { proto = "udp", sport = 5060, dport = 5060 } }
  goes(world, like(error, { oif = "tun0" }), "allow related")
  goes(world, like(error, { oif = "wan0" }), "deny")
end

-- FTP: what is announced counts as its control connection, by whatever interfaces it then goes.
local function ftp_by(oif)
  return ([[rules = { allow { "ftp by %s", dir = "forward", iif = "lan0", oif = "%s", proto = "tcp",
    dport = 21, helper = "ftp" } }]]):format(oif, oif)
end

local function control(world)
  local function c(fields)
    return ask("v4", like({ proto = "tcp", sport = 4000, dport = 21, oif = "tun0" }, fields))
  end
  local function s(fields)
    return answer("v4", like({ proto = "tcp", sport = 21, dport = 4000, iif = "tun0" }, fields))
  end
  local pasv, here = "PASV\r\n", "227 Entering Passive Mode (192,0,2,60,200,1)\r\n"
  goes(world, c { flags = "S", seq = 100 }, "allow")
  goes(world, s { flags = "SA", seq = 500, ack = 101 }, "allow")
  goes(world, c { flags = "A", seq = 101, ack = 501 }, "allow")
  goes(world, c { flags = "PA", seq = 101, ack = 501, payload = pasv }, "allow")
  goes(world, s { flags = "PA", seq = 501, ack = 101 + #pasv, payload = here }, "allow")
  local port = "PORT 10,0,0,14,200,2\r\n"
  goes(world, c { flags = "PA", seq = 101 + #pasv, ack = 501 + #here, payload = port }, "allow")
end

function cases.ftp_data_goes_as_its_control_connection_may()
  local function passive(fields)
    local syn = { proto = "tcp", sport = 4001, dport = 200 * 256 + 1, flags = "S", seq = 1 }
    return ask("v4", like(syn, fields))
  end
  local function active(fields)
    local syn = { proto = "tcp", sport = 20, dport = 200 * 256 + 2, flags = "S", seq = 1 }
    return answer("v4", like(syn, fields))
  end
  for _, leak in ipairs { passive { oif = "wan0" }, active { iif = "wan0" } } do
    local world <close> = gateway(ftp_by "tun*")
    control(world)
    goes(world, leak, "deny default-deny", "announced, and in the clear")
  end
  local world <close> = gateway(ftp_by "tun*")
  control(world)
  goes(world, passive { oif = "tun1" }, "allow expected")
  goes(world, active { iif = "tun0" }, "allow expected")
  goes(world, active { iif = "tun1" }, "allow state")
  goes(world, active { iif = "wan1" }, "deny default-deny", "live, and from elsewhere")
  goes(world, passive { oif = "wan0" }, "deny default-deny")
  commit(world, ftp_by "tun1")
  goes(world, active { iif = "tun1" }, "allow state")
end

-- Masquerading: as nf_nat has it, what leaves by another interface than it was translated for begins anew.
local OUTSIDE = {
  wan0 = { v4 = "203.0.113.1", v6 = "2001:db8::1" },
  wan1 = { v4 = "198.51.100.1", v6 = "2001:db8:1::1" },
}

local MASQUERADE = [[nat = { masquerade { "wan", oif = "wan*" } }, rules = { allow { "out", iif = "lan0" },
  allow { "own", dir = "out" } }]]

function cases.masqueraded_connections_begin_anew_by_another_uplink()
  local world <close> = gateway(MASQUERADE)
  for _, family in ipairs { "v4", "v6" } do
    expect(goes(world, ask(family, { oif = "wan0" }), "allow").src, OUTSIDE.wan0[family])
    expect(goes(world, ask(family, { oif = "wan0" }), "allow state").src, OUTSIDE.wan0[family])
    goes(world, ask(family, { oif = "wan1" }), "deny nat-moved")
    expect(#live(world, { proto = "udp", src = HOST[family][1] }), 0)
    for _ = 1, 2 do
      expect(goes(world, ask(family, { oif = "wan1" }), "allow").src, OUTSIDE.wan1[family])
    end
    local function c(fields)
      return ask(family, like({ proto = "tcp", dport = 443, oif = "wan0" }, fields))
    end
    goes(world, c { flags = "S", seq = 100 }, "allow")
    local back = { proto = "tcp", sport = 443, iif = "wan0", flags = "SA", seq = 500, ack = 101 }
    goes(world, answer(family, like(back, { dst = OUTSIDE.wan0[family] })), "allow")
    goes(world, c { flags = "A", seq = 101, ack = 501 }, "allow")
    goes(world, c { flags = "PA", seq = 101, ack = 501, payload = "x", oif = "wan1" }, "deny nat-moved")
    expect(#live(world, { proto = "tcp", src = HOST[family][1] }), 0)
  end
end

-- Those that leave untranslated, by the tunnel or from here, would be masqueraded by the uplink.
function cases.what_would_be_masqueraded_by_another_interface_begins_anew()
  local world <close> = gateway(MASQUERADE)
  for _, family in ipairs { "v4", "v6" } do
    expect(goes(world, ask(family, { oif = "tun0" }), "allow").src, HOST[family][1])
    goes(world, ask(family, { oif = "wan1" }), "deny nat-moved")
    expect(goes(world, ask(family, { oif = "wan1" }), "allow").src, OUTSIDE.wan1[family])
    goes(world, ask(family, { oif = "tun0" }), "deny nat-moved", "and back")
    expect(goes(world, ask(family, { oif = "tun0" }), "allow").src, HOST[family][1])

    local function here(oif)
      return { dir = "out", oif = oif, proto = "udp", src = OUTSIDE.wan0[family], dst = HOST[family][2],
        sport = 9, dport = 9 }
    end
    goes(world, here "wan0", "allow")
    goes(world, here "wan1", "deny nat-moved", "a socket bound to an uplink's address")
    expect(goes(world, here "wan1", "allow").src, OUTSIDE.wan1[family])
  end
end

-- Two links with one address: nothing has to begin anew.
function cases.the_same_address_by_another_interface_stays()
  local world <close> = gateway(MASQUERADE)
  world:device("wan1", { addresses = { "203.0.113.1/24" } })
  for _, oif in ipairs { "wan0", "wan1", "wan0", "wan1" } do
    expect(goes(world, ask("v4", { oif = oif }), "allow").src, OUTSIDE.wan0.v4)
  end
  expect(#live(world), 1)
  world:device("wan0", { addresses = { "203.0.113.9/24" } })
  world:device("wan1", { addresses = { "203.0.113.8/24" } })
  expect(#live(world), 0, "the address has gone")
end

function cases.replies_by_another_uplink_leave_a_translation_alone()
  local world <close> = gateway(MASQUERADE)
  local reply = answer("v4", { dst = OUTSIDE.wan0.v4 })
  goes(world, ask("v4", { oif = "wan0" }), "allow")
  goes(world, like(reply, { iif = "wan0" }), "allow state")
  goes(world, like(reply, { iif = "wan1" }), "allow state")
  goes(world, ask("v4", { oif = "wan0" }), "allow state")
  goes(world, ask("v4", { oif = "wan1" }), "deny nat-moved", "replies by there say nothing of what leaves")
end

-- A fixed address is the administrator's, by whatever interface.
function cases.snat_and_dnat_stay()
  local world <close> = gateway [[nat = { snat { "fixed", oif = "wan*", to = "203.0.113.7" },
      dnat { "web", iif = "wan*", proto = "tcp", dport = 80, to = "10.0.0.80" } },
    rules = { allow { "all", dir = "forward" } }]]
  for _, oif in ipairs { "wan0", "wan1" } do
    expect(goes(world, ask("v4", { oif = oif }), "allow").src, "203.0.113.7")
  end
  local syn = { dir = "forward", iif = "wan0", proto = "tcp", src = "192.0.2.60", dst = "203.0.113.1",
    sport = 1, dport = 80, flags = "S", seq = 1 }
  expect(goes(world, syn, "allow").dst, "10.0.0.80")
  local answered = { dir = "forward", iif = "lan0", oif = "wan1", proto = "tcp", src = "10.0.0.80",
    dst = "192.0.2.60", sport = 80, dport = 1, flags = "SA", seq = 9, ack = 2 }
  expect(goes(world, answered, "allow state").src, "203.0.113.1")
end

return cases
