-- SPDX-License-Identifier: GPL-2.0-or-later
-- The rule set that runs in the kernel, as rows.
local columns = require "ipfi.base.columns"
local errors = require "ipfi.base.errors"
local fields = require "ipfi.field.list"
local json = require "ipfi.base.json"
local kernel = require "ipfi.base.kernel"
local policy = require "ipfi.policy.policy"
local rule = require "ipfi.policy.rule"
local style = require "ipfi.base.style"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local running = {}

local Running = { __name = "running" }
Running.__index = Running

--- Rules are numbered by their place, written by their fields.
local Row = { __name = "rule" }
Row.__index = Row

-- Fields that have a column of their own, or are no condition.
local APART = { dir = true, comment = true, state = true, to = true, to_port = true }

--- A field's value in one line: "22,80".
local function spell(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for _, item in ipairs(value) do
    parts[#parts + 1] = spell(item)
  end
  for _, key in ipairs(suggest.keys(value)) do
    parts[#parts + 1] = key .. "=" .. spell(value[key])
  end
  return table.concat(parts, ",")
end
running.spell = spell

-- The conditions of a rule in one line: "proto tcp dport 22,80 stateful".
local function conditions(row)
  local parts = {}
  for _, field in ipairs(fields.list) do
    local value = row[field.name]
    if value ~= nil and not APART[field.name] then
      parts[#parts + 1] = ("%s %s"):format(field.name, spell(value))
    end
  end
  if row.stateful then
    parts[#parts + 1] = "stateful"
  end
  return table.concat(parts, "  ")
end

local SCALAR = { string = true, number = true, boolean = true }

-- A field's value as a policy can have written it. Another program may have put anything there.
local function is_plain(value)
  if type(value) ~= "table" then
    return SCALAR[type(value)] or false
  end
  for _, item in pairs(value) do
    if not SCALAR[type(item)] then
      return false
    end
  end
  return true
end

-- The fields as they were written, or as the rule's attributes say.
local function fields_of(wire)
  local written = wire.written and json.decode(wire.written)
  if type(written) ~= "table" then
    return rule.read(wire)
  end
  local row = {}
  for _, name in ipairs(fields.names) do
    if written[name] ~= nil and is_plain(written[name]) then
      row[name] = written[name]
    end
  end
  return row
end

--- The row of a rule of the wire, as those of running.get().
local function make_row(wire)
  local row = fields_of(wire)
  row.id = wire.id
  row.name = wire.name
  row.verdict = wire.verdict
  row.at = wire.at
  row.packets = wire.packets or 0
  row.bytes = wire.bytes or 0
  if not rule.is_nat(wire.verdict) then
    row.dir = fields.by_name.dir.read(wire)
    row.stateful = values.contains(wire.flags, "stateful")
  end
  return setmetatable(row, Row)
end
running.row = make_row

--- Reads the running rule set as the kernel has it.
-- @param doing what is tried, for the error
-- @return { name =, generation =, default = { ["in"] =, out =, forward = }, rules = rules of the wire in
--   order, nat = the NAT rules in order, sets = names of the dynamic sets that it declares }
function running.read(doing)
  local result = { generation = 0, default = {} }
  for _, part in ipairs { "sets", "rules", "nat" } do
    result[part] = json.list {}
  end
  for _, message in ipairs(kernel.list({ cmd = "rules_dump" }, doing)) do
    if message.info then
      result.name = message.info.name
      result.generation = message.info.generation
    end
    if message.ruleset then
      result.default["in"] = message.ruleset.default_in
      result.default.out = message.ruleset.default_out
      result.default.forward = message.ruleset.default_forward
      result.sets = json.list(message.ruleset.set or {})
    end
    if message.rule then
      local rules = rule.is_nat(message.rule.verdict) and result.nat or result.rules
      rules[#rules + 1] = message.rule
    end
  end
  return result
end

--- The running rule set.
-- @return { name =, generation =, default = { ["in"] =, out =, forward = }, rules = rows in order, nat =
--   rows of the NAT rules in order }; a row has id, name, verdict, at, packets, bytes and the fields as
--   written, that of a filter rule also dir and stateful
function running.get()
  local result = setmetatable(running.read "fw.running", Running)
  for _, part in ipairs { result.rules, result.nat } do
    for i, wire in ipairs(part) do
      part[i] = make_row(wire)
    end
  end
  return result
end

-- Rows of the running rules by their id, kept until the next generation.
local kept, kept_generation, kept_epoch

--- The generation of the running rule set.
function running.generation()
  return (kernel.ask({ cmd = "info" }, "rules").info or {}).generation
end

--- The rows of the running rules and NAT rules by their id, and the generation that they are of.
function running.by_id()
  if not kept or kept_generation ~= running.generation() or kept_epoch ~= kernel.epoch() then
    local rules = running.get()
    kept, kept_generation, kept_epoch = {}, rules.generation, kernel.epoch()
    for _, list in ipairs { rules.nat, rules.rules } do
      for _, row in ipairs(list) do
        kept[row.id] = row
      end
    end
  end
  return kept, kept_generation
end

-- Names of the running rules by their id, kept until the next generation.
local names, names_generation, names_epoch

--- The names of the running rules by their id.
function running.names()
  local info = kernel.ask({ cmd = "info" }, "rules").info or {}
  if not names or names_generation ~= info.generation or names_epoch ~= kernel.epoch() then
    names, names_generation, names_epoch = {}, info.generation, kernel.epoch()
    for _, message in ipairs(kernel.list({ cmd = "rules_dump" }, "rules")) do
      if message.rule then
        names[message.rule.id] = message.rule.name
      end
    end
  end
  return names
end

--- The id of a running rule.
-- @param name of the rule
-- @return id; raises an error that suggests the nearest name
function running.id(name)
  local list = {}
  for id, other in pairs(running.names()) do
    if other == name then
      return id
    end
    list[#list + 1] = other
  end
  errors.raise("lua", "no running rule is called %s%s", text.quote(name), suggest.hint(name, list))
end

local function dir_of(row)
  return type(row.dir) == "table" and (#row.dir == 3 and "any" or table.concat(row.dir, ",")) or row.dir
end

local VERDICT_PAINT = { allow = "text", deny = "heading", reject = "heading" }

-- What a NAT rule translates to: "10.0.0.10:8080", "[fd00::1]:80", ":8080".
local function target_of(row)
  local to = spell(row.to or "")
  if row.to_port == nil then
    return row.verdict == "redirect" and to:gsub("^:?(.)", ":%1") or to
  end
  return ("%s:%s"):format(to:find(":", 1, true) and "[" .. to .. "]" or to, row.to_port)
end

--- A rule in one line without its name: "dir in  proto tcp  dport 22,80  stateful".
-- @param row as of running.get()
function running.describe(row)
  local parts = {}
  if row.dir and dir_of(row) ~= "any" then
    parts[1] = "dir " .. dir_of(row)
  end
  local said = conditions(row)
  if said ~= "" then
    parts[#parts + 1] = said
  end
  local to = target_of(row)
  if to ~= "" then
    parts[#parts + 1] = "to " .. to
  end
  return table.concat(parts, "  ")
end

-- The columns that are not those of conditions, or of a target, are the same for rules and NAT rules.
local function table_of(st, title, rows)
  local place = {}
  for i, row in ipairs(rows) do
    place[row] = i
  end
  return columns.format(st, {
    { title = "#", right = true, spare = 1, cell = function(row) return tostring(place[row]) end },
    { title = title, cut = true, cell = function(row) return row.name end },
    {
      title = "VERDICT",
      cell = function(row) return row.verdict end,
      paint = function(cell, row) return st:paint(VERDICT_PAINT[row.verdict] or "heading", cell) end,
    },
    { title = "DIR", empty = false, cell = dir_of },
    { title = "TO", cut = true, empty = false, cell = target_of },
    { title = "PACKETS", right = true, cell = function(row) return st:count(row.packets) end },
    { title = "BYTES", right = true, cell = function(row) return st:bytes(row.bytes) end },
    { title = "MATCHES", cut = true, cell = conditions },
    { title = "AT", cut = true, spare = 2, empty = false, cell = function(row) return row.at end },
  }, rows)
end

--- How the prompt shows it.
function Running:__show(st)
  if self.generation == 0 then
    return "no rule set is running: every packet passes\n"
  end
  local defaults = {}
  for _, list in ipairs(fields.lists) do
    defaults[#defaults + 1] = ("%s %s"):format(list, self.default[list] or "?")
  end
  local what = ("policy '%s', generation %d, %s;"):format(text.escape(self.name or ""), self.generation,
    policy.size(self))
  local rest = "default " .. table.concat(defaults, ", ")
  local shown = what .. (text.width(what) + text.width(rest) < (st.width or math.huge) and " " or "\n")
    .. rest .. "\n"
  if #self.nat > 0 then
    shown = shown .. table_of(st, "NAT RULE", self.nat) .. (#self.rules > 0 and "\n" or "")
  end
  return #self.rules > 0 and shown .. table_of(st, "RULE", self.rules) or shown
end

function Running:__tostring()
  return (Running.__show(self, style.plain()):gsub("\n$", ""))
end

--- For JSON lines: the NAT rules and the rules.
function Running:__rows()
  local rows = table.move(self.nat, 1, #self.nat, 1, {})
  return table.move(self.rules, 1, #self.rules, #rows + 1, rows)
end

function Row:__tostring()
  return ("%s '%s' (%s)"):format(self.verdict, text.escape(self.name), text.escape(self.at or "?"))
end

return running
