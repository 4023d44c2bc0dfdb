-- SPDX-License-Identifier: GPL-2.0-or-later
-- From a policy file to a checked policy.
local errors = require "ipfi.errors"
local policy = require "ipfi.policy"
local sandbox = require "ipfi.sandbox"
local sys = require "ipfi.c.sys"
local text = require "ipfi.text"
local trust = require "ipfi.trust"

local loader = {}

-- Instructions that noting a rule takes, and some for the loop that makes it.
local WORK_OF_A_RULE = 150

local function read(path)
  if path == "-" then
    local source, problem = sys.read_stdin()
    if not source then
      errors.raise("policy", "cannot read standard input: %s", problem)
    end
    return source, "stdin"
  end
  -- The status is of the very file that was read, not of one that stood there a moment before.
  local source, status = sys.read_file(path)
  if not source then
    errors.raise("policy", "cannot open %s: %s", text.escape(path), status)
  end
  local fit, problem = trust.check(path, status)
  if not fit then
    errors.raise("policy", "%s", problem)
  end
  return source, path
end

-- A Lua error inside the policy as a line of the list; those of the words stand before it.
local function explain(file, value)
  if type(value) ~= "string" then
    return ("%s: the policy raised an error that is %s"):format(file, text.quote(value))
  elseif value:find("not enough memory", 1, true) then
    return ("%s: the policy takes more memory than there is"):format(file)
  end
  return value
end

local function make(source, file, args, budget)
  local shown = text.escape(file)
  local chunk = "@" .. file
  local builder, words = policy.words { file = shown, chunk = chunk }
  local function where(level)
    return (builder:where(level + 1))
  end
  budget = budget or {}
  -- A policy may be long; what the words themselves do for each rule is not counted against it.
  local rules = budget.rules or policy.RULES_MOST
  budget.extra = function()
    return math.min(builder.count, rules) * WORK_OF_A_RULE
  end
  local ok, value, unused = sandbox.run(source, chunk, words, args or {}, where, budget)
  if not ok then
    if value == "interrupted!" or (type(value) == "string" and value:find(": interrupted!$")) then
      error(errors.new("interrupted", "interrupted!"), 0)
    end
    builder.errors[#builder.errors + 1] = explain(shown, value)
  elseif policy.is(value) then
    for _, message in ipairs(unused) do
      builder:report(shown, message)
    end
    builder:finish(value)
  else
    builder:report(shown, ("a policy file returns policy { ... }; this one returns %s"):format(
      value == nil and "nothing" or text.quote(value)))
  end
  if #builder.errors > 0 then
    error(errors.policy(builder.errors), 0)
  end
  return value
end

--- Makes a checked policy of a source text.
-- @param source the text of a policy
-- @param file the name to show in messages
-- @param args table of arguments for the policy, or nil
-- @param budget see sandbox.run; rules = number of rules that extra instructions are granted for
-- @return the policy; raises an error of kind "policy" that lists all mistakes
function loader.text(source, file, args, budget)
  -- What a policy makes stays: collecting as often as usual would only walk over it again and again.
  local pause = collectgarbage("setpause", 400)
  local ok, value = pcall(make, source, file, args, budget)
  collectgarbage("setpause", pause)
  if not ok then
    error(value, 0)
  end
  return value
end

--- Loads and checks a policy file.
-- @param path of the file; "-" reads standard input
-- @param args table of arguments for the policy, or nil
-- @return the policy; raises an error of kind "policy"
function loader.load(path, args)
  if type(path) ~= "string" then
    errors.raise("policy", "fw.load: expected the path of a policy file, got %s", text.quote(path))
  elseif args ~= nil and type(args) ~= "table" then
    errors.raise("policy", "fw.load: expected a table of arguments, got %s", text.quote(args))
  end
  local source, file = read(path)
  return loader.text(source, file, args)
end

--- Arguments of the command line as a policy sees them: in order, and those like "name=value" also by name.
function loader.args(list)
  local args = {}
  for _, item in ipairs(list) do
    local name, value = item:match("^([%a_][%w_]*)=(.*)$")
    if name then
      args[name] = value
    else
      args[#args + 1] = item
    end
  end
  return args
end

return loader
