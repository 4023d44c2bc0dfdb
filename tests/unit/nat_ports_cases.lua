-- SPDX-License-Identifier: GPL-2.0-or-later
-- Ports are translated for each protocol that has some, and the checksums are right behind it: what leaves
-- is, byte
-- for byte, what its sender would have made with the other ends.
package.path = "lua/?.lua;tests/unit/?.lua"

local packet = require "ipfi.packet.packet"
local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

local PROTOS = { "tcp", "udp", "udplite", "sctp", "dccp" }

-- Ends of each family: the gateway's outer address, a host inside and two outside.
local FAMILIES = {
  { me = "192.0.2.1", inside = "10.0.0.10", a = "198.51.100.9", b = "198.51.100.10" },
  { me = "2001:db8::1", inside = "2001:db8:1::10", a = "2001:db8:9::9", b = "2001:db8:9::a" },
}

local function gateway(source)
  local world = scene.gateway()
  scene.commit(world, scene.checked(source))
  return world
end

local pass, with = scene.pass, scene.like

local function hex(data)
  return (data:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

-- The packet passes, and leaves as one of these fields.
local function leaves(world, fields, wanted, what)
  local out = pass(world, fields)
  expect(out.verdict, "accept", what)
  local data = assert(packet.build(wanted))
  if out.data ~= data then
    error(("%s: got %s\n%s\nwanted %s\n%s"):format(what, packet.line(packet.parse(out.data)), hex(out.data),
      packet.line(packet.parse(data)), hex(data)), 2)
  end
  return out
end

-- A packet of a conversation and its other fields: requests of TCP are SYNs.
local function packet_of(proto, fields)
  return with({ proto = proto, seq = 100, flags = proto == "tcp" and "S" or nil,
    payload = proto ~= "sctp" and "what it carries" or nil }, fields)
end

local function answer_of(proto, fields)
  return with({ proto = proto, seq = 700, ack = proto == "tcp" and 116 or nil,
    flags = proto == "tcp" and "SA" or nil,
    payload = proto == "sctp" and "\0\3\0\16" .. ("answer"):rep(2) or ("odd"):rep(11) }, fields)
end

-- Each protocol in each family.
local function each(run)
  for _, proto in ipairs(PROTOS) do
    for family, ends in ipairs(FAMILIES) do
      run(proto, ends, proto .. (family == 1 and ", IPv4" or ", IPv6"))
    end
  end
end

local ALLOW = [[rules = { allow { "all", state = true } }]]

function cases.a_destination_gets_another_port()
  each(function(proto, e, what)
    local world <close> = gateway(([[nat = { dnat {
      "x", proto = %q, dst = %q, dport = 2905, to = %q, to_port = 2906 } }, %s]])
      :format(proto, e.me, e.inside, ALLOW))
    leaves(world, packet_of(proto, { dir = "in", iif = "eth0", src = e.a, sport = 5000, dst = e.me,
      dport = 2905 }),
      packet_of(proto, { src = e.a, sport = 5000, dst = e.inside, dport = 2906 }), what)
    leaves(world, answer_of(proto, { dir = "forward", iif = "eth1", src = e.inside, sport = 2906, dst = e.a,
      dport = 5000 }), answer_of(proto, { src = e.me, sport = 2905, dst = e.a, dport = 5000 }),
        what .. ", the answer")
  end)
end

function cases.a_redirection_has_its_port()
  each(function(proto, e, what)
    local world <close> = gateway(([[nat = { redirect { "x", proto = %q, dport = 2905, to = 2906 } }, %s]])
      :format(proto, ALLOW))
    leaves(world, packet_of(proto, { dir = "in", iif = "eth0", src = e.a, sport = 5000, dst = e.me,
      dport = 2905 }),
      packet_of(proto, { src = e.a, sport = 5000, dst = e.me, dport = 2906 }), what)
    leaves(world, answer_of(proto, { dir = "out", oif = "eth0", src = e.me, sport = 2906, dst = e.a,
      dport = 5000 }),
      answer_of(proto, { src = e.me, sport = 2905, dst = e.a, dport = 5000 }), what .. ", the answer")
  end)
end

function cases.a_source_gets_a_port_of_the_range()
  each(function(proto, e, what)
    local world <close> = gateway(([[nat = { snat {
      "x", oif = "eth0", proto = %q, to = %q, to_port = 40000 } }, %s]])
      :format(proto, e.me, ALLOW))
    leaves(world, packet_of(proto, { dir = "forward", iif = "eth1", oif = "eth0", src = e.inside,
      sport = 5000,
      dst = e.a, dport = 2905 }), packet_of(proto, { src = e.me, sport = 40000, dst = e.a, dport = 2905 }),
        what)
    leaves(world, answer_of(proto, { dir = "in", iif = "eth0", src = e.a, sport = 2905, dst = e.me,
      dport = 40000 }),
      answer_of(proto, { src = e.a, sport = 2905, dst = e.inside, dport = 5000 }), what .. ", the answer")
  end)
end

-- Two hosts with one port: the second one gets another, of the same class, and with UDP's parity where that
-- is kept.
function cases.a_taken_port_is_given_once()
  each(function(proto, e, what)
    local world <close> = gateway([[nat = { masquerade { "x", oif = "eth0" } }, ]] .. ALLOW)
    local other = e.inside:gsub("10$", "11")
    local first = packet_of(proto, { dir = "forward", iif = "eth1", oif = "eth0", src = e.inside,
      sport = 5000,
      dst = e.a, dport = 2905 })
    leaves(world, first, with(first, { src = e.me }), what)
    local out = pass(world, with(first, { src = other }))
    local left = packet.parse(out.data)
    expect(out.verdict, "accept", what)
    expect(left.problem, nil, what)
    expect(left.src, e.me, what)
    if left.sport == 5000 or left.sport < 1024 then
      error(("%s: got port %d"):format(what, left.sport))
    end
    leaves(world, with(first, { src = other }), with(first, { src = e.me, sport = left.sport }),
      what .. ", again")
    leaves(world, answer_of(proto, { dir = "in", iif = "eth0", src = e.a, sport = 2905, dst = e.me,
      dport = left.sport }), answer_of(proto, { src = e.a, sport = 2905, dst = other, dport = 5000 }),
        what .. ", answer")
  end)
end

-- An error shows inside what was sent inside, whole or cut: a router quotes as much as it likes.
function cases.errors_quote_what_was_sent()
  each(function(proto, e, what)
    local world <close> = gateway(([[nat = { snat {
      "x", oif = "eth0", to = %q, proto = %q, to_port = 40000 } }, %s]])
      :format(e.me, proto, ALLOW))
    local inner = packet_of(proto, { src = e.inside, sport = 5000, dst = e.a, dport = 2905,
      payload = ("some"):rep(20) })
    local outer = with(inner, { src = e.me, sport = 40000 })
    pass(world, with(inner, { dir = "forward", iif = "eth1", oif = "eth0" }))
    local sent, header = assert(packet.build(inner)), e.me:find ":" and 40 or 20
    local seen = assert(packet.build(outer))
    for _, length in ipairs { 8, 12, 13, 20, 41, #sent - header } do
      local error_of = { icmp = "port-unreachable" }
      leaves(world, with(error_of, { dir = "in", iif = "eth0", src = e.b, dst = e.me,
        inner = seen:sub(1, header + length) }),
        with(error_of, { src = e.b, dst = e.inside, inner = sent:sub(1, header + length) }),
        ("%s, %d bytes quoted"):format(what, length))
    end
  end)
end

return cases
