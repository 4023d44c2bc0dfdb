-- SPDX-License-Identifier: GPL-2.0-or-later
-- A small prompt for repl_test.c: says what it got, and what completion and keys were asked for.
local pager = require "ipfi.c.pager"
local repl = require "ipfi.c.repl"
local sys = require "ipfi.c.sys"

local history = ...

-- readline's own output must not come between.
io.stdout:setvbuf "no"
print("history", repl.history_open(history))
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
repl.bind_key("F1", function(line, point) print(("help shown for <%s> at %d"):format(line, point)) end)
repl.bind_key("F3", function()
  print "runs"
  while true do end
end)
-- An error may be a value that says what it is.
local failure = setmetatable({}, { __tostring = function() return "states failed" end })
repl.bind_key("F5", function() error(failure) end)

-- Counts down while a line is waited for; "count 30 0.1" starts it, with the seconds of a step. At 0
-- something stands above the line.
local left, due, step
repl.set_idle(function()
  if not left then
    return nil
  end
  local above
  if sys.monotonic() >= due then
    left, due = left - 1, due + step
  end
  if left == 0 then
    left, above = nil, "it is over\n"
  end
  return left and ("ipfi<%d> "):format(left) or "ipfi> ", 0.02, nil, above
end)

-- Feeds a pager until it reads no more, or n lines.
local function page(command, n)
  local reader <close> = assert(pager.start(command))
  for i = 1, n do
    if not reader:write(("line %d\n"):format(i)) then
      return "stopped"
    end
  end
  return "read to the end, status " .. tostring(reader:close())
end

local function run(line)
  if line == "loop" then
    print "loops"
    while true do end
  elseif line == "wait" then
    print "waits"
    io.read()
  elseif line:find "^count " then
    local count, seconds = line:match "^count (%d+) ([%d.]+)"
    left, step = tonumber(count), tonumber(seconds)
    due = sys.monotonic() + step
  elseif line:find "^page " then
    print(page(line:match "^page (%d+) (.*)" and line:match "^page %d+ (.*)", tonumber(line:match "%d+")))
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
print "over"
