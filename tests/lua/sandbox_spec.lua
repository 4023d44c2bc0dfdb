-- SPDX-License-Identifier: GPL-2.0-or-later
local support = require "support"
local sys = require "ipfi.c.sys"

local function problem_of(source, instructions)
  local budget = { instructions = instructions or 2000000, memory = 32 << 20, rules = 1000 }
  local p, message = support.policy(source, nil, budget)
  assert.is_nil(p)
  return message
end

-- The value of an expression inside the room, through an error.
local function value_of(expression)
  return (problem_of(("error('=' .. tostring(%s), 0)"):format(expression)):gsub("^=", ""))
end

describe("a policy", function()
  for _, name in ipairs {
    "io", "os", "require", "debug", "load", "loadfile", "dofile", "package", "collectgarbage", "coroutine",
      "print",
    "getmetatable", "setmetatable", "rawget", "rawset", "_G", "fw",
  } do
    it("has no " .. name, function()
      assert.equal(("p.lua:1: a policy has no '%s'; it has Lua's basics, math, string, table and utf8")
        :format(name),
        problem_of(("local x = %s"):format(name)))
    end)
  end

  it("has no chance and no addresses of memory", function()
    assert.equal("nil", value_of "math.random")
    assert.equal("nil", value_of "string.dump")
    assert.equal("table function", value_of "tostring({}) .. ' ' .. tostring(error)")
    assert.equal("table", value_of "string.format('%s', {})")
    assert.equal("table", value_of "('%s'):format({})")
    assert.matches("%%p is not available", problem_of "local x = string.format('%10p', {})")
  end)

  it("has Lua's pure library", function()
    assert.equal("1,2 b 3 x",
      value_of "table.concat({1,2}, ',') .. ' ' .. ('abc'):sub(2,2) .. ' ' .. #'abc' .. ' x'")
    assert.equal("3", value_of "math.max(1, 3)")
    assert.equal("é", value_of "utf8.char(233)")
    assert.equal("aXc", value_of "(('abc'):gsub('b', 'X'))")
    assert.equal("aXc", value_of "(('abc'):gsub('b', { b = 'X' }))")
    assert.equal("2", value_of "select('#', 1, 2)")
    assert.equal("false", value_of "(pcall(error, 'x'))")
    assert.equal("255", value_of "tonumber('ff', 16)")
  end)

  it("goes through tables in one order", function()
    assert.equal("1 2 a b false true", value_of [[(function()
      local keys = {}
      for k in pairs { b = 1, [true] = 1, [2] = 1, a = 1, [false] = 1, [1] = 1 } do
        keys[#keys + 1] = tostring(k)
      end
      return table.concat(keys, ' ')
    end)()]])
    assert.equal("a", value_of "(next { b = 1, a = 2 })")
    assert.equal("b", value_of "(next({ b = 1, a = 2 }, 'a'))")
    assert.equal("nil", value_of "(next {})")
    assert.matches("keys that are a table have no order", problem_of "for k in pairs { [{}] = 1 } do end")
    assert.matches("bad argument #1 to 'pairs'", problem_of "for k in pairs(nil) do end")
  end)

  it("writes no globals", function()
    assert.equal("p.lua:2: assignment to the global 'x'; make it local", problem_of "\nx = 1")
    assert.equal("p.lua:1: assignment to the global 'allow'; make it local", problem_of "allow = nil")
    assert.equal("p.lua:2: assignment to the global 'f'; make it local", problem_of "\nfunction f() end")
  end)

  it("does not know misspelt names", function()
    assert.equal("p.lua:1: unknown name 'alow'; did you mean 'allow'?", problem_of "return alow { }")
    assert.equal("p.lua:1: unknown name 'xyzzy'", problem_of "if xyzzy then end")
  end)

  it("does not reach the strings of the program", function()
    local real = string.rep
    problem_of "string.rep = function() return 'changed' end"
    assert.equal(real, string.rep)
    assert.equal(string, getmetatable("").__index)
    assert.equal("nil", value_of "('x').dump")
    assert.equal("environment", value_of "_ENV and 'environment'")
  end)

  it("is text, not bytes of Lua's machine", function()
    assert.equal("p.lua:1: unexpected symbol near '<\\27>'", problem_of(string.dump(function() end)))
  end)

  it("may begin with the line that names its program", function()
    assert(support.policy "#!/usr/sbin/ipfi -f\nreturn policy {}")
    assert.equal("p.lua:2: unknown name 'x'", problem_of "#!/usr/sbin/ipfi -f\nreturn x")
    assert(support.policy "\xef\xbb\xbfreturn policy {}")
  end)

  it("with a mistake of Lua says where", function()
    assert.equal("p.lua:3: unexpected symbol near <eof>", problem_of "return policy {\n\n")
    assert.matches("^p.lua:2: attempt to index a nil value", problem_of "local x\nlocal y = x.z")
    assert.equal("p.lua: the policy raised an error that is a table", problem_of "error({})")
  end)
end)

describe("a policy without end", function()
  for name, source in pairs {
    ["that loops"] = "while true do end",
    ["that calls itself"] = "local function f() return f() end f()",
    ["that hides it"] = "while true do pcall(function() while true do end end) end",
    ["that hides it twice"] = "while true do pcall(pcall, pcall, function() while true do end end) end",
    ["that makes rules"] = "while true do local r = allow { 'x' } end",
  } do
    it(name .. " ends with an error", function()
      -- Making rules is granted work of its own, up to the most rules there may be; then that ends too.
      assert.matches("the policy does not end", problem_of(source))
    end)
  end

  for name, source in pairs {
    ["of a table"] = "local t = {} while true do t[#t + 1] = {} end",
    ["that hides it"] = "local t = {} while true do pcall(function() t[#t + 1] = {} end) end",
  } do
    it("in memory, " .. name .. ", ends with an error", function()
      assert.matches("^p.lua:1: the policy takes too much memory", problem_of(source, 50000000))
      collectgarbage()
    end)
  end

  it("in one call is refused", function()
    assert.matches("string.rep: the result would be longer than a MiB", problem_of "local s = ('x'):rep(1e9)")
    assert.matches("string.rep: the result would be longer than a MiB",
      problem_of "local s = string.rep('x', 1 << 40)")
    assert.matches("string.gsub: the result would be too long",
      problem_of "local s = ('x'):rep(1000000) s = s:gsub('x', s)")
    assert.matches("table.move: too many elements", problem_of "table.move({}, 1, 1 << 40, 2)")
  end)

  it("leaves everything as it was", function()
    problem_of "while true do end"
    assert.is_nil(debug.gethook())
    assert.equal(string, getmetatable("").__index)
    assert(support.policy "return policy {}")
  end)

  it("can be interrupted", function()
    sys.world.interrupted = true
    local loader = require "ipfi.policy.loader"
    local ok, problem = pcall(loader.text, "while true do end", "p.lua")
    sys.world.interrupted = false
    assert.is_false(ok)
    assert.equal(130, problem.status)
  end)
end)

describe("a hook of the caller", function()
  it("is there again afterwards", function()
    local function mine() end
    debug.sethook(mine, "", 1000000)
    support.policy "return policy {}"
    local hook, mask, count = debug.gethook()
    debug.sethook()
    assert.equal(mine, hook)
    assert.equal("", mask)
    assert.equal(1000000, count)
  end)
end)
