-- SPDX-License-Identifier: GPL-2.0-or-later
-- The prompt: reads Lua, runs it, shows the values.
local complete = require "ipfi.complete"
local errors = require "ipfi.errors"
local fw = require "ipfi.fw"
local help = require "ipfi.help"
local kernel = require "ipfi.kernel"
local printer = require "ipfi.print"
local readline = require "ipfi.c.repl"
local stats = require "ipfi.stats"
local style = require "ipfi.style"
local sys = require "ipfi.c.sys"
local text = require "ipfi.text"

local repl = {}

local PROMPT, MORE = "ipfi> ", "   -> "

--- Compiles what was typed: an expression whose values are shown, else a statement.
-- @return chunk; or nil and a message; or nil, nil when more lines are needed
function repl.compile(source)
  -- As in sandbox.run: no tail call, so that the words of the policy language see the line that calls them.
  local chunk = load("local _ <close> = nil return " .. source:gsub("^%s*=", ""), "=stdin", "t")
  if chunk then
    return chunk
  end
  local problem
  chunk, problem = load(source, "=stdin", "t")
  if chunk then
    return chunk
  elseif problem:find("<eof>['\"]?$") then
    return nil, nil
  end
  return nil, problem
end

local function show_error(value)
  io.stdout:flush()
  io.stderr:write(text.escape_lines((errors.describe(value))), "\n")
end

-- Runs a function and prints its values; an error is shown and the prompt goes on.
local function run(chunk)
  local result = table.pack(pcall(function()
    local values = table.pack(chunk())
    printer.print(table.unpack(values, 1, values.n))
  end))
  if not result[1] then
    show_error(result[2])
  end
  sys.clear_interrupt()
end

--- The line that greets: version, and what the module runs.
function repl.banner()
  local conn, problem = kernel.open()
  if not conn then
    if problem.kind == "absent" then
      return ("ipfi %s; module absent: only -c, fw.load and fw.compile work here"):format(fw.version)
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
      :format(text.escape(info.name or ""), info.generation, text.plural(info.rules or 0, "rule"))
  end
  return ("ipfi %s; %s. F1 or help() for help"):format(fw.version, state)
end

-- What stays behind when the prompt ends.
local function farewell()
  if not kernel.open() then
    return nil
  end
  local ok, s = pcall(fw.stats)
  if not ok or not s.states then
    return nil
  elseif s.states == 0 then
    return "no states are live"
  end
  return ("%d state%s on without the prompt"):format(s.states, s.states == 1 and " lives" or "s live")
end

local function history_path()
  local home = os.getenv("HOME")
  return home and home ~= "" and home .. "/.ipfi_history" or nil
end

local function bind_keys()
  readline.bind_key("F1", function()
    io.stdout:write(help.overview())
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
      local ok, problem = pcall(function()
        io.stdout:write(printer.show(value(), style.output()))
      end)
      if not ok then
        show_error(problem)
      end
    end)
  end
end

--- Gives a table of globals what only the prompt has: help, quit.
-- @param env the globals
-- @param words the words of the policy language, which help recognises
function repl.install(env, words)
  env.help = setmetatable({}, {
    __call = function(_, subject)
      io.stdout:write(help.about(subject, words))
    end,
    __show = function()
      return help.overview()
    end,
    __tostring = function()
      return "help()"
    end,
  })
end

--- Runs the prompt until Ctrl-D.
-- @param env the globals
function repl.run(env)
  local source
  readline.set_completer(function(word, line, start)
    return complete.candidates(word, (source and source .. "\n" or "") .. line:sub(1, start), env)
  end)
  bind_keys()
  local history = history_path()
  if history then
    readline.history_load(history)
  end
  io.stdout:write(repl.banner(), "\n")
  while true do
    local line = readline.readline(source and MORE or PROMPT)
    if line == nil then
      break
    elseif line == false then
      source = nil
    elseif not source and line:find("^%s*C%s*$") and rawget(env, "C") == nil then
      readline.history_add(line)
      run(function()
        io.stdout:write(stats.overview(style.output()))
      end)
    elseif not source and (line:find("^%s*quit%s*$") or line:find("^%s*exit%s*$"))
      and rawget(env, line:match("%a+")) == nil then
      break
    elseif source or line:find("%S") then
      source = source and source .. "\n" .. line or line
      local chunk, problem = repl.compile(source)
      if chunk or problem then
        readline.history_add(source)
        source = nil
        if chunk then
          run(chunk)
        else
          show_error(problem)
        end
      end
    end
  end
  if history then
    readline.history_save(history)
  end
  local last = farewell()
  io.stdout:write("\n", last and last .. "\n" or "")
end

return repl
