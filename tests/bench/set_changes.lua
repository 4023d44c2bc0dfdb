#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- What live connections pay for changes of a dynamic set, in the built-in engine, without a guest: FLOWS of
-- them (500000), behind RULES (1000) and one that asks the set, while members come and go ten times a second.
-- Once they concern nobody, once everybody: that is what every change cost when each had all states evaluated
-- again. Most of the time is the engine's own way of a packet, so only differences mean something;
-- tests/bench/run sets measures the same in a kernel.
--
--     build/ipfi tests/bench/set_changes.lua [FLOWS [RULES [ROUNDS]]]
package.path = "tests/unit/?.lua;" .. package.path

local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local sets = require "ipfi.live.sets"
local sys = require "ipfi.c.sys"

local scene = require "engine_scene"

local flows, rules, rounds = tonumber(arg[1] or 500000), tonumber(arg[2] or 1000), tonumber(arg[3] or 5)

local world = scene.gateway()
local text = { [[limits = { max_states = 4000000, udp_new = 86400 }, rules = {
  deny { "banned", dir = "forward", src = set { name = "bans", dynamic = true }, dport = 1 } ]] }
for i = 1, rules do
  text[#text + 1] = (', deny { "rule %d", dir = "forward", src = "10.99.%d.%d", dport = %d }'):format(i,
    i // 256, i % 256, i)
end
text[#text + 1] = ', allow { "all", dir = "forward", state = true } }'
scene.commit(world, scene.checked(table.concat(text)))

local packets = {}
for i = 1, flows do
  local data = assert(packet.build { dir = "forward", proto = "udp", sport = 1024 + i % 60000, dport = 5000,
    src = ("10.1.%d.%d"):format(i // 250 % 250, i % 250 + 1), dst = ("198.51.%d.1"):format(i // 62500) })
  packets[i] = { list = "forward", iif = "eth1", oif = "eth0", data = data }
end

local function change(network, comes)
  kernel.with(world, function()
    local bans = sets.get "bans"
    if comes then
      bans:add(network)
    else
      bans:del(network)
    end
  end)
end

-- One round over all connections; ns a packet without the changes themselves, and how many these were.
local function round(network)
  local start, spent, changes = sys.monotonic(), 0, 0
  local due = start + 0.05
  for i = 1, flows do
    world:pass(packets[i])
    if network and i % 64 == 0 and sys.monotonic() >= due then
      local before = sys.monotonic()
      changes = changes + 1
      change(network, changes % 2 == 1)
      due, spent = before + 0.1, spent + sys.monotonic() - before
    end
  end
  return (sys.monotonic() - start - spent) / flows * 1e9, changes
end

round()
print(("%d live connections, %d rules, %d rounds: ns a packet"):format(flows, rules, rounds))
local function row(what, network)
  local least, most_changes = math.huge, 0
  for _ = 1, rounds do
    local ns, changes = round(network)
    least, most_changes = math.min(least, ns), math.max(most_changes, changes)
  end
  print(("  %-40s %8.0f   %d changes a round"):format(what, least, most_changes))
end
row "no change"
row("changes that concern nobody", "192.0.2.1")
row("changes that concern everybody", "10.1.0.0/16")
row "no change"
world:close()
