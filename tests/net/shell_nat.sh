#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 200
#
# What the program says of the kernel's NAT rules, translated states, expectations and events, and what the kernel
# refuses of them.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
serve_echo server udp 7
serve_echo server tcp 7
cd "$IPFI_TOP" || exit

says() { in_ns client timeout "$(patience 30)" socat -t 20 - "$1" <<<"$2" 2>/dev/null; }

commit <<'POLICY'
return policy {
	name = "nat",
	nat = {
		masquerade { "lan out", oif = "wan0", src = "10.0.1.0/24", log = "out", persistent = true },
		snat { "narrow", oif = "wan0", family = 6, proto = "udp", to = "fd00:2::1", to_port = 5000 },
		dnat { "published", iif = "lan0", dst = { "10.0.1.1", "fd00:1::1" }, to = { "10.0.2.2", "fd00:2::2" } },
		redirect { "here", iif = "wan0", proto = "tcp", dport = 8080, to = 80 },
	},
	rules = { allow { "forward", dir = "forward", state = true }, allow { "out", dir = "out" } },
}
POLICY
is $? 0 "a policy with NAT rules"
is "$(fw 'for _, r in ipairs(fw.running().nat) do print(r.verdict, r.name, r.at:match("%d+$")) end' | paste -sd,)" \
	$'masquerade\tlan out\t4,snat\tnarrow\t5,dnat\tpublished\t6,redirect\there\t7' "they come back in their order"
is "$(fw 'print(#fw.running().rules, fw.info().rules, fw.info().nat_rules)')" $'2\t2\t4' "apart from the rules"
is "$(fw 'local n = fw.running().nat print(n[2].to, n[2].to_port, n[3].to[2], n[4].to, n[1].persistent)')" \
	$'fd00:2::1\t5000\tfd00:2::2\t80\ttrue' "as they were written"
# Read back from the attributes, as of a rule that another program wrote.
is "$(in_ns router "$IPFI" -e '
	local rule = require "ipfi.policy.rule"
	local kernel = require "ipfi.base.kernel"
	for _, message in ipairs(kernel.list({ cmd = "rules_dump" }, "test")) do
		local row = message.rule and rule.read(message.rule)
		if row and (row.to or row.to_port) then
			print(message.rule.name, type(row.to) == "table" and table.concat(row.to, " ") or row.to, row.to_port)
		end
	end' | paste -sd,)" $'narrow\tfd00:2::1\t5000,published\t10.0.2.2 fd00:2::2\tnil,here\tnil\t80' "or as the kernel has them"
like "$(fw 'print(fw.running())')" $'NAT RULE +VERDICT.*lan out +masquerade.*\n2 +narrow +snat +\\[fd00:2::1\\]:5000 .*\n4 +here +redirect +:80 ' \
	"they are shown"

# Source and destination, both families, TCP, UDP and ICMP.
is "$(says TCP:10.0.2.2:7 one) $(says TCP:10.0.1.1:7 two) $(says 'TCP6:[fd00:1::1]:7' six)" "one two six" "traffic"
runs "ping" in_ns client ping -q -c 1 -W "$(patience 5)" 10.0.2.2
is "$(row 'dst = "10.0.2.2", proto = "tcp"' s.src s.nat_src 's.nat_sport == s.sport' 's.nat_dst or 0' s.rule)" \
	"10.0.1.2 10.0.2.1 true 0 forward" "a row: the source"
is "$(row 'dst = "10.0.1.1"' s.nat_dst s.nat_dport s.nat_src)" "10.0.2.2 7 10.0.2.1" "both sides"
is "$(row 'dst = "fd00:1::1"' s.nat_dst s.nat_dport 's.nat_src or 0')" "fd00:2::2 7 0" "the destination, IPv6"
is "$(row 'proto = "icmp"' s.nat_src 's.nat_sport == s.sport')" "10.0.2.1 true" "a ping"
is "$(fw 'print(fw.states{nat = "src"}:count(), fw.states{nat = "dst"}:count(), fw.states{nat = true}:count(), fw.states{nat = false}:count())')" \
	$'3\t2\t4\t0' "filters"
is "$(fw 'print(fw.stats().translated, fw.stats().states, fw.stats().expectations)')" $'4\t4\t0' "statistics"
is "$(fw 'for s in fw.states():each() do assert(fw.states{id = s.id}:count() == 1) end print(fw.states{master = 12345}:count(), fw.states{helper = "ftp"}:count())')" \
	$'0\t0' "numbers of states"
is "$(fw 'local c = fw.states():count_by "nat_src" print(c["10.0.2.1"], c.none)')" $'3\t1' "counted by what a side is translated to"
is "$(fw 'local c = fw.states():count_by "nat_dport" print(c[7], c.none)')" $'2\t2' "by a port"
like "$(fw 'print(fw.states{proto = "icmp"})')" '10\.0\.1\.2 id [0-9]+ → 10\.0\.2\.1 id [0-9]+ +10\.0\.2\.2 ' "shown"
is "$(fw 'print(fw.expectations())')" "nothing is expected" "nothing is expected"
like "$(fw 'for _, r in ipairs(fw.running().nat) do print(r.name, r.packets) end' | paste -sd,)" \
	$'lan out\t[1-9].*,narrow\t0,published\t[1-9].*,here\t0' "NAT rules count"

# Events of a rule that has one port to give: the second connection finds none.
cat >"$lab_tmp/listen.lua" <<'LUA'
io.stdout:setvbuf "line"
fw.on("nat_full", function(e) print("full", e.rule, e.list, e.proto, e.dst, e.dport) end)
fw.on("state", function(s) if s.kind ~= "changed" then print(s.kind, s.cause, s.proto, s.nat_sport) end end)
print "ready"
fw.run(tonumber(args[1]))
LUA
ip netns exec router "$IPFI" "$lab_tmp/listen.lua" 300 >"$lab_tmp/heard" &
listener=$!
wait_for 20 grep -q ready "$lab_tmp/heard"
for port in 4001 4002; do in_ns client socat -u - "UDP6:[fd00:2::2]:7,sourceport=$port" <<<hello; done
runs "a translation that cannot be had is told" wait_for 10 grep -q $'^full\tnarrow\tforward\tudp\tfd00:2::2\t7$' "$lab_tmp/heard"
runs "and the one that could" grep -q $'^new\tnil\tudp\t5000$' "$lab_tmp/heard"
holds "the packet was dropped and counted" "$(counter nat-full) >= 1"
# The address of a masquerade goes.
ip -n router addr del 10.0.2.1/24 dev wan0
runs "states end with the address that they use" wait_for 10 grep -q $'^destroyed\taddress-gone\ttcp' "$lab_tmp/heard"
note "heard: $(grep -v '^changed' "$lab_tmp/heard" | paste -sd, | tr '\t' ' ')"
kill $listener && wait $listener 2>/dev/null
is "$(fw 'print(fw.states{nat = "src", family = 4}:count())')" 0 "all of them"
ip -n router addr add 10.0.2.1/24 dev wan0

# What only the kernel can refuse, with its place.
cat >"$lab_tmp/refused.lua" <<'LUA'
local netlink = require "ipfi.c.netlink"
local function try(rule)
	local conn = assert(netlink.open())
	rule.name = "r"
	local _, err = conn:stream { { cmd = "ruleset_begin", ruleset = {} }, { cmd = "rule_add", rule = rule },
		{ cmd = "ruleset_commit", flags = { "ack" }, commit = {} } }
	conn:close()
	print(err and err.name, err and err.attr)
end
local to = { addrs = { ranges = { { from = "10.0.0.1" } } } }
try { lists = { "srcnat" }, verdict = "dnat", target = to }
try { lists = { "dstnat", "srcnat" }, verdict = "dnat", target = to }
try { lists = { "dstnat" }, verdict = "dnat" }
try { lists = { "srcnat" }, verdict = "masquerade", target = to }
try { lists = { "dstnat" }, verdict = "dnat", target = to, oif = "x" }
try { lists = { "dstnat" }, verdict = "dnat", target = to, flags = { "stateful" } }
try { lists = { "in" }, verdict = "allow", target = to }
try { lists = { "in" }, verdict = "allow", helper = "ftp" }
try { lists = { "forward" }, verdict = "deny", mss = 1400, proto = { { from = 6 } } }
LUA
refusals=$(in_ns router "$IPFI" "$lab_tmp/refused.lua")
is "$(grep -c '^EINVAL' <<<"$refusals")" 9 "the kernel refuses what the language cannot say"
note "$(paste -sd, <<<"$refusals")"
is "$(fw 'print(fw.info().generation)')" 1 "and nothing changed"
