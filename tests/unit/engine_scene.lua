-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the cases in the built-in engine share: a gateway, and policies written as text.
local compile = require "ipfi.policy.compile"
local engine = require "ipfi.c.engine"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local policy = require "ipfi.policy.policy"
local states = require "ipfi.live.states"

local scene = {}

--- Raises an error at who asks unless two values are the same.
-- @param what is compared, or nil
function scene.expect(got, wanted, what)
  if got ~= wanted then
    error(("%sgot %s, wanted %s"):format(what and what .. ": " or "", tostring(got), tostring(wanted)), 2)
  end
end

--- A checked policy.
-- @param source its text, as of a file
function scene.policy(source)
  local _, words = policy.words { direct = true }
  return assert(load(source, "=test.lua", "t", words))()
end

--- A policy named "test".
-- @param fields of the policy, as written in a file
function scene.checked(fields)
  return scene.policy("return policy { name = 'test', " .. fields .. " }")
end

--- Commits a policy to a world.
function scene.commit(world, p)
  return kernel.of(world).transact(compile.messages(p), "commit")
end

--- A gateway between eth0, the Internet, and eth1, its own network.
-- @param seed of the world, or nil
function scene.gateway(seed)
  local world = engine.new { seed = seed or 7, time = 1700000000 }
  world:device("eth0", { addresses = { "192.0.2.1/24", "2001:db8::1/64" }, standard = true })
  world:device("eth1", { addresses = { "10.0.0.1/24", "2001:db8:1::1/64" } })
  return world
end

--- Lets a packet pass.
-- @param fields of packet.build(), or its data; what the hook knows of it, too
-- @param wait asked at each step whether the packet goes on, or nil: as world:pass()
-- @return what became of it, as world:pass(); the packet that left; the first that was sent in answer, or nil
function scene.pass(world, fields, wait)
  local out, problem = world:pass {
    list = fields.dir, iif = fields.iif, oif = fields.oif, mark = fields.mark, user = fields.user,
    ipsec = fields.ipsec, wait = wait, data = fields.data or assert(packet.build(fields)),
  }
  if not out then
    error(problem, 2)
  end
  return out, packet.parse(out.data), out.answers[1] and packet.parse(out.answers[1].data)
end

--- The rows of the states that a filter, or nil, finds in a world.
function scene.states(world, filter)
  local link, list = kernel.of(world), {}
  kernel.with(world, function()
    for row in states.query(filter or {}):each() do
      list[#list + 1] = row
    end
  end)
  link.close()
  return list
end

--- The same fields, but for those given as well.
function scene.like(other, fields)
  local made = {}
  for _, from in ipairs { other, fields or {} } do
    for name, value in pairs(from) do
      made[name] = value
    end
  end
  return made
end

return scene
