#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# Two CPUs create the same flows at the same time, from one side or from both: each becomes one state, no packet is
# lost for it, and the counts stay right.
. "$IPFI_TOP/tests/net/support/firewall.sh"
[ "$(nproc)" -ge 2 ] || { skip race "this guest has one CPU" && exit; }
load_ipfi || exit
topo_router || exit
phantoms
tool flows
flows=10000
commit <<<'return policy { name = "race", limits = { max_states = 100000, max_states_per_source = 60000, udp_new = 3000, udp_established = 3000 }, rules = { allow { "all", dir = "forward", proto = "udp", state = true } } }'
duplicates() {
	fw 'local seen, twice = {}, 0
	    for s in fw.states{proto = "udp"}:each() do
	      local a, b = s.src .. " " .. s.sport, s.dst .. " " .. s.dport
	      local key = a < b and a .. " " .. b or b .. " " .. a
	      if seen[key] then twice = twice + 1 end
	      seen[key] = true
	    end
	    print(twice)'
}
race() { # race NAME ARRIVED BACK OPTION ADDRESSES...
	local name=$1 arrived=$2 back=$3
	shift 3
	fw 'fw.states():kill()'
	local before
	before=$(fw 'print(fw.stats().created)')
	is "$("$tools/flows" --count=$flows "$1" "$left" "$right" "$2" "$3")" "sent $((2 * flows)) arrived $arrived answered 0 back $back" "$name: no packet is lost"
	is "$(fw "local s = fw.stats() print(s.states, s.created - $before)") $(count_states 'proto = "udp"')" "$flows"$'\t'"$flows $flows" "$name: one state a flow"
	is "$(duplicates)" 0 "$name: none twice"
	is "$(fw 'local n = 0 for s in fw.states():each() do n = n + s.packets + s.reply_packets end print(n)')" $((2 * flows)) "$name: every packet is counted"
}
for round in $(seq "$(long 3 1)"); do
	race "the same packets, round $round" $((2 * flows)) 0 --twice 10.9.0.1 10.8.0.1
	race "both ends begin, round $round" $flows $flows --against fd00:9::1 fd00:8::1
done
is "$(fw 'print(fw.states{state = "UDP_ESTABLISHED"}:count())')" $flows "what both ends began is established"

# The counts of each source come out even: when all is gone, as many fit as at first.
fw "fw.states():kill() fw.set_limits{max_states_per_source = $flows}"
is "$("$tools/flows" --count=$((flows + 100)) "$left" "$right" 10.9.0.1 10.8.0.1)" "sent $((flows + 100)) arrived $flows answered 0 back 0" "the count of a source is right after all that"
