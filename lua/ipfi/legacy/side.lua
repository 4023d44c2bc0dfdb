-- SPDX-License-Identifier: GPL-2.0-or-later
-- One side of the original's rules: the addresses and ports of SRC or DST, as single values, intervals,
-- lists, the machine's own addresses, and the negations of these.
--
--     SRCADDR, SRCADDR2 to SRCADDR50, _END_SRCADDR, MYSRCADDR, each also with _NOT; SRCPORT likewise
local legacy_values = require "ipfi.legacy.values"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local side = {}

-- The most values that a list has.
local LIST_MOST = 50

-- How the two kinds of values are read and compared.
local KINDS = {
  ADDR = { parse = legacy_values.address, compare = sys.compare_addresses },
  PORT = {
    parse = function(entry)
      return legacy_values.number(entry, 0, 65535)
    end,
    compare = function(a, b)
      return a - b
    end,
  },
}

-- One field while it is read: its keys are key .. number .. sign.
local Field = {}
Field.__index = Field

-- A restriction that cannot be kept. What is left of the field's values would be another restriction.
function Field:lose(entry, message)
  self.lost = true
  self.check:lose(entry, message)
end

function Field:parse(entry)
  local value, problem = self.kind.parse(entry)
  if value == nil and problem then
    self.check:fail(entry, problem)
  elseif value == nil then
    self:lose(entry, ("%s is the name of a host, but a rule holds addresses"):format(text.quote(entry.value)))
  end
  return value
end

-- A single value or an interval; nil after a mistake.
function Field:element(first, last)
  local from = self:parse(first)
  local to = last and self:parse(last)
  if from == nil or (last and to == nil) then
    return nil
  end
  local order = last and self.kind.compare(from, to) or 0
  if order > 0 then
    self.check:fail(last, ("%s: the interval ends before it begins"):format(last.key))
    return nil
  end
  return order == 0 and from or ("%s-%s"):format(from, to)
end

-- The end of the interval that the first value of a sign begins. That of a negated interval of ports has no
-- _NOT of its own.
function Field:interval_end(sign, first)
  local record = self.check.record
  local last = record:take("_END_" .. self.key .. sign)
  if not last and first and sign ~= "" and self.kind == KINDS.PORT then
    last = record:take("_END_" .. self.key)
  elseif last and not first then
    self.check:fail(last, ("%s ends an interval that has no %s"):format(last.key, self.key .. sign))
  end
  return last
end

-- The numbers of the field's keys with one sign, in order; that of the key without a number is 1.
function Field:numbers(sign)
  local pattern = "^" .. self.key .. "(%d*)" .. sign .. "$"
  local numbers = {}
  for key in pairs(self.check.record.entries) do
    local digits = key:match(pattern)
    local number = digits and (digits == "" and 1 or tonumber(digits))
    if digits == "" or (digits and digits:find("^[1-9]") and number > 1 and number <= LIST_MOST) then
      numbers[#numbers + 1] = number
    end
  end
  table.sort(numbers)
  return numbers
end

-- The values with one sign ("" or "_NOT") in the order of their numbers, and the first of their keys.
function Field:values(sign)
  local record = self.check.record
  local list, key = {}, nil
  local numbers = self:numbers(sign)
  if numbers[1] ~= 1 then
    self:interval_end(sign, nil)
  end
  for _, number in ipairs(numbers) do
    local entry = record:take(self.key .. (number > 1 and number or "") .. sign)
    local last = number == 1 and self:interval_end(sign, entry) or nil
    key = key or entry.key
    list[#list + 1] = self:element(entry, last)
  end
  return list, key
end

-- Adds the machine's own addresses to a list.
function Field:own(list, key, sign)
  local entry = self.check.record:take("MY" .. self.key .. sign)
  if not entry or not self.check:switch(entry) then
    return key
  elseif key and sign == "" then
    -- Which of the two counted, or whether both had to hold, is not known.
    self.check:lose(entry, ("%s and %s in one rule cannot be kept apart"):format(entry.key, key))
  end
  table.insert(list, 1, "me")
  return key or entry.key
end

--- Takes one field's keys out of the record.
-- @param check of legacy_rule.lua: check.record, check:fail(entry, message) for a mistake, check:lose(entry,
--   message) for a restriction that cannot be kept, check:switch(entry)
-- @param name "SRC" or "DST"
-- @param what "ADDR" or "PORT"
-- @return value as our language writes it, true when negated; nil when the record does not ask for it
function side.take(check, name, what)
  local field = setmetatable({ check = check, key = name .. what, kind = KINDS[what] }, Field)
  -- The negated ones first: their interval may end in a key without _NOT.
  local others, other = field:values "_NOT"
  local ones, one = field:values ""
  if what == "ADDR" then
    other = field:own(others, other, "_NOT")
    one = field:own(ones, one, "")
  end
  if one and other then
    field:lose(check.record, ("%s and %s in one rule cannot be kept"):format(one, other))
  end
  local list = other and others or ones
  if field.lost or #list == 0 then
    return nil
  end
  for i, value in ipairs(list) do
    list[i] = other and "!" .. value or value
  end
  return #list == 1 and list[1] or list, other ~= nil
end

return side
