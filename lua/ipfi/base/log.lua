-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the program and its scripts have to say beside their output: to standard error, and with --syslog to
-- the system log. Jobs of cron say nothing when all is well: below a warning only -v speaks.
local errors = require "ipfi.base.errors"
local settings = require "ipfi.base.settings"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local log = {}

-- Levels, the names syslog(3) has for them, and how many -v they need on standard error.
local LEVELS = {
  error = { syslog = "err", verbose = 0 },
  warning = { syslog = "warning", verbose = 0 },
  notice = { syslog = "notice", verbose = 1 },
  info = { syslog = "info", verbose = 1 },
  debug = { syslog = "debug", verbose = 2 },
}

log.levels = suggest.keys(LEVELS)

--- Says something.
-- @param level "error", "warning", "notice", "info" or "debug"
-- @param message text, several lines allowed
function log.write(level, message)
  local known = LEVELS[level]
  local loud = known.verbose <= settings.verbose and not (settings.quiet and level ~= "error")
  for line in (message .. "\n"):gmatch("([^\n]*)\n") do
    local safe = text.escape(line)
    if loud then
      io.stderr:write("ipfi: ", safe, "\n")
    end
    if settings.syslog and level ~= "debug" then
      sys.syslog(known.syslog, safe)
    end
  end
end

--- The same with a format, as fw.log.
function log.log(level, message, ...)
  if not LEVELS[level] then
    errors.raise("lua", "fw.log: unknown level %s%s", text.quote(level),
      type(level) == "string" and suggest.hint(level, log.levels) or "")
  elseif type(message) ~= "string" then
    errors.raise("lua", "fw.log: expected a format, got %s", text.quote(message))
  end
  if select("#", ...) > 0 then
    message = message:format(...)
  end
  log.write(level, message)
end

return log
