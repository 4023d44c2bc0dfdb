-- SPDX-License-Identifier: GPL-2.0-or-later
-- The witnesses of lint on trial: each passes through a world of the built-in engine that has the policy's
-- rules, and must be counted by the rule that it is said to meet. All of a policy pass first, and their
-- counts are compared at the end; only when these differ, each is looked at by itself.
local compile = require "ipfi.policy.compile"
local engine = require "ipfi.c.engine"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local policy = require "ipfi.policy.policy"
local rule = require "ipfi.policy.rule"

local trial = {}

-- Longer than any limit takes to let one more packet pass, in seconds.
local DAY = 86400

-- Witnesses that are looked at by themselves, where counts differ.
local SINGLE_MOST = 200

-- A policy of its rules or its NAT rules alone: the filter sees what the lists of NAT make of a packet, and
-- these see only what the filter lets through.
local function alone(p, part)
  local _, words = policy.words { direct = true }
  local one = words.policy {
    name = p.name, default = part == "nat" and "allow" or p.default,
  }
  one[part] = p[part]
  one.sets = p.sets
  return one
end

local Trial = {}
Trial.__index = Trial

local function begin(p, part)
  local world = engine.new { seed = 1 }
  local self = setmetatable({ world = world, link = kernel.of(world), limited = false }, Trial)
  self.link.transact(compile.messages(alone(p, part)), "trial of policy '" .. p.name .. "'")
  for _, one in ipairs(p[part]) do
    self.limited = self.limited or one.wire.limit_count ~= nil
  end
  return self
end

function Trial:close()
  self.link.close()
  self.world:close()
end

-- Puts the ends of a packet into the sets that they are said to be in, or takes them out.
function Trial:fill(found, cmd)
  for _, side in ipairs { "src", "dst" } do
    for _, name in ipairs(found[side .. "_is"].sets) do
      self.link.ask({ cmd = cmd, set = { name = name, member = { { addr = found[side] } } } }, "trial")
    end
  end
end

function Trial:pass(witness)
  local t = witness.packet
  self:fill(witness.found, "set_add")
  assert(self.world:pass {
    list = t.dir, iif = t.iif, oif = t.oif, mark = t.mark, user = t.user, ipsec = t.ipsec,
    data = witness.data,
  })
  self:fill(witness.found, "set_delete")
  self.link.ask({ cmd = "states_delete" }, "trial")
  if self.limited then
    self.world:advance(DAY)
  end
end

-- How many packets each rule has decided.
function Trial:counts()
  local counts = {}
  for _, message in ipairs(self.link.list({ cmd = "rules_dump" }, "trial")) do
    if message.rule then
      counts[message.rule.name] = message.rule.packets
    end
  end
  return counts
end

-- Is the address of an end in the policy's eyes what an engine takes it for?
local function is_natural(found)
  local own = { src = found.list == "out", dst = found.list == "in" }
  return found.src_is.own == own.src and found.dst_is.own == own.dst
end

-- Can the witness be tried? What leaves by a loopback device comes in again, and what stands for a live
-- connection is no single packet.
local function prepare(witness)
  local found = witness.found
  if found.again or not is_natural(found) or (found.list == "out" and found.iif) then
    return false
  end
  witness.data = packet.build(witness.packet)
  return witness.data ~= nil
end

local function try_each(p, part, list)
  local failed = {}
  for i = 1, math.min(#list, SINGLE_MOST) do
    local one = begin(p, part)
    one:pass(list[i])
    if one:counts()[list[i].meets] ~= 1 then
      failed[#failed + 1] = list[i]
    end
    one:close()
  end
  return failed
end

local function try_part(p, part, list)
  local wanted = {}
  local all = begin(p, part)
  for _, witness in ipairs(list) do
    all:pass(witness)
    wanted[witness.meets] = (wanted[witness.meets] or 0) + 1
  end
  local counts = all:counts()
  all:close()
  for name, count in pairs(counts) do
    if count ~= (wanted[name] or 0) then
      return try_each(p, part, list)
    end
  end
  return {}
end

--- Tries witnesses.
-- @param p the policy
-- @param witnesses list of { found = packet of ipfi.c.lint, packet = the same for packet.lua, meets = name of
--   the rule that it meets first }
-- @return list of those that met another one, number of those that were tried
function trial.run(p, witnesses)
  local parts, tried, failed = { nat = {}, rules = {} }, 0, {}
  for _, witness in ipairs(witnesses) do
    if prepare(witness) then
      local part = rule.is_nat(witness.verdict) and parts.nat or parts.rules
      part[#part + 1] = witness
      tried = tried + 1
    end
  end
  for part, list in pairs(parts) do
    if #list > 0 then
      local more = try_part(p, part, list)
      table.move(more, 1, #more, #failed + 1, failed)
    end
  end
  return failed, tried
end

return trial
