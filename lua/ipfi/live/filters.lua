-- SPDX-License-Identifier: GPL-2.0-or-later
-- Filters of the state table, checked here and evaluated in the kernel.
local address = require "ipfi.field.address"
local constructors = require "ipfi.policy.constructors"
local codec = require "ipfi.c.codec"
local errors = require "ipfi.base.errors"
local helper = require "ipfi.field.helper"
local kernel = require "ipfi.base.kernel"
local ports = require "ipfi.field.ports"
local protocol = require "ipfi.field.protocol"
local running = require "ipfi.live.ruleset"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local filters = {}

local STATES = codec.states()
local IS_STATE = {}
for _, name in ipairs(STATES) do
  IS_STATE[name] = true
end

local function fail(message, ...)
  errors.raise("lua", "fw.states: " .. message, ...)
end

local function integer(name, least, most)
  return function(value)
    local number = values.integer(value, true)
    if not number or number < least or number > most then
      fail("%s: expected a number from %d to %d, got %s", name, least, most, text.quote(value))
    end
    return number
  end
end

-- Numbers of states stay whole in a double, as JSON has them.
local function id(name)
  return integer(name, 1, (1 << 53) - 1)
end

local NAT = { [true] = { "src_nat", "dst_nat" }, [false] = {}, src = { "src_nat" }, dst = { "dst_nat" } }

local function prefix(name)
  return function(value)
    local parsed, problem = address.prefix(value)
    if not parsed then
      fail("%s: %s", name, problem)
    end
    return parsed
  end
end

local function port(name)
  return function(value)
    local ranges, negated = ports.parse(value, { protocol.TCP, protocol.UDP })
    if not ranges then
      fail("%s: %s", name, negated)
    elseif negated or #ranges ~= 1 then
      fail("%s: expected one port, service or range", name)
    end
    return { from = ranges[1].from, to = ranges[1].to }
  end
end

local function device(name)
  return function(value)
    local index = type(value) == "string" and kernel.ifindex(value)
    if not index then
      fail("%s: no device is called %s%s", name, text.quote(value),
        type(value) == "string" and suggest.hint(value, kernel.interfaces()) or "")
    end
    return index
  end
end

--- The filters: { name =, wire = attribute, help =, parse = function (value) -> wire value }.
filters.list = {
  {
    name = "family",
    wire = "family",
    help = "4 or 6",
    parse = function(value)
      local number = values.integer(value)
      if number ~= 4 and number ~= 6 then
        fail("family is 4 or 6, got %s", text.quote(value))
      end
      return number
    end,
  },
  {
    name = "proto",
    wire = "proto",
    help = "protocol by name or number",
    parse = function(value)
      local ranges, negated = values.ranges(value, protocol.spec)
      if not ranges then
        fail("proto: %s", negated)
      elseif negated or #ranges ~= 1 or ranges[1].to then
        fail("proto: expected one protocol")
      end
      return ranges[1].from
    end,
  },
  {
    name = "state",
    wire = "states",
    help = "a state's name or a list of them",
    parse = function(value)
      local names = {}
      for i, name in ipairs(type(value) == "table" and value or { value }) do
        local upper = type(name) == "string" and name:upper()
        if not IS_STATE[upper] then
          fail("unknown state %s%s", text.quote(name), upper and suggest.hint(upper, STATES) or "")
        end
        names[i] = upper
      end
      if #names == 0 then
        fail("state: an empty list matches nothing")
      end
      return names
    end,
  },
  { name = "src", wire = "src", help = "address or prefix of who opened it", parse = prefix "src" },
  { name = "dst", wire = "dst", help = "address or prefix of the other side", parse = prefix "dst" },
  { name = "addr", wire = "addr", help = "address or prefix of either side", parse = prefix "addr" },
  { name = "sport", wire = "sport", help = "port, service or range 'a-b'", parse = port "sport" },
  { name = "dport", wire = "dport", help = "port, service or range 'a-b'", parse = port "dport" },
  { name = "port", wire = "port", help = "port, service or range of either side", parse = port "port" },
  {
    name = "rule",
    wire = "rule",
    help = "name of a running rule, or a rule's id",
    parse = function(value)
      if type(value) == "string" then
        return running.id(value)
      elseif math.type(value) ~= "integer" then
        fail("rule: expected a name or an id, got %s", text.quote(value))
      end
      return value
    end,
  },
  { name = "iif", wire = "iif", help = "device it came in by", parse = device "iif" },
  { name = "oif", wire = "oif", help = "device it left by", parse = device "oif" },
  { name = "iface", wire = "device", help = "either device", parse = device "iface" },
  {
    name = "guessed",
    wire = "midstream",
    help = "true or false",
    parse = function(value)
      if type(value) ~= "boolean" then
        fail("guessed: expected true or false, got %s", text.quote(value))
      end
      return value and 1 or 0
    end,
  },
  { name = "mark", wire = "mark", help = "a number", parse = integer("mark", 0, 0xffffffff) },
  { name = "id", wire = "id", help = "number of a state", parse = id "id" },
  {
    name = "helper",
    wire = "helper",
    help = "name of a helper: the connections that it watches, and those that they announced",
    parse = function(value)
      for _, name in ipairs(helper.names) do
        if value == name then
          return name
        end
      end
      fail("unknown helper %s%s", text.quote(value),
        type(value) == "string" and suggest.hint(value, helper.names) or "")
    end,
  },
  {
    name = "vrf",
    wire = "vrf",
    help = "VRF that either side is in, false for none",
    parse = function(value)
      return value == false and 0 or device "vrf"(value)
    end,
  },
  { name = "master", wire = "master", help = "id of the state that announced them", parse = id "master" },
  {
    name = "nat",
    wire = "nat",
    help = "true or false: translated or not; 'src' or 'dst': with that side translated",
    parse = function(value)
      return NAT[value] or fail("nat: expected true, false, 'src' or 'dst', got %s", text.quote(value))
    end,
  },
}

--- Their names.
filters.names = {}

local by_name = {}
for i, filter in ipairs(filters.list) do
  by_name[filter.name] = filter
  filters.names[i] = filter.name
end

--- Checks a filter and makes what the kernel evaluates.
-- @param filter table of the names above, or nil
-- @return the message's filter table, or nil for none; raises an error that suggests the near name
function filters.parse(filter)
  if filter ~= nil and type(filter) ~= "table" then
    fail("expected a table of filters, got %s", text.quote(filter))
  end
  -- A filter that is not there lets all states through, to be killed too.
  for _, problem in ipairs(filter and constructors.problems(filter) or {}) do
    fail("%s", problem)
  end
  local wire = {}
  for name, value in pairs(filter or {}) do
    local known = by_name[name]
    if not known then
      fail("unknown filter %s%s", text.quote(name),
        type(name) == "string" and suggest.hint(name, filters.names) or "")
    end
    wire[known.wire] = known.parse(value)
  end
  return next(wire) ~= nil and wire or nil
end

return filters

