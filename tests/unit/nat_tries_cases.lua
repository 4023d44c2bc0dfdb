-- SPDX-License-Identifier: GPL-2.0-or-later
-- The search for a free port: a small range is used up to its last port, a large one as long as it is useful,
-- and no more than 128 ports are tried for one connection.
package.path = "lua/?.lua;tests/unit/?.lua"

local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local stats = require "ipfi.live.stats"
local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

local TO = { [4] = "192.0.2.50", [6] = "2001:db8::50" }
local INSIDE = { [4] = "10.0.0.%d", [6] = "2001:db8:1::%x" }
local SERVER = { [4] = "198.51.100.9", [6] = "2001:db8:9::9" }

local function gateway(family, ports, persistent)
  local world = scene.gateway()
  scene.commit(world, scene.checked(([[
    nat = { snat { "out", oif = "eth0", proto = "udp", to = %q, to_port = %q, persistent = %s } },
    rules = { allow { "all", dir = "forward", state = true } }]]):format(TO[family], ports, persistent)))
  return world
end

-- The connection of a host inside, by its number; returns the port it leaves by, or nil.
local function open(world, family, number)
  local source = INSIDE[family]:format(2 + number % 250)
  local data = assert(packet.build { dir = "forward", proto = "udp", src = source,
    sport = 1000 + number // 250, dst = SERVER[family], dport = 53 })
  local out = assert(world:pass { list = "forward", iif = "eth1", oif = "eth0", data = data })
  return out.verdict == "accept" and packet.parse(out.data).sport or nil
end

local function drops(world, reason)
  return kernel.with(world, function()
    return stats.get().drops[reason]
  end)
end

function cases.a_small_range_is_used_up()
  for _, family in ipairs { 4, 6 } do
    for _, persistent in ipairs { false, true } do
      local world <close> = gateway(family, "40000-40099", persistent)
      local seen = {}
      for i = 1, 100 do
        local port = open(world, family, i)
        expect(port and port >= 40000 and port <= 40099 and not seen[port], true, "connection " .. i)
        seen[port] = true
      end
      expect(open(world, family, 101), nil)
      expect(drops(world, "nat-full"), 1)
    end
  end
end

-- Of 4000 ports 3600 are taken soon enough that hardly a connection is refused; all of them never.
function cases.a_large_range_is_useful_when_it_is_nearly_full()
  for _, persistent in ipairs { false, true } do
    local world <close> = gateway(4, "40000-43999", persistent)
    local seen, count = {}, 0
    for i = 1, 3600 do
      local port = open(world, 4, i)
      expect(port and not seen[port], true, "connection " .. i)
      seen[port] = true
    end
    for i = 3601, 4400 do
      local port = open(world, 4, i)
      count = count + (port and 1 or 0)
      expect(port and seen[port], nil, "connection " .. i)
      if port then
        seen[port] = true
      end
    end
    -- 128 tries find none of the last few; and the rest of 400 all the same.
    expect(count > 300 and count <= 400, true, count .. " of the last 400 ports")
    expect(drops(world, "nat-full"), 800 - count)
  end
end

return cases
