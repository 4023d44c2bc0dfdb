-- SPDX-License-Identifier: GPL-2.0-or-later
-- Addresses of names, for scripts: rules hold addresses, so who wants names keeps a set of their addresses.
local errors = require "ipfi.base.errors"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local SECONDS = 10

--- Asks the system's resolver for the addresses of names, IPv4 and IPv6, of all at once.
-- @param names a name, or a list of names
-- @param seconds how long to wait for all of them together (10 when absent)
-- @return { [name] = sorted list of addresses }, { [name] = why there are none }
return function(names, seconds)
  local list = type(names) == "string" and { names } or names
  if type(list) ~= "table" then
    errors.raise("lua", "fw.resolve: expected a name or a list of names, got %s", text.quote(names))
  elseif seconds ~= nil and not (type(seconds) == "number" and seconds >= 0) then
    errors.raise("lua", "fw.resolve: expected seconds from 0 on, got %s", text.quote(seconds))
  end
  for _, name in ipairs(list) do
    if type(name) ~= "string" or name == "" or name:find("%z") then
      errors.raise("lua", "fw.resolve: %s is no name", text.quote(name))
    end
  end
  local answers, problem = sys.resolve(list, seconds or SECONDS)
  if not answers then
    errors.raise("lua", "fw.resolve: %s", problem)
  elseif sys.interrupted() then
    error(errors.new("interrupted", "interrupted!"), 0)
  end
  local found, failed = {}, {}
  for name, answer in pairs(answers) do
    if type(answer) == "table" and #answer > 0 then
      table.sort(answer, function(a, b)
        return sys.compare_addresses(a, b) < 0
      end)
      found[name] = answer
    else
      failed[name] = type(answer) == "string" and answer or "no address"
    end
  end
  return found, failed
end
