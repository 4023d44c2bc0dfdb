-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands in for ipfi.c.repl: lines come from a list, keys are kept to be pressed by a test.
local repl = { lines = {}, keys = {}, history = {}, prompts = {} }

function repl.readline(prompt)
  repl.prompts[#repl.prompts + 1] = prompt
  return table.remove(repl.lines, 1)
end

function repl.set_completer(complete)
  repl.complete = complete
end

function repl.bind_key(name, press)
  repl.keys[name] = press
end

function repl.history_load() end

function repl.history_save() end

function repl.history_add(line)
  repl.history[#repl.history + 1] = line
end

return repl
