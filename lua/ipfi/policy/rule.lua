-- SPDX-License-Identifier: GPL-2.0-or-later
-- Checks one rule and makes its message: each field by itself, then what they say together.
local address = require "ipfi.field.address"
local fields = require "ipfi.field.list"
local protocol = require "ipfi.field.protocol"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local rule = {}

-- IPFI_NAME_LEN of the uapi header.
local NAME_LENGTH = 63

-- A rule is one netlink attribute of at most 65535 bytes; some are left for its other fields.
local SIZE_MOST = 64000
-- Bytes that a range of each kind takes there, and a dynamic set.
local SIZES = { [4] = 20, [6] = 44, number = 20, set = 36 }
-- What is to be done about too many.
local ADDRESSES, NUMBERS = "addresses", "numbers"
local KINDS = { src = ADDRESSES, dst = ADDRESSES, to = ADDRESSES }
local REMEDIES = {
  [ADDRESSES] = "join them to prefixes, keep them in a dynamic set (set { name = ..., dynamic = true }), or "
    .. "spread them over several rules",
  [NUMBERS] = "join them to ranges, or spread them over several rules",
}

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

--- Counts what a field takes of a rule's message, where only so much fits.
-- @param name of the field
-- @param ranges list of { from =, to = } of addresses or numbers
-- @param sets number of dynamic sets beside them
function Check:take_room(name, ranges, sets)
  local size = (sets or 0) * SIZES.set
  for _, range in ipairs(ranges) do
    local from = range.from
    size = size + (type(from) ~= "string" and SIZES.number or SIZES[from:find(":", 1, true) and 6 or 4])
  end
  self.size = self.size + size
  if size > self.largest then
    self.largest, self.largest_name, self.largest_count = size, name, #ranges + (sets or 0)
  end
end

-- Does all of it fit into a message? Complains about the largest field otherwise.
local function check_room(c)
  if c.size > SIZE_MOST then
    local name = c.largest_name
    local kind = KINDS[name] or NUMBERS
    c:fail(name, "%s: too many addresses and ports for one rule: its %d %s take %d bytes%s, and %d "
      .. "fit into a message; %s", name, c.largest_count, kind, c.largest,
      c.size > c.largest and (", all fields together %d"):format(c.size) or "", SIZE_MOST,
      name == "to" and "join them to ranges 'a-b'" or REMEDIES[kind])
  end
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

local BOTH = { protocol.TCP, protocol.UDP }

--- Protocols that a rule with ports is about; nil after a mistake.
-- @param name the field that asks for ports
function Check:protocols_with_ports(name)
  if self.proto_negated then
    return self:fail("proto",
      "%s: ports belong to protocols; name those that are meant instead of '!' in proto", name)
  elseif self.failed.proto then
    return nil
  end
  for _, number in ipairs(self.protos or {}) do
    if not protocol.has_ports(number) then
      return self:fail(name, "%s: protocol %s has no ports", name, text.quote(protocol.name(number)))
    end
  end
  return self.protos or BOTH
end

--- Notes that a field which a group says to all its rules means nothing to this one.
-- @return false
function Check:leave_out(name)
  self.left_out[name] = true
  return false
end

--- Makes the rule one about TCP only. What a group says to all its rules is not meant for those about other
-- protocols, but of one about any protocol only the TCP would be left: that must be said.
-- @param name the field that means TCP
-- @return false when the field cannot hold
function Check:tcp_only(name)
  local tcp, other = self.protos == nil and not self.wire.icmp, self.proto_negated or self.wire.icmp ~= nil
  for _, number in ipairs(self.protos or {}) do
    tcp, other = tcp or number == protocol.TCP, other or number ~= protocol.TCP
  end
  if self.failed.proto then
    return true
  elseif self:written_here(name) then
    if other then
      self:fail(name, "%s: it is about TCP; say proto = 'tcp' or leave proto out", name)
      return false
    end
  elseif not self.proto_negated and not tcp then
    return self:leave_out(name)
  elseif other or not self.protos then
    self:fail(name, "%s: it is about TCP, and rule '%s' is not only; say proto = 'tcp' in those that are "
      .. "meant",
      name, text.escape(self.name))
    return false
  end
  self.wire.proto = { { from = protocol.TCP } }
  return true
end

--- Does the rule let connections pass, so that a field has a meaning? What a group says to all its rules
-- does not hurt those that deny.
function Check:allows(name)
  if self.verdict == "allow" then
    return true
  elseif self:written_here(name) then
    self:fail(name, "%s: a rule that says %s lets no connection pass", name, self.verdict)
  end
  return self:leave_out(name)
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
  elseif name == "name" then
    return "unknown field 'name': the first value is the rule's name"
  end
  return ("unknown field %s%s"):format(text.quote(name), suggest.hint(name, fields.names))
end

-- What the fields of a filter rule say together.
local function check_filter(c)
  local wire = c.wire
  wire.lists = wire.lists or fields.lists
  if c.verdict ~= "allow" then
    return
  end
  local stateful = c.state
  if stateful == nil then
    stateful = c.stateful
  end
  if stateful then
    wire.flags = { "stateful", c.ftp_foreign and "ftp_foreign" or nil }
  elseif wire.per_source then
    c:fail("per_source", "per_source counts the live states a rule made; say state = true")
  end
end

-- Why persistent = true changes nothing in a NAT rule; nil where it does.
local function never_persistent(c)
  local to = c.wire.target and c.wire.target.addrs
  if c.verdict == "redirect" then
    return "redirect sends to the one address of the device, so there is nothing to keep to"
  elseif c.verdict == "dnat" then
    local only = to and #to.ranges == 1 and to.ranges[1]
    return only and (not only.to or only.to == only.from)
      and "'to' is one address, so there is nothing to keep to" or nil
  elseif c.proto_negated or not c.protos then
    return nil
  end
  for _, number in ipairs(c.protos) do
    if protocol.has_ports(number) or number == protocol.ICMP or number == protocol.ICMPV6 then
      return nil
    end
  end
  return ("protocol %s has no ports, so only the address is translated, and that a source keeps in any case")
    :format(text.quote(protocol.name(c.protos[1])))
end

-- What the fields of a NAT rule say together.
local function check_nat(c)
  if (c.verdict == "dnat" or c.verdict == "snat") and not c.wire.target and not c.failed.to then
    c:fail("to", "has no 'to', which says where to translate: to = '10.0.0.10' or to = '10.0.0.10:8080'")
  end
  local never = c.persistent and never_persistent(c)
  if never and c:written_here("persistent") and not (c.failed.to or c.failed.proto) then
    c:fail("persistent", "persistent: %s", never)
  elseif c.persistent and not never then
    c.wire.flags = { "persistent" }
  end
end

-- A negation of addresses also matches the other family: where only that is left it says nothing.
local function check_negations(c)
  for _, name in ipairs { "src", "dst" } do
    local families = c.unlike[name]
    if families and families ~= 0 and c.families ~= 0 and families & c.families == 0 then
      c:fail(name, "%s: it leaves out %s addresses, but the rule is about %s only (%s): it says nothing",
        name,
        c.families == address.V4 and "IPv6" or "IPv4", c.families == address.V4 and "IPv4" or "IPv6",
        c.narrowed_by)
    end
  end
end

--- Makes what checks the rules of one policy, one after the other.
-- @param stateful the policy's default for state
-- @param report function (at, message) called for each mistake
function rule.checker(stateful, report)
  return setmetatable({ stateful = stateful, report = report }, Check)
end

--- The kind of the rules with a verdict, which is the list of a NAT rule: "filter", "dstnat" or "srcnat".
rule.place = {
  allow = "filter", deny = "filter", reject = "filter",
  dnat = "dstnat", redirect = "dstnat",
  snat = "srcnat", masquerade = "srcnat",
}

--- Is a rule with this verdict a NAT rule?
function rule.is_nat(verdict)
  local place = rule.place[verdict]
  return place ~= nil and place ~= "filter"
end

-- Checks the fields that hold for a rule, each by itself.
local function check_fields(c, written)
  local list, names = fields.list, fields.names
  for i = 1, #names do
    local value = written[names[i]]
    if value ~= nil then
      local barred = list[i].barred
      local why = barred and barred[c.place]
      local group = not c:written_here(names[i]) and c.origin[names[i]]
      if not why then
        list[i].check(c, value)
        if group then
          local rules = c.left_out[names[i]] and group.left_out or group.taken
          rules[names[i]] = true
        end
      elseif c.place == "filter" then
        c:fail(names[i], "%s: %s", names[i], why)
      else
        c:fail(names[i], "%s is no field of %s: %s", names[i], c.verdict, why)
      end
    end
  end
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
  self.ftp_foreign, self.persistent = false, false
  self.unlike, self.left_out = {}, {}
  self.place = rule.place[definition.verdict]
  self.failed, self.size, self.largest = {}, 0, 0
  self.wire = { name = definition.name, verdict = definition.verdict, at = definition.at }
  for name in next, definition.fields do
    if not fields.by_name[name] then
      self:fail(name, "%s", rule.unknown_field(name))
    end
  end
  if self.place == "filter" then
    check_fields(self, written)
    check_filter(self)
  else
    self.wire.lists = { self.place }
    check_fields(self, written)
    check_nat(self)
  end
  check_negations(self)
  check_room(self)
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
