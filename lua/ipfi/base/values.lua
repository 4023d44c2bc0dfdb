-- SPDX-License-Identifier: GPL-2.0-or-later
-- The forms that the values of many fields share: one or a list, "!" in front, "a-b".
--
-- Functions return nil and a message when the value is wrong; the caller knows where it stands.
local text = require "ipfi.base.text"

local values = {}

--- Key of things that are neither strings nor numbers but stand for an element, like address sets. What it
-- holds is true when the thing is negated.
local ELEMENT = {}
values.ELEMENT = ELEMENT

local function element(value, want)
  local kind = type(value)
  if kind == "string" then
    local rest = value:match("^%s*!%s*(.*)$")
    return rest or value, rest ~= nil
  elseif kind == "number" then
    return value, false
  elseif kind == "table" and rawget(value, ELEMENT) ~= nil then
    return value, rawget(value, ELEMENT)
  end
  return nil, ("expected %s, got %s"):format(want, text.quote(value))
end

local function is_list(value)
  return type(value) == "table" and rawget(value, ELEMENT) == nil
end

--- Is a word in a list? No list holds nothing.
function values.contains(list, word)
  for _, other in ipairs(list or {}) do
    if other == word then
      return true
    end
  end
  return false
end

--- Is a field of a rule's message negated?
function values.is_negated(wire, name)
  return values.contains(wire.negated, name)
end

--- Checks that a table is a list without holes or other keys.
-- @return its length, or nil and a message
function values.length(list)
  local count = 0
  for key in next, list do
    if math.type(key) ~= "integer" then
      return nil, ("a list is wanted here, but it has the key %s"):format(text.quote(key))
    end
    count = count + 1
  end
  if count == 0 then
    return nil, "an empty list matches nothing"
  elseif count ~= #list then
    return nil, "the list has a hole: one of its values is nil"
  end
  return count
end

--- Splits a field's value into its elements. A "!" in front of the only element, or of every one of a
-- list, negates the whole.
-- @param value string, number, element object or list of these
-- @param want what an element should be, for the message
-- @return list of elements, true when negated; or nil and a message
function values.elements(value, want)
  if not is_list(value) then
    local e, negated = element(value, want)
    if e == nil then
      return nil, negated
    end
    return { e }, negated
  end
  local count, problem = values.length(value)
  if not count then
    return nil, problem
  end
  local list, all = {}, nil
  for i = 1, count do
    local e, negated = element(value[i], want)
    if e == nil then
      return nil, negated
    elseif all == nil then
      all = negated
    elseif all ~= negated then
      return nil, "a list is negated as a whole: put '!' before all of its values or before none"
    end
    list[i] = e
  end
  return list, all
end

--- An integer from a number or a string of digits ("0x" allowed when hex is true).
-- @return integer, or nil
function values.integer(value, hex)
  if type(value) == "number" then
    return math.tointeger(value)
  elseif type(value) == "string" and (value:find("^%d+$") or (hex and value:find("^0[xX]%x+$"))) then
    return math.tointeger(tonumber(value))
  end
  return nil
end

--- Sorts ranges, joins those that touch, and leaves out a "to" that equals its "from".
-- @param list of { from =, to = }; from and to are integers
function values.merge(list)
  if #list > 1 then
    table.sort(list, function(a, b)
      return a.from < b.from
    end)
    local merged = { list[1] }
    for i = 2, #list do
      local last, this = merged[#merged], list[i]
      if this.from <= last.to + 1 then
        last.to = math.max(last.to, this.to)
      else
        merged[#merged + 1] = this
      end
    end
    list = merged
  end
  for _, range in ipairs(list) do
    if range.to == range.from then
      range.to = nil
    end
  end
  return list
end

--- Parses the ranges of a numeric field.
-- @param value the field's value
-- @param spec { what = "port", want = "a port, ...", least =, most =, named = function (word) -> from, to
--   or nil, message, memo = {} }; named is asked for words that are no number or range; with a memo,
--   texts are parsed once
-- @return list of { from =, to = nil when the same }, true when negated; or nil and a message
function values.ranges(value, spec)
  local list, negated = values.elements(value, spec.want)
  if not list then
    return nil, negated
  end
  local ranges = {}
  for i, item in ipairs(list) do
    local from = values.integer(item)
    local to = from
    if not from and type(item) == "string" then
      local a, b = item:match("^%s*(%d+)%s*%-%s*(%d+)%s*$")
      if a then
        from, to = math.tointeger(tonumber(a)), math.tointeger(tonumber(b))
        if from and to and from > to then
          return nil, ("the range '%s' ends before it begins"):format(text.escape(item))
        end
      elseif spec.named and item:find("%a") then
        from, to = spec.named(item)
        if not from then
          return nil, to
        end
        to = to or from
      end
    end
    if not from or not to then
      return nil, ("expected %s, got %s"):format(spec.want, text.quote(item))
    elseif from < spec.least or to > spec.most then
      return nil, ("%s %s is not in %d to %d"):format(spec.what, text.quote(item), spec.least, spec.most)
    end
    ranges[i] = { from = from, to = to }
  end
  ranges = values.merge(ranges)
  if spec.memo and type(value) == "string" then
    spec.memo[value] = { ranges = ranges, negated = negated }
  end
  return ranges, negated
end

--- Ranges of the wire as they would be written: 22, "1024-2048", or a list; "!" in front when negated.
-- @param ranges list of { from =, to = }
-- @param name function (number) -> text or nil
function values.written(ranges, negated, name)
  local list = {}
  for i, range in ipairs(ranges) do
    local written
    if range.to and range.to ~= range.from then
      written = ("%d-%d"):format(range.from, range.to)
    else
      written = name and name(range.from) or range.from
    end
    list[i] = negated and "!" .. written or written
  end
  return #list == 1 and list[1] or list
end

return values
