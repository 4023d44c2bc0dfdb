-- SPDX-License-Identifier: GPL-2.0-or-later
-- No field without effect: each field in each kind of rule is one that says something there, or a mistake
-- with its
-- file and line. tests/unit/effect_cases.lua has what the kernel refuses of the same.
local support = require "support"
local fields = require "ipfi.field.list"

local KINDS = { "allow", "deny", "reject", "dnat", "redirect", "snat", "masquerade" }
local FILTER, NAT = { "allow", "deny", "reject" }, { "dnat", "redirect", "snat", "masquerade" }
local ALLOW = { "allow" }

-- What else a rule of this kind needs.
local NEEDS = { dnat = "to = '10.0.0.1-10.0.0.9'", snat = "to = '192.0.2.1'" }

-- Field = what is written for it, in which kinds of rules, and what it stands beside.
local TABLE = {
  dir = { "dir = 'forward'", FILTER },
  family = { "family = 4", KINDS },
  iif = { "iif = 'eth0'", KINDS },
  oif = { "oif = 'eth0'", { "allow", "deny", "reject", "snat", "masquerade" } },
  proto = { "proto = 'tcp'", KINDS },
  src = { "src = '10.0.0.0/8'", KINDS },
  dst = { "dst = 'me'", KINDS },
  sport = { "sport = 53", KINDS },
  dport = { "dport = { 80, 443 }", KINDS },
  icmp = { "icmp = 'echo-request'", KINDS },
  flags = { "flags = 'S'", FILTER },
  length = { "length = '0-128'", KINDS },
  dscp = { "dscp = 'ef'", KINDS },
  user = { "user = 0", FILTER, "dir = 'out'" },
  mark = { "mark = '0x1/0xff'", KINDS },
  limit = { "limit = '10/minute'", KINDS },
  per_source = { "per_source = 3", ALLOW, "state = true" },
  state = { "state = true", ALLOW },
  helper = { "helper = 'ftp'", ALLOW },
  ftp_foreign = { "ftp_foreign = true", ALLOW, "helper = 'ftp'" },
  mss = { "mss = 1400", ALLOW },
  to = { "to = '10.0.0.1-10.0.0.9'", { "dnat", "snat" } },
  to_port = { "to_port = 8080", NAT },
  persistent = { "persistent = true", { "dnat", "snat", "masquerade" } },
  log = { "log = true", KINDS },
  comment = { "comment = 'why'", KINDS },
}

-- Fields whose own tests say where they stand.
local ELSEWHERE = { ipsec = true }

local function has(list, wanted)
  for _, one in ipairs(list) do
    if one == wanted then
      return true
    end
  end
  return false
end

-- A policy whose only rule stands on line 3.
local function policy_of(kind, written)
  local list = has(NAT, kind) and "nat" or "rules"
  return support.policy(("return policy {\n  %s = {\n    %s { \"r\", %s },\n  },\n}"):format(list, kind,
    written))
end

describe("each field in each kind of rule", function()
  it("has its row", function()
    for _, name in ipairs(fields.names) do
      assert(TABLE[name] or ELSEWHERE[name], "no row for " .. name)
    end
  end)

  for _, name in ipairs(fields.names) do
    local row = TABLE[name]
    for _, kind in ipairs(row and KINDS or {}) do
      local fits = has(row[2], kind)
      it(("%s { %s } %s"):format(kind, row[1], fits and "says something" or "is a mistake"), function()
        local beside = has(ALLOW, kind) and row[3] or name == "user" and row[3] or nil
        local parts = { row[1], beside, name ~= "to" and NEEDS[kind] or nil }
        local written = {}
        for i = 1, 3 do
          written[#written + 1] = parts[i]
        end
        local p, problem = policy_of(kind, table.concat(written, ", "))
        if fits then
          assert(p, problem)
        else
          assert.is_nil(p)
          assert.matches("^p%.lua:3: rule 'r': ", problem)
          assert(problem:find(name, 1, true), problem)
        end
      end)
    end
  end
end)

describe("a field without effect", function()
  -- Kind, what is written, what is said.
  local cases = {
    -- devices that packets of the list do not have
    { "allow", "dir = 'out', iif = 'eth0'", "iif: packets of list 'out' have no in device; use oif" },
    { "deny", "dir = 'in', oif = 'eth0'", "oif: packets of list 'in' have no out device; use iif" },
    { "dnat", "oif = 'eth0', to = '10.0.0.1'", "oif is no field of dnat" },
    { "redirect", "oif = 'eth0'", "oif is no field of redirect" },
    -- families
    { "allow", "family = 6, src = '10.0.0.1'", "can never match: src is IPv4 only, but family is not" },
    { "allow", "family = 6, src = '!10.0.0.1'",
      "src: it leaves out IPv4 addresses, but the rule is about IPv6 only "
      .. "(family): it says nothing" },
    { "deny", "src = '!fd00::/8', dst = '10.0.0.1'",
      "src: it leaves out IPv6 addresses, but the rule is about IPv4 "
      .. "only (dst): it says nothing" },
    { "allow", "dst = '!10.0.0.0/8', proto = 'icmpv6'",
      "dst: it leaves out IPv4 addresses, but the rule is about IPv6 "
      .. "only (proto): it says nothing" },
    { "dnat", "dst = '!fd00::1', to = '10.0.0.1'",
      "dst: it leaves out IPv6 addresses, but the rule is about IPv4 only "
      .. "(to): it says nothing" },
    { "snat", "family = 6, to = '10.0.0.1'", "can never match: to is IPv4 only, but family is not" },
    { "allow", "family = 6, icmp = 'fragmentation-needed'", "does not exist in ICMPv6, the only family" },
    -- protocols
    { "allow", "proto = 'icmp', dport = 80", "dport: protocol 'icmp' has no ports" },
    { "deny", "proto = 'gre', sport = 80", "sport: protocol 'gre' has no ports" },
    { "allow", "proto = '!tcp', dport = 80", "ports belong to protocols" },
    { "allow", "icmp = 'echo-request', dport = 80", "icmp: ICMP has no ports" },
    { "allow", "proto = 'udp', icmp = 'echo-request'", "icmp: protocol 'udp' has no ICMP messages" },
    { "allow", "proto = '!tcp', icmp = 'echo-request'", "icmp: name the protocol that is meant" },
    { "deny", "proto = 'udp', flags = 'S'", "flags: only TCP has them" },
    { "deny", "proto = { 'tcp', 'udp' }, flags = 'S'", "flags: only TCP has them" },
    { "deny", "proto = '!udp', flags = 'S'", "flags: only TCP has them" },
    { "deny", "icmp = 'echo-request', flags = 'S'", "flags: only TCP has them, but the rule asks for ICMP" },
    -- marks
    { "deny", "mark = '0x0/0x0'", "mark: the mask of '0x0/0x0' looks at no bit, so it says nothing" },
    { "deny", "mark = '!0/0'", "looks at no bit" },
    -- owners
    { "allow", "user = 0", "user: only packets made here have one; say dir = 'out'" },
    { "allow", "dir = 'in', user = 0", "user: only packets made here have one" },
    { "deny", "dir = { 'out', 'forward' }, user = 0", "user: only packets made here have one" },
    -- states
    { "deny", "state = true", "state: a rule that says deny lets nothing pass" },
    { "allow", "per_source = 3", "per_source counts the live states a rule made; say state = true" },
    { "allow", "state = false, per_source = 3", "per_source counts the live states" },
    { "reject", "per_source = 3", "a rule that says reject makes none" },
    { "allow", "state = false, helper = 'ftp'", "helper: it follows a connection, which needs a state" },
    { "deny", "helper = 'ftp'", "helper: a rule that says deny lets no connection pass" },
    { "allow", "proto = 'udp', helper = 'ftp'", "helper: it is about TCP" },
    { "allow", "proto = { 'tcp', 'udp' }, helper = 'ftp'", "helper: it is about TCP" },
    { "allow", "icmp = 'echo-request', helper = 'ftp'", "helper: it is about TCP" },
    { "allow", "ftp_foreign = true", "ftp_foreign: it is about the helper" },
    { "deny", "ftp_foreign = true", "ftp_foreign: a rule that says deny" },
    -- segment sizes
    { "allow", "proto = 'udp', mss = 1400", "mss: it is about TCP" },
    { "reject", "mss = 1400", "mss: a rule that says reject" },
    { "allow", "dir = 'in', mss = 1400", "mss: it is about connections that pass through" },
    { "allow", "dir = { 'in', 'out' }, mss = 'pmtu'", "mss: it is about connections that pass through" },
    { "allow", "flags = 'A/SA', mss = 1400", "mss: it stands in SYNs, and the rule's flags leave them out" },
    -- translations
    { "dnat", "icmp = 'echo-request', to = '10.0.0.1', to_port = 80", "to_port: ICMP has no ports" },
    { "dnat", "proto = 'icmp', to = '10.0.0.1', to_port = 80", "to_port: protocol 'icmp' has no ports" },
    { "dnat", "proto = 'icmp', to = '10.0.0.1:80'", "to: protocol 'icmp' has no ports" },
    { "snat", "proto = 'gre', to = '10.0.0.1', to_port = 80", "to_port: protocol 'gre' has no ports" },
    { "snat", "proto = '!udp', to = '10.0.0.1', to_port = 80", "ports belong to protocols" },
    { "masquerade", "proto = 'icmpv6', to_port = 1024", "to_port: protocol 'icmpv6' has no ports" },
    { "masquerade", "to = '10.0.0.1'", "to: masquerade takes the address of the device" },
    { "redirect", "to = '10.0.0.1'", "to: redirect sends to this machine, only a port can be said" },
    { "redirect", "proto = 'esp', to = 80", "to: protocol 'esp' has no ports" },
    { "redirect", "proto = 'tcp', to = 80, to_port = 81", "to_port: the port stands in 'to' already" },
    { "redirect", "proto = 'tcp', to_port = 80, persistent = true",
      "persistent: redirect sends to the one address" },
    { "dnat", "to = '10.0.0.1', persistent = true", "persistent: 'to' is one address" },
    { "dnat", "proto = 'tcp', to = '[fd00::1]:80', persistent = true", "persistent: 'to' is one address" },
    { "snat", "proto = 'gre', to = '10.0.0.1', persistent = true",
      "persistent: protocol 'gre' has no ports" },
    { "masquerade", "proto = { 'esp', 'gre' }, persistent = true",
      "persistent: protocol 'gre' has no ports" },
    { "dnat", "icmp = 'port-unreachable', to = '10.0.0.1'", "icmp: 'port-unreachable' opens no connection" },
    { "masquerade", "icmp = 'echo-reply'", "icmp: 'echo-reply' opens no connection" },
    { "redirect", "proto = 'icmpv6', icmp = { 135, 136 }", "opens no connection" },
    { "dnat", "flags = 'S', to = '10.0.0.1'",
      "flags is no field of dnat: a translation is for whole connections" },
    { "allow", "to = '10.0.0.1'", "to: only NAT rules translate" },
    { "deny", "to_port = 80", "to_port: only NAT rules translate" },
    { "allow", "persistent = true", "persistent: only NAT rules translate" },
  }
  for _, case in ipairs(cases) do
    it(("is refused: %s { %s }"):format(case[1], case[2]), function()
      local p, problem = policy_of(case[1], case[2])
      assert.is_nil(p)
      assert.matches("^p%.lua:3: rule 'r': ", problem)
      assert(problem:find(case[3], 1, true), problem)
    end)
  end

  -- What looks like one and is none.
  local good = {
    { "allow", "family = 4, src = { '!10.0.0.1', '!fd00::1' }" },
    { "allow", "src = '!10.0.0.1', proto = { 'icmp', 'icmpv6' }" },
    { "deny", "src = '!me', family = 6" },
    { "allow", "dir = { 'in', 'out' }, iif = 'lo'" },
    { "allow", "dir = { 'in', 'forward' }, mss = 1400" },
    { "allow", "flags = 'S/SA', mss = 1400" },
    { "snat", "iif = 'lan0', to = '10.0.0.1', limit = '5/s', log = true" },
    { "dnat", "to = { '10.0.0.1', '10.0.0.2' }, persistent = true" },
    { "dnat", "to = '10.0.0.0/30', persistent = true" },
    { "snat", "proto = { 'gre', 'icmp' }, to = '10.0.0.1', persistent = true" },
    { "masquerade", "proto = '!tcp', persistent = true" },
    { "masquerade", "proto = { 'sctp', 'dccp', 'udplite' }, to_port = 4000, persistent = true" },
    { "dnat", "icmp = { 'echo-request', 'echo-reply' }, to = '10.0.0.1'" },
    { "dnat", "icmp = '!echo-reply', to = '10.0.0.1'" },
    { "redirect", "proto = 'icmp', icmp = 8" },
  }
  for _, case in ipairs(good) do
    it(("is none: %s { %s }"):format(case[1], case[2]), function()
      assert(policy_of(case[1], case[2]))
    end)
  end
end)

describe("a field of a group", function()
  local function problem_of(fields_of_group, rules)
    local p,
      problem = support.policy(([[return policy {
  rules = {
    group { "g", %s } {
      %s,
    },
  },
}]])
      :format(fields_of_group, rules))
    return not p and problem or nil
  end

  it("is for those of its rules that it means something to", function()
    assert.is_nil(problem_of("state = true", "allow { 'a', dport = 1 }, deny { 'b' }"))
    assert.is_nil(problem_of("state = true, per_source = 3",
      "deny { 'b' }, group { 'h' } { allow { 'a', dport = 1 } }"))
    assert.is_nil(problem_of("mss = 1400", "allow { 'a', proto = 'tcp' }, allow { 'b', proto = 'udp' }"))
    assert.is_nil(problem_of("state = false", "deny { 'b' }"))
  end)

  it("is a mistake where that is none of them", function()
    for _, case in ipairs {
      { "state = true", "deny { 'a' }, reject { 'b', dport = 1 }", "state" },
      { "per_source = 3", "deny { 'a' }", "per_source" },
      { "helper = 'ftp'", "deny { 'a', proto = 'tcp' }", "helper" },
      { "helper = 'ftp'", "allow { 'a', proto = 'udp', state = true }", "helper" },
      { "mss = 1400", "reject { 'a' }", "mss" },
      { "mss = 1400", "allow { 'a', icmp = 'echo-request' }", "mss" },
      { "ftp_foreign = true", "group { 'h' } { deny { 'a' } }", "ftp_foreign" },
    } do
      local problem = problem_of(case[1], case[2])
      assert(problem, case[1])
      assert(problem:find("p.lua:3: group 'g': " .. case[3] .. ": it means nothing to any of its rules", 1,
        true), problem)
    end
  end)
end)
