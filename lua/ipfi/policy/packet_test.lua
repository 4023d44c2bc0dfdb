-- SPDX-License-Identifier: GPL-2.0-or-later
-- A packet test of a policy: packets one after the other, and what is to become of each. Here it is checked
-- and made plain data; test_run.lua lets the packets pass.
local address = require "ipfi.field.address"
local codec = require "ipfi.c.codec"
local packet = require "ipfi.packet.packet"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local packet_test = {}

local VERDICTS = { "allow", "deny", "reject" }

--- The fields of test { } beside those of a packet: { name =, forms =, help = }.
packet_test.fields = {
  { name = "expect", forms = "'allow', 'deny' or 'reject'", help = "The verdict. Each packet needs one." },
  { name = "rule", forms = "a rule's name, or 'default'",
    help = "The rule that decides, or that the packet's connection belongs to." },
  { name = "state", forms = "a state, like 'ESTABLISHED'; false for none",
    help = "That of the connection after the packet." },
  { name = "reason", forms = "a reason, as fw.stats() has them", help = "Why it is accepted or dropped." },
  { name = "nat", forms = "{ src =, sport =, dst =, dport = }; false for none",
    help = "What it is translated to. Only what stands here is compared." },
  { name = "reply", forms = "true",
    help = "The packet is the answer to the last one that came through: its ends are the other way round, "
      .. "and TCP's numbers go on." },
  { name = "after", forms = "seconds", help = "The clock moves on before the packet comes." },
  { name = "devices", forms = "{ wan0 = '203.0.113.1/24', lan0 = { ... } }",
    help = "The machine's devices and addresses. A device that is only named gets addresses of its own." },
  { name = "sets", forms = "{ bans = { '203.0.113.7' } }", help = "Members of dynamic sets." },
}

-- What a packet of a conversation may say, and what all of them share.
local OF_PACKET = { expect = true, rule = true, state = true, reason = true, nat = true, reply = true,
  after = true }
local OF_TEST = { devices = true, sets = true }

local known = table.move(packet.field_names, 1, #packet.field_names, 1, {})
for _, field in ipairs(packet_test.fields) do
  known[#known + 1] = field.name
end
--- Names of all fields that test { } takes.
packet_test.field_names = known
local IS_PACKET = {}
for _, name in ipairs(packet.field_names) do
  IS_PACKET[name] = true
end

local function names_of(list)
  local names = {}
  for i, item in ipairs(list) do
    names[i] = type(item) == "table" and item.name or item
  end
  return names
end

local Check = {}
Check.__index = Check

function Check:fail(message, ...)
  self.report(self.definition.at, ("test '%s': %s%s"):format(text.escape(self.name), self.where,
    message:format(...)))
  self.failed = true
end

-- One word of a list.
function Check:word(name, value, list)
  for _, item in ipairs(list) do
    if item == value then
      return value
    end
  end
  self:fail("%s: unknown %s%s", name, text.quote(value),
    type(value) == "string" and suggest.hint(value, list) or "")
  return nil
end

local NAT = { src = true, sport = true, dst = true, dport = true }

function Check:nat(value)
  if value == false then
    return false
  elseif type(value) ~= "table" or next(value) == nil then
    self:fail("nat: expected { src =, sport =, dst =, dport = } or false, got %s", text.quote(value))
    return nil
  end
  local nat = {}
  for key, item in next, value do
    if not NAT[key] then
      self:fail("nat: unknown field %s%s", text.quote(key),
        type(key) == "string" and suggest.hint(key, suggest.keys(NAT)) or "")
    elseif key == "src" or key == "dst" then
      local parsed = type(item) == "string" and sys.address(item)
      nat[key] = parsed and parsed.text
      if not parsed then
        self:fail("nat: %s: expected one address, got %s", key, text.quote(item))
      end
    else
      nat[key] = values.integer(item)
      if not nat[key] then
        self:fail("nat: %s: expected a port's number, got %s", key, text.quote(item))
      end
    end
  end
  return nat
end

-- What is expected of a packet.
function Check:expectation(fields)
  local expect = {}
  if fields.expect == nil then
    self:fail("says no verdict: expect = 'allow', 'deny' or 'reject'")
  else
    expect.verdict = self:word("expect", fields.expect, VERDICTS)
  end
  if fields.rule ~= nil then
    expect.rule = self:word("rule", fields.rule, self.rules)
  end
  if fields.reason ~= nil then
    expect.reason = self:word("reason", fields.reason, names_of(codec.reasons()))
  end
  if fields.state == false then
    expect.state = false
  elseif fields.state ~= nil then
    expect.state = self:word("state", fields.state, names_of(codec.states()))
  end
  if fields.nat ~= nil then
    expect.nat = self:nat(fields.nat)
  end
  return expect
end

function Check:step(fields, place)
  local step = { packet = {} }
  for key, value in next, fields do
    if IS_PACKET[key] then
      step.packet[key] = value
    elseif not OF_PACKET[key] and not OF_TEST[key] then
      return self:fail("unknown field %s%s", text.quote(key),
        type(key) == "string" and suggest.hint(key, known) or "")
    end
  end
  step.expect = self:expectation(fields)
  if fields.after ~= nil then
    step.after = type(fields.after) == "number" and fields.after >= 0 and fields.after < math.huge
      and fields.after or nil
    if not step.after then
      self:fail("after: expected seconds, got %s", text.quote(fields.after))
    end
  end
  if fields.reply ~= nil and fields.reply ~= true and fields.reply ~= false then
    self:fail("reply: expected true or false, got %s", text.quote(fields.reply))
  elseif fields.reply and place == 1 then
    self:fail("reply: there is no packet before it to answer")
  end
  step.reply = fields.reply or nil
  if not step.reply then
    local data, problem = packet.build(step.packet)
    if not data then
      self:fail("%s", problem)
    end
  end
  return step
end

-- Packets of a conversation have what the test says for all of them, but an answer has its own ends.
local function inherit(outer, own)
  local fields = {}
  for key, value in next, outer do
    if OF_PACKET[key] or (IS_PACKET[key] and not own.reply) then
      fields[key] = value
    end
  end
  for key, value in next, own do
    fields[key] = value
  end
  return fields
end

function Check:devices(value)
  if type(value) ~= "table" then
    return self:fail("devices: expected { name = address }, got %s", text.quote(value))
  end
  local devices = {}
  for name, written in next, value do
    local list = type(written) == "table" and written or { written }
    devices[name] = {}
    if type(name) ~= "string" or not name:find("^[^%s/:%c]+$") or #name > 15 then
      self:fail("devices: %s is no name of a device", text.quote(name))
    end
    for i, item in ipairs(list) do
      local prefix, problem = address.prefix(item)
      if not prefix then
        self:fail("devices: %s", problem)
      end
      devices[name][i] = item
    end
  end
  return devices
end

function Check:sets(value, declared)
  if type(value) ~= "table" then
    return self:fail("sets: expected { name = { addresses } }, got %s", text.quote(value))
  end
  local sets = {}
  for name, written in next, value do
    local list = type(written) == "table" and written or { written }
    if self:word("sets", name, declared) then
      sets[name] = {}
      for i, item in ipairs(list) do
        local member, problem = address.member(item)
        if not member then
          self:fail("sets: %s", problem)
        end
        sets[name][i] = member
      end
    end
  end
  return sets
end

--- Checks a test.
-- @param definition { at =, written = the table as it was written }
-- @param names { rules = names of the policy's rules and NAT rules, sets = names of its dynamic sets }
-- @param report function (at, message) called for each mistake
-- @return { name =, at =, devices =, sets =, steps = list of { packet =, reply =, after =, expect = { verdict
--   =, rule =, reason =, state =, nat = } } }: plain data; nil after a mistake
function packet_test.check(definition, names, report)
  local written = definition.written
  local c = setmetatable({ definition = definition, report = report, where = "", name = "?" }, Check)
  if type(written) ~= "table" or type(written[1]) ~= "string" or written[1] == "" then
    report(definition.at, "test: its first value names it, like test { \"ssh\", dport = \"ssh\", ... }")
    return nil
  end
  c.name = written[1]
  c.rules = table.move(names.rules, 1, #names.rules, 1, {})
  c.rules[#c.rules + 1] = "default"
  local outer, packets = {}, {}
  for key, value in next, written do
    if math.type(key) == "integer" then
      if key > 1 and type(value) ~= "table" then
        c:fail("behind its name stand fields, or packets { ... }; what is the value at %d?", key)
      end
    else
      outer[key] = value
    end
  end
  local result = { name = c.name, at = definition.at, steps = {} }
  result.devices = outer.devices ~= nil and c:devices(outer.devices) or nil
  result.sets = outer.sets ~= nil and c:sets(outer.sets, names.sets) or nil
  for i = 2, #written do
    packets[#packets + 1] = type(written[i]) == "table" and written[i] or nil
  end
  if #packets == 0 then
    result.steps[1] = c:step(outer, 1)
  end
  for i, own in ipairs(packets) do
    c.where = ("packet %d: "):format(i)
    for name in pairs(OF_TEST) do
      if own[name] ~= nil then
        c:fail("%s: it holds for the whole test; write it beside the test's name", name)
      end
    end
    result.steps[i] = c:step(inherit(outer, own), i)
  end
  return not c.failed and result or nil
end

return packet_test
