#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: uml-debug
# timeout: 400
#
# fw.explain tells what happens next: random packets, each asked about and then sent. (tests/unit/explain_cases.lua does
# so for all kinds of rules and packets, in the built-in engine.) And that asking changes nothing, takes any number
# of rules, and says what is wrong with a question.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3
load_ipfi || exit
topo_router || exit
phantoms
like "$(fw 'fw.print(fw.explain { proto = "tcp", dport = 22 })')" "no rule set is running, every packet passes" "before the first commit"
tool wire || exit

# compare SEED WHAT: 150 random packets by the running rules.
compare() {
	if "$IPFI_TOP/tests/net/support/explain.py" "$IPFI" "$IPFI_TOP/tests/net/support/explain.lua" "$tools/wire" "$left" "$right" \
		"$1" 150 >"$lab_tmp/compared" 2>&1; then
		ok "$2"
		note "$(tail -n 1 "$lab_tmp/compared")"
	else
		not_ok "$2" "$(head -n 5 "$lab_tmp/compared")"
	fi
}
commit_rules <<'RULES'
allow { "web", dir = "forward", iif = "lan0", proto = "tcp", dport = { 80, 8080 }, state = true },
allow { "ssh", dir = "forward", proto = "tcp", dport = 22, state = true, limit = "20/hour" },
reject { "mail", dir = "forward", proto = "tcp", dport = 25 },
allow { "datagrams", dir = "forward", proto = "udp", state = true, per_source = 3 },
deny { "telnet", dir = "forward", dport = 23 },
RULES
compare 1 "packets become what was told: rules, limits, states"
commit_rules <<'RULES'
allow { "web", dir = "forward", iif = "lan0", proto = "tcp", dport = 8080, state = true },
reject { "rest", dir = "forward", proto = "tcp" },
RULES
compare 2 "after new rules, which end live connections"
commit <<'POLICY'
return policy { name = "nat", limits = { max_states = 20, tcp_loose = false },
	nat = { dnat { "published", iif = "lan0", proto = "tcp", dport = 25, to = { "10.8.0.3", "[fd00:8::3]" }, to_port = 80 },
	        snat { "few ports", oif = "wan0", proto = "tcp", dport = 22, to = "10.8.5.3", to_port = "7000-7002" },
	        snat { "hidden", oif = "wan0", proto = "tcp", to = { "10.8.5.1-10.8.5.2", "fd00:8::5" }, persistent = true } },
	rules = {
		allow { "sentinel", proto = "udp", dport = 9, src = { "10.8.255.9", "10.9.255.9" } },
		allow { "out", dir = "forward", iif = "lan0", proto = { "tcp", "udp" }, state = true },
		reject { "in", dir = "forward", iif = "wan0", proto = "tcp" },
	} }
POLICY
ip -n router route add 10.8.5.0/24 via 10.0.2.2 2>/dev/null
compare 3 "through translations, in a full table"
fw 'fw.states():kill()'
compare 4 "after all connections were deleted"

# What is asked changes nothing: the rule that would let it pass has no packet more. (Hosts ask for their neighbours
# meanwhile, so that there may be more packets of other kinds.)
allowed() { fw 'local s = fw.stats() print(s.passes["rule-allow"], s.created)'; }
before=$(allowed)
is "$(fw 'local n = 0 for i = 1, 200 do
	n = n + (fw.explain { dir = "forward", iif = "lan0", src = "10.9.0.1", dst = "10.8.0.1", proto = "tcp", dport = 80, sport = i }.reason == "rule-allow" and 1 or 0)
end print(n)')" 200 "two hundred questions are told that it would pass"
is "$(allowed)" "$before" "and change nothing"

# Any number of rules; the way out is found.
fw 'local rules = {} for i = 1, 10000 do rules[i] = ("deny { \"r%d\", proto = \"tcp\", dport = %d }"):format(i, i + 10) end
    local f = io.open("'"$lab_tmp"'/many.lua", "w") f:write("return policy { name = \"many\", rules = {", table.concat(rules, ",\n"), "} }") f:close()'
runs "ten thousand rules" in_ns router "$IPFI" -f "$lab_tmp/many.lua"
told=$(fw 'fw.print(fw.explain { dir = "forward", iif = "lan0", src = "10.9.0.1", dst = "10.8.0.1", proto = "tcp", dport = 10010 })')
like "$told" "denied by 'r10000'" "each of them is asked"
like "$told" "… 9998 more that differ in dport" "and those that differ alike are folded"
is "$(fw 'print(#fw.explain { proto = "udp", dport = 1 }.steps)')" 10000 "to the default"

# What is wrong with a question.
like "$(fw 'fw.explain { iif = "none", proto = "tcp" }' 2>&1)" "there is no such device to enter by" "a device that is not there"
like "$(fw 'fw.explain { iff = "lan0", proto = "tcp" }' 2>&1)" "did you mean 'iif'" "a field that is none"
like "$(fw 'fw.explain { data = ("E"):rep(10) }' 2>&1)" "no IP packet has so few bytes" "no packet"
is "$(in_ns router setpriv --reuid nobody --clear-groups --bounding-set=-all --inh-caps=-all "$IPFI" -e 'fw.explain { proto = "tcp" }' 2>/dev/null; echo $?)" 77 \
	"asking is for administrators"
