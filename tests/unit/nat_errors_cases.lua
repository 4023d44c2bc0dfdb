-- SPDX-License-Identifier: GPL-2.0-or-later
-- ICMP errors about connections whose destination is translated and that the filter has not seen: the first
-- packet has arrived, and has then gone nowhere.
package.path = "lua/?.lua;tests/unit/?.lua"

local packet = require "ipfi.packet.packet"
local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

local FAMILIES = {
  { outer = "192.0.2.1", client = "198.51.100.7", server = "10.0.0.10", error = "port-unreachable" },
  { outer = "2001:db8::1", client = "2001:db8:9::7", server = "2001:db8:1::10", error = "port-unreachable" },
}

-- A world in which the client's first packet, of @proto, has arrived and is lost before it is forwarded.
local function arrived(ends, proto)
  local world = scene.gateway()
  scene.commit(world, scene.checked(([[
    nat = { dnat { "www", iif = "eth0", dst = %q, proto = %q, dport = 53, to = %q } },
    rules = { allow { "errors", icmp = "port-unreachable", state = false },
      allow { "dns", dir = "forward", proto = %q, dport = 53, state = true } }]]):format(ends.outer, proto,
    ends.server, proto)))
  local data = assert(packet.build { dir = "forward", proto = proto, src = ends.client, sport = 5000,
    dst = ends.outer, dport = 53 })
  local out = assert(world:pass { list = "forward", iif = "eth0", oif = "eth1", data = data,
    wait = function(next)
      return next ~= "forward"
    end })
  expect(packet.parse(out.data).dst, ends.server, "the destination is translated")
  return world
end

-- Every packet that may be quoted of the connection, in either direction, as each place would show it.
local function quotes(ends, proto)
  local list = {}
  for _, target in ipairs { ends.outer, ends.server } do
    for _, turned in ipairs { false, true } do
      local quote = { src = ends.client, sport = 5000, dst = target, dport = 53, proto = proto }
      if turned then
        quote.src, quote.dst, quote.sport, quote.dport = quote.dst, quote.src, quote.dport, quote.sport
      end
      list[#list + 1] = quote
    end
  end
  return list
end

-- An error about an unconfirmed connection passes as it came; only what quotes the packet that arrived, as
-- it was here, leaves with what its sender knows.
function cases.unconfirmed_connections_answer_no_error()
  for _, ends in ipairs(FAMILIES) do
    for _, proto in ipairs { "udp", "tcp", "sctp" } do
      for _, way in ipairs { { "forward", "eth0", "eth1" }, { "forward", "eth1", "eth0" }, { "in", "eth0" },
        { "out", nil, "eth0" } } do
        for i, quote in ipairs(quotes(ends, proto)) do
          local world <close> = arrived(ends, proto)
          local fields = { dir = way[1], iif = way[2], oif = way[3], dst = quote.src, icmp = ends.error,
            src = i > 2 and ends.server or ends.client, inner = quote }
          local data = assert(packet.build(fields))
          local out = assert(world:pass { list = way[1], iif = way[2], oif = way[3], data = data })
          local left = packet.parse(out.data)
          local what = ("%s %s %d %s > %s"):format(proto, way[1], i, quote.src, quote.dst)
          expect(#out.data, #data, what)
          local told = quote.src == ends.client and quote.dst == ends.server and way[1] ~= "in"
          expect(left.inner.src, quote.src, what .. ": source quoted")
          expect(left.inner.dst, told and ends.outer or quote.dst, what .. ": destination quoted")
          expect(left.inner.sport, quote.sport, what .. ": port quoted")
          expect(left.inner.dport, quote.dport, what .. ": port quoted")
        end
      end
    end
  end
end

return cases
