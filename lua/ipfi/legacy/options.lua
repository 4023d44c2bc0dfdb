-- SPDX-License-Identifier: GPL-2.0-or-later
-- The original's file options: what holds for all rules.
local legacy_values = require "ipfi.legacy.values"
local limits = require "ipfi.field.limits"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local legacy_options = {}

-- What a number of the original may be at most.
local NUMBER_MOST = 0xffffffff

-- Options that are about something that is not there any more, and what is there instead.
local GONE = {
  USER_ALLOWED = "only root commits rules",
  MAX_NAT_ENTRIES = "translations live in the state table and count for max_states",
  MAX_LOGINFO_ENTRIES = "a rule's own limit says how often it is logged",
  LOGINFO_LIFETIME = "a rule's own limit says how often it is logged",
  LOGUSER = "rules log by themselves: log = \"prefix\"",
  KLOGLEVEL = "rules log by themselves: log = \"prefix\"",
}

local SWITCHES = { "NAT", "MASQUERADE", "STATEFUL" }

local NAMES = suggest.keys(GONE)
for _, name in ipairs { "NAT", "MASQUERADE", "STATEFUL", "ALL_STATEFUL", "NOFLUSH_ON_EXIT",
  "MAX_STATE_ENTRIES", "PROC_IPFIRE_POLICY" } do
  NAMES[#NAMES + 1] = name
end

--- Reads the options.
-- @param record of legacy_reader.lua, or nil when there is no such file
-- @param journal takes the mistakes
-- @return { on = { NAT =, MASQUERADE = }, stateful = rules may keep state, all_stateful = each rule that
--   allows does, default = "deny" or "allow", max_states = number or nil, notes = list of
--   { place =, message = } }
function legacy_options.read(record, journal)
  local options = { on = {}, default = "deny", notes = {} }
  local function note(place, message)
    options.notes[#options.notes + 1] = { place = place, message = message }
  end
  local function take(key, parse, ...)
    local entry = record and record:take(key)
    if not entry then
      return nil
    end
    local value, problem = parse(entry, ...)
    if problem then
      journal:fail(entry, problem)
    end
    return value, entry
  end
  for _, name in ipairs(SWITCHES) do
    options.on[name] = take(name, legacy_values.switch) ~= false
  end
  options.stateful = options.on.STATEFUL
  options.all_stateful = (take("ALL_STATEFUL", legacy_values.switch) or false) and options.stateful
  if take("PROC_IPFIRE_POLICY", legacy_values.number, 0, 1) == 1 then
    options.default = "allow"
  end
  local keep, no_flush = take("NOFLUSH_ON_EXIT", legacy_values.switch)
  if keep == false then
    note(no_flush, "NOFLUSH_ON_EXIT=NO is not kept: the rules stay when ipfi ends")
  end
  local limit = limits.by_name.max_states
  local states, entry = take("MAX_STATE_ENTRIES", legacy_values.number, 0, NUMBER_MOST)
  if states and states >= limit.least and states <= limit.most then
    options.max_states = states
  elseif states then
    note(entry, ("MAX_STATE_ENTRIES=%d is not kept: max_states is %d to %d"):format(states, limit.least,
      limit.most))
  end
  for _, other in ipairs(record and record:rest() or {}) do
    note(other, GONE[other.key] and ("%s is not kept: %s"):format(other.key, GONE[other.key])
      or ("unknown option %s%s"):format(text.quote(other.key), suggest.hint(other.key, NAMES)))
  end
  return options
end

return legacy_options
