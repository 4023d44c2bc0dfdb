-- SPDX-License-Identifier: GPL-2.0-or-later
-- A control connection of FTP in a world, and what came of it.
local explain = require "ipfi.live.explain"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local running = require "ipfi.live.ruleset"
local scene = require "engine_scene"

local ftp = {}
local Control = {}
Control.__index = Control

--- Fields of one table, and those of others over them.
function ftp.with(...)
  local made = {}
  for _, fields in ipairs { ... } do
    for key, value in pairs(fields) do
      made[key] = value
    end
  end
  return made
end

--- Lets a packet pass: what came of it, and what left as a table.
function ftp.pass(world, fields)
  local out, problem = world:pass {
    list = fields.dir, iif = fields.iif, oif = fields.oif, data = fields.data or assert(packet.build(fields)),
  }
  if not out then
    error(problem, 2)
  end
  return out, packet.parse(out.data)
end

--- A counter by the name of its reason.
function ftp.count(world, reason)
  for _, counter in ipairs(kernel.of(world).ask({ cmd = "stats" }, "test").stats.counters) do
    if counter.reason == reason then
      return counter.packets
    end
  end
  error("no reason " .. reason, 2)
end

local DROPPED = { deny = "drop", reject = "drop", allow = "accept" }

--- Lets a packet pass and says by which reason it was counted; an explanation before must say the same.
function ftp.reason(world, fields)
  local function counters()
    local all = {}
    for _, counter in ipairs(kernel.of(world).ask({ cmd = "stats" }, "test").stats.counters) do
      all[counter.reason] = counter.packets
    end
    return all
  end
  local data = fields.data or assert(packet.build(fields))
  local meta = { list = fields.dir, iif = fields.iif, oif = fields.oif }
  local told = kernel.with(world, function()
    return explain.judgement(kernel.list(explain.question(data, meta), "test"), running.by_id(), data, meta)
  end)
  local before = counters()
  local out, left = ftp.pass(world, ftp.with(fields, { data = data }))
  local reason
  for name, packets in pairs(counters()) do
    if packets ~= before[name] then
      reason = name
    end
  end
  scene.expect(DROPPED[told.verdict], out.verdict, "the explanation " .. tostring(told))
  scene.expect(told.reason, reason, "the explanation " .. tostring(told))
  return reason, out, left
end

--- What is expected: list of "SRC > DST:PORT", the oldest first.
function ftp.expected(world)
  local list = {}
  for message in kernel.of(world).dump({ cmd = "expectations_dump" }, "test") do
    local one = message.expectation
    list[#list + 1] = ("%s > %s:%d"):format(one.src, one.dst, one.dport)
  end
  return list
end

--- A control connection. Each of client and server is { src =, sport =, dst =, dport =, dir =, iif =, oif = }
-- as it
-- sends; the handshake is done unless ends.midstream.
function ftp.control(world, ends)
  local c = setmetatable({ world = world, client = ends.client, server = ends.server, next = {
    client = ends.client_seq or 1000, server = ends.server_seq or 5000 } }, Control)
  if not ends.midstream then
    c:send("client", { flags = "S", ack = 0 })
    c:send("server", { flags = "SA" })
    c:send("client", { flags = "A" })
  end
  return c
end

--- A packet of one side at its next number. Numbers go on by what it says; fields.seq says another.
-- @return what came of it, what left as a table, the reason
function Control:send(who, fields)
  local other = who == "client" and "server" or "client"
  local t = ftp.with({ proto = "tcp", flags = "PA", seq = self.next[who], ack = self.next[other] }, self[who],
    fields)
  local reason, out, left = ftp.reason(self.world, t)
  if not fields.seq and not fields.lost then
    self.next[who] = self.next[who] + #(t.payload or "") + (t.flags:find "[SF]" and 1 or 0)
  end
  return out, left, reason
end

--- The reason by which a text of a side was counted.
function Control:say(who, text, fields)
  return select(3, self:send(who, ftp.with({ payload = text }, fields or {})))
end

--- The ends of a control connection from outside to a host behind the gateway, published or not, or the other
-- way.
ftp.ends = {
  [4] = { me = "192.0.2.1", inside = "10.0.0.5", outside = "198.51.100.9", other = "198.51.100.10" },
  [6] = { me = "2001:db8::1", inside = "2001:db8:1::10", outside = "2001:db8:9::9", other = "2001:db8:9::a" },
}

--- @param kind "plain", "dnat" (the server is published), "snat" (the client is hidden)
-- @return the fields of a policy, the ends
function ftp.setting(kind, family, more)
  local e = ftp.ends[family]
  local inward = { dir = "forward", iif = "eth0", oif = "eth1" }
  local outward = { dir = "forward", iif = "eth1", oif = "eth0" }
  local nat = kind == "dnat" and ([[dnat {
      "published", iif = "eth0", proto = "tcp", dst = %q, dport = 21, to = %q }]])
    :format(e.me, e.inside) or kind == "snat" and [[masquerade { "out", oif = "eth0" }]] or ""
  local policy = ([[nat = { %s }, rules = { allow {
      "ftp", dir = "forward", proto = "tcp", dport = 21, helper = "ftp"%s } }]])
    :format(nat, more or "")
  local client, server
  if kind == "snat" then
    client = ftp.with(outward, { src = e.inside, sport = 4000, dst = e.outside, dport = 21 })
    server = { dir = "in", iif = "eth0", src = e.outside, sport = 21, dst = e.me, dport = 4000 }
  else
    client = ftp.with(inward, { src = e.outside, sport = 4000, dst = e.inside, dport = 21 })
    server = ftp.with(outward, { src = e.inside, sport = 21, dst = e.outside, dport = 4000 })
    if kind == "dnat" then
      client = { dir = "in", iif = "eth0", src = e.outside, sport = 4000, dst = e.me, dport = 21 }
    end
  end
  return policy, { client = client, server = server }
end

--- A gateway with such a policy and a control connection.
function ftp.begin(kind, family, more, fields)
  local world = scene.gateway()
  local policy, ends = ftp.setting(kind, family, more)
  scene.commit(world, scene.checked(policy .. (fields and ", " .. fields or "")))
  return world, ftp.control(world, ends)
end

return ftp
