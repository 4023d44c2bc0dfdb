#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests/bench/run runs in the guest.
. "$IPFI_TOP/tests/lab/lib.sh"

flows=("$@")
[ ${#flows[@]} -gt 0 ] || flows=(1000 100000 1000000)
rules=(10 10000)

insmod "$IPFI_TOP/build/hookbench/hookbench.ko"
load_ipfi max_states=4000000 namespaces_memory=65536
sysctl -qw net.netfilter.nf_conntrack_max=4000000 net.netfilter.nf_conntrack_buckets=2097152

# gateway NAME: a namespace that forwards from in0 (10.1.0.0/16) to out0 (10.2.0.0/16).
gateway() {
	space "$1"
	ip -n "$1" link add in0 type dummy
	ip -n "$1" link add out0 type dummy
	ip -n "$1" addr add 10.1.0.1/16 dev in0
	ip -n "$1" addr add 10.2.0.1/16 dev out0
	ip -n "$1" link set in0 up
	ip -n "$1" link set out0 up
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1
}

# bench NAME FLOWS ROUNDS BIDIR FIELD: one field of hookbench's report.
bench() {
	# shellcheck disable=SC2016
	in_ns "$1" bash -c 'echo "$1 $2 in0 out0 $3" >/proc/hookbench && cat /proc/hookbench' - "$2" "$3" "$4" |
		tr ' ' '\n' | sed -n "s/^$5=//p"
}

conntrack_rules() {
	in_ns "$1" nft -f - <<-END
		table inet filter {
			chain forward {
				type filter hook forward priority 0; policy drop;
				ct state established,related accept
				ct state new accept
			}
		}
	END
}

# our_rules NAME COUNT: COUNT rules that do not match before the one that does.
our_rules() {
	local policy=$lab_tmp/policy-$2.lua
	cat >"$policy" <<-END
		local rules = {}
		for i = 1, $2 - 1 do
		  rules[i] = deny { "rule " .. i, dir = "forward", src = "10.9." .. i // 256 .. "." .. i % 256, dport = i }
		end
		rules[$2] = allow { "all", dir = "forward", state = true }
		return policy { name = "bench", rules = rules }
	END
	in_ns "$1" "$IPFI" -f "$policy"
}

# rounds FLOWS: more for fewer, so that each figure takes about a second.
rounds() {
	local n=$((2000000 / $1))
	if [ $n -gt 400 ]; then n=400; elif [ $n -lt 8 ]; then n=8; fi
	echo $n
}

ratio() { awk -v ours="$1" -v theirs="$2" -v none="${3:-0}" 'BEGIN { printf "%.2f", (ours - none) / (theirs - none) }'; }
row() { printf '%-44s %10s %10s %10s %8s\n' "$@"; }

row "ns a packet, least of the rounds" none conntrack ipfi ratio
row "" "" "+ nft" "" ""
gateway none
gateway theirs && conntrack_rules theirs
gateway ours && our_rules ours 1
for n in "${flows[@]}"; do
	none=$(bench none "$n" "$(rounds "$n")" 1 min)
	theirs=$(bench theirs "$n" "$(rounds "$n")" 1 min)
	in_ns theirs conntrack -F >/dev/null 2>&1
	ours=$(bench ours "$n" "$(rounds "$n")" 1 min)
	in_ns ours "$IPFI" -e 'fw.states():kill()'
	row "established, $n flows" "$none" "$theirs" "$ours" "$(ratio "$ours" "$theirs" "$none")"
done

theirs=$(bench theirs 500000 1 0 first)
in_ns theirs conntrack -F >/dev/null 2>&1
in_ns ours "$IPFI" -q -e 'fw.states():kill()'
ours=$(bench ours 500000 1 0 first)
row "new connection, mean of 500000" "" "$theirs" "$ours" "$(ratio "$ours" "$theirs")"
in_ns ours "$IPFI" -e 'local s = fw.stats() print(("memory an entry: %.1f bytes, table and entries, at %d states"):format(s.memory / s.states, s.states))'
in_ns ours "$IPFI" -e 'fw.states():kill()'


# elapsed COMMAND...: seconds it takes.
elapsed() {
	local start=$EPOCHREALTIME
	"$@" >/dev/null
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }'
}

echo
our_rules ours "${rules[0]}"
in_ns ours "$IPFI" -e 'fw.states():kill()'
few=$(bench ours 1000 400 1 min)
our_rules ours "${rules[1]}"
in_ns ours "$IPFI" -e 'fw.states():kill()'
many=$(bench ours 1000 400 1 min)
row "established, 1000 flows, ${rules[0]} and ${rules[1]} rules" "$few" "" "$many" "$(ratio "$many" "$few")"
echo "commit of ${rules[1]} rules, program and all: $(elapsed our_rules ours "${rules[1]}") s"

# A million states: each reader, then all their deadlines within the second that making them took.
our_rules ours 1
in_ns ours "$IPFI" -e 'fw.states():kill() fw.set_limits { udp_new = 600 }'
bench ours 1000000 1 0 first >/dev/null
echo "1000000 states: count by a filter $(elapsed in_ns ours "$IPFI" -e 'fw.states{ proto = "udp" }:count()') s," \
	"by source $(elapsed in_ns ours "$IPFI" -e 'fw.states():count_by("src")') s," \
	"row by row $(elapsed in_ns ours "$IPFI" -e 'for _ in fw.states():each() do end') s," \
	"deleted $(elapsed in_ns ours "$IPFI" -e 'fw.states():kill()') s"
in_ns ours "$IPFI" -e 'fw.set_limits { udp_new = 10 }'
bench ours 1000000 1 0 first >/dev/null
in_ns ours "$IPFI" -e '
	local sys = require "ipfi.c.sys"
	local most, left, deadline = fw.stats().states, nil, 0
	for state in fw.states():each() do deadline = math.max(deadline, sys.monotonic() + state.timeout) end
	repeat left = fw.stats().states until left == 0
	print(("%d states expired: the last %.2f s after the last deadline"):format(most, sys.monotonic() - deadline))'
