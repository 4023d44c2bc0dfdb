-- SPDX-License-Identifier: GPL-2.0-or-later
-- Rules that ask whether a packet came by IPsec, or will leave by it.
package.path = "lua/?.lua;tests/unit/?.lua"

local scene = require "engine_scene"
local simulate = require "ipfi.simulate.simulate"

local cases = {}
local expect = scene.expect

local pass = scene.pass

local FAMILIES = {
  { here = "192.0.2.1", there = "198.51.100.9", inside = "10.0.0.10" },
  { here = "2001:db8::1", there = "2001:db8:99::9", inside = "2001:db8:1::10" },
}

local function each_list(at)
  return ipairs {
    { dir = "in", iif = "eth0", src = at.there, dst = at.here, proto = "udp", dport = 53 },
    { dir = "out", oif = "eth0", src = at.here, dst = at.there, proto = "udp", dport = 53 },
    { dir = "forward", iif = "eth0", oif = "eth1", src = at.there, dst = at.inside, proto = "udp",
      dport = 53 },
  }
end

local function with(fields, ipsec)
  return scene.like(fields, { ipsec = ipsec })
end

function cases.rules_tell_packets_apart_by_it()
  for _, at in ipairs(FAMILIES) do
    for _, fields in each_list(at) do
      for _, wanted in ipairs { true, false } do
        local world <close> = scene.gateway()
        scene.commit(world, scene.checked(
          ('rules = { allow { "some", proto = "udp", ipsec = %s } }'):format(wanted)))
        expect(pass(world, with(fields, wanted)).verdict, "accept", fields.dir)
        expect(pass(world, with(fields, not wanted)).verdict, "drop", fields.dir)
        expect(pass(world, fields).verdict, wanted and "drop" or "accept", fields.dir)
      end
    end
  end
end

function cases.what_is_masqueraded_may_leave_out_tunnels()
  for _, at in ipairs(FAMILIES) do
    local world <close> = scene.gateway()
    scene.commit(world, scene.checked [[nat = { snat { "out", oif = "eth0", ipsec = false,
      to = { "192.0.2.77", "2001:db8::77" } } }, rules = { allow { "all", state = true } }]])
    local fields = { dir = "out", oif = "eth0", src = at.here, dst = at.there, proto = "udp", dport = 53 }
    local _, left = pass(world, with(fields, true))
    expect(left.src, at.here)
    fields.sport = 41000
    _, left = pass(world, fields)
    expect(left.src, at == FAMILIES[1] and "192.0.2.77" or "2001:db8::77")
  end
end

function cases.a_live_connection_does_not_remember_it()
  local world <close> = scene.gateway()
  local fields = { dir = "in", iif = "eth0", src = "198.51.100.9", dst = "192.0.2.1", proto = "udp",
    dport = 53 }
  scene.commit(world, scene.checked [[rules = { allow { "all", state = true } }]])
  pass(world, fields)
  -- A rule that allows by it counts as met, one that denies by it does not.
  scene.commit(world, scene.checked [[rules = { deny { "clear", ipsec = false },
    allow { "tunnel", ipsec = true, state = true } }]])
  expect(pass(world, fields).verdict, "accept")
  fields.sport = 41000
  expect(pass(world, fields).verdict, "drop")
end

function cases.simulations_and_explanations_know_it()
  local p = scene.checked [[rules = { allow { "tunnel", dir = "in", ipsec = true, proto = "udp" } }]]
  local fields = { dir = "in", src = "198.51.100.9", proto = "udp", dport = 53 }
  local sim = simulate.new(p)
  expect(sim:pass(with(fields, true)).rule, "tunnel")
  local judged = sim:pass(fields)
  expect(judged.verdict, "deny")
  expect(judged.steps[1].field, "ipsec")
  expect(tostring(judged):find("ipsec is false", 1, true) ~= nil, true, tostring(judged))
end

return cases
