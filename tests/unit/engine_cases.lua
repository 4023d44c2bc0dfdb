-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of the built-in engine: what the module answers to the program and does with packets, in a world.
package.path = "lua/?.lua"

local engine = require "ipfi.c.engine"
local kernel = require "ipfi.kernel"
local compile = require "ipfi.compile"
local packet = require "ipfi.packet"
local policy = require "ipfi.policy"
local states = require "ipfi.states"

local cases = {}

local function expect(got, wanted, what)
  if got ~= wanted then
    error(("%sgot %s, wanted %s"):format(what and what .. ": " or "", tostring(got), tostring(wanted)), 2)
  end
end

-- Commits a policy, its fields written as in a file.
local function commit(world, source)
  local _, words = policy.words { direct = true }
  local p = assert(load("return policy { name = 'test', " .. source .. " }", "=test.lua", "t", words))()
  return kernel.of(world).transact(compile.messages(p), "test")
end

-- A gateway between eth0, the Internet, and eth1, its own network; with a policy.
local function gateway(source)
  local world = engine.new { seed = 7, time = 1700000000 }
  world:device("eth0", { addresses = { "192.0.2.1/24", "2001:db8::1/64" }, standard = true })
  world:device("eth1", { addresses = { "10.0.0.1/24", "2001:db8:1::1/64" } })
  if source then
    commit(world, source)
  end
  return world
end

-- Lets a packet pass, written as a table; its list may differ from its direction as "list".
local function pass(world, fields)
  local out, problem = world:pass {
    list = fields.dir, iif = fields.iif, oif = fields.oif, mark = fields.mark, user = fields.user,
    data = fields.data or assert(packet.build(fields)),
  }
  if not out then
    error(problem, 2)
  end
  return out, packet.parse(out.data), out.answers[1] and packet.parse(out.answers[1].data)
end

-- Nothing that the module warned of may have been said.
local function quiet(world)
  for _, line in ipairs(world:said()) do
    if line:find "WARNING" then
      error(line, 2)
    end
  end
end

local function live(world, filter)
  local link, list = kernel.of(world), {}
  kernel.with(world, function()
    for row in states.query(filter or {}):each() do
      list[#list + 1] = row
    end
  end)
  link.close()
  return list
end

local SSH = [[rules = { allow { "ssh", dir = "in", proto = "tcp", dport = 22, state = true } }]]
local SYN = { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100.9", sport = 1000, dst = "192.0.2.1",
  dport = 22, flags = "S", seq = 100 }

function cases.an_unarmed_world_lets_everything_pass()
  local world <close> = gateway()
  expect(pass(world, SYN).verdict, "accept")
  local info = kernel.of(world).ask({ cmd = "info" }, "test").info
  expect(info.armed, 0)
  expect(info.generation, 0)
end

function cases.rules_decide()
  local world <close> = gateway(SSH)
  expect(pass(world, SYN).verdict, "accept")
  local web = setmetatable({ dport = 80 }, { __index = SYN })
  expect(pass(world, { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100.9", dst = "192.0.2.1",
    dport = web.dport, flags = "S" }).verdict, "drop")
  local list = live(world)
  expect(#list, 1)
  expect(list[1].state, "SYN_SENT")
  expect(list[1].rule, "ssh")
  expect(list[1].iif, "eth0")
  quiet(world)
end

return cases
