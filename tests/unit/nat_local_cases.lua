-- SPDX-License-Identifier: GPL-2.0-or-later
-- Translation of what this machine sends and gets itself.
package.path = "lua/?.lua;tests/unit/?.lua"

local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

local FAMILIES = {
  { own = "192.0.2.1", far = "198.51.100.9", server = "10.0.0.10" },
  { own = "2001:db8::1", far = "2001:db8:9::9", server = "2001:db8:1::10" },
}

local pass = scene.pass

-- A route that is looked up again may move the packet to other memory. TCP options are read behind that, and
-- without the window scale nothing would pass that is beyond 64 KiB.
function cases.options_are_read_where_the_packet_is_now()
  for _, ends in ipairs(FAMILIES) do
    local world <close> = scene.gateway()
    scene.commit(world, scene.checked(([[nat = { dnat { "d", dst = %q, proto = "tcp", to = %q } },
      rules = { allow { "all", state = true } }]]):format(ends.far, ends.server)))
    local there = { dir = "out", proto = "tcp", src = ends.own, sport = 1000, dst = ends.far, dport = 80,
      flags = "S", seq = 100, window = 1000, options = "\2\4\5\180\3\3\10" }
    local back = { dir = "in", iif = "eth1", proto = "tcp", src = ends.server, sport = 80, dst = ends.own,
      dport = 1000, flags = "SA", seq = 500, ack = 101, window = 1000, options = "\2\4\5\180\3\3\10" }
    local function expect_pass(fields, changes)
      for name, value in pairs(changes or {}) do
        fields[name] = value
      end
      expect(pass(world, fields).verdict, "accept", tostring(fields.seq))
    end
    expect_pass(there)
    expect_pass(back)
    expect_pass(there, { flags = "A", seq = 101, ack = 501, options = "" })
    expect_pass(back, { flags = "A", seq = 501, ack = 101, options = "" })
    expect_pass(there, { seq = 101 + 500000, payload = "x" })
    expect_pass(back, { seq = 501 + 500000, payload = "x" })
  end
end

-- What arrives would look like answers to a translated connection of this machine: it gets another port, from
-- its first packet on, and its answers find their way back.
function cases.a_first_packet_enters_as_all_others()
  for _, ends in ipairs(FAMILIES) do
    local world <close> = scene.gateway()
    scene.commit(world, scene.checked(([[
      nat = { dnat { "d", src = %q, dst = %q, proto = "udp", dport = 40000, to = %q } },
      rules = { allow { "all", state = true } }]]):format(ends.own, ends.far, ends.server)))
    local own = { dir = "out", proto = "udp", src = ends.own, sport = 8080, dst = ends.far, dport = 40000 }
    local into = { dir = "in", iif = "eth0", proto = "udp", src = ends.far, sport = 40000, dst = ends.own,
      dport = 8080 }
    expect(pass(world, own).verdict, "accept")
    local out, first = pass(world, into)
    expect(out.verdict, "accept")
    expect(first.sport ~= 40000, true, "another port")
    local _, second = pass(world, into)
    expect(second.sport, first.sport, "the same for the next packet")
    local _, answer = pass(world, { dir = "out", proto = "udp", src = ends.own, sport = 8080, dst = ends.far,
      dport = first.sport })
    expect(answer.dst .. " " .. answer.dport, ends.far .. " 40000", "the answer")
    local _, of_own = pass(world, own)
    expect(of_own.dst, ends.server, "the machine's own connection")
  end
end

return cases
