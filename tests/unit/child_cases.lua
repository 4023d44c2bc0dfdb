-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases for ipfi.c.child. The functions here have all of Lua, as no policy has: it must be of no use to them.
local child = require "ipfi.c.child"

local cases = {}

local function limits(changes)
  local all = { seconds = 20, wall = 60, memory = 32 << 20, answer = 1 << 20 }
  for name, value in pairs(changes or {}) do
    all[name] = value
  end
  return all
end

local function expect(got, wanted)
  if got ~= wanted then
    error(("expected %s, got %s"):format(wanted, got), 2)
  end
end

-- Runs a function that must fail; returns what went wrong, and why.
local function failing(run, changes)
  local answer, what, why = child.run(run, limits(changes))
  expect(answer, nil)
  return what, why
end

function cases.answers()
  expect(child.run(function() return "an answer" end, limits()), "an answer")
  expect(child.run(function() return "" end, limits()), "")
  expect(child.run(function() return "\0\1\255" end, limits()), "\0\1\255")
  local long = ("x"):rep(1 << 20)
  expect(child.run(function() return long end, limits()), long)
end

function cases.keeps_its_changes()
  local value = 1
  expect(child.run(function()
    value = 2
    string.rep = nil -- luacheck: ignore 122
    return tostring(value)
  end, limits()), "2")
  expect(value, 1)
  expect(("x"):rep(2), "xx")
end

function cases.errors()
  local what, why = failing(function() error("oh", 0) end)
  expect(what, "error")
  expect(why, "oh")
  what, why = failing(function() error({}) end)
  expect(what, "error")
  expect(why, "it is no text")
  what, why = failing(function() return nil end)
  expect(what, "error")
  expect(why, "it is no text")
  what, why = failing(function() return ("x"):rep(1001) end, { answer = 1000 })
  expect(what, "error")
  expect(why, "it is too large")
end

function cases.time()
  local function for_ever()
    return tostring((("a"):rep(200):find((".-"):rep(30) .. "b")))
  end
  local before = os.time()
  expect(failing(for_ever, { seconds = 1 }), "time")
  expect(failing(for_ever, { wall = 0.2 }), "time")
  expect(failing(function() while true do end end, { wall = 0.2 }), "time")
  expect(os.time() - before < 15, true)
end

function cases.memory()
  expect(failing(function()
    local s = "x"
    while true do
      s = s .. s
    end
  end), "memory")
  -- Who catches the error has no more for it. (Often would be too often for AddressSanitizer, which keeps
  -- what was freed.)
  expect(child.run(function()
    local most = 0
    for _ = 1, 5 do
      pcall(function()
        local t = {}
        while true do
          t[#t + 1] = ("x"):rep(100000)
          most = math.max(most, #t)
        end
      end)
    end
    return most <= 84 and "bounded" or tostring(most)
  end, limits { memory = 8 << 20 }), "bounded")
end

-- Nothing of the system is there.
function cases.reaches_nothing()
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  local said = child.run(function()
    local found = {}
    local function try(name, ok)
      if ok then
        found[#found + 1] = name
      end
    end
    try("read", io.open "/etc/passwd")
    try("write", io.open(path, "a"))
    try("new", io.open(path .. ".new", "w"))
    try("temporary", (pcall(io.tmpfile)) and io.tmpfile())
    try("popen", (pcall(io.popen, "true")) and io.popen "true")
    try("execute", os.execute "exit 0")
    try("remove", os.remove(path))
    try("rename", os.rename(path, path .. ".new"))
    try("open file", file:write "here" and file:flush())
    io.stdout:setvbuf "no"
    try("standard output", io.stdout:write "this must not be seen\n")
    try("standard error", io.stderr:write "this must not be seen\n")
    return table.concat(found, " ")
  end, limits())
  file:close()
  file = assert(io.open(path))
  local content = file:read "a"
  file:close()
  os.remove(path)
  expect(said, "")
  expect(content, "")
  expect(io.open(path .. ".new"), nil)
end

function cases.may_end_as_it_likes()
  local what = failing(function() os.exit(0) end)
  expect(what, "ended")
  what = failing(function() os.exit(true, true) end)
  expect(what, "ended")
end

function cases.limits_are_checked()
  for _, name in ipairs { "seconds", "wall", "memory", "answer" } do
    for _, bad in ipairs { 0, -1, 0 / 0, 1e300, "x" } do
      expect((pcall(child.run, function() return "" end, limits { [name] = bad })), false)
    end
  end
end

-- Neither processes nor descriptors stay behind.
function cases.leaves_nothing()
  -- The least of a few counts: while popen() starts the shell, both ends of its pipe are open here.
  local function open_files()
    local least = math.huge
    for _ = 1, 5 do
      local pipe = assert(io.popen("ls /proc/$PPID/fd | wc -l"))
      least = math.min(least, pipe:read "n")
      pipe:close()
    end
    return least
  end
  local before = open_files()
  for i = 1, 20 do
    child.run(function()
      if i % 2 == 0 then
        while true do end
      end
      return ""
    end, limits { wall = 0.05 })
  end
  expect(open_files(), before)
  local pipe = assert(io.popen "ps -o pid= --ppid $PPID | wc -l")
  expect(pipe:read "n" <= 1, true)
  pipe:close()
end

return cases
