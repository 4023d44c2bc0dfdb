#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An idle state is gone within one second of its deadline, not before it, whatever its time-out and however many
# there are. Traffic renews it; packets that are dropped do not.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
tool flows
# ends_in_time NAME SECONDS: all live states end when they have to.
ends_in_time() {
	local late early left
	read -r _ late _ early _ left < <(in_ns router "$IPFI" "$IPFI_TOP/tests/net/support/watch_expiry.lua" "seconds=$2")
	note "$1: seen $late ms after the deadline at most, missed $early ms before it at most"
	is "$left" 0 "$1: none is left"
	holds "$1: gone within a second" "$late <= $(patience 1000)"
	holds "$1: not gone before" "$early <= 10"
}

commit --states=flush <<'POLICY'
return policy {
	name = "short",
	limits = {
		tcp_syn_sent = 1, tcp_established = 6, tcp_fin_wait = 3, tcp_closed = 2, tcp_midstream = 5,
		udp_new = 2, udp_established = 4, icmp = 3, other = 7,
	},
	rules = {
		allow { "sentinel", proto = "udp", dport = 9 },
		allow { "all", dir = "forward", iif = "lan0", state = true },
	},
}
POLICY
wire <<'PACKETS' >"$lab_tmp/verdicts"
> tcp 10.9.0.1 4001 10.8.0.1 80 S seq=1000
< tcp 10.8.0.1 80 10.9.0.1 4001 SA seq=5000 ack=1001
> tcp 10.9.0.1 4001 10.8.0.1 80 A seq=1001 ack=5001
> tcp fd00:9::1 4002 fd00:8::1 80 S seq=1000
< tcp fd00:8::1 80 fd00:9::1 4002 SA seq=5000 ack=1001
> tcp fd00:9::1 4002 fd00:8::1 80 A seq=1001 ack=5001
> tcp fd00:9::1 4002 fd00:8::1 80 FA seq=1001 ack=5001
> tcp 10.9.0.1 4003 10.8.0.1 80 A seq=1001 ack=5001
> udp fd00:9::1 4004 fd00:8::1 53
< udp fd00:8::1 53 fd00:9::1 4004
> ip 10.9.0.1 10.8.0.1 47 len=40
> tcp 10.9.0.1 4005 10.8.0.1 80 S seq=1000
< tcp 10.8.0.1 80 10.9.0.1 4005 RA seq=0 ack=1001
> icmp 10.9.0.1 10.8.0.1 8/0 id=1
> udp 10.9.0.1 4006 10.8.0.1 53
> tcp 10.9.0.1 4007 10.8.0.1 80 S seq=1000
PACKETS
holds "states of several kinds are there" "$(count_states) >= 4"
ends_in_time "one of each" 30

# Many at once.
count=$(slow 20000 2000)
fw 'fw.set_limits{udp_new = 10}'
"$tools/flows" --count="$count" --sources=20 "$left" "$right" 10.9.1.1 10.8.1.1 >"$lab_tmp/flows"
isnt "$(count_states)" 0 "many: $(<"$lab_tmp/flows")"
ends_in_time "many" 60
is "$(fw 'local s = fw.stats() print(s.created - s.expired - s.evicted, s.states)')" $'0\t0' "all that were made have expired"

# Traffic renews, from either side. What does not belong to the connection renews nothing.
fw 'fw.set_limits{udp_new = 6, udp_established = 6, tcp_established = 6}'
is "$(wire <<'PACKETS'
> udp 10.9.0.1 4001 10.8.0.1 53
> udp 10.9.0.1 4002 10.8.0.1 53
> tcp 10.9.0.1 4003 10.8.0.1 80 S seq=1000
< tcp 10.8.0.1 80 10.9.0.1 4003 SA seq=5000 ack=1001
> tcp 10.9.0.1 4003 10.8.0.1 80 A seq=1001 ack=5001
wait 3000
> udp 10.9.0.1 4001 10.8.0.1 53
< tcp 10.8.0.1 80 10.9.0.1 4003 PA seq=900005001 ack=1001 len=9
wait 3000
< udp 10.8.0.1 53 10.9.0.1 4001
< tcp 10.8.0.1 80 10.9.0.1 4003 R seq=900005001
wait 3000
> udp 10.9.0.1 4001 10.8.0.1 53
# By now the others have been idle for more than 8 s.
< udp 10.8.0.1 53 10.9.0.1 4002
< tcp 10.8.0.1 80 10.9.0.1 4003 PA seq=5001 ack=1001 len=9
< udp 10.8.0.1 53 10.9.0.1 4001
PACKETS
)" "pass, pass, pass, pass, pass, pass, drop, pass, drop, pass, drop, drop, pass" "traffic renews, dropped packets do not"
ends_in_time "in the end" 20
