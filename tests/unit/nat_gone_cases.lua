-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the filter has accepted to be translated never leaves untranslated, whatever becomes of its state
-- before it leaves: while it waits for user space.
package.path = "lua/?.lua;tests/unit/?.lua"

local compile = require "ipfi.policy.compile"
local kernel = require "ipfi.base.kernel"
local states = require "ipfi.live.states"
local stats = require "ipfi.live.stats"
local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

local FAMILIES = {
  { outer = "192.0.2.1", spare = "192.0.2.50", inside = "10.0.0.10", far = "198.51.100.9" },
  { outer = "2001:db8::1", spare = "2001:db8::50", inside = "2001:db8:1::10", far = "2001:db8:9::9" },
}

local function rules(ends, nat, filter)
  return scene.checked(("nat = { %s }, rules = { %s }"):format(nat:gsub("%$(%w+)", ends), filter))
end

local pass = scene.pass

local function counted(world, reason)
  return kernel.with(world, function()
    return stats.get().drops[reason]
  end)
end

local ALLOW = 'allow { "all", state = true }'

-- Each kind of translation: the rules, the packets that come before, the one that waits, and what it shows.
local function kinds(ends)
  local out = { dir = "forward", iif = "eth1", oif = "eth0", proto = "udp", src = ends.inside,
    sport = 1000, dst = ends.far, dport = 53 }
  local into = { dir = "forward", iif = "eth0", oif = "eth1", proto = "udp", src = ends.far, sport = 1000,
    dst = ends.outer, dport = 80 }
  local answer = { dir = "forward", iif = "eth1", oif = "eth0", proto = "udp", src = ends.inside,
    sport = 8080, dst = ends.far, dport = 1000 }
  local own = { dir = "out", oif = "eth0", proto = "udp", src = ends.outer, sport = 1000, dst = ends.far,
    dport = 53 }
  local snat = 'snat { "s", oif = "eth0", to = "$spare" }'
  local dnat = 'dnat { "d", iif = "eth0", proto = "udp", dport = 80, to = "$inside", to_port = 8080 }'
  local error = { dir = "forward", iif = "eth1", oif = "eth0", src = ends.inside, dst = ends.far,
    icmp = "port-unreachable",
    inner = { proto = "udp", src = ends.far, sport = 1000, dst = ends.inside, dport = 8080 } }
  return {
    { name = "first of snat", nat = snat, packet = out, src = ends.spare },
    { name = "later of snat", nat = snat, before = { out }, packet = out, src = ends.spare },
    { name = "first of snat made here", nat = snat, packet = own, src = ends.spare },
    { name = "later of snat made here", nat = snat, before = { own }, packet = own, src = ends.spare },
    { name = "answer of dnat", nat = dnat, before = { into }, packet = answer, src = ends.outer },
    { name = "first of dnat with snat", nat = dnat .. ', snat { "s", oif = "eth1", to = "$spare" }',
      packet = into, src = ends.spare },
    { name = "error about dnat", nat = dnat, before = { into }, packet = error, src = ends.outer },
  }
end

-- What may happen to a state.
local function ends_by(world, ends, kind)
  local function kill()
    kernel.with(world, function()
      states.query({}):kill()
    end)
  end
  return {
    killed = kill,
    expired = function()
      world:advance(400)
    end,
    flushed = function()
      local messages = compile.messages(rules(ends, kind.nat, ALLOW), { states = "flush" })
      kernel.of(world).transact(messages, "commit")
    end,
    denied = function()
      scene.commit(world, rules(ends, kind.nat, 'deny { "none" }'))
      kill()
    end,
    ["without rules"] = function()
      scene.commit(world, rules(ends, "", 'allow { "all" }'))
      kill()
      world:advance(5)
    end,
    ["followed by another"] = function()
      kill()
      -- Untranslated, with the same end points.
      scene.commit(world, rules(ends, 'snat { "s", iif = "none0", to = "$spare" }', ALLOW))
      if not kind.packet.icmp then
        pass(world, kind.packet)
      end
    end,
  }
end

local FATES = { "killed", "expired", "flushed", "denied", "followed by another", "without rules" }

function cases.nothing_leaves_untranslated()
  for _, ends in ipairs(FAMILIES) do
    for _, kind in ipairs(kinds(ends)) do
      for _, fate in ipairs(FATES) do
        local world <close> = scene.gateway()
        scene.commit(world, rules(ends, kind.nat, ALLOW))
        for _, before in ipairs(kind.before or {}) do
          expect(pass(world, before).verdict, "accept", kind.name)
        end
        local what = kind.name .. ", " .. fate
        local out = pass(world, kind.packet, function(next)
          if next == "leave" then
            ends_by(world, ends, kind)[fate]()
          end
          return true
        end)
        expect(out.verdict, "drop", what)
        -- When translation stops, what waits is lost with its hooks.
        expect(counted(world, "nat-gone"), fate == "without rules" and 0 or 1, what)
      end
      -- Its state lives on: it leaves translated.
      local world <close> = scene.gateway()
      scene.commit(world, rules(ends, kind.nat, ALLOW))
      for _, before in ipairs(kind.before or {}) do
        pass(world, before)
      end
      local out, left = pass(world, kind.packet, function()
        return true
      end)
      expect(out.verdict, "accept", kind.name)
      expect(left.src, kind.src, kind.name)
      expect(counted(world, "nat-gone"), 0, kind.name)
    end
  end
end

-- What has no state, or one without a translation, leaves as it is while others are translated.
function cases.what_is_not_translated_leaves()
  for _, ends in ipairs(FAMILIES) do
    for _, state in ipairs { "false", "true" } do
      for _, packets in ipairs(kinds(ends)) do
        local world <close> = scene.gateway()
        scene.commit(world, rules(ends, 'snat { "s", oif = "eth0", proto = "tcp", to = "$spare" }',
          ('allow { "errors", icmp = "port-unreachable", state = false }, allow { "all", state = %s }')
            :format(state)))
        local out, left = pass(world, packets.packet, function()
          kernel.with(world, function()
            states.query({}):kill()
          end)
          return true
        end)
        expect(out.verdict, "accept", packets.name)
        expect(left.src, packets.packet.src, packets.name)
      end
    end
  end
end

return cases
