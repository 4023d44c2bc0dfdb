-- SPDX-License-Identifier: GPL-2.0-or-later
-- A commit that waits to be confirmed: the decision about it, and the question that a terminal is asked. The
-- kernel keeps the deadline; nothing here has to live until then.
local errors = require "ipfi.base.errors"
local kernel = require "ipfi.base.kernel"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local confirm = {}

--- IPFI_CONFIRM_MAX of the uapi header: a day, in seconds.
confirm.MOST = 86400

local LATE = {
  ["timed-out"] = "too late: it was not confirmed in time, and the rules before it are in force again",
  ["rolled-back"] = "too late: it was rolled back already",
}

local function info()
  return kernel.ask({ cmd = "info" }, "fw.info").info or {}
end

local function decide(cmd, doing, options)
  if options ~= nil and type(options) ~= "table" then
    errors.raise("lua", "%s: expected a table of options, got %s", doing, text.quote(options))
  end
  local expect
  for name, value in pairs(options or {}) do
    if name ~= "expect" or math.type(value) ~= "integer" then
      errors.raise("lua", "%s: the only option is expect, a generation", doing)
    end
    expect = value
  end
  local ok, answer = pcall(kernel.ask, { cmd = cmd, commit = { expect = expect } }, doing)
  if ok then
    local now = kernel.count_rules(answer.info)
    return { generation = now.generation, rules = now.rules, nat_rules = now.nat_rules }
  elseif errors.is(answer) and answer.name == "ENOENT" then
    -- Nothing waits (any more). Who meant to keep it must hear when it is gone.
    local change = info().change
    if LATE[change] and cmd == "ruleset_confirm" then
      errors.raise("rolled_back", "%s: %s", doing, LATE[change])
    end
    errors.raise("refused", "%s: no rule set waits to be confirmed", doing)
  end
  error(answer, 0)
end

--- Confirms the running rule set: it stays.
-- @param options { expect = its generation } or nil
-- @return { generation =, rules =, nat_rules = }; raises an error, of kind "rolled_back" when it is too late
function confirm.accept(options)
  return decide("ruleset_confirm", "fw.confirm", options)
end

--- Puts the rule set before the one that waits back in force, now.
-- @param options { expect = generation of the one that waits } or nil
-- @return { generation =, rules =, nat_rules = } of what is in force again
function confirm.roll_back(options)
  return decide("ruleset_rollback", "fw.rollback", options)
end

--- Checks how long a commit may wait.
-- @return seconds as an integer; raises an error
function confirm.check(seconds, doing)
  local whole = math.tointeger(seconds)
  if type(seconds) ~= "number" or not whole or whole < 1 or whole > confirm.MOST then
    errors.raise("lua", "%s: confirm is seconds, from 1 to %d, got %s", doing, confirm.MOST,
      text.quote(seconds))
  end
  return whole
end

-- What the line on the terminal says of the last answer of the kernel, or nil while it still waits.
local function outcome(generation)
  local now = info()
  if now.confirm and now.generation == generation then
    return nil, math.ceil(now.confirm / 1000)
  elseif now.generation == generation then
    return "confirmed"
  end
  return now.change == "rolled-back" and "rolled-back" or "timed-out"
end

local YES = { y = true, yes = true }
local NO = { n = true, no = true }

--- Asks at the terminal whether the rule set that waits is to stay, until it is decided, here or elsewhere.
-- Ctrl-C means no. When the terminal goes, nothing here answers, and the kernel rolls back.
-- @param generation of the rule set that waits
-- @return "confirmed", "rolled-back" or "timed-out"
function confirm.ask(generation)
  local said, left, shown
  repeat
    said, left = outcome(generation)
    if not said then
      if left ~= shown then
        io.stderr:write(("\rThe new rules are in force. Keep them? Rolled back in %d s. [y/n] \27[K")
          :format(left))
        io.stderr:flush()
        shown = left
      end
      local line, why = sys.read_line(0.25)
      local answer = line and line:lower():match("^%s*(%a*)%s*$")
      if answer and YES[answer] then
        confirm.accept { expect = generation }
        return "confirmed"
      elseif (answer and NO[answer]) or why == "interrupted" then
        sys.clear_interrupt()
        io.stderr:write(why and "\n" or "")
        confirm.roll_back { expect = generation }
        return "rolled-back"
      elseif why == "closed" then
        -- Nobody can answer here any more; another session may.
        io.stderr:write("\n")
        return "waiting"
      elseif line then
        shown = nil
      end
    end
  until said
  io.stderr:write("\n")
  return said
end

return confirm
