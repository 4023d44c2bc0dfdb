-- SPDX-License-Identifier: GPL-2.0-or-later
-- What would happen to a packet, as the kernel (or the built-in engine) answers it: the judgement, with the
-- rules that were asked before it and the field by which each differs.
local codec = require "ipfi.c.codec"
local errors = require "ipfi.base.errors"
local json = require "ipfi.base.json"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local running = require "ipfi.live.ruleset"
local style = require "ipfi.base.style"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local explain = {}

-- Commits that overtake a question, before it is given up.
local TRIES = 10

-- Steps that are shown one by one; of more, those in a row that differ in the same field are counted.
local SHOWN = 20

local REASONS = {}
for _, reason in ipairs(codec.reasons()) do
  REASONS[reason.name] = reason
end

local Judgement = { __name = "judgement" }
Judgement.__index = Judgement

-- What the rules call fields that the contract calls otherwise.
local FIELD = { tcp_flags = "flags" }

--- The message that asks about a packet.
-- @param data bytes of the packet
-- @param meta { list =, iif =, oif =, mark =, user = } as packet.build() returns it
function explain.question(data, meta)
  return { cmd = "explain", packet = { data = data, list = meta.list, iif = meta.iif, oif = meta.oif,
    mark = meta.mark, user = meta.user, ipsec = meta.ipsec and 1 or nil } }
end

-- The packet's own values, by the fields of rules; those of its way as far as they are known.
local function values_of(data, meta)
  local has = packet.parse(data)
  has.iif, has.oif, has.mark, has.user = meta.iif, meta.oif, meta.mark or 0, meta.user
  has.ipsec = meta.ipsec or false
  return has
end

-- What the filter sees of a packet whose destination is translated before it.
local function real_values(has, judged)
  if not (judged.dst and judged.dstnat_rule) then
    return has
  end
  return setmetatable({ dst = judged.dst, dport = has.dport and judged.dport or nil }, { __index = has })
end

local function make_step(step, row, has)
  local field = step.field and (FIELD[step.field] or step.field)
  return {
    rule = row and row.name or ("#%016x"):format(step.rule),
    at = row and row.at,
    list = step.list,
    field = field,
    matched = not step.field or nil,
    wants = field and row and row[field] ~= nil and running.spell(row[field]) or nil,
    has = field and has[field] ~= nil and tostring(has[field]) or nil,
    -- By which device it leaves was found by its destination, when nobody said so.
    unsaid = field == "oif" and has.oif == nil and step.list ~= "in" and step.list ~= "dstnat" or nil,
  }
end

--- Makes a judgement of the answer to explain.question().
-- @param messages list of the answer's messages
-- @param rows the rules by their ids: running.get() rows
-- @param data, meta as they were asked about
-- @return judgement: verdict ("allow", "deny", "reject"), rule (a name, or "default"; nil where no rule was
--   asked), at, reason, list, state, state_id, nat = { src =, sport =, dst =, dport = } as the packet leaves
--   where that is something else, dstnat and srcnat = { rule =, at = } that say so, steps = list of { rule =,
--   at =, list =, field = that differs, wants = the rule's value, has = the packet's }, or { rule =, at =,
--   list =, matched = true }
function explain.judgement(messages, rows, data, meta)
  local steps, judged = {}, {}
  for _, message in ipairs(messages) do
    for _, step in ipairs(message.step or {}) do
      steps[#steps + 1] = step
    end
    judged = message.result or judged
  end
  local has = values_of(data, meta)
  local real = real_values(has, judged)
  for i, step in ipairs(steps) do
    steps[i] = make_step(step, rows[step.rule], step.list == "dstnat" and has or real)
  end
  local function by(id)
    local row = id and rows[id]
    return id and { rule = row and row.name or ("#%016x"):format(id), at = row and row.at }
  end
  local rule = by(judged.rule) or {}
  local result = setmetatable({
    packet = tostring(has),
    verdict = judged.verdict,
    reason = judged.reason,
    list = judged.list,
    rule = rule.rule,
    at = rule.at,
    state = judged.state,
    state_id = judged.state_id,
    dstnat = by(judged.dstnat_rule),
    srcnat = by(judged.srcnat_rule),
    steps = json.list(steps),
  }, Judgement)
  if not result.rule and (judged.reason == "default-allow" or judged.reason == "default-deny") then
    result.rule = "default"
  end
  if judged.src then
    local id = has.icmp ~= nil and has.id ~= nil and judged.sport or nil
    result.nat = { src = judged.src, dst = judged.dst, sport = has.sport and judged.sport or id,
      dport = has.dport and judged.dport or nil }
  end
  return result
end

-- An address of this machine: of the device if one is named, else of any, those of loopback last.
local function own_address(family, name)
  local best
  for _, device in ipairs(sys.devices()) do
    for _, written in ipairs((not name or device.name == name) and device.addresses or {}) do
      local address = sys.address(written:match("^[^/]+"))
      if address and address.family == family and not address.text:find("^fe80:") then
        if not device.loopback then
          return address.text
        end
        best = best or address.text
      end
    end
  end
  return best
end

--- Makes a question's bytes of what fw.explain() takes.
-- @param wanted packet table, a row of fw.drops(), or bytes
-- @param who for the error
-- @return bytes, meta
function explain.build(wanted, who)
  if type(wanted) == "string" then
    wanted = { data = wanted }
  end
  local data, meta = packet.build(wanted, own_address)
  if not data then
    errors.raise("lua", "%s: %s", who, meta)
  end
  return data, meta
end

--- What would happen to a packet now, by the running rules; nothing is changed by the question.
-- @param wanted packet table (help "packets"), or a row of fw.drops()
-- @return judgement, see explain.judgement()
function explain.explain(wanted)
  local data, meta = explain.build(wanted, "fw.explain")
  for _ = 1, TRIES do
    local rows, generation = running.by_id()
    local messages = kernel.list(explain.question(data, meta), "fw.explain")
    if running.generation() == generation then
      return explain.judgement(messages, rows, data, meta)
    end
  end
  errors.raise("busy", "fw.explain: the rules change faster than they can be read")
end

local function named(rule, at)
  return ("'%s'%s"):format(text.escape(rule), at and (" (%s)"):format(text.escape(at)) or "")
end

-- Why a rule was passed over: "dport is 80, not 22,443".
local function difference(step)
  local field, wants = step.field, step.wants
  if field == "limit" then
    return ("its limit %s is used up"):format(wants or "")
  elseif field == "per_source" then
    return ("this source has its %s states"):format(wants or "")
  elseif step.unsaid then
    return ("%s is not %s"):format(field, wants)
  elseif not step.has then
    return wants and ("it has no %s, wanted %s"):format(field, wants) or ("it has no such %s"):format(field)
  end
  return wants and ("%s is %s, not %s"):format(field, step.has, wants)
    or ("%s is %s, which does not fit its other fields"):format(field, step.has)
end

-- Steps from @first on that differ in the same field of the same list.
local function run_from(steps, first)
  local last = first
  while steps[last + 1] and not steps[first].matched and steps[last + 1].field == steps[first].field
    and steps[last + 1].list == steps[first].list do
    last = last + 1
  end
  return last - first + 1
end

local function step_lines(st, steps)
  local out, place, list = {}, 1, nil
  local width = #tostring(#steps)
  local folds = #steps > SHOWN
  local function add(i, words)
    out[#out + 1] = ("  %s  %s"):format(st:paint("dim", ("%" .. width .. "d"):format(i)), words)
  end
  while steps[place] do
    local step = steps[place]
    if step.list ~= list then
      list = step.list
      out[#out + 1] = ("  %s"):format(st:paint("dim", "list " .. list))
    end
    add(place, named(step.rule, step.at) .. ": " .. (step.matched and st:paint("text", "matches")
      or text.escape(difference(step))))
    local run = run_from(steps, place)
    if folds and run > 3 then
      out[#out + 1] = st:paint("dim", ("  %s  … %s more that differ in %s"):format((" "):rep(width), run - 1,
        step.field))
      place = place + run
    else
      place = place + 1
    end
  end
  return out
end

local function end_points(nat)
  local function one(host, port)
    return port and (host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(host, port) or host
  end
  return ("%s > %s"):format(one(nat.src, nat.sport), one(nat.dst, nat.dport))
end

local PAST = { allow = "allowed", deny = "denied", reject = "rejected" }

--- How the prompt shows it: the verdict and why, then the rules that were asked.
function Judgement.__show(judgement, st)
  local out = { text.escape(judgement.packet or "") }
  local verdict = PAST[judgement.verdict] or tostring(judgement.verdict)
  local role = judgement.verdict == "allow" and "text" or "heading"
  local first = st:paint(role, verdict)
  if judgement.rule == "default" then
    first = first .. (" by the default of list %s"):format(judgement.list)
  elseif judgement.rule then
    first = first .. " by " .. named(judgement.rule, judgement.at)
  end
  local reason = REASONS[judgement.reason]
  out[#out + 1] = first .. (reason and (": %s (%s)"):format(reason.name, reason.help)
    or ": no rule set is running, every packet passes")
  if judgement.state then
    out[#out + 1] = ("  state %s, %s"):format(st:paint("state", judgement.state),
      judgement.state_id and "of a live connection" or "of a connection that it opens")
  elseif judgement.state_id then
    out[#out + 1] = "  of a live connection"
  end
  if judgement.nat then
    local by = {}
    for _, nat in ipairs { judgement.dstnat or false, judgement.srcnat or false } do
      by[#by + 1] = nat and named(nat.rule, nat.at) or nil
    end
    out[#out + 1] = ("  %s as %s%s"):format(judgement.verdict == "allow" and "leaves" or "judged",
      end_points(judgement.nat), #by > 0 and ", translated by " .. table.concat(by, " and ") or "")
  end
  table.move(step_lines(st, judgement.steps), 1, #judgement.steps + 3, #out + 1, out)
  return table.concat(out, "\n") .. "\n"
end

function Judgement.__tostring(judgement)
  return (Judgement.__show(judgement, style.plain()):gsub("\n$", ""))
end

return explain
