-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the shell says where something is not what it seems: names of lists, wildcards and words of other
-- firewalls, limits of stateful rules, translations that are not one to one, what --sim is, modules that are
-- not there, numbers and lists in JSON, rules that are too large.
local support = require "support"
local codec = require "ipfi.c.codec"
local countdown = require "ipfi.prompt.countdown"
local excerpt = require "ipfi.base.snippet"
local fw = require "ipfi.fw"
local inputs = require "ipfi.prompt.chunks"
local json = require "ipfi.base.json"
local kernel = require "ipfi.base.kernel"
local netlink = require "ipfi.c.netlink"
local packet = require "ipfi.packet.packet"
local program = require "program"
local repl = require "ipfi.prompt.repl"

before_each(function()
  netlink.kernel.reset()
  kernel.close()
end)

local function problem_of(source)
  return select(2, support.policy(source))
end

describe("the lists", function()
  it("may be called input and output", function()
    local p = assert(support.policy [[return policy { default = { input = "allow", output = "reject" },
      rules = { allow { "a", dir = "input" }, allow { "b", dir = { "output", "out", "forward" } } } }]])
    assert.same({ ["in"] = "allow", out = "reject", forward = "deny" }, p.default)
    assert.same({ "in" }, p.rules[1].wire.lists)
    assert.same({ "out", "forward" }, p.rules[2].wire.lists)
    assert.equal("in", select(2, packet.build { dir = "input", proto = "tcp" }).list)
    assert.equal("out", select(2, packet.build { dir = "output", proto = "tcp" }).list)
    assert.matches("dir: unknown value 'inn'; did you mean 'in'%?",
      tostring(select(2, pcall(fw.drops, { dir = "inn" }))))
  end)

  it("have one verdict each", function()
    assert.equal("p.lua:1: policy: default: list 'in' stands there twice, with two verdicts",
      problem_of "return policy { default = { input = 'allow', ['in'] = 'deny' } }")
    assert.truthy(support.policy "return policy { default = { input = 'deny', ['in'] = 'deny' } }")
  end)

  it("are hinted at where Lua reads its own word", function()
    local hint = "; 'in' is a word of Lua: write [\"in\"] = ..., or input = ..."
    for _, default in ipairs { "{ in = 'deny' }", "{ out = 'allow', in = 'deny' }",
      "{ in='deny', out = 'allow' }" } do
      local source = ("return policy {\n  default = %s }"):format(default)
      local _, problem, e = support.policy(source)
      assert.equal("p.lua:2: unexpected symbol near 'in'" .. hint, problem)
      assert.matches("\n +%^$", excerpt.annotate(problem, e.file, e.source))
      local _, said = inputs.compile(source:gsub("^return ", ""))
      assert.matches("^stdin:2: unexpected symbol near 'in'; 'in' is a word of Lua", said)
      assert.matches("\n +%^$", said)
    end
    assert.is_nil(problem_of("return policy { name = in }"):find("word of Lua", 1, true))
  end)
end)

describe("words of other firewalls", function()
  for fields, said in pairs {
    ["iif = 'eth+'"] = "iif: 'eth+': names that begin so are written 'eth*'",
    ["oif = '!ppp+'"] = "oif: '!ppp+': names that begin so are written '!ppp*'",
    ["proto = 'ip'"] = "'ip' is any protocol: leave proto out",
    ["proto = { 'tcp', 'all' }"] = "'all' is any protocol: leave proto out",
    ["proto = '!any'"] = "'any' is any protocol: leave proto out",
  } do
    it("are refused with the right one: " .. fields, function()
      assert.same({ nil, said }, { support.rule(fields) })
    end)
  end
end)

describe("a group", function()
  it("may have a set among its fields", function()
    local p = assert(support.policy [[local lan = set { "10.0.0.0/8" }
      return policy { rules = { group { "g", src = lan, dir = "in" } { allow { "a" } } } }]])
    assert.same({ { from = "10.0.0.0", to = "10.255.255.255" } }, p.rules[1].wire.src.ranges)
    assert.matches("its rules stand in a second pair of braces",
      problem_of "return policy { rules = { group { 'g', allow { 'a' } } { } } }")
    assert.matches("what is the value at 2%?",
      problem_of "return policy { rules = { group { 'g', set { 'me' } } { allow { 'a' } } } }")
  end)
end)

describe("a rule that is too large for a message", function()
  for fields, said in pairs {
    ["src = list(4000, '10.%d.%d.1')"] = "src: too many addresses and ports for one rule: its 4000 addresses "
      .. "take 80000 bytes, and 64000 fit into a message; join them to prefixes, keep them in a dynamic "
      .. "set (set { name = ..., dynamic = true "
      .. "}), or spread them over several rules",
    ["src = list(1455, 'fd00:%x:%x::1')"] = "src: too many addresses and ports for one rule: its 1455 "
      .. "addresses take 64020 bytes",
    ["proto = 'icmp', icmp = messages()"] = "icmp: too many addresses and ports for one rule: its 16384 "
      .. "numbers take 327680 bytes",
    ["proto = 'tcp', dport = numbers(8000), src = list(1000, '10.%d.%d.1')"] =
      "dport: too many addresses and ports for one rule: its 4000 numbers take 80000 bytes, all fields "
      .. "together 100020",
    ["length = numbers(8000)"] = "length: too many addresses and ports for one rule: its 4000 "
      .. "numbers take 80000 bytes",
  } do
    it("is refused with its place and a way out: " .. fields, function()
      local problem = problem_of([[
        local function list(n, form) local t = {}
          for i = 1, n do t[i] = form:format(i // 250, i % 250) end return t end
        local function numbers(n) local t = {} for i = 1, n, 2 do t[#t + 1] = i end return t end
        local function messages() local t = {}
          for i = 0, 254, 2 do for c = 0, 254, 2 do t[#t + 1] = i .. "/" .. c end end return t end
        return policy { rules = { allow { "big", ]] .. fields .. " } } }")
      assert.equal("p.lua:6: rule 'big': " .. said, problem and problem:sub(1, #said + 21))
    end)
  end

  it("is none that fits", function()
    assert.truthy(support.policy [[local t = {}
      for i = 1, 3000 do t[i] = ("10.%d.%d.1"):format(i // 250, i % 250) end
      return policy { rules = { allow { "big", src = t } } }]])
  end)
end)

describe("JSON", function()
  it("has the ids of rules as text", function()
    local id = math.mininteger
    assert.equal('{"id":"-9223372036854775808","name":"r","verdict":"allow"}',
      json.encode { id = id, name = "r", verdict = "allow" })
    assert.equal('{"id":5,"rule":"7"}', json.encode { id = 5, rule = 7 })
    assert.equal('{"rule":"web"}', json.encode { rule = "web" })
  end)

  it("has empty lists as lists", function()
    assert.equal("[]", json.encode(json.list {}))
    assert.equal("{}", json.encode {})
    local r = fw.running()
    assert.same({ "[]", "[]" }, { json.encode(r.rules), json.encode(r.nat) })
    assert.equal("[]", json.encode(setmetatable({}, { __rows = function() end })))
  end)
end)

describe("the counts of rules", function()
  it("are the same everywhere", function()
    local p = assert(support.policy [[return policy { name = "x", nat = { masquerade { "m", oif = "wan0" } },
      rules = { allow { "a" }, allow { "b" } } }]])
    assert.equal("policy 'x': 2 rules, 1 NAT rule", tostring(p))
    netlink.kernel.generation, netlink.kernel.name = 3, "x"
    local ask = kernel.ask
    kernel.ask = function() -- luacheck: ignore 122
      return { info = { armed = 1, generation = 3, name = "x", rules = 3, nat_rules = 1 } }
    end
    local info, banner = fw.info(), repl.banner()
    kernel.ask = ask -- luacheck: ignore 122
    assert.same({ 2, 1 }, { info.rules, info.nat_rules })
    assert.matches("policy 'x', generation 3, 2 rules, 1 NAT rule%.", banner)
    assert.equal("info", codec.decode(codec.encode { { cmd = "info" } })[1].cmd)
  end)
end)

describe("without the module", function()
  it("the banner says what works", function()
    netlink.kernel.absent = true
    assert.matches("ipfi %-%-sim has all of it without the module", repl.banner())
  end)
end)

if not program.exists(program.path) then
  return
end

describe("the program", function()
  local room
  setup(function() room = program.room() end)
  teardown(function() room.remove() end)

  it("says that --sim changes nothing", function()
    local path = room.write("p.lua", "return policy { rules = { allow { 'a' } } }")
    local status, out, err = room.run("--sim -f " .. path)
    assert.same({ 0, "" }, { status, out })
    assert.equal(("ipfi: %s: committed to the built-in engine (--sim): nothing was changed on this machine\n")
      :format(path), err)
    assert.same({ 0, "", "" }, { room.run("--sim -q -f " .. path) })
  end)

  it("has a prompt of its own for --sim", function()
    local out = program.shell(("printf 'fw.info().rules\\n' | %s --sim -i 2>&1"):format(program.path))
    assert.matches("^ipfi %S+ %-%-sim: the built%-in engine; nothing is changed on this machine\n", out)
    assert.matches("\nipfi%(sim%)> ", out)
    assert.matches("nothing was changed on this machine\n$", out)
    assert.equal("ipfi> ", countdown.prompt(false))
  end)

  it("says which module is not there, or broken, and no more", function()
    local status, out, err = room.run("-l nosuch -e 1")
    assert.same({ 1, "" }, { status, out })
    assert.matches("^ipfi: %-l nosuch: there is no such module %(looked for %S+%?.lua%)\n$", err)
  end)

  -- { what it is, NAT rules, rules, what lint says of the first }
  for _, case in ipairs {
    { "a limit of a stateful rule", "", [[allow { "a", proto = "udp", state = true, limit = "5/second" }]],
      "its limit counts new states only" },
    { "a limit of a stateful rule about TCP", "", [[allow { "a", proto = "tcp", dport = 22, state = true,
      limit = "5/minute" }]], "its limit counts new states only" },
    { "a limit of first packets", "", [[allow { "a", proto = "tcp", dport = 22, flags = "S/SA", state = true,
      limit = "5/minute" }]] },
    { "a limit without states", "", [[allow { "a", icmp = "echo-request", limit = "5/minute" }]] },
    { "a dnat that nothing allows",
      [[dnat { "a", iif = "w", proto = "tcp", dport = 80, to = "10.0.0.5:8080" }]],
      [[allow { "b", dir = "forward", proto = "tcp", dport = 80 }]],
      "no rule allows what it translates: rules of list 'forward'" },
    { "a dnat to another address than is allowed", [[dnat { "a", iif = "w", proto = "tcp", dport = 80,
      to = "fd00::5" }]],
      [[allow { "b", dir = "forward", dst = "fd00::6", proto = "tcp" }]], "no rule allows" },
    { "a dnat that is allowed in list in only", [[dnat { "a", iif = "w", proto = "tcp", dport = 80,
      to = "10.0.0.5" }]], [[allow { "b", dir = "in", proto = "tcp", dport = 80 }]], "no rule allows" },
    { "a dnat that a rule allows",
      [[dnat { "a", iif = "w", proto = "tcp", dport = 80, to = "10.0.0.5:8080" }]],
      [[allow { "b", dir = "forward", proto = "tcp", dport = 8080, dst = "10.0.0.0/8" }]] },
    { "a dnat that the default allows", [[dnat { "a", proto = "tcp", dport = 80, to = "10.0.0.5:8080" }]],
      [[deny { "b", dir = "forward", proto = "udp" }]], nil, [[default = "allow",]] },
    { "a redirect that nothing allows", [[redirect { "a", iif = "w", proto = "tcp", dport = 80, to = 3128 }]],
      [[allow { "b", dir = "in", proto = "tcp", dport = 80 }]], "no rule allows what it translates: rules of "
      .. "list 'in'" },
    { "a redirect that a rule allows", [[redirect { "a", iif = "w", proto = "tcp", dport = 80, to = 3128 }]],
      [[allow { "b", dir = "in", proto = "tcp", dport = 3128 }]] },
    { "a snat of prefixes of one length",
      [[snat { "a", oif = "w", src = "10.0.0.0/24", to = "203.0.113.0/24" }]],
      [[allow { "b" }]], "it has as many addresses in to as in src" },
    { "the same of IPv6", [[snat { "a", oif = "w", src = "fd00::/64", to = "2001:db8::/64" }]],
      [[allow { "b" }]], "it has as many addresses in to as in src" },
    { "a dnat of prefixes of one length",
      [[dnat { "a", iif = "w", dst = "203.0.113.0/28", to = "10.0.0.0/28" }]],
      [[allow { "b" }]], "it has as many addresses in to as in dst" },
    { "a snat to a smaller pool", [[snat { "a", oif = "w", src = "10.0.0.0/24", to = "203.0.113.0/28" }]],
      [[allow { "b" }]] },
    { "ports that seem to shift", [[dnat { "a", iif = "w", proto = "tcp", dport = "8000-8010",
      to = "10.0.0.1:9000-9010" }]], [[allow { "b" }]], "its ports do not shift: of 9000-9010 any is taken" },
    { "ports that stay",
      [[dnat { "a", iif = "w", proto = "tcp", dport = "8000-8010", to = "10.0.0.1:8000-8010" }]],
      [[allow { "b" }]] },
  } do
    it("knows the trap: " .. case[1], function()
      local path = room.write("t.lua", ("return policy { %s nat = { %s }, rules = { %s } }")
        :format(case[5] or "", case[2], case[3]))
      local status, _, err = room.run("-c -f " .. path)
      assert.equal(0, status)
      if case[4] then
        assert.truthy(err:find((": warning: rule 'a': %s"):format(case[4]), 1, true), err)
      else
        assert.equal("", err)
      end
    end)
  end
end)
