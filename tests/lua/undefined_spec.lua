-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is nil by mistake: undefined names, locals of earlier inputs, fields without a value, keys that stand
-- twice; in policies, scripts and at the prompt.
local support = require "support"
local constructors = require "ipfi.policy.constructors"
local inputs = require "ipfi.prompt.chunks"
local lexer = require "ipfi.base.lexer"
local locals = require "ipfi.prompt.locals"
local policy = require "ipfi.policy.policy"
local program = require "program"
local strict = require "ipfi.policy.strict"

local _, words = policy.words { direct = true, source_of = inputs.source_of }
for name, word in pairs(words) do
  _G[name] = word -- luacheck: ignore 111 112
end

before_each(locals.reset)

-- Runs inputs of a prompt one after the other; returns the values of the last, or its mistake as text.
local function prompt(...)
  local result
  for _, source in ipairs { ... } do
    local chunk, problem = inputs.compile(source)
    if not chunk then
      result = { false, problem }
    else
      result = table.pack(xpcall(chunk, inputs.describe))
    end
  end
  if not result[1] then
    return result[2]
  end
  return table.unpack(result, 2, result.n)
end

local function problems(source)
  local _, problem = support.policy(source)
  return problem
end

describe("an undefined name", function()
  it("is an error at the prompt, with the nearest that is known", function()
    assert.matches("^stdin:1: unknown name 'lan'\n", prompt "allow { 'ssh', src = lan }")
    assert.matches("^stdin:1: unknown name 'prnt'; did you mean 'print'%?", prompt "prnt(1)")
    assert.matches("did you mean 'network'%?", prompt("local network = 1", "netwrk"))
    assert.matches("unknown name 'x'\n", prompt "x")
  end)

  it("can be asked for by rawget(_G) and in _G", function()
    assert.is_nil(prompt "rawget(_G, 'nothing')")
    assert.is_nil(prompt "_G.nothing")
    assert.equal(5, prompt("something = 5", "_G.something"))
    _G.something = nil -- luacheck: ignore 111 112
  end)

  it("is an error in what a chunk loads, and nowhere else", function()
    local env, compile = strict.environment { print = print, rawget = rawget, _G = {} }
    local _, problem = pcall(compile("return a", "=x"))
    assert.equal("x:1: unknown name 'a'", problem)
    _, problem = pcall(env.load "return a")
    assert.matches("unknown name 'a'$", problem)
    _, problem = pcall(env.load((function()
      local pieces = { "return ", "a" }
      return function() return table.remove(pieces, 1) end
    end)()))
    assert.matches("unknown name 'a'$", problem)
    assert.is_nil(env.load("return a", "=x", "t", {})())
    assert.same({ nil, "x:1: unexpected symbol near '+'" }, { env.load("return +", "=x") })
    -- A library's own test for a name is none of ours.
    local library = os.tmpname()
    local file = assert(io.open(library, "w"))
    file:write "#!/usr/bin/lua\nreturn rawget(_G, 'a') == nil and jit == nil"
    file:close()
    _, problem = pcall(env.dofile, library)
    assert.matches(":2: unknown name 'jit'", problem)
    assert.is_true(dofile(library))
    assert.is_true(env.loadfile(library, "t", _G)())
    os.remove(library)
    assert.matches("cannot open", select(2, env.loadfile "/nothing/at/all"))
  end)
end)

describe("locals of the prompt", function()
  it("live on", function()
    assert.equal(7, prompt("local a, b = 3, 4", "a + b"))
    assert.equal(3, prompt("local n = 0 local function inc() n = n + 1 return n end", "inc() inc()",
      "return inc()"))
    assert.equal(6, prompt("n", "inc() inc() inc()", "n"))
    assert.is_nil(prompt("local nothing", "nothing"))
    assert.equal(6, prompt("local t = {\n 1, 2,\n 3 }\nlocal sum = t[1] + t[2] +\n  t[3]", "sum"))
    assert.equal(2, prompt("local x = 'aa' (tostring or x)(1) local y = #x return y", "y"))
    assert.equal("f", prompt("local f = function() return 'f' end return 1", "f()"))
  end)

  it("are Lua's own variables", function()
    assert.equal(1, prompt("local x = 1 local function get() return x end", "local x = 2", "get()"))
    assert.equal(2, prompt "x")
    assert.equal(1, prompt("local y = 1 local function get() return y end local y = 2", "get()"))
    assert.equal(2, prompt "y")
    assert.equal(3, prompt("local z = 2", "local z = z + 1", "z"))
    assert.equal(9, prompt("z = 9", "z"))
    assert.is_nil(rawget(_G, "z"))
  end)

  it("are those of the outermost level", function()
    assert.matches("unknown name 'q'", prompt("for q = 1, 2 do local r = q end do local q = 1 end", "q"))
    assert.matches("unknown name 'q'", prompt("local function f(q) local r = q end", "q"))
    assert.matches("unknown name 'q'", prompt("local t = { f = function() local q end }", "q"))
  end)

  it("stay constants, and close with their input", function()
    assert.matches("attempt to assign to const variable 'c'", prompt("local c <const> = 5", "c = 6"))
    assert.equal(5, prompt "c")
    assert.equal(6, prompt("local c <const>, d = {} , 6", "d"))
    assert.matches("attempt to assign to const variable 'c'", prompt "c = 6")
    prompt "closed = 0 local e <close> = setmetatable({}, { __close = function() closed = closed + 1 end })"
    assert.equal(1, prompt "closed")
    assert.matches("unknown name 'e'", prompt "e")
    _G.closed = nil -- luacheck: ignore 111 112
  end)

  it("live as far as an input came", function()
    assert.matches("oh", prompt "local a = 1 error 'oh' local b = 2")
    assert.equal(1, prompt "a")
    assert.matches("unknown name 'b'", prompt "b")
  end)

  it("can be more than a function of Lua holds", function()
    for i = 1, 300 do
      prompt(("local v%d = %d"):format(i, i))
    end
    assert.equal(301, prompt "v1 + v300")
    assert.equal(300, #locals.names())
  end)

  it("do not move what a mistake is about", function()
    assert.equal("stdin:3: attempt to index a nil value (local 'b')\n    local c = b.x\n              ^",
      prompt "local a = 1\nlocal b\nlocal c = b.x")
    assert.equal("stdin:1: attempt to index a nil value (upvalue 'b')\n    b.x = 1\n    ^", prompt "b.x = 1")
  end)

  it("are what the firewall meant", function()
    assert.matches("^set { 10.0.0.0/8 }", tostring(prompt("local lan = set { '10.0.0.0/8' }", "lan")))
    local p = prompt "policy { rules = { allow { 'ssh', src = lan, dport = 22 } } }"
    assert.same({ { from = "10.0.0.0", to = "10.255.255.255" } }, p.rules[1].wire.src.ranges)
  end)
end)

describe("a field without a value", function()
  -- { source of a policy, the mistake without its place }
  for _, case in ipairs {
    { "allow { 'r', src = t.typo }", "rule 'r': field 'src' is nil (t.typo)" },
    { "allow { 'r', src = nothing }", "rule 'r': field 'src' is nil (nothing)" },
    { "allow { 'r', src = nil }", "rule 'r': field 'src' is nil" },
    { "allow { 'r', ['dst'] = t.typo }", "rule 'r': field 'dst' is nil (t.typo)" },
    { "allow { 'r', src = { 'me', t.typo } }", "rule 'r': field 'src': value 2 is nil (t.typo)" },
    { "allow { 'r', limit = { '5/s', burst = t.typo } }",
      "rule 'r': field 'limit': field 'burst' is nil (t.typo)" },
    { "allow { t.typo, dport = 22 }", "rule: value 1 is nil (t.typo)" },
    { "reject { 'r', dport = f() }", "rule 'r': field 'dport' is nil" },
    { "group { 'g', src = t.typo } { allow { 'r' } }", "group 'g': field 'src' is nil (t.typo)" },
    { "group { 'g' } { allow { 'r' }, t.typo }", "group 'g': value 2 is nil (t.typo)" },
    { "allow { 'r' }, t.typo", "policy: rules: value 2 is nil (t.typo)" },
    { "{ t.typo, allow { 'r' } }", "policy: rules: value 1 is nil (t.typo)" },
    { "allow { 'r', src = set { t.typo } }", "set: value 1 is nil (t.typo)" },
    { "allow { 'r', src = set { t.typo, 'me' } }", "set: value 1 is nil (t.typo)" },
  } do
    it("is a mistake: " .. case[1], function()
      local head = "local t, nothing = {} local function f() end"
      local said = problems(("%s\nreturn policy { rules = { %s } }"):format(head, case[1]))
      assert.equal("p.lua:2: " .. case[2], said and said:match "^[^\n;]*")
      said = prompt(head, "policy { rules = { " .. case[1] .. " } }")
      assert.equal("stdin:1: " .. case[2], said:match "^[^\n;]*")
    end)
  end

  it("is one in the policy itself", function()
    assert.matches("^p.lua:1: policy: field 'default' is nil %(t.x%)",
      problems "local t = {} return policy { default = t.x }")
    assert.matches("^p.lua:1: policy: field 'rules' is nil",
      problems "local t = {} return policy { rules = t.x }")
    assert.matches("^p.lua:1: policy: field 'default': field 'out' is nil",
      problems "local t = {} return policy { default = { out = t.x } }")
    assert.matches("^p.lua:1: test: field 'src' is nil",
      problems "local t = {} return policy { tests = { test { 'a', src = t.x, expect = 'deny' } } }")
  end)

  it("is one in filters and limits", function()
    assert.matches("^fw.states: field 'src' is nil %(t.x%)",
      prompt("fw, t = require 'ipfi.fw', {}", "fw.states { src = t.x }"))
    assert.matches("^fw.set_limits: field 'udp_new' is nil %(t.x%)", prompt "fw.set_limits { udp_new = t.x }")
    assert.truthy(prompt "fw.states { src = t.x or nil }")
    _G.t = nil -- luacheck: ignore 111 112
  end)

  it("is none where it is said", function()
    assert.truthy(support.policy "local t = {} return policy { rules = { allow { 'r', src = t.x or nil } } }")
    assert.truthy(support.policy [[return policy { rules = {
      allow { 'r', log = args.log == "all" and "out" or nil }, args.x and allow { 's' } } }]])
    assert.truthy(support.policy [[local function more(t) t.dport = 22 return t end
      return policy { rules = { allow(more { 'r', proto = 'tcp' }) } }]])
  end)

  it("given later is no mistake", function()
    assert.truthy(support.policy [[local x local t = { 'r', dport = x } t.dport = 22
      return policy { rules = { allow(t) } }]])
  end)

  it("is seen with other words around it", function()
    assert.matches("rule 'r': field 'src' is nil %(src%)",
      problems "local function f(src) return allow { 'r', src = src } end return policy { rules = { f() } }")
    assert.matches("p.lua:3: rule 'r': field 'src' is nil",
      problems "local a, x = allow\nreturn policy { rules = {\n a { 'q' }, a { 'r', src = x } } }")
    assert.matches("field 'src' is nil", problems [==[local x return policy { rules = { allow {
      'r', comment = [[ {]] .. "}", -- {
      dst = --[[ { ]] "me", src = x } } }]==])
  end)
end)

describe("a key", function()
  it("stands once between braces", function()
    assert.equal("p.lua:2: field 'src' stands twice between these braces",
      problems "return policy { rules = { allow { 'r', src = '10.0.0.1',\n src = '10.0.0.2' } } }")
    assert.equal("p.lua:1: field 'in' stands twice between these braces",
      problems "return policy { default = { ['in'] = 'deny', [\"in\"] = 'allow' } }")
    assert.equal("p.lua:1: value 1 stands twice between these braces",
      problems "return policy { rules = { allow { 'r', [1] = 's' } } }")
    assert.equal("stdin:1: field 'dport' stands twice between these braces\n    x = { dport = 1, dport = 2 }",
      prompt "x = { dport = 1, dport = 2 }")
  end)

  it("may stand in braces within", function()
    assert.truthy(support.policy [[local t = { a = 1, b = { a = 2, c = { a = 3 } }, [1 + 1] = 4, [2] = 5 }
      return policy { rules = { allow { 'r', dport = { t.a, t.b.a } } } }]])
  end)
end)

describe("a mistake in a rule of several lines", function()
  it("is shown in its line", function()
    assert.equal("stdin:3: rule 'b': unknown service 'htpps'; did you mean 'https'?\n"
      .. "      allow { 'b', dport = 'htpps' },\n                            ^",
      prompt "policy { rules = {\n  allow { 'a' },\n  allow { 'b', dport = 'htpps' },\n} }")
    assert.equal("stdin:2: rule 'b': unknown service 'htpps'; did you mean 'https'?\n"
      .. "        dport = 'htpps',\n                 ^",
      prompt "policy { rules = {\n  allow { 'b',\n    dport = 'htpps',\n  },\n} }")
  end)

  it("of fw, or of a policy, is shown there too", function()
    _G.fw = require "ipfi.fw" -- luacheck: ignore 111 112
    assert.equal("fw.states: unknown filter 'dports'; did you mean 'dport'?\n      dports = 22,\n      ^",
      prompt "fw.states {\n  proto = 'tcp',\n  dports = 22,\n}")
    assert.equal("stdin:1: policy: default: in is allow, deny or reject, got 'pass'\n"
      .. "      default = { input = 'pass' },\n                           ^",
      prompt "policy {\n  name = 'x',\n  default = { input = 'pass' },\n}")
  end)

  it("is shown in the input that made the rule", function()
    assert.equal("stdin:2: rule 'b': unknown service 'htpps'; did you mean 'https'?\n"
      .. "    r = allow { 'b', dport = 'htpps' }\n                              ^",
      prompt("local r\nr = allow { 'b', dport = 'htpps' }", "policy {\n rules = { r } }"))
  end)
end)

describe("the lexer", function()
  local function kinds(text)
    local list = {}
    for _, token in ipairs(lexer.all(text)) do
      list[#list + 1] = token.kind == "name" and text:sub(token.first, token.last) or token.kind
    end
    return table.concat(list, " ")
  end

  it("reads what Lua reads", function()
    assert.equal("a = number + number number number", kinds "a = 0x1p-3 + 1e+5 .5 3")
    assert.equal("string string string string", kinds [==['a\'' "\"b" [[x]] [=[ ]] ]=]]==])
    assert.equal("a b", kinds "a -- x\n--[[ y\n ]] b")
    assert.equal("a .. b ... == ~= // :: << >> : ~", kinds "a..b...==~=//::<<>>:~")
    assert.equal("function end x [ number ]", kinds "function end x[1]")
    assert.equal("string", kinds "'without an end")
  end)

  it("never changes what a program does", function()
    for _, path in ipairs { "lua/ipfi/policy/policy.lua", "lua/ipfi/prompt/help.lua",
      "lua/ipfi/base/lexer.lua", "examples/gateway.lua" } do
      local file = assert(io.open(path))
      local source = file:read "a"
      file:close()
      source = source:gsub("^#[^\n]*", "")
      local changed = constructors.insert(source, (assert(constructors.prepare(source))))
      assert(load(changed))
      assert.equal(select(2, source:gsub("\n", "")), select(2, changed:gsub("\n", "")))
    end
  end)
end)

if program.exists(program.path) then
  describe("the program", function()
    local room
    setup(function() room = program.room() end)
    teardown(function() room.remove() end)

    it("refuses undefined names in scripts", function()
      local path = room.write("x.lua", "local t = {}\nlocal ok = rawget(_G, 'x') == nil and _G.x == nil\n"
        .. "print(ok)\nprint(lan)")
      local status, out, err = room.run("--sim " .. path)
      assert.same({ 1, "true\n" }, { status, out })
      assert.matches("x.lua:4: unknown name 'lan'", err)
    end)

    it("refuses fields without a value in scripts", function()
      local path = room.write("y.lua", "local t = {}\nlocal p = policy { rules = {\n"
        .. "  allow { 'ssh', dport = 22, src = t.typo } } }\nfw.commit(p)")
      local status, _, err = room.run("--sim " .. path)
      assert.equal(1, math.min(status, 1))
      assert.matches("y.lua:3: rule 'ssh': field 'src' is nil %(t.typo%)", err)
    end)

    it("lets libraries look for names", function()
      room.write("lib.lua", "return { jit = jit, n = select('#', nothing) }")
      local path = room.write("z.lua", ("package.path = %q\nprint(require('lib').n)"):format(room.directory
        .. "/?.lua"))
      assert.same({ 0, "1\n", "" }, { room.run("--sim " .. path) })
    end)

    it("refuses undefined names of -e and of standard input", function()
      local status, _, err = room.run("--sim -e 'print(lan)'")
      assert.same({ 1, "ipfi: -e:1: unknown name 'lan'\n" }, { status, err })
    end)
  end)
end
