-- SPDX-License-Identifier: GPL-2.0-or-later
local support = require "support"

local function problems(source, args)
  local p, message = support.policy(source, args)
  assert.is_nil(p)
  return message
end

local function rules(source)
  local p, problem = support.policy(source)
  return assert(p, problem).rules
end

describe("policy", function()
  it("denies everything when nothing is said", function()
    local p = assert(support.policy "return policy {}")
    assert.same({ ["in"] = "deny", out = "deny", forward = "deny" }, p.default)
    assert.same({}, p.rules)
    assert.same({}, p.limits)
    assert.equal("p", p.name)
    assert.equal("policy 'p': 0 rules", tostring(p))
  end)

  it("has a name, defaults and limits", function()
    local p = assert(support.policy [[
      return policy {
        name = "gateway",
        default = { ["in"] = "reject", out = "allow" },
        limits = { max_states = 1000, tcp_loose = false, tcp_established = 60 },
      }]])
    assert.equal("gateway", p.name)
    assert.same({ ["in"] = "reject", out = "allow", forward = "deny" }, p.default)
    assert.same({ max_states = 1000, tcp_loose = 0, tcp_established = 60 }, p.limits)
    p = assert(support.policy [[return policy { default = "allow" }]])
    assert.same({ ["in"] = "allow", out = "allow", forward = "allow" }, p.default)
  end)

  -- { what is written inside, the error behind "p.lua:1: policy: " }
  for _, case in ipairs {
    { "rulez = {}", "unknown field 'rulez'; did you mean 'rules'?" },
    { "nat = 5", "nat: expected a list of rules, got 5" },
    { "allow { 'a' }", "rules stand in rules = { ... }" },
    { "name = ''", "name: expected text of 1 to 63 bytes, got ''" },
    { "name = 5", "name: expected text of 1 to 63 bytes, got 5" },
    { "name = 'a\\nb'", "name: expected text of 1 to 63 bytes, got 'a\\x0ab'" },
    { "default = 'denny'", "default: it is allow, deny or reject, got 'denny'; did you mean 'deny'?" },
    { "default = { ['in'] = 'pass' }", "default: in is allow, deny or reject, got 'pass'" },
    { "default = { inputs = 'deny' }", "default: unknown list 'inputs'" },
    { "default = { forwad = 'deny' }", "default: unknown list 'forwad'; did you mean 'forward'?" },
    { "default = 5", "default: expected 'deny' or { [\"in\"] = 'deny', ... }, got 5" },
    { "limits = { max_state = 1 }", "limits: unknown limit 'max_state'; did you mean 'max_states'?" },
    { "limits = { max_states = 0 }", "limits: max_states: 0 is not in 1 to 2147483647" },
    { "limits = { max_states = '5' }", "limits: max_states: expected a whole number, got '5'" },
    { "limits = { tcp_syn_sent = 604801 }", "limits: tcp_syn_sent: 604801 is not in 1 to 604800" },
    { "limits = { tcp_loose = 'no' }", "limits: tcp_loose: expected true or false, got 'no'" },
    { "limits = 5", "limits: expected { name = number }, got 5" },
    { "stateful = 'yes'", "stateful: expected true or false, got 'yes'" },
    { "rules = 5", "rules: expected a list of rules, got 5" },
    { "rules = allow { 'a' }", "rules: expected a list of rules, got rule" },
  } do
    it(("refuses { %s }"):format(case[1]), function()
      assert.equal("p.lua:1: policy: " .. case[2], problems(("return policy { %s }"):format(case[1])))
    end)
  end

  it("is what a file returns", function()
    assert.equal("p.lua: a policy file returns policy { ... }; this one returns nothing",
      problems "local x = 1")
    assert.equal("p.lua: a policy file returns policy { ... }; this one returns 5", problems "return 5")
    assert.equal("p.lua: a policy file returns policy { ... }; this one returns a table",
      problems "return { rules = {} }")
    assert.equal("p.lua:1: expected policy { name = ..., rules = { ... } }, got 5",
      problems "return policy(5)")
  end)

  it("tells the mistakes of the whole file in their order, twenty of them", function()
    local lines = { "return policy { rules = {" }
    for i = 1, 25 do
      lines[#lines + 1] = ("allow { 'r%d', dprt = %d },"):format(i, i)
    end
    lines[#lines + 1] = "} }"
    local told = {}
    for line in problems(table.concat(lines, "\n")):gmatch("[^\n]+") do
      told[#told + 1] = line
    end
    assert.equal(21, #told)
    assert.equal("p.lua:2: rule 'r1': unknown field 'dprt'; did you mean 'dport'?", told[1])
    assert.equal("p.lua:21: rule 'r20': unknown field 'dprt'; did you mean 'dport'?", told[20])
    assert.equal("... and 5 more errors", told[21])
  end)

  it("stateful makes allow rules stateful that do not say otherwise", function()
    local list = rules [[
      return policy { stateful = true, rules = {
        allow { "a" }, allow { "b", state = false }, deny { "c" }, allow { "d", state = true },
      } }]]
    assert.same({ "stateful" }, list[1].wire.flags)
    assert.is_nil(list[2].wire.flags)
    assert.is_nil(list[3].wire.flags)
    assert.same({ "stateful" }, list[4].wire.flags)
  end)
end)

describe("a rule", function()
  it("knows where it stands", function()
    local list = rules [[
      local function web(name)
        local rule = allow { name, dport = 80 }
        return rule
      end
      return policy {
        rules = {
          allow {
            "long",
            dport = 22,
          },
          deny { "short" }, web "indirect",
        },
      }]]
    assert.same({ "p.lua:7", "p.lua:11", "p.lua:2" }, { list[1].at, list[2].at, list[3].at })
  end)

  it("made by a function that ends with it stands where the function is called", function()
    local list = rules [[
      local function web(name) return allow { name } end

      return policy { rules = { web "a" } }]]
    assert.equal("p.lua:3", list[1].at)
  end)

  it("may be made by a protected call", function()
    local list = rules [[
      local ok, rule = pcall(allow, { "a" })
      return policy { rules = { rule } }]]
    assert.equal("p.lua:1", list[1].at)
  end)

  it("keeps what its table held when it was made", function()
    local list = rules [[
      local t, made = { dport = 1 }, {}
      for i = 1, 3 do
        t[1], t.dport = "r" .. i, i
        made[i] = allow(t)
      end
      return policy { rules = made }]]
    assert.same({ "r1", "r2", "r3" }, { list[1].name, list[2].name, list[3].name })
    assert.same({ { from = 2 } }, list[2].wire.dport)
  end)

  it("has a name of its own", function()
    assert.equal("p.lua:3: rule 'web': the name is taken by the rule at p.lua:2; rule names are unique",
      problems [[
return policy { rules = {
  allow { "web" },
  deny { "web" },
} }]])
    assert.matches("^p.lua:1: rule: has no name: its first value names it",
      problems "return policy { rules = { allow {} } }")
    assert.equal("p.lua:1: rule: the first value is the rule's name, text; got 5",
      problems "return policy { rules = { allow { 5 } } }")
    assert.equal("p.lua:1: rule: has an empty name", problems "return policy { rules = { allow { '' } } }")
    assert.matches("has 64 bytes; at most 63 fit$",
      problems "return policy { rules = { allow { ('x'):rep(64) } } }")
    assert.equal("p.lua:1: rule: the name 'a\\x1b[31m' has control characters",
      problems "return policy { rules = { allow { 'a\\27[31m' } } }")
    assert.equal("p.lua:1: rule: expected allow { \"name\", ... }, got 'x'",
      problems "return policy { rules = { allow 'x' } }")
  end)

  it("is not shown with what it holds", function()
    assert.equal("p.lua:1: allow 'a' (p.lua:1)", problems "error(tostring(allow { 'a' }))")
  end)
end)

describe("rules", function()
  it("are a list of rules, groups and lists, with false and nil for none", function()
    local list = rules [[
      local none
      return policy { rules = {
        none and allow { "never" } or false, allow { "a" }, { allow { "b" }, { allow { "c" } } }, none,
          allow { "d" },
        {},
      } }]]
    local names = {}
    for i, rule in ipairs(list) do
      names[i] = rule.name
    end
    assert.same({ "a", "b", "c", "d" }, names)
  end)

  it("are nothing else", function()
    assert.equal("p.lua:1: rules: expected rules and groups, got 5",
      problems "return policy { rules = { 5 } }")
    assert.matches("got a function %(a word like allow needs its { }%)$",
      problems "return policy { rules = { allow } }")
    assert.matches("a list of rules has no key 'web'",
      problems "return policy { rules = { web = allow { 'a' } } }")
    assert.matches("got set$", problems "return policy { rules = { set { 'me' } } }")
  end)

  it("do not stand in themselves", function()
    assert.equal("p.lua:1: rules: lists stand in lists more than 64 deep",
      problems "local t = {} t[1] = t return policy { rules = t }")
  end)
end)

describe("group", function()
  it("gives its fields to rules that do not say otherwise", function()
    local list = rules [[
      return policy { rules = {
        group { "outer", dir = "in", state = true, proto = "tcp" } {
          allow { "a", dport = 1 },
          group { "inner", dir = "out" } { allow { "b", proto = "udp" } },
          deny { "c" },
        },
        allow { "d" },
      } }]]
    assert.same({ "in" }, list[1].wire.lists)
    assert.same({ { from = 6 } }, list[1].wire.proto)
    assert.same({ "stateful" }, list[1].wire.flags)
    assert.same({ "out" }, list[2].wire.lists)
    assert.same({ { from = 17 } }, list[2].wire.proto)
    assert.same({ "stateful" }, list[2].wire.flags)
    assert.is_nil(list[3].wire.flags)
    assert.is_nil(list[4].wire.proto)
    assert.same({ dir = "out", state = true, proto = "udp" }, list[2].fields)
  end)

  it("may have no name", function()
    assert.equal(1, #rules "return policy { rules = { group { dir = 'in' } { allow { 'a' } } } }")
  end)

  it("tells a mistake of its own once", function()
    assert.equal("p.lua:1: group 'g': unknown protocol 'tpc'; did you mean 'tcp'?", problems
      "return policy { rules = { group { 'g', proto = 'tpc' } { allow { 'a' }, allow { 'b' } } } }")
    assert.equal("p.lua:1: group 'g': unknown field 'prot'; did you mean 'proto'?", problems
      "return policy { rules = { group { 'g', prot = 'tcp' } { allow { 'a' }, allow { 'b' } } } }")
  end)

  it("has its rules in a second pair of braces", function()
    local second = "its rules stand in a second pair of braces"
    assert.matches("p.lua:1: group 'g': " .. second,
      problems "return policy { rules = { group { 'g', allow { 'a' } } } }")
    assert.matches("group 'g': has no rules", problems "return policy { rules = { group { 'g' } } }")
    assert.matches(second, problems "return policy { rules = { group { 'g' } (5) } }")
  end)
end)

describe("set", function()
  it("holds addresses, and says so when it does not", function()
    assert.equal("p.lua:1: set: bad address 'x' (names are not looked up: a rule holds addresses)",
      problems "local s = set { 'x' } return policy {}")
    assert.equal("p.lua:1: set: an empty list matches nothing", problems "local s = set {} return policy {}")
    assert.matches("write set { name = 'x', dynamic = true }, or set { addresses }",
      problems "local s = set 'x' return policy {}")
    assert.matches("set: a set holds addresses; negate it where it is used",
      problems "local s = set { '!10.0.0.1' }")
    assert.equal("p.lua:1: set { 10.0.0.1, me }", problems "error(tostring(set { '10.0.0.1', 'me' }))")
  end)

  it("lets the other mistakes of the file be found", function()
    local message = problems [[
      local s = set { "x" }
      return policy { rules = { allow { "a", src = s, dprt = 1 } } }]]
    assert.matches("p.lua:1: set:", message)
    assert.matches("p.lua:2: rule 'a': unknown field 'dprt'", message)
  end)
end)

describe("args", function()
  it("are given to the policy", function()
    local list = assert(support.policy([[
      return policy { rules = { allow { args[1], dport = tonumber(args.port) } } }]], { "web",
        port = "80" })).rules
    assert.equal("web", list[1].name)
    assert.same({ { from = 80 } }, list[1].wire.dport)
  end)

  it("that are not looked at are mistakes", function()
    local source = "local lan = args.lan return policy {}"
    assert.equal("p.lua: the policy does not use the argument 'lam'; did you mean 'lan'?", problems(source,
      { lam = "x" }))
    assert.equal("p.lua: the policy does not use the argument 'x' (number 1)", problems(source, { "x" }))
    assert(support.policy("local n = #args return policy {}", { "x" }))
    assert(support.policy("for k, v in pairs(args) do end return policy {}", { "x", y = "z" }))
    assert(support.policy("for i, v in ipairs(args) do end return policy {}", { "x", "y" }))
  end)

  it("cannot be changed", function()
    assert.matches("args cannot be changed", problems "args.x = 1")
  end)

  it("of the command line have names when they look like it", function()
    local args = require("ipfi.policy.loader").args { "a", "lan=eth0", "x=1=2", "=b", "2=c" }
    assert.same({ "a", "=b", "2=c", lan = "eth0", x = "1=2" }, args)
  end)
end)

describe("the words outside a policy file", function()
  local policy = require "ipfi.policy.policy"

  it("check at once", function()
    local _, words = policy.words { direct = true }
    local p = words.policy { name = "x", rules = { words.allow { "a", dport = 22 } } }
    assert.is_true(p.checked)
    assert.matches("policy_spec.lua:%d+$", p.rules[1].at)
    local ok, problem = pcall(words.policy, { rules = { words.allow { "a", dprt = 22 } } })
    assert.is_false(ok)
    assert.matches("policy_spec.lua:%d+: rule 'a': unknown field 'dprt'", tostring(problem))
    assert.equal(3, problem.status)
    -- The mistakes of one policy are not those of the next.
    assert.is_true(words.policy({}).checked)
    ok, problem = pcall(words.set, { "x" })
    assert.is_false(ok)
    assert.matches("set: bad address 'x'", tostring(problem))
  end)
end)
