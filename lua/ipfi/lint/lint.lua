-- SPDX-License-Identifier: GPL-2.0-or-later
-- Rules that are of no use: what ipfi.c.lint finds out about a policy, in words.
--
-- A finding is a row { kind =, rule =, at =, verdict =, list =, by = { { rule =, at = } }, default =,
-- packet =, witness =, meets =, text = }:
--   dead           no packet has what the rule asks for
--   shadowed       the rules of by, before it, take all its packets
--   contradiction  so they do, and each says something else
--   redundant      without it the rules of by, behind it, or the default would do the same
--   limit          its limit counts new states only
--   mapping        it looks as if it translated one to one, and does not
--   unallowed      no rule allows what it translates
-- packet is the witness, as fw.simulate takes it: a packet that the rule matches. It meets the rule of meets
-- before; without meets, that of the row itself decides it.
local codec = require "ipfi.c.codec"
local core = require "ipfi.c.lint"
local errors = require "ipfi.base.errors"
local fields = require "ipfi.field.list"
local json = require "ipfi.base.json"
local policy = require "ipfi.policy.policy"
local protocol = require "ipfi.field.protocol"
local rule = require "ipfi.policy.rule"
local tcpflags = require "ipfi.field.tcpflags"
local text = require "ipfi.base.text"
local traps = require "ipfi.lint.traps"

local lint = {}

local Findings = { __name = "findings" }
Findings.__index = Findings

local Finding = { __name = "finding" }
Finding.__index = Finding

-- Of how many rules nothing could be proven, by list of findings.
local unknown = setmetatable({}, { __mode = "k" })

-- How many rules a message names.
local NAMED = 3

-- What a rule does to the packets that it decides, as a text that is the same for rules that do the same.
local function effect_of(wire)
  return json.encode {
    verdict = wire.verdict, flags = wire.flags, helper = wire.helper, mss = wire.mss, log = wire.log,
    target = wire.target,
  }
end

-- Numbers for the effects of all rules, and for the defaults.
local function number_effects(p, rules)
  local numbers, count = {}, 0
  local function number_of(wire)
    local effect = effect_of(wire)
    if not numbers[effect] then
      count = count + 1
      numbers[effect] = count
    end
    return numbers[effect]
  end
  local effects, defaults = {}, {}
  for i, one in ipairs(rules) do
    effects[i] = number_of(one.wire)
  end
  for _, list in ipairs(fields.lists) do
    defaults[list] = number_of { verdict = p.default[list] }
  end
  return effects, defaults
end

-- The NAT rules and the rules, in the order of their messages.
local function rules_of(p)
  local rules = table.move(p.nat, 1, #p.nat, 1, {})
  return table.move(p.rules, 1, #p.rules, #rules + 1, rules)
end

-- The lists of NAT rules have no packets of their own: where their connections enter and leave.
local function way_of(found)
  if found.list == "dstnat" then
    return found.iif and "in" or "out"
  elseif found.list == "srcnat" then
    return found.iif and "forward" or "out"
  end
  return found.list
end

-- Messages of ICMP that speak of another packet.
local ERRORS = { [4] = { [3] = true, [11] = true, [12] = true },
  [6] = { [1] = true, [2] = true, [3] = true, [4] = true } }

-- What a packet has when nothing is said of it.
local PLAIN = { length = 100, dscp = 0, mark = 0 }


--- The table of a packet of ipfi.c.lint that packet.lua and fw.simulate take.
function lint.packet(found)
  local t = {
    dir = way_of(found), proto = protocol.name(found.proto), src = found.src, dst = found.dst,
    sport = found.sport, dport = found.dport, user = found.user,
  }
  t.iif = t.dir ~= "out" and found.iif or nil
  t.oif = t.dir ~= "in" and found.oif or nil
  if found.flags then
    t.flags = tcpflags.written(found.flags, 0):match("^%a*")
  end
  if found.icmp_type then
    t.icmp = { found.icmp_type, found.icmp_code }
    if ERRORS[found.family][found.icmp_type] then
      t.inner = { proto = "udp" }
    end
  end
  for name, plain in pairs(PLAIN) do
    if found[name] ~= plain then
      t[name] = found[name]
    end
  end
  return t
end

-- What a packet's line does not show of it: the devices, and what the rules ask beside the headers.
local function circumstances(found)
  local words = {}
  local function add(form, ...)
    words[#words + 1] = form:format(...)
  end
  if found.list == "in" or found.list == "out" then
    add("%s by %s", found.list, found.iif or found.oif)
  else
    add("%s", found.iif and "in by " .. found.iif or "made here")
    if found.oif then
      add("out by %s", found.oif)
    end
  end
  local own = { src = found.list == "out" or found.iif == found.oif,
    dst = found.list == "in" or found.iif == found.oif }
  for _, side in ipairs { "src", "dst" } do
    local is = found[side .. "_is"].own
    if is ~= own[side] then
      add("%s %s own", side, is and "one's" or "not one's")
    end
    for _, name in ipairs(found[side .. "_is"].sets) do
      add("%s in set '%s'", side, name)
    end
  end
  if found.ipsec then
    add("by IPsec")
  end
  if found.mark ~= 0 then
    add("mark 0x%x", found.mark)
  end
  if found.user then
    add("user %d", found.user)
  end
  if found.dscp ~= 0 then
    add("dscp %d", found.dscp)
  end
  return table.concat(words, " ")
end

local function end_point(address, port)
  if not port then
    return address
  end
  return (address:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(address, port)
end

local function line_of(found)
  local line = { protocol.name(found.proto) .. " " .. end_point(found.src, found.sport) .. " > "
    .. end_point(found.dst, found.dport) }
  if found.flags then
    line[#line + 1] = tcpflags.written(found.flags, 0):match("^%a*")
  elseif found.icmp_type then
    line[#line + 1] = ("type %d/%d"):format(found.icmp_type, found.icmp_code)
  end
  if found.length ~= PLAIN.length then
    line[#line + 1] = ("len %d"):format(found.length)
  end
  line[#line + 1] = circumstances(found)
  return table.concat(line, " ")
end

local function reference(one)
  return { rule = one.name, at = one.at }
end

local function named(ref)
  return ("'%s' (%s)"):format(text.escape(ref.rule), text.escape(ref.at))
end

-- "'a' (f:1)", "'a' (f:1) and 'b' (f:2)", "'a' (f:1), 'b' (f:2), 'c' (f:3) and 4 others"
local function named_list(refs)
  local parts = {}
  local shown = #refs <= NAMED + 1 and #refs or NAMED
  for i = 1, shown do
    parts[i] = named(refs[i])
  end
  if #refs > shown then
    parts[#parts + 1] = ("%d others"):format(#refs - shown)
  end
  local last = table.remove(parts)
  return #parts == 0 and last or table.concat(parts, ", ") .. " and " .. last
end

-- The names of the fields of enum ipfi_field that a policy writes otherwise.
local WRITTEN = { tcp_flags = "flags" }

-- "flags = 'SF/SF'", "iif = 'eth0' and oif = 'eth1'"
local function conditions(one, names)
  local values, parts = rule.read(one.wire), {}
  for i, name in ipairs(names) do
    local field = WRITTEN[name] or name
    local value = one.fields[field]
    if type(value) == "table" or value == nil then
      value = values[field]
    end
    if type(value) == "table" then
      for j, item in ipairs(value) do
        value[j] = tostring(item)
      end
      value = table.concat(value, ", ")
    end
    parts[i] = type(value) == "string" and ("%s = '%s'"):format(field, text.escape(value))
      or ("%s = %s"):format(field, tostring(value))
  end
  local last = table.remove(parts)
  return #parts == 0 and last or table.concat(parts, ", ") .. " and " .. last
end

local VERBS = {
  allow = "allows", deny = "denies", reject = "rejects",
  dnat = "translates", redirect = "redirects", snat = "translates", masquerade = "masquerades",
}

local function say_dead(_, one, found)
  local lists = one.wire.lists
  local where = #lists < 3 and not rule.is_nat(one.verdict)
    and (" of list '%s'"):format(table.concat(lists, "' or '")) or ""
  return ("never matches: no packet%s has %s"):format(where, conditions(one, found.fields))
end

local function say_shadowed(row)
  local together = #row.by > 1 and " together" or ""
  local takes = #row.by > 1 and "take" or "takes"
  return ("never matches: %s%s %s all its packets"):format(named_list(row.by), together, takes)
end

local function say_contradiction(row, one, found, rules)
  local together = #row.by > 1 and " together" or ""
  local verdict = rules[found.by[1]].verdict
  local same = true
  for _, i in ipairs(found.by) do
    same = same and rules[i].verdict == verdict
  end
  local verb = same and VERBS[verdict] or "decides"
  if #row.by > 1 then
    verb = same and verdict or "decide"
  end
  return ("never matches: it would %s what %s%s %s"):format(one.verdict, named_list(row.by), together, verb)
end

local function say_redundant(row, one)
  local who
  if #row.by == 0 then
    who = "the default"
  else
    who = named_list(row.by) .. (row.default and " and the default" or "")
  end
  local many = #row.by > 1 or (#row.by == 1 and row.default)
  return ("redundant: without it %s %s its packets just the same"):format(who,
    many and one.verdict or VERBS[one.verdict])
end

local SAY = {
  dead = say_dead, shadowed = say_shadowed, contradiction = say_contradiction, redundant = say_redundant,
}

-- Does none of the rules say what this one says?
local function contradicts(one, by, rules)
  for _, i in ipairs(by) do
    if rules[i].verdict == one.verdict then
      return false
    end
  end
  return true
end

local function make_row(found, rules)
  local one = rules[found.rule]
  local row = setmetatable({
    kind = found.kind, rule = one.name, at = one.at, verdict = one.verdict, by = json.list {},
    default = found.by_default,
  }, Finding)
  if row.kind == "shadowed" and contradicts(one, found.by, rules) then
    row.kind = "contradiction"
  end
  for i, other in ipairs(found.by) do
    row.by[i] = reference(rules[other])
  end
  local message = SAY[row.kind](row, one, found, rules)
  if found.packet then
    row.list = found.packet.list
    row.packet = lint.packet(found.packet)
    row.witness = line_of(found.packet)
    message = message .. "; e.g. " .. row.witness
    if found.meets ~= found.rule then
      row.meets = reference(rules[found.meets])
    end
    -- One that is met even before those that take all.
    local told = row.kind == "redundant"
    for _, other in ipairs(found.by) do
      told = told or (other == found.meets and #found.by == 1)
    end
    if row.meets and not told then
      message = message .. (", which meets %s"):format(named(row.meets))
    end
  end
  row.text = message
  return row
end

-- What ipfi.c.lint says about a policy.
-- @return its answer, and the rules in its order
function lint.inquire(p, options)
  local rules, messages = rules_of(p), {}
  for i, one in ipairs(rules) do
    messages[i] = { cmd = "rule_add", rule = one.wire }
  end
  local effects, defaults = number_effects(p, rules)
  return core.check(codec.encode(messages), effects, defaults, options), rules
end

-- The rows but for those whose witness does not meet what it should in the built-in engine.
local function without_refuted(p, rows, witnesses)
  if #witnesses == 0 then
    return rows
  end
  local refuted, left = {}, {}
  for _, witness in ipairs((require "ipfi.lint.trial".run(p, witnesses))) do
    refuted[witness.row] = true
  end
  for _, row in ipairs(rows) do
    if not refuted[row] then
      left[#left + 1] = row
    end
  end
  return left
end

--- Finds the rules of a policy that are of no use.
-- @param p a checked policy
-- @return list of findings, in the order of the rules, NAT rules first; #list is 0 when there are none
function lint.check(p)
  if not policy.is(p) or not p.checked then
    errors.raise("lua", "fw.lint: expected a policy, as fw.load() returns it, got %s", text.quote(p))
  end
  local answer, rules = lint.inquire(p)
  local rows, witnesses = {}, {}
  for i, found in ipairs(answer.findings) do
    local row = make_row(found, rules)
    rows[i] = row
    if found.packet then
      witnesses[#witnesses + 1] = { row = row, found = found.packet, packet = row.packet,
        verdict = row.verdict, meets = rules[found.meets].name }
    end
  end
  rows = without_refuted(p, rows, witnesses)
  traps.find(p, function(one, kind, message)
    rows[#rows + 1] = setmetatable({
      kind = kind, rule = one.name, at = one.at, verdict = one.verdict, by = json.list {}, default = false,
      text = message,
    }, Finding)
  end)
  local place = {}
  for i, one in ipairs(rules) do
    place[one.name] = i
  end
  for i, row in ipairs(rows) do
    row.order = i
  end
  table.sort(rows, function(a, b)
    local x, y = place[a.rule], place[b.rule]
    return x < y or (x == y and a.order < b.order)
  end)
  for _, row in ipairs(rows) do
    row.order = nil
  end
  local list = setmetatable(rows, Findings)
  unknown[list] = #answer.unknown
  return list
end

--- Of how many rules nothing is said, because it would have taken too long to prove.
function lint.unknown(list)
  return unknown[list]
end

--- The line of a finding: "policy.lua:14: warning: rule 'web': never matches: ..."
function Finding:__tostring()
  return ("%s: warning: rule '%s': %s"):format(text.escape(self.at), text.escape(self.rule), self.text)
end

--- How the prompt shows it.
function Findings:__show()
  if #self == 0 then
    return "nothing found: every rule is of use\n"
  end
  local lines = {}
  for i, row in ipairs(self) do
    lines[i] = tostring(row)
  end
  return table.concat(lines, "\n") .. "\n"
end

function Findings:__tostring()
  return (Findings.__show(self):gsub("\n$", ""))
end

--- For JSON lines.
function Findings:__rows()
  return self
end

return lint
