-- SPDX-License-Identifier: GPL-2.0-or-later
-- A plan as text and as rows: "+" for what comes, "-" for what goes, "~" for what changes or moves.
local running = require "ipfi.live.ruleset"
local style = require "ipfi.base.style"
local text = require "ipfi.base.text"

local plan_text = {}

-- Lists longer than this are told by what they gain and lose.
local LIST_MOST = 4
-- Columns of a rule's fields on a terminal.
local FIELDS_MOST = 240

local SIGN = { added = "+", removed = "-", changed = "~", moved = "~", renamed = "~" }
local PAINT = {
  added = "added", removed = "removed", changed = "changed", moved = "changed", renamed = "changed",
}

local function place_of(at)
  return at and (" (%s)"):format(text.escape(at)) or ""
end

local function quoted(name)
  return ("'%s'"):format(text.escape(name))
end

local function spell(value)
  return value == nil and "none" or text.escape(running.spell(value))
end

local function is_long(value)
  return type(value) == "table" and #value > LIST_MOST
end

local function items(list, sign)
  local out = {}
  for i, item in ipairs(list) do
    out[i] = sign .. text.escape(tostring(item))
  end
  return out
end

-- "src 10.0.0.0/8 → 192.168.0.0/16", or of long lists "src +192.168.0.0/16 -10.0.0.0/8".
local function field_text(field)
  if field.added and (is_long(field.from) or is_long(field.to)) and #field.added + #field.removed > 0 then
    local list = items(field.added, "+")
    table.move(items(field.removed, "-"), 1, #field.removed, #list + 1, list)
    return ("%s %s"):format(field.field, table.concat(list, " "))
  end
  return ("%s %s → %s"):format(field.field, spell(field.from), spell(field.to))
end

local function behind_text(name)
  return name and "behind " .. quoted(name) or "at the top"
end

local RULE_TEXT = {}

local function lone(row, st)
  local said = text.escape(running.describe(row.row))
  if st.width then
    said = text.cut(said, FIELDS_MOST)
  end
  return said
end

RULE_TEXT.added = lone

function RULE_TEXT.removed(row, st)
  local used = row.packets > 0 and ("[%s]"):format(text.plural(row.packets, "packet")) or ""
  local said = lone(row, st)
  return said .. (said ~= "" and used ~= "" and " " or "") .. used
end

function RULE_TEXT.changed(row)
  local list = {}
  for i, field in ipairs(row.fields) do
    list[i] = field_text(field)
  end
  return table.concat(list, "; ")
end

function RULE_TEXT.moved(row)
  return ("moved, now %s, was %s"):format(behind_text(row.behind), behind_text(row.was_behind))
end

function RULE_TEXT.renamed(row)
  return ("renamed, was %s"):format(quoted(row.was_rule))
end

local OTHER_TEXT = {}

function OTHER_TEXT.set(row)
  local members = row.members and (" with %s"):format(text.plural(row.members, "member")) or ""
  return ("set %s%s"):format(quoted(row.name), members)
end

-- A default, a limit, the name.
local function value_text(row)
  local what = row.kind == "name" and "name" or row.kind .. " " .. row.name
  local show = row.kind == "name" and quoted or spell
  if row.from == nil then
    return ("%s: %s"):format(what, show(row.to))
  end
  return ("%s: %s → %s"):format(what, show(row.from), show(row.to))
end

-- One row in one line, without its sign.
local function row_text(row, st)
  if row.rule then
    local said = RULE_TEXT[row.change](row, st)
    return ("%s %s%s%s"):format(row.verdict, quoted(row.rule), place_of(row.at or row.was_at),
      said == "" and "" or ": " .. said)
  end
  return (OTHER_TEXT[row.kind] or value_text)(row)
end

local function states_of(count)
  return text.plural(count, "live state")
end

-- The rules that live states have this fate by, one in a line.
local function fate_lines(fate, by_text)
  local lines = {}
  for i, row in ipairs(fate.rows) do
    local of = "of other rules"
    if row.rule then
      of = row.rule == "default" and "of no rule" or "of " .. quoted(row.rule)
    end
    lines[i] = ("      %d %s%s\n"):format(row.states, of, row.rule and by_text(row) or "")
  end
  return table.concat(lines)
end

local function denied_by(row)
  if row.by then
    return (" by %s%s"):format(quoted(row.by), place_of(row.by_at))
  end
  return (" by the default of list %s"):format(row.list)
end

local function retranslated_by(row)
  if row.by then
    return (", new ones are translated by %s%s"):format(quoted(row.by), place_of(row.by_at))
  end
  return (", new ones keep their %s"):format(row.list == "dstnat" and "destination" or "source")
end

local function states_text(st, states)
  local denied, retranslated = states.denied, states.retranslated
  if states.judged == 0 then
    return "no live states\n"
  elseif states.commit == "flush" then
    return ("all of the %s end (states = flush)\n"):format(states_of(states.judged))
  elseif denied.total == 0 and retranslated.total == 0 then
    return ("%s: none is denied, none would be translated otherwise\n"):format(states_of(states.judged))
  end
  local out = { ("%s, of which\n"):format(states_of(states.judged)) }
  if denied.total > 0 then
    local ends = states.commit == "keep" and "denied, but kept (states = keep)"
      or "denied: over at the next packet"
    out[#out + 1] = "  " .. st:paint("removed", ("%d %s"):format(denied.total, ends)) .. "\n"
      .. fate_lines(denied, denied_by)
  end
  if retranslated.total > 0 then
    out[#out + 1] = "  " .. st:paint("changed", (
      "%d would be translated otherwise; they keep their old translation until they end")
      :format(retranslated.total)) .. "\n" .. fate_lines(retranslated, retranslated_by)
  end
  return table.concat(out)
end

local COUNTED = {
  { "added", "to add" }, { "removed", "to remove" }, { "changed", "to change" }, { "moved", "to move" },
  { "renamed", "to rename" },
}

local function summary(plan)
  local counts, parts = {}, {}
  for _, row in ipairs(plan.changes) do
    counts[row.change] = (counts[row.change] or 0) + 1
  end
  for _, pair in ipairs(COUNTED) do
    if counts[pair[1]] then
      parts[#parts + 1] = ("%d %s"):format(counts[pair[1]], pair[2])
    end
  end
  return table.concat(parts, ", ")
end

--- A plan as the prompt and -n show it.
function plan_text.show(plan, st)
  local out = {}
  local against = plan.generation == 0 and "no rule set is running: every packet passes"
    or ("against generation %d"):format(plan.generation)
  if plan.empty then
    out[1] = ("policy %s: nothing to do, it is what runs (generation %d)\n"):format(quoted(plan.policy),
      plan.generation)
  else
    out[1] = ("policy %s: %s; %s\n"):format(quoted(plan.policy), summary(plan), against)
  end
  for _, row in ipairs(plan.changes) do
    out[#out + 1] = "  " .. st:paint(PAINT[row.change], SIGN[row.change] .. " " .. row_text(row, st)) .. "\n"
  end
  out[#out + 1] = states_text(st, plan.states)
  return table.concat(out)
end

--- The same without colours, as one text without the last newline.
function plan_text.plain(plan)
  return (plan_text.show(plan, style.plain()):gsub("\n$", ""))
end

--- The rows for JSON lines: the changes, then the states.
function plan_text.rows(plan)
  local rows = table.move(plan.changes, 1, #plan.changes, 1, {})
  for _, fate in ipairs { plan.states.denied, plan.states.retranslated } do
    table.move(fate.rows, 1, #fate.rows, #rows + 1, rows)
  end
  return rows
end

return plan_text
