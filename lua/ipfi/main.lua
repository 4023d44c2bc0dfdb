-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the options ask for, in their order: -l, -f or --import-legacy, -e, the script, the prompt. Returns
-- the exit status.
local compiled = require "ipfi.policy.compiled"
local confirm = require "ipfi.live.confirm"
local errors = require "ipfi.base.errors"
local excerpt = require "ipfi.base.snippet"
local fw = require "ipfi.fw"
local inputs = require "ipfi.prompt.chunks"
local kernel = require "ipfi.base.kernel"
local legacy = require "ipfi.legacy.import"
local lint = require "ipfi.lint.lint"
local loader = require "ipfi.policy.loader"
local log = require "ipfi.base.log"
local policy = require "ipfi.policy.policy"
local printer = require "ipfi.base.print"
local repl = require "ipfi.prompt.repl"
local settings = require "ipfi.base.settings"
local strict = require "ipfi.policy.strict"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local LOCK = "/run/ipfi.lock"

-- An error of Lua's own keeps the calls that led to it, for -v.
local function handler(value)
  if errors.is(value) or settings.verbose == 0 then
    return value
  end
  return debug.traceback(tostring(value), 2)
end

-- Tells an error and returns its status. Those that begin with a place in a file stand as they are, so that
-- editors find the place.
local function report(value)
  local message, status = errors.describe(value)
  io.stdout:flush()
  if errors.is(value) and (value.kind == "policy" or value.at) then
    local safe = text.escape_lines(message)
    -- People see the line, too; programs find the places they look for.
    local lines = value.source and sys.isatty(2)
    io.stderr:write(lines and excerpt.annotate(safe, value.file, value.source, sys.winsize()) or safe, "\n")
    if settings.syslog then
      for line in safe:gmatch("[^\n]+") do
        sys.syslog("err", line)
      end
    end
  else
    log.write("error", message)
  end
  return status
end

-- Runs one step, which may return a status; a failure is reported.
local function try(step, ...)
  local ok, value = xpcall(step, handler, ...)
  if not ok then
    return report(value)
  end
  return value or errors.status.done
end

-- One ipfi commits at a time; the lock ends with the program.
local function take_lock()
  local locked, why = sys.lock(LOCK, settings.lock_wait)
  if locked then
    return
  elseif why == "busy" then
    errors.raise("busy", "another ipfi is committing (%s is locked)", LOCK)
  elseif why == "interrupted" then
    errors.raise("interrupted", "interrupted!")
  end
  errors.raise("permission", "cannot lock %s: %s", LOCK, why)
end

-- Asks whether a commit is to stay where somebody can answer; elsewhere says how to.
local function await_confirmation(done, seconds)
  if not (sys.isatty(0) and sys.isatty(2)) then
    log.write("info", ("rolled back in %d s unless confirmed: ipfi -e 'fw.confirm()'"):format(seconds))
    return
  end
  local said = confirm.ask(done.generation)
  if said == "confirmed" then
    log.write("info", "confirmed")
  elseif said ~= "waiting" then
    errors.raise("rolled_back", "%s: the rules before are in force again",
      said == "timed-out" and "not confirmed in time" or "rolled back")
  end
end

-- Commits what source is the name of, and sees to what follows.
-- @param run function (expect) -> { generation = } that commits in the place of the generation expect
-- @param size of the policy, as text
local function commit(source, options, run, size)
  local conn, problem = kernel.open("commit of " .. tostring(source))
  if not conn then
    error(problem, 0)
  end
  if not kernel.world() then
    take_lock()
  end
  -- Whoever commits without the lock, from a prompt, is noticed by the kernel.
  local done = run(fw.info().generation)
  log.write("info", ("%s: generation %d, %s"):format(source, done.generation or 0, size))
  if done.warning then
    log.write("warning", ("%s: %s (see docs/coexistence.md)"):format(source, done.warning))
  end
  -- Whoever decides meanwhile may commit too.
  sys.unlock(LOCK)
  if options.confirm then
    await_confirmation(done, options.confirm)
  end
end

-- Prints what the policy would change; returns the status.
local function show_plan(p, options)
  local plan = fw.plan(p, { states = options.states })
  printer.print(plan)
  return options.exit_code and not plan.empty and errors.status.differences or nil
end

-- Rules that are of no use are worth a word, but no reason to fail.
local function tell_findings(p)
  local findings = lint.check(p)
  if lint.unknown(findings) > 0 then
    log.write("info", ("%s: too long to prove of %s whether they are of use"):format(p.source,
      text.plural(lint.unknown(findings), "rule")))
  end
  if settings.json then
    return printer.print(findings)
  end
  for _, finding in ipairs(findings) do
    local line = tostring(finding)
    if not settings.quiet then
      io.stderr:write(line, "\n")
    end
    if settings.syslog then
      sys.syslog("warning", line)
    end
  end
end

-- Commits a compiled policy.
local function apply(options)
  local found = compiled.open(options.apply)
  commit(found.source, options, function(expect)
    return compiled.apply(found, { expect = expect, confirm = options.confirm })
  end, found.size)
end

local function run_policy(options)
  local p = loader.load(options.policy, loader.args(options.args))
  local tests = #p.tests > 0 and require("ipfi.simulate.test_run").check(p) or 0
  if options.check then
    tell_findings(p)
    log.write("info", ("%s: ok, %s%s"):format(options.policy, policy.size(p),
      tests > 0 and (", %s passed"):format(text.plural(tests, "packet test")) or ""))
  elseif options.plan then
    return show_plan(p, options)
  elseif options.compile then
    compiled.write(p, { states = options.states }, options.compile)
  else
    commit(p.source, options, function(expect)
      return fw.commit(p, { states = options.states, expect = expect, confirm = options.confirm })
    end, policy.size(p))
    if kernel.world() then
      log.write("warning", p.source .. ": committed to the built-in engine (--sim): nothing was changed on "
        .. "this machine")
    end
  end
end

-- Prints the policy that the original's files become; what was lost is said by the importer.
local function import_legacy(dir)
  local _, _, source = legacy.import(dir)
  local done, problem = io.stdout:write(source)
  if done then
    done, problem = io.stdout:flush()
  end
  if not done then
    errors.raise("lua", "standard output: %s", problem)
  end
end

-- Scripts see the globals like the prompt does, but what they have local is theirs.
local environment, compile = strict.environment(_G)

local function run_text(source, name)
  local shown = source:match("^%s*=(.*)$")
  local chunk, problem = compile(shown and "local _ <close> = nil return " .. shown or source, name, "t")
  if not chunk then
    error(problem, 0)
  end
  local result = table.pack(chunk())
  if shown then
    printer.print(table.unpack(result, 1, result.n))
  end
end

-- A script finds its arguments in "..." too, as lua's own do.
local function run_script(path, args)
  local chunk, problem = environment.loadfile(path, "t")
  if not chunk then
    error(problem, 0)
  end
  chunk(table.unpack(args))
end

local function run_stdin()
  local source, problem = sys.read_stdin()
  if not source then
    errors.raise("lua", "standard input: %s", problem)
  end
  run_text(source:gsub("^#[^\n]*", "", 1), "=stdin")
end

-- What scripts and the prompt find among their globals.
local function install_globals(options)
  local _, words = policy.words { direct = true, source_of = inputs.source_of }
  for name, word in pairs(words) do
    _G[name] = word
  end
  _G.fw = fw
  _G.args = loader.args(options.args)
  _G.arg = table.move(options.args, 1, #options.args, 1, { [0] = options.script or options.policy or "ipfi" })
  repl.install(_G, words)
end

-- What require() says of a module is about Lua's search; a mistake in the module is what there is to know.
local function load_module(name)
  local ok, value = xpcall(require, handler, name)
  if ok then
    _G[name] = value
    return
  end
  local said = tostring(value)
  if said:find("module '" .. name .. "' not found:", 1, true) then
    errors.raise("lua", "-l %s: there is no such module (looked for %s)", name, package.path)
  end
  errors.raise("lua", "-l %s: %s", name, said:gsub("^.-error loading module '[^\n]*\n%s*", "")
    :gsub("(not found):\n.*", "%1"))
end

local function steps(options)
  local list = {}
  for _, name in ipairs(options.modules) do
    list[#list + 1] = function()
      load_module(name)
    end
  end
  if options.policy then
    list[#list + 1] = function()
      return run_policy(options)
    end
  end
  if options.apply then
    list[#list + 1] = function()
      return apply(options)
    end
  end
  if options.import_legacy then
    list[#list + 1] = function()
      import_legacy(options.import_legacy)
    end
  end
  for _, statement in ipairs(options.expr) do
    list[#list + 1] = function()
      run_text(statement, "=-e")
    end
  end
  if options.script then
    list[#list + 1] = function()
      run_script(options.script, options.args)
    end
  end
  return list
end

--- Does what the options ask for.
-- @param options the table of ipfi.c (see shell/options.c)
-- @return exit status
return function(options)
  for _, name in ipairs { "json", "quiet", "verbose", "syslog", "color", "lock_wait" } do
    if options[name] ~= nil then
      settings[name] = options[name]
    end
  end
  fw.output = settings.json and "json" or "text"
  if options.version then
    io.stdout:write("ipfi ", fw.version, "\n")
    return errors.status.done
  end
  if options.sim then
    kernel.use(require("ipfi.simulate.world").here())
  end
  install_globals(options)
  local list = steps(options)
  local interactive = options.interactive
  if not interactive and #list == 0 then
    interactive = sys.isatty(0)
    if not interactive then
      list[1] = run_stdin
    end
  end
  local status = errors.status.done
  for _, step in ipairs(list) do
    status = try(step)
    if status ~= errors.status.done then
      break
    end
  end
  if interactive then
    local ended = try(repl.run, _G)
    status = status == errors.status.done and ended or status
  end
  kernel.close()
  return status
end
