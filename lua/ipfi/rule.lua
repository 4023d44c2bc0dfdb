-- SPDX-License-Identifier: GPL-2.0-or-later
-- Checks one rule and makes its message: each field by itself, then what they say together.
local address = require "ipfi.address"
local fields = require "ipfi.fields"
local suggest = require "ipfi.suggest"
local text = require "ipfi.text"

local rule = {}

-- IPFI_NAME_LEN of the uapi header.
local NAME_LENGTH = 63

-- A rule is one netlink attribute of at most 65535 bytes; some are left for its other fields.
local SIZE_MOST = 64000

local Check = {}
Check.__index = Check

--- Was this field written in the rule itself, not in a group around it?
function Check:written_here(name)
  return self.definition.fields[name] ~= nil
end

--- Records a mistake in a field. One that a group's value makes in many rules is told once, at the group.
function Check:fail(name, message, ...)
  self.failed[name] = true
  message = message:format(...)
  local group = not self:written_here(name) and self.origin[name]
  if group then
    local key = name .. "\0" .. message
    if not group.told[key] then
      group.told[key] = true
      self.report(group.at, ("group '%s': %s"):format(text.escape(group.name or ""), message))
    end
  else
    self.report(self.definition.at, ("rule '%s': %s"):format(text.escape(self.name), message))
  end
  return nil
end

--- Notes that the value of a field is to be negated.
function Check:negate(name)
  local negated = self.wire.negated or {}
  negated[#negated + 1] = name
  self.wire.negated = negated
end

--- Keeps only the families of a mask; a rule left with none can never match.
function Check:narrow(name, mask)
  local left = self.families & mask
  if left == 0 then
    local only = mask == address.V4 and "IPv4" or "IPv6"
    self:fail(name, "can never match: %s is %s only, but %s is not", name, only, self.narrowed_by)
  elseif left ~= self.families then
    self.families = left
    self.narrowed_by = name
  end
end

--- Checks a rule's name.
-- @return nil, or a message
function rule.bad_name(name)
  if name == nil then
    return "has no name: its first value names it, like allow { \"web\", dport = 80 }"
  elseif type(name) ~= "string" then
    return ("the first value is the rule's name, text; got %s"):format(text.quote(name))
  elseif name == "" then
    return "has an empty name"
  elseif #name > NAME_LENGTH then
    return ("the name %s has %d bytes; at most %d fit"):format(text.quote(name), #name, NAME_LENGTH)
  elseif name:find("%c") then
    return ("the name %s has control characters"):format(text.quote(name))
  end
  return nil
end

--- Says what is wrong with a field that does not exist.
function rule.unknown_field(name)
  if type(name) ~= "string" then
    return ("a rule has one name and then fields like dport = 80; what is the value at %s?")
      :format(text.quote(name))
  elseif fields.later[name] then
    return fields.later[name]
  elseif name == "name" then
    return "unknown field 'name': the first value is the rule's name"
  end
  return ("unknown field %s%s"):format(text.quote(name), suggest.hint(name, fields.names))
end

-- What the fields say together.
local function check_together(c)
  local wire = c.wire
  if c.verdict == "allow" then
    local stateful = c.state
    if stateful == nil then
      stateful = c.stateful
    end
    if stateful then
      wire.flags = { "stateful" }
    elseif wire.per_source then
      c:fail("per_source", "per_source counts the live states a rule made; say state = true")
    end
  end
  if c.size > SIZE_MOST then
    c:fail("src",
      "has too many addresses and ports for one rule (%d KiB; 64 KiB is the most a message holds); split it",
      c.size // 1024)
  end
  wire.lists = wire.lists or fields.lists
end

--- Makes what checks the rules of one policy, one after the other.
-- @param stateful the policy's default for state
-- @param report function (at, message) called for each mistake
function rule.checker(stateful, report)
  return setmetatable({ stateful = stateful, report = report }, Check)
end

--- Checks a rule.
-- @param definition { verdict =, name =, at =, fields = as written in the rule }
-- @param written the fields that hold for it: with those of the groups around it
-- @param origin { field = group } for those that a group gave
-- @return the message's rule table; not to be used when anything was reported
function Check:rule(definition, written, origin)
  self.definition, self.origin = definition, origin
  self.name, self.verdict = definition.name, definition.verdict
  self.families, self.narrowed_by = address.BOTH, nil
  self.protos, self.proto_negated, self.state = nil, false, nil
  self.failed, self.size = {}, 0
  self.wire = { name = definition.name, verdict = definition.verdict, at = definition.at }
  for name in next, definition.fields do
    if not fields.by_name[name] then
      self:fail(name, "%s", rule.unknown_field(name))
    end
  end
  local list, names = fields.list, fields.names
  for i = 1, #names do
    local value = written[names[i]]
    if value ~= nil then
      list[i].check(self, value)
    end
  end
  check_together(self)
  return self.wire
end

--- The value of each field as a rule of the wire has it, for rules without the text they were written as.
function rule.read(wire)
  local row = {}
  for _, field in ipairs(fields.list) do
    row[field.name] = field.read(wire)
  end
  return row
end

return rule
