-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands in for ipfi.c.repl: lines come from a list, keys are kept to be pressed by a test; waiting, a
-- function, is called with the idle function while a line is waited for.
local repl = { lines = {}, keys = {}, history = {}, prompts = {} }

function repl.readline(prompt)
  repl.prompts[#repl.prompts + 1] = prompt
  if repl.waiting then
    repl.waiting(repl.idle)
  end
  return table.remove(repl.lines, 1)
end

function repl.set_completer(complete)
  repl.complete = complete
end

function repl.bind_key(name, press)
  repl.keys[name] = press
end

function repl.set_idle(idle)
  repl.idle = idle
end

function repl.history_open(path)
  repl.path = path
end

function repl.history_add(line)
  repl.history[#repl.history + 1] = line
end

return repl
