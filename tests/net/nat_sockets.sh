#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two sockets here with one local port: one speaks to a published address, which is translated to the server, the other
# to the server itself. The kernel finds the socket of a packet before the last translation; each must get its own.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
sockets=$IPFI_TOP/tests/net/support/two_sockets.py
firewall=client
commit <<'POLICY'
return policy { name = "sockets",
	nat = { dnat { "published", dst = { "10.8.0.1", "fd00:8::1" }, to = { "10.0.2.2", "fd00:2::2" } } },
	rules = { allow { "all", state = true } } }
POLICY
for kind in udp tcp; do
	for ends in "10.0.1.2 10.8.0.1 10.0.2.2" "fd00:1::2 fd00:8::1 fd00:2::2"; do
		read -r own published server <<<"$ends"
		ip netns exec server "$sockets" serve $kind "$server" 7 &
		serving=$!
		wait_for 10 listening server $kind 7
		is "$(in_ns client "$sockets" $kind "$own" "$published" "$server" 7 2>&1)" "0.0 0.1 0.2 1.0 1.1 1.2" \
			"each socket hears its own: $kind, $own"
		kill $serving
		wait $serving 2>/dev/null || :
	done
done
