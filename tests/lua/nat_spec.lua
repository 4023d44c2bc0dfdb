-- SPDX-License-Identifier: GPL-2.0-or-later
-- NAT rules, helpers and segment sizes: what goes on the wire, what is refused, and how it is shown.
local support = require "support"
local fw = require "ipfi.fw"
local netlink = require "ipfi.c.netlink"

local kernel = netlink.kernel

before_each(kernel.reset)

-- The messages that a policy's NAT rules and rules become.
local function messages(nat, rules)
  local p, problem = support.policy(("return policy { nat = { %s }, rules = { %s } }")
    :format(nat, rules or ""))
  return fw.compile(assert(p, problem))
end

local function problems(nat, rules)
  local p, problem = support.policy(("return policy {\n  nat = { %s },\n  rules = { %s },\n}")
    :format(nat, rules or ""))
  assert.is_nil(p)
  return problem
end

local TCP, TCP_UDP = { { from = 6 } }, { { from = 6 }, { from = 17 } }

describe("a NAT rule", function()
  -- Golden messages: { what is written, the rule of the message beside name, at and written }.
  local good = {
    { "masquerade { 'r', oif = 'wan0', src = '10.0.0.0/24' }", {
      lists = { "srcnat" }, verdict = "masquerade", oif = "wan0",
      src = { ranges = { { from = "10.0.0.0", to = "10.0.0.255" } } },
    } },
    { "masquerade { 'r', to_port = '1024-65535' }", {
      lists = { "srcnat" }, verdict = "masquerade", proto = TCP_UDP,
      target = { port_from = 1024, port_to = 65535 },
    } },
    { "dnat { 'r', iif = 'wan0', proto = 'tcp', dport = { 80, 443 }, to = '10.0.0.10' }", {
      lists = { "dstnat" }, verdict = "dnat", iif = "wan0", proto = TCP,
      dport = { { from = 80 }, { from = 443 } },
      target = { addrs = { ranges = { { from = "10.0.0.10" } } } },
    } },
    { "dnat { 'r', to = '10.0.0.10:8080' }", {
      lists = { "dstnat" }, verdict = "dnat", proto = TCP_UDP,
      target = { addrs = { ranges = { { from = "10.0.0.10" } } }, port_from = 8080 },
    } },
    { "dnat { 'r', proto = 'tcp', to = { '10.0.0.10-10.0.0.20:80', '[fd00::1]:80' } }", {
      lists = { "dstnat" }, verdict = "dnat", proto = TCP,
      target = {
        addrs = { ranges = { { from = "10.0.0.10", to = "10.0.0.20" }, { from = "fd00::1" } } },
        port_from = 80,
      },
    } },
    { "dnat { 'r', proto = 'udp', to = { '10.0.0.10', 'fd00::1' }, to_port = 'domain', log = true }", {
      lists = { "dstnat" }, verdict = "dnat", proto = { { from = 17 } }, log = "r",
      target = { addrs = { ranges = { { from = "10.0.0.10" }, { from = "fd00::1" } } }, port_from = 53 },
    } },
    { "dnat { 'r', to = '[fd00::1-fd00::5]:8000-8010' }", {
      lists = { "dstnat" }, verdict = "dnat", proto = TCP_UDP,
      target = {
        addrs = { ranges = { { from = "fd00::1", to = "fd00::5" } } },
        port_from = 8000, port_to = 8010,
      },
    } },
    { "dnat { 'r', to = '[fd00::1]', icmp = 'echo-request', family = 6 }", {
      lists = { "dstnat" }, verdict = "dnat", family = 6, proto = { { from = 58 } },
      icmp = { { from = 0x10000 + (128 << 8), to = 0x10000 + (128 << 8) + 255 } },
      target = { addrs = { ranges = { { from = "fd00::1" } } } },
    } },
    { "snat { 'r', oif = 'wan*', src = '10.0.0.0/8', to = '192.0.2.0/28', persistent = true }", {
      lists = { "srcnat" }, verdict = "snat", oif = "wan*", flags = { "persistent" },
      src = { ranges = { { from = "10.0.0.0", to = "10.255.255.255" } } },
      target = { addrs = { ranges = { { from = "192.0.2.0", to = "192.0.2.15" } } } },
    } },
    { "snat { 'r', to = set { '192.0.2.1', '192.0.2.9' }, persistent = false }", {
      lists = { "srcnat" }, verdict = "snat",
      target = { addrs = { ranges = { { from = "192.0.2.1" }, { from = "192.0.2.9" } } } },
    } },
    { "redirect { 'r', proto = 'tcp', dport = 80, to_port = 3128 }", {
      lists = { "dstnat" }, verdict = "redirect", proto = TCP, dport = { { from = 80 } },
      target = { port_from = 3128 },
    } },
    { "redirect { 'r', to = 8080 }", {
      lists = { "dstnat" }, verdict = "redirect", proto = TCP_UDP, target = { port_from = 8080 },
    } },
    { "redirect { 'r', to = ':8080-8090' }", {
      lists = { "dstnat" }, verdict = "redirect", proto = TCP_UDP,
      target = { port_from = 8080, port_to = 8090 },
    } },
    { "redirect { 'r', dst = 'me', limit = '5/second', mark = 1, dscp = 'ef', length = '0-128' }", {
      lists = { "dstnat" }, verdict = "redirect", dst = { me = true }, limit_count = 5, limit_period = 1000,
      mark_value = 1, dscp = { { from = 46 } }, length = { { from = 0, to = 128 } },
    } },
  }
  for _, case in ipairs(good) do
    it("is sent: " .. case[1], function()
      local rule = messages(case[1])[2].rule
      assert.equal("r", rule.name)
      assert.equal("p.lua:1", rule.at)
      rule.name, rule.at, rule.written = nil, nil, nil
      assert.same(case[2], rule)
    end)
  end

  -- { what is written, the error behind "p.lua:2: rule 'r': " }
  local bad = {
    { "dnat { 'r' }",
      "has no 'to', which says where to translate: to = '10.0.0.10' or to = '10.0.0.10:8080'" },
    { "snat { 'r', oif = 'wan0' }",
      "has no 'to', which says where to translate: to = '10.0.0.10' or to = '10.0.0.10:8080'" },
    { "masquerade { 'r', to = '192.0.2.1' }", "to: masquerade takes the address of the device that a "
      .. "connection "
      .. "leaves by; snat { to = ... } takes one that is written" },
    { "redirect { 'r', to = '10.0.0.1:80' }", "to: redirect sends to this machine, only a port can be said: "
      .. "to = 8080; dnat sends to another address" },
    { "redirect { 'r', to = 'fd00::1' }", "to: redirect sends to this machine, only a port can be said: "
      .. "to = 8080; dnat sends to another address" },
    { "dnat { 'r', to = 5 }", "to: expected an address, a range 'a-b', a prefix, each with or without "
      .. "':port', or "
      .. "a list of these, got 5" },
    { "dnat { 'r', to = {} }", "to: an empty list matches nothing" },
    { "dnat { 'r', to = 'www.example' }",
      "to: bad address 'www.example' (names are not looked up: a rule holds addresses)" },
    { "dnat { 'r', to = '10.0.0.300:80' }", "to: bad address '10.0.0.300'" },
    { "dnat { 'r', to = '[fd00::1' }", "to: bad address '[fd00::1'" },
    { "dnat { 'r', to = '[fd00::1]80' }", "to: bad address '[fd00::1]80'" },
    { "dnat { 'r', to = '!10.0.0.1' }", "to: a translation has a target; it cannot be '!' something" },
    { "dnat { 'r', to = 'me' }",
      "to: 'me' is no address to translate to; redirect sends to this machine, masquerade from it" },
    { "dnat { 'r', to = '10.0.0.1:htpp' }", "to: unknown service 'htpp'; did you mean 'http'?" },
    { "dnat { 'r', to = '10.0.0.1:0' }", "to: 0 is no port that a packet could be sent to" },
    { "dnat { 'r', to = '10.0.0.1:70000' }", "to: port '70000' is not in 0 to 65535" },
    { "dnat { 'r', to = '10.0.0.1:90-80' }", "to: the range '90-80' ends before it begins" },
    { "dnat { 'r', to = { '10.0.0.1:80', '10.0.0.2' } }",
      "to: all of a list have the same port or none; write it once, as to_port" },
    { "dnat { 'r', to = { '10.0.0.1:80', '10.0.0.2:81' } }",
      "to: all of a list have the same port or none; write it once, as to_port" },
    { "dnat { 'r', to = '10.0.0.1:80', to_port = 80 }", "to_port: the port stands in 'to' already" },
    { "dnat { 'r', to = '10.0.0.1', to_port = { 80, 90 } }",
      "to_port: expected one port, service or range 'a-b'" },
    { "dnat { 'r', to = '10.0.0.1', to_port = '!80' }", "to_port: expected one port, service or range "
      .. "'a-b'" },
    { "dnat { 'r', proto = 'icmp', to = '10.0.0.1:80' }", "to: protocol 'icmp' has no ports" },
    { "dnat { 'r', icmp = 'echo-request', to = '10.0.0.1:80' }",
      "to: ICMP has no ports; a rule asks for one or the other" },
    { "masquerade { 'r', proto = '!tcp', to_port = 80 }",
      "to_port: ports belong to protocols; name those that are meant instead of '!' in proto" },
    { "snat { 'r', src = 'fd00::/8', to = '192.0.2.1' }",
      "can never match: to is IPv4 only, but src is not" },
    { "dnat { 'r', family = 4, to = 'fd00::1' }", "can never match: to is IPv6 only, but family is not" },
    { "snat { 'r', to = '192.0.2.1', persistent = 1 }", "persistent: expected true or false, got 1" },
    { "dnat { 'r', oif = 'lan0', to = '10.0.0.1' }",
      "oif is no field of dnat: the way out is only known when the destination is; use iif or dst" },
    { "redirect { 'r', dir = 'in' }", "dir is no field of redirect: a destination is translated before it "
      .. "is known "
      .. "whether a connection is for this machine; iif says where it comes in" },
    { "masquerade { 'r', dir = 'forward' }", "dir is no field of masquerade: a source is translated when a "
      .. "connection leaves, passing through or made here; oif says where" },
    { "masquerade { 'r', state = true }",
      "state is no field of masquerade: a translated connection always has one" },
    { "masquerade { 'r', user = 'root' }", "user is no field of masquerade: only filter rules can ask for "
      .. "it" },
    { "masquerade { 'r', per_source = 5 }", "per_source is no field of masquerade: it counts the states "
      .. "that an "
      .. "allow rule made; say it there" },
    { "masquerade { 'r', flags = 'S' }",
      "flags is no field of masquerade: a translation is for whole connections, not for single packets" },
    { "dnat { 'r', to = '10.0.0.1', helper = 'ftp' }", "helper is no field of dnat: it stands on the "
      .. "allow rule "
      .. "that lets the control connection pass" },
    { "masquerade { 'r', mss = 1400 }",
      "mss is no field of masquerade: it stands on the allow rule that lets the connections pass" },
    { "masquerade { 'r', off = 'wan0' }", "unknown field 'off'; did you mean 'oif'?" },
    { "allow { 'r' }", "allow stands in rules = { ... } of the policy, not in nat" },
  }
  for _, case in ipairs(bad) do
    it("is refused: " .. case[1], function()
      assert.equal("p.lua:2: rule 'r': " .. case[2], problems(case[1]))
    end)
  end

  it("stands among the NAT rules", function()
    assert.equal("p.lua:3: rule 'r': dnat stands in nat = { ... } of the policy, not in rules",
      problems("", "dnat { 'r', to = '10.0.0.1' }"))
    assert.equal("p.lua:3: rule 'r': to: only NAT rules translate: write dnat, redirect, snat or "
      .. "masquerade in "
      .. "nat = { ... }", problems("", "allow { 'r', to = '10.0.0.1' }"))
    assert.equal("p.lua:1: nat: expected rules and groups, got 5", support.policy("return policy { nat = "
      .. "{ 5 } }")
      or select(2, support.policy "return policy { nat = { 5 } }"))
  end)

  it("shares its name with no other rule", function()
    assert.equal("p.lua:2: rule 'r': the name is taken by the rule at p.lua:3; rule names are unique",
      problems("masquerade { 'r' }", "allow { 'r' }"))
  end)

  it("may stand in groups and lists", function()
    local list = messages [[
      group { "wan", oif = "wan0" } { masquerade { "a" }, { snat { "b", to = "192.0.2.1" } } }]]
    assert.same({ "wan0", "wan0" }, { list[2].rule.oif, list[3].rule.oif })
    assert.equal("p.lua:2: group 'g': dir is no field of dnat: a destination is translated before it is "
      .. "known "
      .. "whether a connection is for this machine; iif says where it comes in",
      problems "group { 'g', dir = 'in' } { dnat { 'a', to = '10.0.0.1' }, dnat { 'b', to = '10.0.0.1' } }")
  end)

  it("is sent before the rules", function()
    local list = messages("masquerade { 'm' }, dnat { 'd', to = '10.0.0.1' }", "allow { 'a' }")
    local names = {}
    for i, message in ipairs(list) do
      names[i] = message.rule and message.rule.name or message.cmd
    end
    assert.same({ "ruleset_begin", "m", "d", "a", "ruleset_commit" }, names)
    assert.same({ "m", "d", "a" }, { list:rule(2).name, list:rule(3).name, list:rule(4).name })
    assert.is_nil(list:rule(1))
    assert.is_nil(list:rule(5))
  end)

  it("counts", function()
    local p = support.policy "return policy { nat = { masquerade { 'm' } }, rules = { allow { 'a' } } }"
    assert.equal("policy 'p': 1 rule, 1 NAT rule", tostring(p))
  end)
end)

describe("helper", function()
  local function wire(fields, verdict)
    local rule, problem = support.rule(fields, verdict)
    return assert(rule, problem)
  end

  it("means TCP and a state", function()
    local rule = wire "dport = 'ftp', helper = 'ftp'"
    assert.same(TCP, rule.proto)
    assert.same({ "stateful" }, rule.flags)
    assert.equal("ftp", rule.helper)
    rule = wire "helper = 'ftp', ftp_foreign = true, proto = 'tcp', state = true"
    assert.same({ "stateful", "ftp_foreign" }, rule.flags)
    assert.same(TCP, rule.proto)
    assert.same({ "stateful" }, wire("helper = 'ftp', ftp_foreign = false").flags)
  end)

  for _, case in ipairs {
    { "helper = 'fpt'", "helper: expected 'ftp', got 'fpt'; did you mean 'ftp'?" },
    { "helper = true", "helper: expected 'ftp', got true" },
    { "helper = 'ftp', state = false",
      "helper: it follows a connection, which needs a state; leave state = false out" },
    { "helper = 'ftp', proto = 'udp'", "helper: it is about TCP; say proto = 'tcp' or leave proto out" },
    { "helper = 'ftp', proto = { 'tcp', 'udp' }",
      "helper: it is about TCP; say proto = 'tcp' or leave proto out" },
    { "helper = 'ftp', icmp = 'echo-request'",
      "helper: it is about TCP; say proto = 'tcp' or leave proto out" },
    { "ftp_foreign = true", "ftp_foreign: it is about the helper; say helper = 'ftp' too" },
    { "ftp_foreign = 1, helper = 'ftp'", "ftp_foreign: expected true or false, got 1" },
    { "mss = 63", "mss: expected bytes from 64 to 65534, or 'pmtu', got 63" },
    { "mss = 65535", "mss: expected bytes from 64 to 65534, or 'pmtu', got 65535" },
    { "mss = 'ptmu'", "mss: expected bytes from 64 to 65534, or 'pmtu', got 'ptmu'" },
    { "mss = 1400, dir = 'in'", "mss: it is about connections that pass through; say dir = 'forward'" },
    { "mss = 1400, proto = '!udp'", "mss: it is about TCP; say proto = 'tcp' or leave proto out" },
  } do
    it("is refused: " .. case[1], function()
      local rule, problem = support.rule(case[1])
      assert.is_nil(rule)
      assert.equal(case[2], problem)
    end)
  end

  it("is for what passes", function()
    assert.equal("helper: a rule that says deny lets no connection pass",
      select(2, support.rule("helper = 'ftp'", "deny")))
    assert.equal("mss: a rule that says reject lets no connection pass",
      select(2, support.rule("mss = 1400", "reject")))
  end)

  it("leaves the segment size to mss", function()
    assert.same({ 1400, TCP }, { wire("mss = 1400").mss, wire("mss = 1400").proto })
    local rule = wire "mss = 'pmtu', dir = { 'forward', 'out' }, dport = 80"
    assert.same({ 0xffff, TCP }, { rule.mss, rule.proto })
  end)

  it("of a group is for those of its rules that are about TCP", function()
    local p = assert(support.policy [[return policy { rules = {
      group { "g", dir = "forward", mss = "pmtu" } {
        allow { "web", proto = "tcp", dport = 80 },
        allow { "dns", proto = "udp", dport = 53 },
        allow { "ping", icmp = "echo-request" },
        deny { "rest" },
      } } }]])
    assert.equal(0xffff, p.rules[1].wire.mss)
    for i = 2, 4 do
      assert.is_nil(p.rules[i].wire.mss)
    end
    local _, problem = support.policy [[return policy { rules = {
      group { "g", dir = "forward", mss = "pmtu" } { allow { "all" } } } }]]
    assert.equal("p.lua:2: group 'g': mss: it is about TCP, and rule 'all' is not only; say proto = 'tcp' "
      .. "in those "
      .. "that are meant", problem)
  end)
end)

describe("fw.running", function()
  local function commit(nat, rules)
    fw.commit(assert(support.policy(("return policy { name = 'gw', nat = { %s }, rules = { %s } }")
      :format(nat, rules))))
    return fw.running()
  end

  it("has the NAT rules apart", function()
    local r = commit([[masquerade { "lan out", oif = "wan0", src = set { "10.0.0.0/24" } },
      dnat { "www", proto = "tcp", dport = 80, to = { set { "10.0.0.10" }, "fd00::1" }, to_port = 8080,
        persistent = true }]], [[allow { "all", dport = "ftp", helper = "ftp" }]])
    assert.same({ 1, 2 }, { #r.rules, #r.nat })
    assert.same({ id = netlink.rule_id "lan out", name = "lan out", verdict = "masquerade", at = "p.lua:1",
      packets = 0, bytes = 0, oif = "wan0", src = "10.0.0.0/24" }, setmetatable(r.nat[1], nil))
    assert.same({ "10.0.0.10", "fd00::1" }, r.nat[2].to)
    assert.same({ 8080, true }, { r.nat[2].to_port, r.nat[2].persistent })
    assert.equal("ftp", r.rules[1].helper)
  end)

  it("reads NAT rules that another program wrote", function()
    kernel.generation = 1
    kernel.rules = {
      { name = "d", id = 1, verdict = "dnat", lists = { "dstnat" }, flags = { "persistent" }, target = {
        addrs = { ranges = { { from = "10.0.0.1" }, { from = "fd00::", to = "fd00::ff" } } },
        port_from = 80, port_to = 90 } },
      { name = "r", id = 2, verdict = "redirect", lists = { "dstnat" }, target = { port_from = 8080 } },
      { name = "f", id = 3, verdict = "allow", lists = { "forward" }, flags = { "stateful", "ftp_foreign" },
        helper = "ftp", mss = 0xffff },
    }
    local r = fw.running()
    assert.same({ { "10.0.0.1", "fd00::/120" }, "80-90", true },
      { r.nat[1].to, r.nat[1].to_port, r.nat[1].persistent })
    assert.same({ nil, 8080 }, { r.nat[2].to, r.nat[2].to_port })
    assert.same({ "ftp", true, "pmtu", true },
      { r.rules[1].helper, r.rules[1].ftp_foreign, r.rules[1].mss, r.rules[1].state })
  end)

  it("shows both", function()
    local r = commit([[masquerade { "lan out", oif = "wan0" },
      dnat { "www", dport = 80, to = "10.0.0.10:8080" },
      dnat { "six", dport = 80, to = "fd00::1", to_port = 81 },
      redirect { "proxy", dport = 80, to_port = 3128 },
      redirect { "other", dport = 80, to = 3129 }]],
      [[allow { "all" }]])
    local shown = require("ipfi.base.print").show(r, support.terminal(100))
    assert.matches("^policy 'gw', generation 1, 1 rule, 5 NAT rules; default in deny", shown)
    assert.matches("\n#  NAT RULE  VERDICT     TO  ", shown)
    assert.matches("\n1  lan out   masquerade +0      0  oif wan0", shown)
    assert.matches("\n2  www       dnat        10.0.0.10:8080 +0      0  dport 80", shown)
    assert.matches("\n3  six       dnat        %[fd00::1%]:81 ", shown)
    assert.matches("\n4  proxy     redirect    :3128 ", shown)
    assert.matches("\n5  other     redirect    :3129 ", shown)
    assert.matches("\n\n#  RULE  VERDICT  DIR  PACKETS", shown)
    assert.equal("dnat 'www' (p.lua:2)", tostring(r.nat[2]))
    local lines = {}
    require("ipfi.base.print").json(r, function(line) lines[#lines + 1] = line end)
    assert.equal(6, #lines)
    assert.matches('"name":"lan out"', lines[1])
  end)

  it("tells which NAT rule the kernel refused", function()
    kernel.refuse.rule = "www"
    local ok, problem = pcall(commit, [[masquerade { "m" }, dnat { "www", to = "10.0.0.1" }]],
      [[allow { "all" }]])
    assert.is_false(ok)
    assert.matches("^p.lua:1: rule 'www': refused by the kernel", tostring(problem))
  end)
end)

describe("fw.states", function()
  local control

  before_each(function()
    fw.commit(assert(support.policy [[return policy { rules = { allow { "ftp", helper = "ftp" } } }]]))
    control = {
      family = 4, proto = 6, state = "ESTABLISHED", flags = { "reply_seen", "src_nat", "dst_nat" },
      src = "10.0.0.5", sport = 40000, dst = "203.0.113.1", dport = 21, nat_src = "10.0.0.1",
      nat_sport = 1025,
      nat_dst = "10.0.0.10", nat_dport = 2121, list = "forward", iif = 2, oif = 2, timeout = 1000,
      rule = netlink.rule_id "ftp", packets = 9, bytes = 900, reply_packets = 8, reply_bytes = 800, id = 7,
      helper = "ftp",
    }
    kernel.states = {
      control,
      { family = 4, proto = 6, state = "SYN_SENT", src = "10.0.0.5", sport = 40001, dst = "203.0.113.1",
        dport = 50000, timeout = 1000, packets = 1, bytes = 60, reply_packets = 0, reply_bytes = 0, id = 8,
        master = 7 },
      { family = 6, proto = 58, state = "ICMP", flags = { "src_nat" }, src = "fd00::5", sport = 77,
        dst = "2001:db8::1", dport = 128, nat_src = "2001:db8::2", nat_sport = 78, timeout = 1000,
        packets = 1,
        bytes = 60, reply_packets = 0, reply_bytes = 0, id = 9 },
    }
  end)

  local function filter(t)
    return fw.states(t).filter
  end

  it("finds them by translation, helper, master and id", function()
    assert.same({ nat = { "src_nat", "dst_nat" } }, filter { nat = true })
    assert.same({ nat = {} }, filter { nat = false })
    assert.same({ nat = { "dst_nat" }, helper = "ftp", master = 7, id = 8 },
      filter { nat = "dst", helper = "ftp", master = 7, id = 8 })
    assert.same({ 2, 1, 1, 2, 1 }, { fw.states({ nat = true }):count(), fw.states({ nat = "dst" }):count(),
      fw.states({ nat = false }):count(), fw.states({ helper = "ftp" }):count(),
      fw.states({ master = 7 }):count() })
    for _, case in ipairs {
      { { nat = "both" }, "nat: expected true, false, 'src' or 'dst', got 'both'" },
      { { helper = "fpt" }, "unknown helper 'fpt'; did you mean 'ftp'?" },
      { { helper = 1 }, "unknown helper 1" },
      { { id = 0 }, "id: expected a number from 1 to 9007199254740991, got 0" },
      { { master = "x" }, "master: expected a number from 1 to 9007199254740991, got 'x'" },
    } do
      local ok, problem = pcall(fw.states, case[1])
      assert.is_false(ok)
      assert.equal("fw.states: " .. case[2], tostring(problem))
    end
  end)

  it("has both sides in a row", function()
    local rows = {}
    for row in fw.states():each() do
      rows[#rows + 1] = row
    end
    assert.same({ "10.0.0.1", 1025, "10.0.0.10", 2121, "ftp", 7 }, { rows[1].nat_src, rows[1].nat_sport,
      rows[1].nat_dst, rows[1].nat_dport, rows[1].helper, rows[1].id })
    assert.same({ nil, nil, 7 }, { rows[2].nat_src, rows[2].helper, rows[2].master })
    assert.equal("tcp ESTABLISHED 10.0.0.5:40000 (10.0.0.1:1025) > 203.0.113.1:21 (10.0.0.10:2121)",
      tostring(rows[1]))
    assert.equal("icmpv6 ICMP fd00::5 id 77 (2001:db8::2 id 78) > 2001:db8::1", tostring(rows[3]))
    assert.same({ ["10.0.0.1"] = 1, ["2001:db8::2"] = 1, none = 1 },
      setmetatable(fw.states():count_by "nat_src", nil))
  end)

  it("shows both sides, on a terminal one below the other", function()
    local shown = require("ipfi.base.print").show(fw.states(), support.terminal(100))
    local lines = {}
    for line in shown:gmatch "[^\n]+" do
      lines[#lines + 1] = line
      assert.is_true(utf8.len(line) <= 100, line)
    end
    assert.equal(6, #lines)
    assert.matches("^tcp     ESTABLISHED  10%.0%.0%.5:40000 +203%.0%.113%.1:21 +ftp 7 ", lines[2])
    assert.matches("^ +→ 10%.0%.0%.1:1025 +→ 10%.0%.0%.10:2121$", lines[3])
    assert.matches("203%.0%.113%.1:50000 +of 7 ", lines[4])
    assert.matches("^ +→ 2001:db8::2 id 78$", lines[6])
    assert.matches("10%.0%.0%.5:40000 → 10%.0%.0%.1:1025 +203%.0%.113%.1:21 → 10%.0%.0%.10:2121 ",
      tostring(fw.states()))
    assert.equal(3, select(2, tostring(fw.states()):gsub("\n", "")))
  end)
end)

describe("fw.expectations", function()
  local function expectation(fields)
    local row = {
      family = 4, proto = 6, src = "10.0.0.5", dst = "203.0.113.1", dport = 50000, helper = "ftp", master = 7,
      rule = netlink.rule_id "ftp", timeout = 29500,
    }
    for name, value in pairs(fields or {}) do
      row[name] = value
    end
    return row
  end

  it("lists what helpers expect", function()
    fw.commit(assert(support.policy [[return policy { rules = { allow { "ftp", helper = "ftp" } } }]]))
    kernel.expectations = {
      expectation(),
      expectation { family = 6, src = "fd00::5", dst = "fd00::1", nat_dst = "fd00::10", nat_dport = 50001,
        timeout = 1000 },
    }
    local list = fw.expectations()
    assert.same({ family = 6, proto = "tcp", src = "fd00::5", dst = "fd00::1", dport = 50000,
      nat_dst = "fd00::10", nat_dport = 50001, helper = "ftp", master = 7, rule = "ftp", timeout = 1.0 },
      setmetatable(list[1], nil))
    assert.equal("tcp 10.0.0.5 > 203.0.113.1:50000 (ftp)", tostring(list[2]))
    local shown = require("ipfi.base.print").show(list, support.terminal(100))
    assert.matches("^PROTO  SOURCE    DESTINATION +GOES TO +HELPER  MASTER  RULE  LEFT\n", shown)
    assert.matches("\ntcp    fd00::5   %[fd00::1%]:50000 +%[fd00::10%]:50001  ftp          7  ftp   1.0s\n",
      shown)
    kernel.expectations = {}
    assert.equal("nothing is expected", tostring(fw.expectations()))
  end)

  it("are counted, with what is translated", function()
    kernel.expectations = { expectation() }
    local s = fw.stats()
    assert.same({ 3, 1 }, { s.translated, s.expectations })
    assert.matches("\ntranslated now +3\nexpected now +1\n", tostring(s))
  end)
end)
