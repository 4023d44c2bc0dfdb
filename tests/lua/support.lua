-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the specs share. Requiring it puts the stand-ins in place.
require "fake.init"

local support = {}

--- Checks a policy text; "p.lua" is its file.
-- @return the policy; or nil and the error's text
function support.policy(source, args, budget)
  local loader = require "ipfi.policy.loader"
  local ok, value = pcall(loader.text, source, "p.lua", args, budget)
  if ok then
    return value
  end
  return nil, tostring(value), value
end

--- The wire form of a policy's only rule, written as its fields: support.rule [[dport = 22]].
-- @return the message's rule table; or nil and the error's text, without place and name
function support.rule(fields, verdict)
  local p, problem = support.policy(("return policy { rules = { %s { \"r\", %s } } }")
    :format(verdict or "allow", fields))
  if p then
    return p.rules[1].wire
  end
  return nil, (problem:gsub("p%.lua:%d+: rule 'r': ", ""))
end

--- Runs a function with what it writes to standard output and standard error caught.
-- @return text of both, result of the function
function support.catch(run, ...)
  local out, err = io.tmpfile(), io.tmpfile()
  local real_out, real_err = io.stdout, io.stderr
  -- luacheck: push ignore 122
  io.stdout, io.stderr = out, err
  local result = table.pack(pcall(run, ...))
  io.stdout, io.stderr = real_out, real_err
  -- luacheck: pop
  local function text(file)
    file:seek("set")
    local content = file:read("a")
    file:close()
    return content
  end
  local written, complained = text(out), text(err)
  if not result[1] then
    error(result[2], 0)
  end
  return written, complained, table.unpack(result, 2, result.n)
end

--- A style as of a terminal.
function support.terminal(columns, color)
  return require("ipfi.base.style").new { color = color or false, width = columns, human = true }
end

return support
