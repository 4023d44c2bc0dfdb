-- SPDX-License-Identifier: GPL-2.0-or-later
-- The two that are compared: the kernel, reached through tool/gate, and a world of the built-in engine. Both have
-- explain(way, data), which changes nothing, and pass(way, data), which says what came out.
local engine = require "ipfi.c.engine"
local explain = require "ipfi.live.explain"
local kernel = require "ipfi.base.kernel"
local policies = dofile "tests/net/one_engine/policies.lua"
local running = require "ipfi.live.ruleset"

local sides = {}

local OUT, END, LATE = 0xff, 0xfe, 0xfd
local INDEX = {}
for i, name in ipairs(policies.devices) do
  INDEX[name] = i - 1
end

local Side = {}
Side.__index = Side

--- What would happen, as the module of this side says.
function Side:explain(way, data)
  local meta = { list = way.dir, iif = way.iif, oif = way.oif, mark = way.mark, user = way.user }
  return explain.judgement(self.link.list(explain.question(data, meta), "explain"), self.rows, data, meta)
end

--- Commits messages, and learns what the rules are called.
function Side:commit(messages)
  self.link.transact(messages, self.name)
  self.rows = self.with(running.by_id)
end

--- Names of this side's devices by index.
function Side:device(index)
  return index and index > 0 and self.link.ifname(index) or nil
end

--- The rows of the live states.
function Side:states()
  return self.with(function()
    local rows = {}
    for row in fw.states():each() do
      rows[#rows + 1] = row
    end
    return rows
  end)
end

--- How often each rule decided, as text.
function Side:counts()
  return self.with(function()
    local lines, list = {}, fw.running()
    for _, rules in ipairs { list.nat, list.rules } do
      for _, row in ipairs(rules) do
        lines[#lines + 1] = ("%s %d packets, %d bytes"):format(row.name, row.packets, row.bytes)
      end
    end
    return table.concat(lines, "\n    ")
  end)
end

--- What is expected, as text; masked leaves out what chance may have chosen.
function Side:expectations(masked)
  return self.with(function()
    local lines = {}
    for _, row in ipairs(fw.expectations()) do
      lines[#lines + 1] = masked and ("%s %s %s"):format(row.proto, row.rule, row.helper)
        or ("%s %s > %s:%d nat %s:%s rule %s"):format(row.proto, row.src, row.dst, row.dport, row.nat_dst,
          row.nat_dport, row.rule)
    end
    table.sort(lines)
    return table.concat(lines, "\n    ")
  end)
end

--- The side's counters of packets, states and reasons: { name = number }.
function Side:counters()
  local found = {}
  local s = self.with(fw.stats)
  for _, field in ipairs { "packets", "created", "evicted" } do
    found[field] = s[field] or 0
  end
  for reason, n in pairs(s.drops or {}) do
    found["drops " .. reason] = n
  end
  for reason, n in pairs(s.passes or {}) do
    found["passes " .. reason] = n
  end
  return found
end

--- What these counters have counted since, as text.
-- @param before what counters() returned
function Side:since(before)
  local lines = {}
  for name, n in pairs(self:counters()) do
    local more = n - (before[name] or 0)
    if more ~= 0 then
      lines[#lines + 1] = ("%s %d"):format(name, more)
    end
  end
  table.sort(lines)
  return table.concat(lines, ", ")
end

--- The kernel of this namespace. to, from: the pipes of tool/gate.
function sides.kernel(to, from)
  local side = setmetatable({ name = "kernel", link = kernel, with = function(run, ...)
    return run(...)
  end }, Side)
  to:setvbuf("full", 1 << 17)
  local function read(came)
    to:flush()
    while true do
      local where = from:read(1):byte()
      if where == END then
        return came
      end
      local length = ("=I2"):unpack(from:read(2))
      came[#came + 1] = { where = where == OUT and "here" or policies.devices[where + 1], data = from:read(length) }
    end
  end
  function side.pass(_, way, data)
    local where = way.dir == "out" and OUT or INDEX[way.iif]
    to:write(("=BI4I4I2"):pack(where, way.user or 0, way.mark or 0, #data), data)
    return read {}
  end
  -- What comes a moment later, added to what came.
  function side.late(came)
    to:write(("B"):pack(LATE))
    return read(came)
  end
  return side
end

--- A new world of the engine with the devices of gate.sh.
function sides.engine(seed)
  local world = engine.new { seed = seed }
  local side = setmetatable({ name = "engine", world = world, link = kernel.of(world), with = function(run, ...)
    return kernel.with(world, run, ...)
  end }, Side)
  for _, name in ipairs(policies.devices) do
    world:device(name, { mtu = 1500, standard = name == "wan0",
      addresses = { policies.host(name, 4, 1) .. "/24", policies.host(name, 6, 1) .. "/64" } })
  end
  function side.pass(_, way, data)
    local out = assert(world:pass { list = way.dir, iif = way.iif, data = data, mark = way.mark, user = way.user })
    local came = {}
    if out.verdict == "accept" then
      came[1] = { where = out.list == "in" and "here" or out.oif, data = out.data }
    end
    for _, answer in ipairs(out.answers) do
      came[#came + 1] = { where = answer.oif == "lo" and "here" or answer.oif, data = answer.data }
    end
    return came
  end
  return side
end

return sides
