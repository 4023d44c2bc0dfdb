-- SPDX-License-Identifier: GPL-2.0-or-later
-- A small prompt for repl_test.c: says what it got, and what completion and keys were asked for.
local repl = require "ipfi.c.repl"
local sys = require "ipfi.c.sys"

local history = ...

-- readline's own output must not come between.
io.stdout:setvbuf "no"
assert(repl.history_load(history))
repl.set_completer(function(text, line, start, finish)
  if text == "fw.st" then
    return { "fw.states", "fw.stats" }
  elseif text == "EST" then
    return { "ESTABLISHED" }, '"'
  elseif text == "where" then
    return { ("%s:%d-%d"):format(line:gsub(" ", "_"), start, finish) }
  end
  error "nothing completes this"
end)
repl.bind_key("F1", function() print "help shown" end)
repl.bind_key("F3", function() while true do end end)
-- An error may be a value that says what it is.
local failure = setmetatable({}, { __tostring = function() return "states failed" end })
repl.bind_key("F5", function() error(failure) end)

local function run(line)
  if line == "loop" then
    while true do end
  elseif line == "wait" then
    io.read()
  end
  print("got <" .. line:gsub("\n", "|") .. ">")
end

while true do
  local line = repl.readline "ipfi> "
  if line == nil then
    break
  elseif not line then
    print "given up"
  else
    repl.history_add(line)
    local ok, err = pcall(run, line)
    if not ok then
      print("stopped: " .. err)
    end
    sys.clear_interrupt()
  end
end
print("saved", repl.history_save(history))
