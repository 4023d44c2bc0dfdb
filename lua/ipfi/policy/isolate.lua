-- SPDX-License-Identifier: GPL-2.0-or-later
-- A function in a process of its own that can do nothing but compute (shell/child.c), and its value as data.
local child = require "ipfi.c.child"
local errors = require "ipfi.base.errors"
local transfer = require "ipfi.c.transfer"

local apart = {}

-- The most that a value may have as bytes: a million rules take about half of it.
local ANSWER_MOST = 512 << 20

-- Stands for every function in what comes back.
local function stand_in()
  error("a function of another process cannot be called", 2)
end

-- What child.run() says, as a text that follows a name and ": ".
local MEANING = {
  time = "the policy takes too long (stopped after %d s); is there a pattern with many '.-', or another call "
    .. "that has no end?",
  memory = "the policy takes too much memory (stopped at %d MiB)",
  answer = "the policy is too large (what it returns takes more than %d MiB)",
  ended = "the policy's process has ended: %s",
}

local function problem_of(what, why, limits)
  local value = ({ time = limits.seconds, memory = limits.memory >> 20, answer = ANSWER_MOST >> 20,
    ended = why })[what]
  return MEANING[what]:format(value)
end

--- Calls a function apart. It sees all that it refers to, but what it changes there is lost.
-- @param run function () -> value; an error of it is a mistake of the program, not of a policy
-- @param atoms list of tables that the value may hold or have as metatables, and that are the same ones in
--   the value that comes back
-- @param limits { seconds = of the processor, whole ones; memory = bytes }
-- @return the value: strings, numbers, booleans and tables of these, and a stand-in for each function; or nil
--   and what is wrong with the function; raises an error when nothing could be run, and on Ctrl-C
function apart.call(run, atoms, limits)
  local bytes, what, why = child.run(function()
    local value = run()
    local ok, encoded = pcall(transfer.encode, { value }, atoms, ANSWER_MOST)
    return ok and encoded or transfer.encode({ [2] = encoded }, atoms, ANSWER_MOST)
  end, {
    seconds = limits.seconds,
    -- Others need the processor too, and a machine may be slow to give it.
    wall = 2 * limits.seconds + 1,
    memory = limits.memory,
    answer = ANSWER_MOST,
  })
  if bytes then
    -- Whatever the process answers, it is no more than it was allowed to have itself.
    local ok, value = pcall(transfer.decode, bytes, atoms, stand_in, 2 * limits.memory)
    if not ok then
      return nil, problem_of("ended", "its answer makes no sense: " .. tostring(value), limits)
    elseif type(value) == "table" and value[1] ~= nil then
      return value[1]
    end
    return nil, "the policy cannot be passed on: " .. tostring(type(value) == "table" and value[2])
  elseif what == "interrupted" then
    errors.raise("interrupted", "interrupted!")
  elseif MEANING[what] then
    return nil, problem_of(what, why, limits)
  end
  errors.raise("lua", "cannot run a policy in a process of its own: %s", why or what)
end

return apart
