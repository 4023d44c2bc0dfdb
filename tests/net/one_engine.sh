#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# One engine: random policies and packets go through the kernel and through the engine that is built into the program.
# Explanations, verdicts, what comes out, states and counters must be the same. tests/one-engine is the long run.
. "$IPFI_TOP/tests/net/support/firewall.sh"
firewall=one
log_backends
quietly modprobe -a tun nft_log
load_ipfi || exit
need nft
space one || exit
tool gate || exit
mkfifo "$lab_tmp/to" "$lab_tmp/from"
exec 8<>"$lab_tmp/to" 9<>"$lab_tmp/from"
in_ns one "$tools/gate" lan0 dmz0 wan0 <"$lab_tmp/to" >"$lab_tmp/from" &
gate=$!
read -r -t 10 -u 9 ready
is "$ready" ready "the gate stands"

# What is for this machine goes to the gate, and no further: nobody here answers. Nothing of the kernel's own goes out.
in_ns one nft -f - <<'NFT' || exit
table inet gate {
	chain input {
		type filter hook input priority 1000; policy drop;
		log group 9
	}
	chain output {
		type filter hook output priority -1000;
		icmpv6 type mld2-listener-report drop
	}
}
NFT
in_ns one sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.default.rp_filter=0 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
	net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 net.ipv4.conf.all.route_localnet=1
while read -r device four six; do
	in_ns one sysctl -qw "net.ipv4.conf.$device.rp_filter=0" "net.ipv4.conf.$device.send_redirects=0" \
		"net.ipv6.conf.$device.addr_gen_mode=1" "net.ipv6.conf.$device.accept_ra=0" "net.ipv6.conf.$device.mldv1_unsolicited_report_interval=1"
	ip -n one link set "$device" multicast off up
	ip -n one address add "$four" dev "$device"
	ip -n one address add "$six" dev "$device" nodad
done <<'DEVICES'
lan0 10.0.0.1/24 fd00:1::1/64
dmz0 10.1.0.1/24 fd00:2::1/64
wan0 203.0.113.1/24 2001:db8:f::1/64
DEVICES
ip -n one route add default dev wan0
ip -n one -6 route add default dev wan0
sleep 1

in_ns one "$IPFI" tests/net/one_engine/run.lua to="$lab_tmp/to" from="$lab_tmp/from" \
	policies=30 packets=60 "$@"
status=$?
[ $status -eq 0 ] || not_ok "one engine" "see above"
kill "$gate"
wait "$gate" 2>/dev/null
exit $((failures > 0))
