#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian uml-debug
#
# Real sockets of SCTP, DCCP and UDP-Lite through translation: published under another port, redirected, hidden behind one
# address, in both families. No device makes checksums, so each end verifies what the firewall has left.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3 ethtool
load_ipfi || exit
topo_router || exit
transports=$IPFI_TOP/tests/net/support/transports.py
for space in client server; do in_ns $space ethtool -K eth0 tx off >/dev/null 2>&1; done
for device in lan0 wan0; do in_ns router ethtool -K $device tx off >/dev/null 2>&1; done
ip -n client address add 10.0.1.3/24 dev eth0
ip -n client address add fd00:1::3/64 dev eth0 nodad
# asks PROTO ADDRESS PORT SOURCE SPORT: whom the server saw.
asks() { in_ns client "$transports" ask "$@"; }
rejected() { # SPACE: checksums of SCTP that it found wrong
	awk '$1 == "SctpChecksumErrors" { n = $2 } END { print n + 0 }' <(in_ns "$1" cat /proc/net/sctp/snmp 2>/dev/null)
}

tried=0
for proto in sctp dccp udplite; do
	quietly modprobe $proto
	quietly modprobe ${proto}_ipv6
	if ! "$transports" have $proto 2>/dev/null; then
		skip "$proto" "this kernel has no such sockets"
		continue
	fi
	tried=$((tried + 1))
	: >"$lab_tmp/ready"
	for end in 'server 10.0.2.2 2906' 'server fd00:2::2 2906' 'router 10.0.1.1 2907' 'router fd00:1::1 2907'; do
		read -r space address port <<<"$end"
		in_ns "$space" setsid -f "$transports" serve $proto "$address" "$port" >>"$lab_tmp/ready" 2>&1
	done
	wait_for 20 eval '[ "$(grep -c ready "$lab_tmp/ready")" -eq 4 ]' || not_ok "$proto: servers" "$(<"$lab_tmp/ready")"
	commit --states=flush <<-POLICY
		return policy { name = "transports", nat = {
			dnat { "published", iif = "lan0", dst = { "10.0.1.1", "fd00:1::1" }, proto = "$proto", dport = 2905,
				to = { "10.0.2.2", "fd00:2::2" }, to_port = 2906 },
			redirect { "here", iif = "lan0", dst = { "10.0.1.1", "fd00:1::1" }, proto = "$proto", dport = 2908, to_port = 2907 },
			masquerade { "hidden", oif = "wan0", proto = "$proto", src = { "10.0.1.0/24", "fd00:1::/64" }, dst = "10.0.2.2",
				iif = "lan0", to_port = "40000-40001" },
		}, rules = { allow { "all", state = true } } }
	POLICY
	is "$(asks $proto 10.0.1.1 2908 10.0.1.2 5000)" "10.0.1.2 5000" "$proto: redirected to another port"
	is "$(asks $proto fd00:1::1 2908 fd00:1::2 5000)" "fd00:1::2 5000" "$proto: redirected to another port, IPv6"
	is "$(asks $proto fd00:1::1 2905 fd00:1::2 5001)" "fd00:1::2 5001" "$proto: published under another port, IPv6"
	is "$(row "proto = '$proto', family = 6, sport = 5001" s.dport s.nat_dst s.nat_dport)" "2905 fd00:2::2 2906" \
		"$proto: its state says so"
	like "$(asks $proto 10.0.1.1 2905 10.0.1.2 5002)" '^10\.0\.2\.1 4000[01]$' "$proto: both ends translated, ports too"
	like "$(asks $proto 10.0.1.1 2905 10.0.1.3 5002)" '^10\.0\.2\.1 4000[01]$' "$proto: another client with the same port"
	is "$(WAIT=2 asks $proto 10.0.1.1 2905 10.0.1.3 5003)" nothing "$proto: a third one finds both ports taken"
done
holds "some of them were tried" "tried > 0"
is "$(rejected client) $(rejected server) $(rejected router)" "0 0 0" "no checksum of SCTP was wrong"
