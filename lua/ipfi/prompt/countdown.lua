-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the prompt says while a commit waits to be confirmed: how many seconds are left, and how it ended,
-- whoever ended it.
--
-- The kernel tells over a connection of its own when the rule set changes. Where that cannot be had, as for
-- a user without the right, the state is asked for each second while a commit waits.
local kernel = require "ipfi.base.kernel"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local countdown = {}

-- What is simulated must not look like the machine that it is simulated on.
local NAME, SIMULATED = "ipfi", "ipfi(sim)"

-- The connection that hears of rule sets; when the rule set before comes back, by sys.monotonic(), or nil;
-- the generation that waits; the kernel's connection when listening began.
local connection, deadline, waiting, epoch

local function close()
  if connection then
    connection:close()
    connection = nil
  end
end

-- Seconds on the clock that the deadline is kept by: with --sim that of the engine's world, which the user
-- moves.
local function now()
  local world = kernel.world()
  return world and world:now() or sys.monotonic()
end

local function listen()
  -- A module that was loaded anew speaks over another connection.
  if connection and epoch ~= kernel.epoch() then
    close()
  end
  if connection then
    return
  end
  epoch = kernel.epoch()
  local ok, opened = pcall(kernel.connect, "fw.info")
  if ok and opened:subscribe "ruleset" then
    connection = opened
  elseif ok then
    opened:close()
  end
end

-- Takes what an answer or an event says of a commit that waits.
local function note(info)
  deadline = info.confirm and now() + info.confirm / 1000
  waiting = deadline and info.generation
end

-- Asks the kernel. It may be absent, and come and go.
local function ask()
  local ok, answer = pcall(kernel.ask, { cmd = "info" }, "fw.info")
  note(ok and answer.info or {})
end

local ENDED = {
  confirmed = "%s is confirmed and stays",
  ["rolled-back"] = "%s was rolled back",
  ["timed-out"] = "%s was not confirmed in time",
}

-- What an event has to say, with what runs now.
local function tell(info, before)
  local subject = before and ("generation %d"):format(before) or "the commit"
  if ENDED[info.change] then
    local said = ENDED[info.change]:format(subject)
    if info.change ~= "confirmed" then
      -- Before the first commit there was no policy, and no name.
      said = said .. (info.name and info.name ~= ""
        and ("; '%s' is back as generation %d"):format(text.escape(info.name), info.generation)
        or "; there is no policy, as before")
    end
    return said .. "\n"
  elseif info.confirm then
    return ("policy '%s', generation %d, goes in %d s unless fw.confirm() keeps it\n")
      :format(text.escape(info.name or ""), info.generation, (info.confirm + 999) // 1000)
  end
  return nil
end

-- Reads the events that have come. Returns what they say as text, or nil.
local function hear()
  local said = {}
  while connection do
    local list, err = connection:events(0)
    if not list then
      if not err.interrupt then
        close()
      end
      break
    elseif #list == 0 then
      break
    end
    for _, message in ipairs(list) do
      if message.cmd == "event_ruleset" and message.info then
        said[#said + 1] = tell(message.info, waiting)
        note(message.info)
      elseif message.cmd == "lost" then
        ask()
      end
    end
  end
  return #said > 0 and table.concat(said) or nil
end

-- Seconds left, rounded up; nil when nothing waits.
local function left()
  return deadline and math.max(0, math.ceil(deadline - now()))
end

--- The prompt as it is now.
-- @param more whether a line goes on
function countdown.prompt(more)
  local seconds = left()
  local name = kernel.world() and SIMULATED or NAME
  local prompt = name .. (seconds and ("<CONFIRM %ds> "):format(seconds) or "> ")
  if not more then
    return prompt
  end
  -- The same width, so that the lines of one input stand below each other.
  local rest = seconds and ("CONFIRM %ds-> "):format(seconds) or "-> "
  return (" "):rep(#prompt - #rest) .. rest
end

--- When a line begins: looks what became of the rule set while the last one ran.
-- @return what is to be said about it, or nil
function countdown.begin()
  local before = waiting
  local said = hear()
  ask()
  listen()
  -- What the user has just done needs no more words; that the kernel took it back does.
  if said and said:find("not confirmed in time", 1, true) then
    return said
  elseif before and not waiting and not connection then
    return ("generation %d waits no more\n"):format(before)
  end
  return nil
end

--- While a line is waited for: see set_idle() of ipfi.c.repl.
-- @param more whether a line goes on
-- @return prompt, seconds until the next look or nil, descriptor to wait on or nil, text or nil
function countdown.look(more)
  local before, said = waiting, hear()
  if deadline and (not connection or left() == 0) then
    ask()
    if before and not waiting and not said then
      said = ("generation %d waits no more\n"):format(before)
    end
  end
  if kernel.world() then
    -- Nothing happens there while the user does nothing.
    return countdown.prompt(more), nil, nil, said
  end
  local seconds
  if deadline then
    -- When the number shown changes; once it is over, the kernel's word is waited for.
    local exact = deadline - now()
    seconds = exact > 0 and exact - (math.ceil(exact) - 1) + 0.005 or 1
  end
  return countdown.prompt(more), seconds, connection and connection:fd(), said
end

--- Ends listening.
function countdown.stop()
  close()
  deadline, waiting = nil, nil
end

return countdown
