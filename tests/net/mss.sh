#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The maximum segment size of connections that pass: never larger than a rule says, or than the path's MTU allows, and
# never made larger. So a transfer works where the errors that tell of a narrow path are lost.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need tcpdump
load_ipfi || exit
topo_router || exit
serve_echo server tcp 7

# sizes ADDRESS: the sizes in the SYN that reaches the server and in the SYN+ACK that reaches the client.
sizes() {
	local space pids=()
	for space in client server; do
		ip netns exec $space tcpdump -nlU -c 2 -i eth0 'tcp port 7 and ((ip and tcp[tcpflags] & tcp-syn != 0) or (ip6 and ip6[53] & 2 != 0))' \
			>"$lab_tmp/$space" 2>"$lab_tmp/$space.error" &
		pids+=($!)
	done
	for space in client server; do wait_for 10 grep -q listening "$lab_tmp/$space.error"; done
	echo hello | in_ns client socat -t 20 - "TCP:$1:7,connect-timeout=$(patience 20)" >/dev/null
	wait "${pids[@]}"
	echo "$(grep -F 'Flags [S]' "$lab_tmp/server" | sed -E 's/.*mss ([0-9]+).*/\1/') $(grep -F 'Flags [S.]' "$lab_tmp/client" | sed -E 's/.*mss ([0-9]+).*/\1/')"
}
policy() { commit <<<"return policy { name = \"mss\", nat = { ${2-} }, rules = { allow { \"tcp\", dir = \"forward\", proto = \"tcp\", state = true, $1 }, allow { \"rest\", state = true } } }"; }

runs "no size" policy ''
is "$(sizes 10.0.2.2), $(sizes '[fd00:2::2]')" "1460 1460, 1440 1440" "untouched where no rule says so"
runs "mss = 1200" policy 'mss = 1200'
is "$(sizes 10.0.2.2), $(sizes '[fd00:2::2]')" "1200 1200, 1200 1200" "a number, both ways, both families"
runs "mss = 9000" policy 'mss = 9000'
is "$(sizes 10.0.2.2)" "1460 1460" "a larger number makes nothing larger"
ip -n router link set wan0 mtu 1400
ip -n server link set eth0 mtu 1400
runs "mss = pmtu" policy 'mss = "pmtu"'
is "$(sizes 10.0.2.2), $(sizes '[fd00:2::2]')" "1360 1360, 1340 1340" "the path's MTU less the headers"
runs "mss = pmtu behind masquerade" policy 'mss = "pmtu"' 'masquerade { "out", oif = "wan0" }'
is "$(sizes 10.0.2.2), $(sizes '[fd00:2::2]')" "1360 1360, 1340 1340" "through NAT too"

# A hole on the path: whoever sends too much never hears of it.
ip -n server link set eth0 mtu 1500
in_ns router nft 'add table inet hole; add chain inet hole out { type filter hook output priority 0; }; add rule inet hole out icmp type destination-unreachable drop; add rule inet hole out icmpv6 type packet-too-big drop'
in_ns server setsid -f socat -t 60 TCP6-LISTEN:5000,fork,reuseaddr,ipv6only=0 SYSTEM:'wc -c'
wait_for 10 listening server tcp 5000
upload() { head -c 200000 /dev/zero | timeout 60 ip netns exec client socat -t 30 - "TCP:$1:5000"; }
is "$(upload 10.0.2.2) $(upload '[fd00:2::2]')" "200000 200000" "an upload over a path that swallows errors"
