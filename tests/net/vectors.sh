#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The TCP conversations of tests/vectors, which the unit tests give to the core, cross a router segment by segment: the
# kernel must make the same of them.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
# Some segments are large.
for device in client/eth0 router/lan0 router/wan0 server/eth0; do ip -n "${device%/*}" link set "${device#*/}" mtu 9000; done
commit <<'POLICY'
return policy {
	name = "vectors",
	-- So long that nothing ends before it is looked at.
	limits = {
		tcp_syn_sent = 3600, tcp_syn_recv = 3600, tcp_fin_wait = 3600, tcp_close_wait = 3600, tcp_last_ack = 3600,
		tcp_time_wait = 3600, tcp_closed = 3600, tcp_midstream = 3600,
	},
	rules = {
		allow { "sentinel", proto = "udp", dport = 9 },
		allow { "all", dir = "forward", proto = "tcp", state = true },
	},
}
POLICY
play() { in_ns router "$IPFI" "$IPFI_TOP/tests/net/support/vectors.lua" "$@" "$IPFI_TOP"/tests/vectors/*.tcp; }
tool wire
for loose in 1 0; do
	fw "fw.set_limits { tcp_loose = $loose }"
	for family in 4 6; do
		play mode=packets loose=$loose family=$family >"$lab_tmp/packets"
		isnt "$(wc -l <"$lab_tmp/packets")" 0 "there are vectors: IPv$family, tcp_loose $loose"
		in_ns router "$IPFI" -e "fw.commit(fw.load '$lab_tmp/policy.lua', { states = 'flush' }) fw.set_limits { tcp_loose = $loose }"
		"$tools/wire" "$left" "$right" <"$lab_tmp/packets" >"$lab_tmp/verdicts"
		play mode=check loose=$loose family=$family verdicts="$lab_tmp/verdicts" >"$lab_tmp/results" 2>&1 || not_ok "vectors: IPv$family, tcp_loose $loose" "$(tail -n 1 "$lab_tmp/results")"
		cat "$lab_tmp/results"
		wrong=$(grep -c '^not ok' "$lab_tmp/results")
		failures=$((failures + wrong))
	done
done
