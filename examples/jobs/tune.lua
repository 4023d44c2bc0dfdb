#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- For cron: fits the size of the state table to its use. Says nothing when nothing is wrong; a table that is
-- nearly full is a warning, with the sources that fill it.
--
--     */5 * * * *  root  ipfi --syslog /etc/ipfi/jobs/tune.lua
--     ... tune.lua high=0.8 low=0.3 least=65536 memory=0.1 top=5
--
--   high, low   grow when more than this share of the table is used, shrink when less
--   least       never go below so many states
--   memory      share of the machine's memory that a full table may take
--   top         how many sources to name

local function number(name, default)
  local value = args[name] == nil and default or tonumber(args[name])
  if not value then
    error(("tune: %s=%s is no number"):format(name, args[name]), 0)
  end
  return value
end

local high, low = number("high", 0.8), number("low", 0.3)
local least = math.tointeger(number("least", 65536))
local share, top = number("memory", 0.1), number("top", 5)

-- Bytes of memory this machine has.
local function memory()
  for line in io.lines("/proc/meminfo") do
    local kilobytes = line:match("^MemTotal:%s+(%d+) kB")
    if kilobytes then
      return tonumber(kilobytes) * 1024
    end
  end
  error("tune: /proc/meminfo does not say how much memory there is", 0)
end

local function warn_of_sources(stats)
  fw.log("warning", "%d of %d states are in use; the sources that have most:", stats.states, stats.max_states)
  for _, source in ipairs(fw.states():top(math.tointeger(top))) do
    fw.log("warning", "  %-39s %d", source.src, source.states)
  end
end

local stats = fw.stats()
local use = stats.states / stats.max_states
local affordable = math.floor(memory() * share) // stats.state_size
local wanted = stats.max_states

if use > high then
  wanted = math.min(stats.max_states * 2, math.max(affordable, least))
elseif use < low and stats.max_states > least then
  -- Twice what is used now leaves room; going down by half at most keeps a quiet night from taking it all.
  wanted = math.max(least, stats.states * 2, stats.max_states // 2)
end

if wanted > stats.max_states then
  fw.set_limits { max_states = wanted }
  fw.log("notice", "max_states grows from %d to %d: %d states live", stats.max_states, wanted, stats.states)
elseif use > high then
  -- There is no more memory for it: somebody should know.
  warn_of_sources(stats)
elseif wanted < stats.max_states then
  fw.set_limits { max_states = wanted }
  fw.log("info", "max_states shrinks from %d to %d: %d states live", stats.max_states, wanted, stats.states)
end
