-- SPDX-License-Identifier: GPL-2.0-or-later
-- Ports by number, by service name and in ranges.
local protocol = require "ipfi.field.protocol"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local ports = {}

local WANT = "a port number, a service name, a range 'a-b' or a list of these"

-- What values.ranges() needs, for each list of protocols.
local specs = {}

--- Port of a service.
-- @param name as in services(5)
-- @param protos list of protocol numbers it may be used with; nil for any
-- @return port, or nil and a message
function ports.service(name, protos)
  local found
  for _, number in ipairs(protos or {}) do
    local port = sys.service(name, protocol.name(number))
    if port and found and port ~= found then
      return nil, ("service %s has a port of its own in each protocol; say which with proto")
        :format(text.quote(name))
    end
    found = found or port
  end
  if found then
    return found
  end
  local elsewhere = sys.service(name)
  if elsewhere and not protos then
    return elsewhere
  elseif elsewhere then
    local names = {}
    for i, number in ipairs(protos) do
      names[i] = protocol.name(number)
    end
    return nil, ("service %s is not one of %s"):format(text.quote(name), table.concat(names, " or "))
  end
  return nil, ("unknown service %s%s"):format(text.quote(name), suggest.hint(name, sys.services()))
end

--- Parses the value of a port field.
-- @param value what was written
-- @param protos list of protocol numbers that the rule names, or those it means
-- @return list of { from =, to = }, true when negated; or nil and a message
function ports.parse(value, protos)
  local key = table.concat(protos, ",")
  local spec = specs[key]
  if not spec then
    spec = {
      what = "port",
      want = WANT,
      least = 0,
      most = 65535,
      memo = {},
      named = function(word)
        return ports.service(word, protos)
      end,
    }
    specs[key] = spec
  end
  return values.ranges(value, spec)
end

return ports
