-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a policy would change: the running rule set and the policy compared rule by rule, and the live
-- states judged by the policy's rules. plan_text.lua prints it.
local canonical = require "ipfi.plan.canonical"
local compile = require "ipfi.policy.compile"
local fields = require "ipfi.field.list"
local json = require "ipfi.base.json"
local kernel = require "ipfi.base.kernel"
local limits = require "ipfi.field.limits"
local order = require "ipfi.base.lis"
local plan_text = require "ipfi.plan.text"
local running = require "ipfi.live.ruleset"

local plan = {}

local Plan = { __name = "plan" }
Plan.__index = Plan

-- What a rule has in a field, for people: as it was written, else as its attributes say.
local function value_of(side, name)
  if name == "state" then
    return side.row.stateful == true
  elseif side.row[name] ~= nil then
    return side.row[name]
  end
  local field = fields.by_name[name]
  return field and field.read(side.wire)
end

local function elements(value)
  return type(value) == "table" and value or { value }
end

-- The elements of a list that another has not.
local function without(list, other)
  local there, left = {}, {}
  for _, item in ipairs(elements(other)) do
    there[item] = true
  end
  for _, item in ipairs(elements(list)) do
    if not there[item] then
      left[#left + 1] = item
    end
  end
  return left
end

-- One field in which two rules differ: { field =, from =, to =, and for lists added =, removed = }.
local function difference(field, old, new)
  local name = field.name
  local row = { field = name, from = value_of(old, name), to = value_of(new, name) }
  if fields.by_name[name] and (type(row.from) == "table" or type(row.to) == "table") then
    local read = fields.by_name[name].read
    local from, to = read(old.wire), read(new.wire)
    if from ~= nil and to ~= nil then
      row.added, row.removed = without(to, from), without(from, to)
    end
  end
  return row
end

local function differences(old, new)
  local list, told = {}, {}
  for _, field in ipairs(canonical.differing(old.wire, new.wire)) do
    local name = field.name
    -- The port that stands in "to" is told with it, and what does not allow has no state.
    local implied = (name == "to_port" and told.to and old.row.to_port == nil and new.row.to_port == nil)
      or (name == "state" and told.verdict)
    if not implied then
      list[#list + 1] = difference(field, old, new)
    end
    told[name] = true
  end
  return list
end

-- The rules of one part, of the running rule set or of the policy: { wire =, row =, name =, at =, place = }.
local function sides(wires)
  local list, by_name = {}, {}
  for i, wire in ipairs(wires) do
    local side = { wire = wire, name = wire.name, at = wire.at, place = i }
    -- Rows are made when they are shown, which most rules are not.
    setmetatable(side, {
      __index = function(t, key)
        if key == "row" then
          local row = running.row(t.wire)
          rawset(t, "row", row)
          return row
        end
        return nil
      end,
    })
    list[i], by_name[wire.name] = side, side
  end
  return list, by_name
end

-- Which of the rules that are there before and after keep their order, by side.moved.
local function find_moved(new)
  local common, places = {}, {}
  for _, side in ipairs(new) do
    if side.other then
      common[#common + 1], places[#places + 1] = side, side.other.place
    end
  end
  local stays = order.longest_increasing(places)
  for i, side in ipairs(common) do
    side.moved, side.other.moved = not stays[i], not stays[i]
  end
end

-- Calls visit(side, gap) for each rule of a list that the other has not; gap counts the rules before it
-- that stay.
local function each_lone(list, visit)
  local gap = 0
  for _, side in ipairs(list) do
    if not side.other then
      visit(side, gap)
    elseif not side.moved then
      gap = gap + 1
    end
  end
end

-- Rules that say the same as one that stood in their place are that one with another name.
local function find_renamed(old, new)
  local gone = {}
  each_lone(old, function(side, gap)
    local key = gap .. " " .. canonical.text(side.wire)
    gone[key] = gone[key] or {}
    table.insert(gone[key], side)
  end)
  if next(gone) == nil then
    return
  end
  local found, last = {}, 0
  each_lone(new, function(side, gap)
    local same = gone[gap .. " " .. canonical.text(side.wire)]
    local other = same and same[1]
    -- Two that have changed places are not told as renamed.
    if other and other.place > last then
      table.remove(same, 1)
      found[#found + 1], last = { side, other }, other.place
    end
  end)
  for _, pair in ipairs(found) do
    local side, other = pair[1], pair[2]
    side.other, other.other, side.renamed = other, side, true
  end
end

local function name_at(list, place)
  return list[place] and list[place].name
end

-- The rows of a rule that is there before and after.
local function compare(add, kind, side, old, new)
  local other = side.other
  local function row(change)
    return { change = change, kind = kind, rule = side.name, verdict = side.wire.verdict, at = side.at,
      was_at = other.at, place = side.place, was_place = other.place }
  end
  if side.renamed then
    local renamed = row "renamed"
    renamed.was_rule = other.name
    add(renamed)
  end
  local differing = not side.renamed and differences(other, side) or {}
  if #differing > 0 then
    local changed = row "changed"
    changed.fields = differing
    add(changed)
  end
  if side.moved then
    local moved = row "moved"
    moved.behind, moved.was_behind = name_at(new, side.place - 1), name_at(old, other.place - 1)
    add(moved)
  end
end

local function lone(change, kind, side, list)
  local row = { change = change, kind = kind, rule = side.name, verdict = side.wire.verdict, row = side.row }
  if change == "added" then
    row.at, row.place, row.behind = side.at, side.place, name_at(list, side.place - 1)
  else
    row.was_at, row.was_place, row.packets = side.at, side.place, side.wire.packets or 0
  end
  return row
end

-- Compares one part, the rules or the NAT rules, and adds its rows: in the new order, what is gone where
-- it stood.
local function compare_part(add, kind, old_wires, new_wires)
  local old, old_by_name = sides(old_wires)
  local new = sides(new_wires)
  for _, side in ipairs(new) do
    local other = old_by_name[side.name]
    if other then
      side.other, other.other = other, side
    end
  end
  find_moved(new)
  find_renamed(old, new)
  local told = 0
  local function tell_gone(before)
    for place = told + 1, before do
      if not old[place].other then
        add(lone("removed", kind, old[place]))
      end
    end
    told = math.max(told, before)
  end
  for _, side in ipairs(new) do
    if not side.other then
      add(lone("added", kind, side, new))
    else
      if not side.moved then
        tell_gone(side.other.place)
      end
      compare(add, kind, side, old, new)
    end
  end
  tell_gone(#old)
end

local function wires(rules)
  local list = {}
  for i, rule in ipairs(rules) do
    list[i] = compile.wire(rule)
  end
  return list
end

-- A value that is not a rule's: { change =, kind =, name =, from =, to = }, when it changes.
local function compare_value(add, kind, name, from, to)
  if from ~= to then
    local change = from == nil and "added" or to == nil and "removed" or "changed"
    add { change = change, kind = kind, name = name, from = from, to = to }
  end
end

local function compare_limits(add, wanted)
  if next(wanted) == nil then
    return
  end
  local now = kernel.ask({ cmd = "limits_get" }, "fw.plan").limits or {}
  local from, to = limits.shown(now), limits.shown(wanted)
  for _, name in ipairs(limits.names) do
    if to[name] ~= nil then
      compare_value(add, "limit", name, from[name], to[name])
    end
  end
end

local function set_of(names)
  local set = {}
  for _, name in ipairs(names) do
    set[name] = true
  end
  return set
end

-- Sets that only other rule sets declare, one that may come back or one that is being made, are not asked
-- about.
local function compare_sets(add, declared, names)
  local members = {}
  for _, message in ipairs(kernel.list({ cmd = "sets_dump" }, "fw.plan")) do
    members[message.set.name] = message.set.members
  end
  local wanted, there = set_of(names), set_of(declared)
  for _, name in ipairs(declared) do
    if not wanted[name] then
      add { change = "removed", kind = "set", name = name, members = members[name] }
    end
  end
  for _, name in ipairs(names) do
    if not there[name] then
      add { change = "added", kind = "set", name = name }
    end
  end
end

local function compare_all(p, old)
  local changes = {}
  local function add(row)
    changes[#changes + 1] = row
  end
  local armed = old.generation > 0 or #old.rules > 0
  compare_value(add, "name", "name", armed and old.name or nil, p.name)
  for _, list in ipairs(fields.lists) do
    compare_value(add, "default", list, armed and old.default[list] or nil, p.default[list])
  end
  compare_limits(add, p.limits)
  compare_sets(add, old.sets, p.sets)
  compare_part(add, "nat", old.nat, wires(p.nat))
  compare_part(add, "rule", old.rules, wires(p.rules))
  return changes
end

local function new_fate()
  return { total = 0, by_rule = {}, rows = json.list {} }
end

-- What the rules of a policy say of the live states.
local function judge_states(p, old, commit)
  local result = { judged = 0, denied = new_fate(), retranslated = new_fate(), commit = commit }
  local messages = compile.dry_run(p)
  local answer = kernel.transact(messages, "plan of policy '" .. p.name .. "'", function(index)
    local rule = messages:rule(index)
    return rule and { at = rule.at, rule = rule.name }
  end)
  local running_rule, new_rule = {}, {}
  for _, part in ipairs { old.nat, old.rules } do
    for _, wire in ipairs(part) do
      running_rule[wire.id] = wire
    end
  end
  for _, part in ipairs { p.nat, p.rules } do
    for _, rule in ipairs(part) do
      new_rule[rule.name] = rule
    end
  end
  result.judged = answer.stats and answer.stats.states or 0
  for _, trial in ipairs(answer.dry_run or {}) do
    local fate, rule = result[trial.impact], running_rule[trial.rule]
    local name = not trial.rest and (rule and rule.name or trial.rule == 0 and "default" or "?") or nil
    fate.total = fate.total + trial.states
    if name then
      fate.by_rule[name] = (fate.by_rule[name] or 0) + trial.states
    end
    fate.rows[#fate.rows + 1] = {
      change = trial.impact, kind = "state", states = trial.states, rule = name, at = rule and rule.at,
      list = trial.list, by = trial.by, by_at = new_rule[trial.by] and new_rule[trial.by].at,
    }
  end
  for _, fate in ipairs { result.denied, result.retranslated } do
    table.sort(fate.rows, function(a, b)
      if a.states ~= b.states then
        return a.states > b.states
      end
      return (a.rule or "") .. "\0" .. (a.by or "") < (b.rule or "") .. "\0" .. (b.by or "")
    end)
  end
  return result
end

--- Compares a policy with what runs. Nothing is changed.
-- @param p a checked policy
-- @param options { states = what the commit would do with live states: "recheck" (when absent), "keep" or
--   "flush" }
-- @return { generation = of what runs, changes = list of rows, states = { judged = how many live, denied = {
--   total =, by_rule = { name = states }, rows = }, retranslated = the same }, empty = no change }. A row
--   of changes has change ("added", "removed", "changed", "moved" or "renamed") and kind. Of kind "rule"
--   or "nat" it has rule, verdict, at and was_at, place and was_place in its list; added and removed row =
--   the rule; changed fields = { { field =, from =, to =, added =, removed = } ... }; moved behind and
--   was_behind = names; renamed was_rule. Of kind "name", "default", "limit" or "set" it has name, from,
--   to. A row of states has rule, at, by, by_at = the rule that decides so, list and states. Raises errors
--   of the kernel as fw.commit() does.
function plan.make(p, options)
  local old = running.read "fw.plan"
  local changes = compare_all(p, old)
  return setmetatable({
    policy = p.name,
    source = p.source,
    generation = old.generation,
    changes = json.list(changes),
    states = judge_states(p, old, options and options.states or "recheck"),
    empty = #changes == 0,
  }, Plan)
end

function Plan:__len()
  return #self.changes
end

Plan.__show = plan_text.show
Plan.__rows = plan_text.rows

function Plan:__tostring()
  return plan_text.plain(self)
end

return plan
