#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Plans against the real kernel: what -n prints, that it changes nothing, and that a commit then does to the live
# states just what the plan said.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
dir=$(mktemp -d "$HOME/plan.XXXXXX")

# now: what must not change by a plan: generation, rules and all states, by what stays the same of them.
now() {
	fw 'local r = fw.running() print(r.generation, r.name) for _, x in ipairs(r.rules) do print(x.id, x.name) end
	    local list = {} for s in fw.states():each() do list[#list + 1] = s.id .. " " .. s.packets .. " " .. s.rule end
	    table.sort(list) print(table.concat(list, "\n"))
	    for _, s in ipairs(fw.sets()) do print(s.name) end'
}
# plan [OPTION...] POLICY: what -n prints of it; the exit status is its.
plan() {
	local policy=${*: -1}
	in_ns router "$IPFI" -n "${@:1:$#-1}" -f "$policy" 2>&1 | sed "s|$dir/||g"
	return "${PIPESTATUS[0]}"
}

cat >"$dir/a.lua" <<'POLICY'
local friends = set { name = "friends", dynamic = true }
return policy {
	name = "gateway",
	default = "deny",
	limits = { udp_new = 1000, icmp = 1000 },
	nat = {
		dnat { "published", iif = "lan0", dst = "10.8.0.50", proto = "udp", dport = 5353, to = "10.8.0.51:53" },
		snat { "fixed", oif = "wan0", src = "10.9.0.77", to = "10.0.2.1" },
	},
	rules = {
		allow { "sentinel", proto = "udp", dport = 9, src = { "10.8.255.9", "10.9.255.9" } },
		allow { "loopback", iif = "lo", state = true },
		allow { "friends", src = friends, proto = "udp", dport = 54, state = true },
		allow { "ssh", dir = "forward", proto = "tcp", dport = "ssh", src = "10.9.0.0/16", state = true },
		allow { "old", dir = "forward", proto = "udp", dport = { 123, 124 }, state = true },
		allow { "web", dir = "forward", proto = "tcp", dport = { 80, 443 }, state = true },
		allow { "dns", dir = "forward", proto = "udp", dport = { "domain", 5353 }, state = true },
		allow { "own", dir = "out", proto = "udp", dport = 7, state = true },
	},
}
POLICY

# First against nothing.
is "$(plan "$dir/a.lua" | head -n 2)" "policy 'gateway': 15 to add, 2 to change; no rule set is running: every packet passes
  + name: 'gateway'" "all is new where no rule set runs"
is "$(fw 'print(fw.info().generation, fw.info().armed, #fw.sets())')" "0	false	0" "which stays so"

runs "the policy" in_ns router "$IPFI" -f "$dir/a.lua"
fw 'fw.set "friends":add "10.9.0.5"'
is "$(plan --exit-code "$dir/a.lua")" "policy 'gateway': nothing to do, it is what runs (generation 1)
no live states" "the same policy: nothing to do"
runs "--exit-code: 0 without differences" in_ns router "$IPFI" -n --exit-code -f "$dir/a.lua"

packets() {
	wire <<-'PACKETS'
		> tcp 10.9.0.1 2001 10.8.0.1 80 S seq=100
		> tcp 10.9.0.2 2002 10.8.0.1 443 S seq=100
		> tcp 10.9.0.1 2003 10.8.0.1 22 S seq=100
		> tcp 10.9.1.1 2004 10.8.0.1 22 S seq=100
		> udp 10.9.0.1 3001 10.8.0.1 53
		> udp 10.9.0.2 3002 10.8.0.2 53
		> udp 10.9.0.3 3003 10.8.0.3 53
		> udp 10.9.0.9 3004 10.8.0.50 5353
		> udp 10.9.0.77 3005 10.8.0.1 53
		> udp 10.9.0.1 3006 10.8.0.1 123
		> udp 10.9.0.1 3007 10.8.0.1 124
		> udp 10.9.0.5 3008 10.8.0.1 54
		> udp 10.9.0.2 3009 10.8.0.1 53
	PACKETS
}
packets >/dev/null
for user in nobody daemon; do
	echo hello | in_ns router setpriv --reuid $user --clear-groups socat -u - UDP:10.0.2.2:7
done
quietly in_ns router ping -c 1 127.0.0.1
is "$(count_states)" 16 "live states"

cat >"$dir/b.lua" <<'POLICY'
local guests = set { name = "guests", dynamic = true }
return policy {
	name = "gateway",
	default = { ["in"] = "deny", out = "reject", forward = "deny" },
	limits = { udp_new = 900, icmp = 1000, tcp_established = 3600 },
	nat = {
		dnat { "published", iif = "lan0", dst = "10.8.0.50", proto = "udp", dport = 5353, to = "10.8.0.52:53" },
		snat { "other", oif = "wan0", src = "10.9.0.2", proto = "udp", dport = 53, to = "10.0.2.1" },
	},
	rules = {
		allow { "loopback", state = true, iif = "lo" },
		allow { "sentinel", src = { "10.9.255.9", "10.8.255.9" }, dport = 9, proto = 17 },
		allow { "guests", src = guests, proto = "udp", dport = 54, state = true },
		deny { "not now", dir = "forward", proto = "tcp", dport = 443 },
		allow { "ssh", dir = "forward", proto = "tcp", dport = 22, src = "10.9.1.0/24", state = true },
		allow { "web", dir = "forward", proto = "tcp", dport = { 443, 80 }, state = true },
		allow { "dns", dir = "forward", proto = "udp", dport = { "domain", 5353 }, state = true },
		allow { "own", dir = "out", proto = "udp", dport = 7, user = "nobody", state = true },
	},
}
POLICY
read -r -d '' wanted <<PLAN
policy 'gateway': 4 to add, 4 to remove, 5 to change, 1 to move; against generation 1
  ~ default out: deny → reject
  ~ limit udp_new: 1000 → 900
  - set 'friends' with 1 member
  + set 'guests'
  ~ dnat 'published' (b.lua:7): to 10.8.0.51:53 → 10.8.0.52:53
  + snat 'other' (b.lua:8): oif wan0  proto udp  src 10.9.0.2  dport 53  to 10.0.2.1
  - snat 'fixed' (a.lua:8): oif wan0  src 10.9.0.77  to 10.0.2.1 [1 packet]
  ~ allow 'loopback' (b.lua:11): moved, now at the top, was behind 'sentinel'
  + allow 'guests' (b.lua:13): proto udp  src @guests  dport 54  stateful
  + deny 'not now' (b.lua:14): dir forward  proto tcp  dport 443
  - allow 'friends' (a.lua:13): proto udp  src @friends  dport 54  stateful [1 packet]
  ~ allow 'ssh' (b.lua:15): src 10.9.0.0/16 → 10.9.1.0/24
  - allow 'old' (a.lua:15): dir forward  proto udp  dport 123,124  stateful [2 packets]
  ~ allow 'own' (b.lua:18): user none → nobody
16 live states, of which
  6 denied: over at the next packet
      2 of 'old' by the default of list forward
      1 of 'friends' by the default of list forward
      1 of 'own' by the default of list out
      1 of 'ssh' by the default of list forward
      1 of 'web' by 'not now' (b.lua:14)
  4 would be translated otherwise; they keep their old translation until they end
      2 of 'dns', new ones are translated by 'other' (b.lua:8)
      1 of 'dns', new ones keep their source
      1 of 'dns', new ones are translated by 'published' (b.lua:7)
PLAN
before=$(now)
plan --exit-code "$dir/b.lua" >"$lab_tmp/plan"
is $? 10 "--exit-code: 10 with differences"
if diff -u <(printf '%s\n' "$wanted") "$lab_tmp/plan" | sed 's/^/# /' | tee "$lab_tmp/diff" && [ ! -s "$lab_tmp/diff" ]; then
	ok "the plan"
else
	not_ok "the plan" "see above"
fi
is "$(now)" "$before" "it changes nothing: generation, rules, sets, states"
is "$(fw 'print(fw.stats().drops.rejudged)')" 0 "and no state was judged again"
is "$(plan -j "$dir/b.lua" | grep -c '^{.*}$')" 22 "-j: one object a line"
like "$(plan --states=flush "$dir/b.lua" | tail -n 1)" "^all of the 16 live states end" "--states=flush"
like "$(plan --states=keep "$dir/b.lua")" "6 denied, but kept" "--states=keep"

# A refusal names the rule; a plan without rights is none.
is "$(in_ns router setpriv --reuid nobody --clear-groups --bounding-set -all --inh-caps -all "$IPFI" -n -f - <<<'return policy { rules = {} }' >/dev/null 2>&1; echo $?)" 77 "not permitted: 77"

# Now the commit: each state's next packet tells.
ids() { fw "for s in fw.states():each() do print(s.rule) end" | sort | uniq -c | awk '{ printf "%s %s, ", $1, $2 }'; }
is "$(ids)" "6 dns, 1 friends, 1 loopback, 2 old, 2 own, 2 ssh, 2 web, " "states by rule before"
runs "the commit" in_ns router "$IPFI" -f "$dir/b.lua"
packets >/dev/null
for user in nobody daemon; do
	for port in $(fw 'for s in fw.states{ dport = 7 }:each() do print(s.sport) end'); do
		echo again | quietly in_ns router setpriv --reuid $user --clear-groups socat -u - "UDP:10.0.2.2:7,sourceport=$port,reuseaddr"
	done
done
is "$(ids)" "6 dns, 1 loopback, 1 own, 1 ssh, 1 web, " "just what was denied is gone"
is "$(fw 'for s in fw.states{ src = "10.9.0.9" }:each() do print(s.nat_dst) end')" 10.8.0.51 "what lives keeps its translation"
is "$(plan "$dir/b.lua" | tail -n +2)" "10 live states, of which
  4 would be translated otherwise; they keep their old translation until they end
      2 of 'dns', new ones are translated by 'other' (b.lua:8)
      1 of 'dns', new ones keep their source
      1 of 'dns', new ones are translated by 'published' (b.lua:7)" "a plan of what runs has no change, and tells of old translations"

# Overtaken or killed, nothing is left behind.
for _ in 1 2 3; do
	ip netns exec router "$IPFI" -n -f "$dir/a.lua" >/dev/null 2>&1 &
	kill -9 $!
	wait $! 2>/dev/null
done
is "$(fw 'print(#fw.sets())')" 1 "a plan that is killed leaves no set behind"
