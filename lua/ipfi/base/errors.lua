-- SPDX-License-Identifier: GPL-2.0-or-later
-- Errors as values: what the user reads, and the exit status it leads to.
local text = require "ipfi.base.text"

local errors = {}

--- Exit status by name.
errors.status = {
  done = 0,
  lua = 1,
  usage = 2,
  policy = 3,
  refused = 4,
  absent = 5,
  rolled_back = 6,
  differences = 10,
  busy = 75,
  permission = 77,
  interrupted = 130,
}

-- A policy with a thousand mistakes has one mistake in a loop.
local SHOWN = 20

local Error = { __name = "ipfi.error" }
Error.__index = Error

function Error:__tostring()
  return self.message
end

--- Makes an error value.
-- @param status a name of errors.status
-- @param message what the user reads, several lines allowed
-- @param details optional table of further fields (errno, attr, rule, at ...), kept in the value
function errors.new(status, message, details)
  local e = setmetatable({}, Error)
  for key, value in pairs(details or {}) do
    e[key] = value
  end
  e.kind = status
  e.status = assert(errors.status[status], "unknown status")
  e.message = message
  return e
end

--- Raises errors.new(...); the message may be a format when arguments follow.
function errors.raise(status, message, ...)
  if select("#", ...) > 0 then
    message = message:format(...)
  end
  error(errors.new(status, message), 0)
end

--- Is this value one of ours?
function errors.is(value)
  return getmetatable(value) == Error
end

--- One error from the list of a policy's mistakes.
-- @param list strings "file:line: what is wrong", in the order found
-- @param file its name in these, and source its text, to show the lines; nil for neither
-- @param texts of the prompt: { "file:line" = list of the texts that have that place }, or nil
function errors.policy(list, file, source, texts)
  local lines = table.move(list, 1, math.min(#list, SHOWN), 1, {})
  if #list > SHOWN then
    lines[#lines + 1] = ("... and %d more errors"):format(#list - SHOWN)
  end
  return errors.new("policy", table.concat(lines, "\n"), { errors = list, file = file,
    source = source, texts = texts })
end

local BUSY = { ESTALE = true, EBUSY = true, EAGAIN = true }
local FORBIDDEN = { EPERM = true, EACCES = true }

-- What the numbers of errno(3) do not say by themselves.
local MEANING = {
  ESTALE = "another rule set was committed meanwhile; nothing was changed",
  EPERM = "not permitted: this needs root (CAP_NET_ADMIN)",
  EACCES = "not permitted: this needs root (CAP_NET_ADMIN)",
}

--- An error value from what a call to the kernel returned.
-- @param err table of ipfi.c.netlink: errno, name, message, attr, absent, version, interrupt
-- @param doing what was tried, like "commit"
-- @param place optional { at = "file:line", rule = name } of the rule that was refused
function errors.kernel(err, doing, place)
  local details = { errno = err.errno, name = err.name, attr = err.attr }
  if err.interrupt then
    return errors.new("interrupted", "interrupted!", details)
  elseif err.absent then
    return errors.new("absent", doing .. ": the kernel module is not loaded (try: modprobe ipfi)", details)
  elseif err.version then
    return errors.new("absent", doing .. ": the kernel module speaks another version of the protocol",
      details)
  end
  local status = BUSY[err.name] and "busy" or FORBIDDEN[err.name] and "permission" or "refused"
  local said = text.escape(err.message or err.name or "unknown error")
  local meaning = MEANING[err.name]
  if meaning then
    said = meaning
  elseif err.attr then
    said = ("%s: %s"):format(text.escape(err.attr):gsub("^rule%.", ""), said)
  end
  if place then
    details.at, details.rule = place.at, place.rule
    return errors.new(status, ("%s: rule '%s': refused by the kernel: %s"):format(place.at,
      text.escape(place.rule), said), details)
  end
  return errors.new(status, ("%s: %s"):format(doing, said), details)
end

--- What an error value of any kind says, and the exit status for it.
-- @param value anything that error() was called with
-- @return message, status
function errors.describe(value)
  if errors.is(value) then
    return value.message, value.status
  end
  -- An error of a script may have a __tostring that raises another.
  local ok, message = pcall(tostring, value)
  if not ok or (type(value) == "table" and not debug.getmetatable(value)) then
    message = ("an error that is a %s"):format(type(value))
  end
  if message:find("interrupted!", 1, true) then
    return "interrupted!", errors.status.interrupted
  end
  return message, errors.status.lua
end

return errors
