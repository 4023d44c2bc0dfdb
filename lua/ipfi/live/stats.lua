-- SPDX-License-Identifier: GPL-2.0-or-later
-- Statistics and limits of the running firewall.
local codec = require "ipfi.c.codec"
local columns = require "ipfi.base.columns"
local constructors = require "ipfi.policy.constructors"
local errors = require "ipfi.base.errors"
local kernel = require "ipfi.base.kernel"
local limits = require "ipfi.field.limits"
local style = require "ipfi.base.style"
local text = require "ipfi.base.text"

local stats = {}

local REASONS = {}
for _, reason in ipairs(codec.reasons()) do
  REASONS[reason.name] = reason
end

local Stats = { __name = "stats" }
local Limits = { __name = "limits" }

--- Statistics since the module was loaded.
-- @return { states, states_peak, max_states, state_size, memory, memory_at_limit (bytes), generation,
--   packets, created, evicted, expired, translated, expectations, drops = { reason = packets },
--   passes = { reason = packets } }
function stats.get()
  local wire = kernel.ask({ cmd = "stats" }, "fw.stats").stats or {}
  local drops, passes = {}, {}
  for _, counter in ipairs(wire.counters or {}) do
    local reason = REASONS[counter.reason]
    if reason then
      (reason.accepted and passes or drops)[reason.name] = counter.packets
    end
  end
  wire.counters = nil
  wire.drops, wire.passes = drops, passes
  return setmetatable(wire, Stats)
end

local function memory_lines(st, s)
  return {
    { "states", st:count(s.states) },
    { "most ever", st:count(s.states_peak) },
    { "max_states", st:count(s.max_states) },
    { "a state takes", ("%s bytes"):format(s.state_size) },
    { "memory now", st:bytes(s.memory) .. " bytes" },
    { "memory at the limit", st:bytes(s.memory_at_limit) .. " bytes" },
  }
end

local function pairs_of(list)
  local width = 0
  for _, pair in ipairs(list) do
    width = math.max(width, #pair[1])
  end
  local out = {}
  for _, pair in ipairs(list) do
    out[#out + 1] = pair[1] .. (" "):rep(width - #pair[1]) .. "  " .. pair[2] .. "\n"
  end
  return table.concat(out)
end

local function reasons_of(st, title, counts)
  local list = {}
  for name, packets in pairs(counts) do
    if packets > 0 then
      list[#list + 1] = { name = name, packets = packets }
    end
  end
  if #list == 0 then
    return title .. ": none\n"
  end
  table.sort(list, function(a, b)
    return a.packets > b.packets or (a.packets == b.packets and a.name < b.name)
  end)
  return columns.format(st, {
    { title = title, cell = function(row) return row.name end },
    { title = "PACKETS", right = true, cell = function(row) return st:count(row.packets) end },
    { title = "BECAUSE", cut = true, cell = function(row) return REASONS[row.name].help end },
  }, list)
end

function Stats.__show(s, st)
  local lines = memory_lines(st, s)
  lines[#lines + 1] = { "rule set", ("generation %d"):format(s.generation) }
  lines[#lines + 1] = { "packets judged", st:count(s.packets) }
  lines[#lines + 1] = { "states made", st:count(s.created) }
  lines[#lines + 1] = { "expired, evicted", ("%s, %s"):format(st:count(s.expired), st:count(s.evicted)) }
  lines[#lines + 1] = { "translated now", st:count(s.translated or 0) }
  lines[#lines + 1] = { "expected now", st:count(s.expectations or 0) }
  return pairs_of(lines) .. "\n" .. reasons_of(st, "PASSED", s.passes) .. "\n" .. reasons_of(st, "DROPPED",
    s.drops)
end

function Stats.__tostring(s)
  return (Stats.__show(s, style.plain()):gsub("\n$", ""))
end

--- The limits.
-- @return { max_states =, max_states_per_source =, tcp_loose = boolean, tcp_syn_sent = seconds, ... }
function stats.limits()
  local wire = kernel.ask({ cmd = "limits_get" }, "fw.limits").limits or {}
  return setmetatable(limits.shown(wire), Limits)
end

function Limits.__show(now, st)
  local lines = {}
  for _, limit in ipairs(limits.list) do
    local value = now[limit.name]
    if type(value) == "boolean" then
      value = value and "on" or "off"
    elseif limits.help[limit.name]:find("^seconds") then
      value = ("%d s"):format(value)
    end
    lines[#lines + 1] = { limit.name, tostring(value) }
  end
  -- On a terminal what a limit means is cut to the line; names take 23 columns, values 12.
  local room = st.width and st.width - 23 - 12 or math.huge
  for _, line in ipairs(lines) do
    local meaning = text.cut(limits.help[line[1]], room)
    line[2] = line[2] .. (" "):rep(math.max(0, 12 - #line[2])) .. st:paint("dim", meaning)
  end
  return pairs_of(lines)
end

function Limits.__tostring(now)
  return (Limits.__show(now, style.plain()):gsub("\n$", ""))
end

--- Sets limits.
-- @param wanted { name = value }
-- @return true when one of them was changed, false when all had these values already
function stats.set_limits(wanted)
  if type(wanted) ~= "table" then
    errors.raise("lua", "fw.set_limits: expected { name = value }, got %s", text.quote(wanted))
  end
  local mistakes = {}
  for _, problem in ipairs(constructors.problems(wanted)) do
    mistakes[#mistakes + 1] = "fw.set_limits: " .. problem
  end
  local numbers = limits.parse(wanted, function(message)
    mistakes[#mistakes + 1] = "fw.set_limits: " .. message
  end)
  if #mistakes > 0 then
    errors.raise("lua", "%s", table.concat(mistakes, "\n"))
  end
  local now = kernel.ask({ cmd = "limits_get" }, "fw.set_limits").limits or {}
  local changes = {}
  for name, number in pairs(numbers) do
    if now[name] ~= number then
      changes[name] = number
    end
  end
  if next(changes) == nil then
    return false
  end
  kernel.ask({ cmd = "limits_set", limits = changes }, "fw.set_limits")
  return true
end

--- What a C alone on a line shows: limits, states, most ever, bytes a state, memory now and at the limit.
function stats.overview(st)
  return Limits.__show(stats.limits(), st) .. "\n" .. pairs_of(memory_lines(st, stats.get()))
end

return stats
