-- SPDX-License-Identifier: GPL-2.0-or-later
-- The process that a policy runs in, tried from the outside: what has no end, what eats memory, what reaches
-- out. Whatever a policy does, the program tells of it in one line, ends with 3 and is as it was before.
package.path = "tests/lua/?.lua;" .. package.path
local program = require "program"

if not program.exists(program.path) then
  describe("a policy's process", function()
    pending "needs the program, which is not built"
  end)
  return
end

local room

setup(function()
  room = program.room()
end)

teardown(function()
  room.remove()
end)

-- Runs a policy in the program with little time and memory; what it leads to as text. The script goes on
-- afterwards, so it sees whether anything has changed around it.
local function try(source, budget)
  budget = budget or {}
  room.write("p.lua", source)
  local script = room.write("try.lua", ([[
    local loader, file = require "ipfi.loader", assert(io.open "%s/p.lua")
    local ok, value = pcall(loader.text, file:read "a", "p.lua", nil,
      { seconds = %s, memory = %s << 20, instructions = %s })
    print(ok, value, type(value) == "table" and value.status)
    assert(("x"):rep(3) == "xxx" and ("%%d"):format(5) == "5" and #string.char(65) == 1)
    assert(debug.gethook() == nil and tostring(nil) == "nil" and collectgarbage "count" < 64 << 10)
    assert(fw.load("%s/good.lua").name == "good")
  ]]):format(room.directory, budget.seconds or 20, budget.memory or 64,
    budget.instructions or 20000000, room.directory))
  room.write("good.lua", "return policy { name = 'good' }")
  local status, out, complained = room.run(script)
  assert.same({ 0, "" }, { status, complained })
  return (out:gsub("\n$", ""))
end

local function problem_of(source, budget)
  local said = try(source, budget)
  assert.matches("^false\t", said)
  assert.matches("\t3$", said)
  return (said:gsub("^false\t", ""):gsub("\t3$", ""))
end

describe("a policy's process", function()
  it("ends with a string pattern that runs for ever", function()
    for _, call in ipairs {
      [[s:match(("(a*)"):rep(25) .. "b")]], [[s:gsub((".-"):rep(25) .. "b", "")]],
      [[pcall(string.find, s, (".-"):rep(25) .. "b")]],
    } do
      local before = os.time()
      assert.equal("p.lua: the policy takes too long (stopped after 1 s); is there a pattern with many '.-', "
        .. "or another call that has no end?",
        problem_of(("local s = ('a'):rep(200) return %s"):format(call), { seconds = 1 }))
      assert.is_true(os.time() - before <= 20)
    end
  end)

  it("has so much memory and no more", function()
    for _, bomb in ipairs {
      "local s = 'x' while true do s = s .. s end",
      "local t = {} while true do t[#t + 1] = {} end",
      "local t = {} for i = 1, 1e9 do t[i] = i end",
      "local s = ('x'):rep(1000) while true do s = table.concat { s, s, s, s } end",
      "local s = ('x'):rep(1000) while true do s = s:gsub('.', function() return 'xxxx' end) end",
      "local s = ('x'):rep(1000) while true do s = s:gsub('.', { x = 'xxxx' }) end",
      "local s = ('x'):rep(1000) while true do s = s:gsub('.', '%0%0%0%0') end",
      "local s = ('x'):rep(1000) while true do s = ('%s%s'):format(s, s) end",
      [[local t = {} for i = 1, 1e6 do t[i] = 'abc' .. i end
        while true do t = { t, table.move(t, 1, #t, 1, {}) } end]],
      "local s = ('x'):rep(1 << 20) while true do s = s:upper() .. s:reverse() end",
      "local t = {} while true do t[#t + 1] = function() return t end end",
      "local t = {} while true do t[#t + 1] = allow { 'x' } end",
      "local s = ('x'):rep(1 << 20) local t = {} for i = 1, 1000 do t[i] = s .. i end",
      "local t = {} while true do t[#t + 1] = string.pack('s', ('x'):rep(1000)) end",
    } do
      local message = problem_of(bomb, { instructions = 2000000000, seconds = 60 })
      if not message:find("takes too much memory (stopped at", 1, true)
        and not message:find("the result would be too long") then
        error(bomb .. ": " .. message)
      end
    end
  end)

  it("cannot hide that from itself", function()
    local message = problem_of("local t = {} while true do pcall(function() local s = 'x' t[#t + 1] = {} "
      .. "while true do s = s .. s end end) end", { seconds = 2, instructions = 200000 })
    assert.matches("^p.lua[:%d]*: the policy [dt]", message)
  end)

  it("has an end to calls in calls", function()
    assert.matches("stack overflow", problem_of("local function f() return 1 + f() end return f()",
      { memory = 256 }))
    assert.matches("stack overflow", problem_of("local function f() assert(pcall(f)) end f()",
      { memory = 256 }))
    assert.matches("pattern too complex", problem_of [[return (("a"):rep(300000)):find(("a?"):rep(300000))]])
    assert.matches("overflow", problem_of("return " .. ("("):rep(1000) .. "1" .. (")"):rep(1000)))
    assert.matches("too many results to unpack", problem_of "return table.unpack({}, 1, 1e8)")
    assert.matches("string slice too long", problem_of "return ('x'):rep(1 << 20):rep(1):byte(1, -1)")
  end)

  it("keeps to itself what it does to strings, tables and the words", function()
    for _, source in ipairs {
      "string.format = function() return 'changed' end string.rep = nil string.char = false",
      "table.concat = nil math.max = nil utf8.char = nil",
      "local s = 'x' s.rep = function() end",
      "('').rep = nil",
      "args.x = 5",
      "_VERSION = 1",
    } do
      assert.matches("^false", try(source))
    end
    -- What is no mistake is still not there for the next.
    assert.equal("true", try("string.rep = nil table.concat = nil return policy {}"):match "^%a+")
    for _, name in ipairs { "getmetatable", "setmetatable", "rawset", "rawget", "debug", "coroutine", "os",
      "io", "require", "load", "loadstring", "loadfile", "dofile", "collectgarbage", "package", "_G" } do
      assert.matches("^p.lua:1: ", problem_of(("return %s.x"):format(name)))
    end
  end)

  it("answers with a policy or not at all", function()
    assert.matches("this one returns a function", problem_of "return policy")
    assert.matches("this one returns a table", problem_of "local t = {} t.t = t return t")
    assert.matches("this one returns a table", problem_of "return string")
    assert.matches("this one returns a table", problem_of "return args")
    assert.matches("this one returns nothing", problem_of "")
    assert.matches("lists stand in lists more than 64 deep",
      problem_of "local t = {} t[1] = t return policy { rules = t }")
    assert.matches("tables in tables, more than 200 deep",
      problem_of "local t = {} for i = 1, 1000 do t = { t } end return policy { rules = t }")
    assert.matches("expected rules and groups, got a function",
      problem_of "return policy { rules = { error } }")
    assert.matches("a word like allow needs its", problem_of "return policy { rules = { allow } }")
    assert.matches("rule 'x': src: expected .*, got a table",
      problem_of "local t = {} t[1] = t return policy { rules = { allow { 'x', src = t } } }")
    assert.matches("rule 'x'", problem_of "return policy { rules = { allow { 'x', src = args } } }")
    assert.matches("rule 'x': a rule has one name and then fields", problem_of
      "return policy { rules = { allow { 'x', [allow { 'y' }] = 1 } } }")
    assert.matches("rule 'x': the name is taken", problem_of
      "local r = allow { 'x' } return policy { rules = { r, r } }")
  end)

  it("raises errors that are no text", function()
    for value, said in pairs {
      ["{}"] = "a table", ["allow { 'x' }"] = "a table", ["set { '::1' }"] = "a table",
      ["error"] = "a function", ["policy {}"] = "a table", ["nil"] = "nil", ["true"] = "true",
    } do
      assert.equal("p.lua: the policy raised an error that is " .. said,
        problem_of(("error(%s)"):format(value)))
    end
    assert.matches("\\x1b%[31mred", (room.run("-c -f " .. room.write("red.lua", "error('\\27[31mred')")) == 3)
      and select(3, room.run("-c -f " .. room.directory .. "/red.lua")))
  end)

  it("gives back the very same rules", function()
    local shared = try [[
      local many = {}
      for i = 1, 300 do many[i] = ("10.%d.0.0/16"):format(i % 256) end
      local hosts = set(many)
      local bans = set { name = "bans", dynamic = true }
      local rules = {}
      for i = 1, 100 do
        rules[i] = allow { "r" .. i, src = i % 2 == 0 and hosts or ~hosts, dst = bans,
          comment = ("c"):rep(200) }
      end
      return policy { name = "shared", rules = { false, group { "g", proto = "tcp" } { rules, nil, {} } },
        nat = { masquerade { "m", oif = "wan0" } } } ]]
    assert.equal("true\tpolicy 'shared': 100 rules, 1 NAT rule\tnil", shared)
  end)

  it("ends on Ctrl-C, and with the program", function()
    local path = room.write("for_ever.lua", "return ('a'):rep(200):find(('.-'):rep(30) .. 'b')")
    local before = os.time()
    assert.equal("130\n", program.shell(
      ("timeout --preserve-status -s INT 1 %s -c -f %s 2>/dev/null; echo $?"):format(program.path, path)))
    assert.is_true(os.time() - before <= 20)
    local left = program.shell(([[
      %s -c -f %s & shell=$!
      for i in 1 2 3 4 5 6 7 8 9 10; do child=$(pgrep -P $shell) && break; sleep 0.2; done
      kill -9 $shell; wait $shell 2>/dev/null
      for i in 1 2 3 4 5 6 7 8 9 10; do [ -d /proc/$child ] || break; sleep 0.2; done
      [ -n "$child" ] && [ ! -d /proc/$child ] && echo gone]]):format(program.path, path))
    assert.equal("gone\n", left)
  end)
end)

describe("fw.load", function()
  local function load(arguments)
    room.write("args.lua", "return policy { name = tostring(args.name or args[1] or 'none') }")
    local _, out = room.run(room.write("load.lua", ([[
      local ok, value = pcall(fw.load, "%s/args.lua", %s)
      print(value)]]):format(room.directory, arguments)))
    return (out:gsub("\n$", ""))
  end

  it("takes any arguments that a script gives", function()
    assert.equal("policy 'lan': 0 rules", load "{ name = 'lan' }")
    assert.equal("policy 'lan': 0 rules", load "{ 'lan' }")
    assert.equal("policy 'none': 0 rules",
      load "setmetatable({}, { __index = function() error 'asked' end, __pairs = error, __len = error })")
    assert.equal("policy 'function': 0 rules", load "{ name = print }")
    assert.equal("policy 'table': 0 rules", load "(function() local t = {} t.name = t return t end)()")
    assert.matches("does not use the argument 'nmae'", load "{ nmae = 1 }")
    assert.matches("expected a table of arguments", load "5")
    assert.matches("an argument has a name or a number, got a table", load "{ [{}] = 1 }")
    assert.matches("an argument has a name or a number, got 1.5", load "{ [1.5] = 1 }")
  end)
end)

describe("code", function()
  it("comes as text only", function()
    local bytes = room.write("bytes.lua", string.dump(function() return 1 end))
    for _, arguments in ipairs { bytes, "-e \"$(printf '\\033Lua')\"" } do
      local status, out, complained = room.run(arguments)
      assert.same({ 1, "" }, { status, out })
      assert.matches("attempt to load a binary chunk", complained)
    end
    assert.matches("attempt to load a binary chunk",
      program.shell(("%s <%s 2>&1"):format(program.path, bytes)))
    local status, _, complained = room.run("-c -f " .. bytes)
    assert.equal(3, status)
    assert.matches("bytes.lua:1: unexpected symbol near '<\\27>'", complained)
  end)

  it("comes from nowhere that the environment names", function()
    room.write("evil.lua", "error 'evil'")
    local here = room.directory
    assert.same({ 0, "5\n", "" }, { room.run("-e '=5' -e 'assert(not pcall(require, \"evil\"))'",
      ("env LUA_INIT='error(1)' LUA_INIT_5_4=@%s/evil.lua LUA_PATH='%s/?.lua' LUA_PATH_5_4='%s/?.lua' "
      .. "LUA_CPATH='%s/?.so' LUA_CPATH_5_4='%s/?.so'"):format(here, here, here, here, here)) })
    assert.equal("false\n", program.shell(("cd %s && %s/%s -e 'print((pcall(require, \"evil\")))'")
      :format(here, program.shell "pwd":match "%S+", program.path)))
  end)
end)
