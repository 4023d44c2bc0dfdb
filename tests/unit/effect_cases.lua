-- SPDX-License-Identifier: GPL-2.0-or-later
-- No attribute of a rule without effect: what the module refuses, whoever sends it. tests/lua/effect_spec.lua
-- has what
-- the shell says of the same, with file and line.
package.path = "lua/?.lua;tests/unit/?.lua"

local compile = require "ipfi.policy.compile"
local kernel = require "ipfi.base.kernel"
local scene = require "engine_scene"

local cases = {}

local PROTO = { tcp = { from = 6 }, udp = { from = 17 }, icmp = { from = 1 }, icmp6 = { from = 58 },
  gre = { from = 47 },
  sctp = { from = 132 } }
local ALL = { "in", "out", "forward" }
local V4, V6 = { ranges = { { from = "10.0.0.1" } } }, { ranges = { { from = "fd00::1" } } }
local RANGE = { addrs = { ranges = { { from = "10.0.0.1", to = "10.0.0.9" } } } }
local ECHO, ECHO6, UNREACHABLE = { from = 8 << 8, to = 8 << 8 | 255 }, { from = 1 << 16 | 128 << 8 },
  { from = 3 << 8 }

-- Sends a rule set of one rule. True, or nil and what the module says.
local function send(world, rule)
  local messages = compile.messages(scene.checked "rules = {}")
  rule.name = "r"
  for i, message in ipairs(messages) do
    if message.cmd == "ruleset_commit" then
      table.insert(messages, i, { cmd = "rule_add", rule = rule })
      break
    end
  end
  local link = kernel.of(world)
  local ok, problem = pcall(link.transact, messages, "test")
  link.close()
  return ok or nil, tostring(type(problem) == "table" and problem.message or problem)
end

local function filter(fields)
  local rule = { lists = ALL, verdict = "allow" }
  for name, value in pairs(fields) do
    rule[name] = value
  end
  return rule
end

local function nat(verdict, fields)
  local rule = filter(fields)
  rule.verdict = verdict
  rule.lists = { (verdict == "dnat" or verdict == "redirect") and "dstnat" or "srcnat" }
  if (verdict == "dnat" or verdict == "snat") and not rule.target then
    rule.target = RANGE
  end
  return rule
end

function cases.what_says_nothing_is_refused()
  local world <close> = scene.gateway()
  for _, case in ipairs {
    { filter { lists = { "out" }, iif = "eth0" }, "come in by no device" },
    { filter { lists = { "in" }, oif = "eth0" }, "leave by no device" },
    { filter { family = 6, src = V4 }, "no address is of the rule's family" },
    { filter { family = 4, dst = V6 }, "no address is of the rule's family" },
    { filter { family = 6, src = V4, negated = { "src" } }, "no address is of the rule's family" },
    { filter { proto = { PROTO.tcp }, icmp = { ECHO } }, "ICMP messages" },
    { filter { proto = { PROTO.tcp }, negated = { "proto" }, icmp = { ECHO } }, "ICMP messages" },
    { filter { family = 6, icmp = { ECHO } }, "ICMP messages" },
    { filter { family = 4, icmp = { ECHO6 } }, "ICMP messages" },
    { filter { proto = { PROTO.udp }, tcp_mask = 2, tcp_value = 2 }, "flags are of TCP" },
    { filter { proto = { PROTO.tcp, PROTO.udp }, tcp_mask = 2, tcp_value = 2 }, "flags are of TCP" },
    { filter { icmp = { ECHO }, tcp_mask = 2, tcp_value = 2 }, "flags are of TCP" },
    { filter { proto = { PROTO.tcp }, tcp_mask = 0, tcp_value = 0 }, "some are looked at" },
    { filter { mark_value = 0, mark_mask = 0 }, "looks at no bit" },
    { filter { user = { { from = 0 } } }, "list out only" },
    { filter { dport = { { from = 80 } } }, "ports need proto" },
    { filter { proto = { PROTO.gre }, dport = { { from = 80 } } }, "ports need proto" },
    { filter { per_source = 3 }, "has states to be counted" },
    { filter { verdict = "deny", per_source = 3 }, "has states to be counted" },
    { filter { verdict = "deny", flags = { "stateful" } }, "only a rule that allows can be stateful" },
    { filter { proto = { PROTO.tcp }, helper = "ftp" }, "only a stateful rule can have a helper" },
    { filter { proto = { PROTO.udp }, helper = "ftp", flags = { "stateful" } },
      "allows TCP and nothing else" },
    { filter { flags = { "stateful", "ftp_foreign" } }, "FTP_FOREIGN" },
    { filter { mss = 1400 }, "allows TCP and nothing else" },
    { filter { lists = { "in", "out" }, proto = { PROTO.tcp }, mss = 1400 }, "pass through" },
    { filter { proto = { PROTO.tcp }, tcp_mask = 18, tcp_value = 16, mss = 1400 }, "the flags leave out" },
    { filter { target = RANGE }, "only a rule that translates has a target" },
    { filter { flags = { "persistent" } }, "only a translation can be persistent" },
    { nat("dnat", { oif = "eth0" }), "where a connection leaves is not known" },
    { nat("redirect", { oif = "eth0" }), "where a connection leaves is not known" },
    { nat("dnat", { user = { { from = 0 } } }), "list out only" },
    { nat("dnat", { per_source = 1 }), "not for a rule that translates" },
    { nat("snat", { helper = "ftp", proto = { PROTO.tcp } }), "not for a rule that translates" },
    { nat("masquerade", { mss = 1400, proto = { PROTO.tcp } }), "not for a rule that translates" },
    { nat("dnat", { tcp_mask = 2, tcp_value = 2, proto = { PROTO.tcp } }), "not for a rule that translates" },
    { nat("snat", { flags = { "ftp_foreign" } }), "no flag but PERSISTENT" },
    { nat("redirect", { target = { port_from = 80 } }), "need proto" },
    { nat("masquerade", { target = { port_from = 80 } }), "need proto" },
    { nat("masquerade", { target = { port_from = 80 }, proto = { PROTO.icmp } }), "need proto" },
    { nat("dnat", { target = { addrs = V4, port_from = 80 }, proto = { PROTO.icmp } }), "need proto" },
    { nat("snat", { target = { addrs = V4, port_from = 80 }, proto = { PROTO.gre } }), "need proto" },
    { nat("snat", { target = { addrs = V4, port_from = 80 }, proto = { PROTO.tcp }, negated = { "proto" } }),
      "need proto" },
    { nat("redirect", { target = RANGE }), "take this machine's own address" },
    { nat("masquerade", { target = RANGE }), "take this machine's own address" },
    { nat("redirect", { flags = { "persistent" } }), "PERSISTENT says nothing" },
    { nat("dnat", { target = { addrs = V4 }, flags = { "persistent" } }), "PERSISTENT says nothing" },
    { nat("snat", { proto = { PROTO.gre }, flags = { "persistent" } }), "PERSISTENT says nothing" },
    { nat("dnat", { icmp = { UNREACHABLE } }), "only messages that ask" },
    { nat("masquerade", { icmp = { { from = 1 << 16 | 129 << 8 } } }), "only messages that ask" },
    { nat("dnat", { family = 6 }), "no address of the rule's family" },
    { nat("dnat", { src = V6 }), "no address is of the rule's family" },
  } do
    local sent, problem = send(world, case[1])
    scene.expect(sent, nil, case[2] .. " (" .. tostring(problem) .. ")")
    if not problem:find(case[2], 1, true) then
      error(("got %s, wanted %s"):format(problem, case[2]))
    end
  end
end

function cases.what_says_something_is_taken()
  local world <close> = scene.gateway()
  for i, rule in ipairs {
    filter { iif = "lo" }, filter { lists = { "in", "out" }, iif = "eth0", oif = "eth1" },
    filter { family = 6, src = { me = true } },
    filter { family = 4, src = { ranges = { { from = "10.0.0.1" }, { from = "fd00::1" } } } },
    filter { icmp = { ECHO, ECHO6 } }, filter { proto = { PROTO.icmp, PROTO.icmp6 }, icmp = { UNREACHABLE } },
    filter { tcp_mask = 2, tcp_value = 2 }, filter { proto = { PROTO.tcp }, tcp_mask = 63, tcp_value = 0 },
    filter { mark_value = 0, mark_mask = 1 }, filter { lists = { "out" }, user = { { from = 0 } } },
    filter { flags = { "stateful" }, per_source = 3 },
    filter { lists = { "in", "forward" }, proto = { PROTO.tcp }, tcp_mask = 2, tcp_value = 2, mss = 1400 },
    filter { flags = { "stateful", "ftp_foreign" }, proto = { PROTO.tcp }, helper = "ftp" },
    nat("dnat", { flags = { "persistent" } }), nat("snat", { iif = "eth1", flags = { "persistent" } }),
    nat("masquerade", { proto = { PROTO.icmp }, flags = { "persistent" } }),
    nat("masquerade", { proto = { PROTO.gre }, negated = { "proto" }, flags = { "persistent" } }),
    nat("dnat", { icmp = { UNREACHABLE, ECHO } }), nat("dnat", { icmp = { UNREACHABLE },
      negated = { "icmp" } }),
    nat("dnat", { limit_count = 3, limit_period = 1000, log = "x", length = { { from = 0, to = 99 } } }),
    nat("redirect", { target = { port_from = 80, port_to = 90 }, proto = { PROTO.sctp } }),
  } do
    local sent, problem = send(world, rule)
    scene.expect(sent, true, ("rule %d: %s"):format(i, problem))
  end
end

return cases
