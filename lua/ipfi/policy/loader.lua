-- SPDX-License-Identifier: GPL-2.0-or-later
-- From a policy file to a checked policy. The file runs in a process of its own, which notes its words and
-- can do nothing else; they are checked here.
local apart = require "ipfi.policy.isolate"
local errors = require "ipfi.base.errors"
local policy = require "ipfi.policy.policy"
local sandbox = require "ipfi.policy.sandbox"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"
local trust = require "ipfi.policy.safe_path"

local loader = {}

-- Instructions that noting a rule takes, and some for the loop that makes it.
local WORK_OF_A_RULE = 150

-- What a policy may take of the processor, in seconds: several times what its instructions need.
local SECONDS = 30

-- Why a file could not be read. Root, too, reads only what it may as one user of many: the right to read
-- everything was given up at the start.
local function why_not_read(path, problem)
  local shown, status = text.escape(path), sys.stat(path)
  local fit, refusal = true, nil
  if status then
    fit, refusal = trust.check(path, status)
  end
  if not fit then
    return refusal
  elseif problem == "Permission denied" and sys.geteuid() == 0 then
    problem = problem .. " (ipfi keeps no right to read the files of other users)"
  end
  return ("cannot open %s: %s"):format(shown, problem)
end

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
    errors.raise("policy", "%s", why_not_read(path, status))
  end
  local fit, problem = trust.check(path, status)
  if not fit then
    errors.raise("policy", "%s", problem)
  end
  return source, path
end

-- A Lua error inside the policy as a line of the list; those of the words stand before it.
local function explain(file, value, budget)
  if type(value) ~= "string" then
    return ("%s: the policy raised an error that is %s"):format(file, text.quote(value))
  elseif value:find("not enough memory", 1, true) then
    return ("%s: the policy takes too much memory (stopped at %d MiB)"):format(file, budget.memory >> 20)
  end
  return value
end

-- Runs a policy and returns what it says: { value = what the file returns, unused = list of messages } or
-- { problem = text, interrupted = true on Ctrl-C }, with errors = those of the words, declared = names of
-- the dynamic sets, tests = the packet tests.
local function note(source, names, args, budget)
  local builder, words = policy.words(names)
  local function where(level)
    return (builder:where(level + 1))
  end
  -- A policy may be long; what the words themselves do for each rule is not counted against it.
  budget.extra = function()
    return math.min(builder.count, budget.rules) * WORK_OF_A_RULE
  end
  local ok, value, unused = sandbox.run(source, names.chunk, words, args, where, budget)
  local noted = { errors = builder.errors, declared = builder:declarations(),
    tests = builder.tests }
  if ok then
    noted.value, noted.unused = value, unused
  elseif value == "interrupted!" or (type(value) == "string" and value:find(": interrupted!$")) then
    noted.interrupted = true
  else
    noted.problem = explain(names.file, value, budget)
  end
  return noted
end

-- Checks what was noted. The process that notes is not trusted: what it answers is data of any kind.
local function check(builder, file, noted)
  for _, message in ipairs(noted.errors) do
    builder.errors[#builder.errors + 1] = tostring(message)
  end
  builder:declare(noted.declared)
  builder.tests = noted.tests
  local value = noted.value
  if noted.problem then
    builder.errors[#builder.errors + 1] = tostring(noted.problem)
  elseif policy.is(value) then
    for _, message in ipairs(noted.unused) do
      builder:report(file, tostring(message))
    end
    builder:finish(value)
  else
    builder:report(file, ("a policy file returns policy { ... }; this one returns %s"):format(
      value == nil and "nothing" or text.quote(value)))
  end
end

-- Rules that only another process can have made lead to errors of Lua inside the checks.
local function describe(file)
  return function(value)
    if errors.is(value) or tostring(value):find("interrupted!", 1, true) then
      return value
    end
    return errors.policy { ("%s: what the policy makes cannot be checked: %s"):format(file, tostring(value)) }
  end
end

local function make(source, file, args, wanted)
  local shown = text.escape(file)
  local names = { file = shown, chunk = "@" .. file }
  local budget = sandbox.budget(wanted)
  budget.rules = wanted and wanted.rules or policy.RULES_MOST
  local noted, problem = apart.call(function()
    return note(source, names, args or {}, budget)
  end, policy.atoms, {
    seconds = wanted and wanted.seconds or SECONDS,
    -- Beyond its budget, so that where the policy can be stopped at a line, the line is told.
    memory = budget.memory + (budget.memory >> 2),
  })
  if noted ~= nil and type(noted) ~= "table" then
    noted, problem = nil, "what the policy makes is no policy"
  end
  if not noted then
    error(errors.policy { ("%s: %s"):format(shown, problem) }, 0)
  elseif noted.interrupted then
    errors.raise("interrupted", "interrupted!")
  end
  local builder = policy.words(names)
  local ok, failure = xpcall(check, describe(shown), builder, shown, noted)
  if not ok then
    error(failure, 0)
  elseif #builder.errors > 0 then
    error(errors.policy(builder.errors, shown, source), 0)
  end
  return noted.value
end

--- Makes a checked policy of a source text.
-- @param source the text of a policy
-- @param file the name to show in messages
-- @param args table of arguments for the policy, or nil
-- @param budget see sandbox.budget; rules = number of rules that extra instructions are granted for, seconds
--   = what it may take of the processor
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
  for key in next, args or {} do
    if type(key) ~= "string" and math.type(key) ~= "integer" then
      errors.raise("policy", "fw.load: an argument has a name or a number, got %s", text.quote(key))
    end
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
