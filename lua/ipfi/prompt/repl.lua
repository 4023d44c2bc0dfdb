-- SPDX-License-Identifier: GPL-2.0-or-later
-- The prompt: reads Lua, runs it, shows the values.
local complete = require "ipfi.prompt.complete"
local countdown = require "ipfi.prompt.countdown"
local errors = require "ipfi.base.errors"
local fw = require "ipfi.fw"
local help = require "ipfi.prompt.help"
local inputs = require "ipfi.prompt.chunks"
local kernel = require "ipfi.base.kernel"
local locals = require "ipfi.prompt.locals"
local pager = require "ipfi.base.pager"
local policy = require "ipfi.policy.policy"
local printer = require "ipfi.base.print"
local readline = require "ipfi.c.repl"
local settings = require "ipfi.base.settings"
local stats = require "ipfi.live.stats"
local style = require "ipfi.base.style"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local repl = {}

local function show_error(description)
  io.stdout:flush()
  io.stderr:write(description, "\n")
end

-- Runs a function and prints its values; an error is shown and the prompt goes on.
local function run(f)
  local ok, problem = xpcall(function()
    printer.print(f())
  end, inputs.describe)
  if not ok then
    show_error(problem)
  end
  sys.clear_interrupt()
end

-- Shows a text, through the pager when it is long.
local function show(s)
  pager.page(function(write)
    write(s)
  end)
end

-- The last line of the banner, and the hint about help: on a line of its own where both together would wrap.
local function with_help(line)
  local whole, columns = line .. ". F1 or help() for help", sys.winsize()
  return (not columns or text.width(whole) <= columns) and whole or line .. "\nF1 or help() for help"
end

--- What greets: version, and what the module runs.
function repl.banner()
  local conn, problem = kernel.open()
  if not conn then
    if problem.kind == "absent" then
      return ("ipfi %s; module absent: only -c, fw.load and fw.compile work here\n"
        .. "(ipfi --sim has all of it without the module, in its built-in engine)"):format(fw.version)
    end
    return ("ipfi %s; %s"):format(fw.version, problem.message)
  end
  local ok, info = pcall(fw.info)
  local state
  if not ok then
    state = (errors.describe(info))
  elseif info.armed and info.generation == 0 then
    state = "no policy yet, closed: only loopback passes"
  elseif not info.armed then
    state = "no policy yet: every packet passes"
  else
    state = ("policy '%s', generation %d, %s")
      :format(text.escape(info.name or ""), info.generation, policy.counted(info.rules or 0, info.nat_rules))
  end
  if kernel.world() then
    return ("ipfi %s --sim: the built-in engine; nothing is changed on this machine\n%s")
      :format(fw.version, with_help(state))
  end
  return with_help(("ipfi %s; %s"):format(fw.version, state))
end

-- What stays behind when the prompt ends.
local function farewell()
  if not kernel.open() then
    return nil
  elseif kernel.world() then
    return "the built-in engine ends with the prompt: nothing was changed on this machine"
  end
  local ok, s = pcall(fw.stats)
  if not ok or not s.states then
    return nil
  elseif s.states == 0 then
    return "no states are live"
  end
  return ("%d state%s on without the prompt"):format(s.states, s.states == 1 and " lives" or "s live")
end

-- Permission bit of stat(2).
local OTHERS_WRITE = 0x2

-- Where the history stands: in the home directory, if that is the user's own. Who became root with the
-- environment of another user (sudo may keep HOME) leaves nothing there and has root's.
local function history_path()
  for _, home in ipairs { os.getenv "HOME" or "", sys.home() or "" } do
    local status = home:sub(1, 1) == "/" and sys.stat(home)
    if status and status.type == "directory" and status.uid == sys.geteuid()
      and status.mode & OTHERS_WRITE == 0 then
      return home .. "/.ipfi_history"
    end
  end
  return nil
end

-- before() gives the lines before that which is being typed.
local function bind_keys(before)
  readline.bind_key("F1", function(line, point)
    local earlier = before()
    show(help.at(complete.place(earlier .. line, #earlier + point)))
  end)
  local shown = {
    F3 = fw.running,
    F4 = function()
      return fw.states { nat = "src" }
    end,
    F5 = fw.states,
    F6 = function()
      return fw.states { nat = "dst" }
    end,
    F7 = fw.stats,
  }
  for key, value in pairs(shown) do
    readline.bind_key(key, function()
      run(value)
    end)
  end
end

--- Gives a table of globals what only the prompt has: help, quit.
-- @param env the globals
-- @param words the words of the policy language, which help recognises
function repl.install(env, words)
  env.help = setmetatable({}, {
    __call = function(_, subject)
      show(help.about(subject, words))
    end,
    __show = function()
      return help.overview()
    end,
    __tostring = function()
      return "help()"
    end,
  })
end

-- Lines that mean something only as they are, unless a variable has their name.
local function is_word(line, word, env)
  return line:find("^%s*" .. word .. "%s*$") ~= nil and rawget(env, word) == nil and not locals.has(word)
end

local function loop(env)
  local source
  local function before()
    return source and source .. "\n" or ""
  end
  bind_keys(before)
  readline.set_completer(function(word, line, start)
    return complete.candidates(word, before() .. line:sub(1, start), locals.over(env))
  end)
  readline.set_idle(function()
    return countdown.look(source ~= nil)
  end)
  while true do
    local said = countdown.begin()
    if said then
      io.stdout:write(said)
    end
    local line = readline.readline(countdown.prompt(source ~= nil))
    if line == nil then
      return
    elseif line == false then
      source = nil
    elseif not source and is_word(line, "C", env) then
      readline.history_add(line)
      run(function()
        show(stats.overview(style.output()))
      end)
    elseif not source and (is_word(line, "quit", env) or is_word(line, "exit", env)) then
      return
    elseif source or line:find("%S") then
      source = source and source .. "\n" .. line or line
      local chunk, problem = inputs.compile(source)
      if chunk or problem then
        -- What was pasted often ends in a newline of its own.
        readline.history_add((source:gsub("\n+$", "")))
        source = nil
        if chunk then
          run(chunk)
        else
          show_error(problem)
        end
      end
    end
  end
end

--- Runs the prompt until Ctrl-D.
-- @param env the globals
function repl.run(env)
  local history = history_path()
  if history then
    readline.history_open(history)
  end
  settings.paged = true
  io.stdout:write(repl.banner(), "\n")
  local ok, problem = pcall(loop, env)
  settings.paged = false
  countdown.stop()
  if not ok then
    error(problem, 0)
  end
  local last = farewell()
  io.stdout:write("\n", last and last .. "\n" or "")
end

return repl
