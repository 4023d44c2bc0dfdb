-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the cases in the built-in engine share: a gateway, and policies written as text.
local compile = require "ipfi.compile"
local engine = require "ipfi.c.engine"
local kernel = require "ipfi.kernel"
local policy = require "ipfi.policy"

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

return scene
