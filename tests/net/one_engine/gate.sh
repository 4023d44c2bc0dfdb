# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# The kernel's side of one engine, for guest tests that have read tests/net/support/firewall.sh: the namespace "one"
# with the devices that sides.lua gives to a world, and tool/gate, which brings packets in by them and tells what
# comes out.
# shellcheck disable=SC2034  # for the tests
firewall=one
gate_to=$lab_tmp/to gate_from=$lab_tmp/from

# need_gate: ends the script as skipped where the kernel has not what the gate needs.
need_gate() {
	need nft
	log_backends
	quietly modprobe -a tun nft_log
	space probe || exit
	quietly in_ns probe nft -f - <<'NFT' && return
table inet probe {
	chain input {
		type filter hook input priority 1000;
		log group 9
	}
}
NFT
	skip "$(basename "$0" .sh)" "this kernel's nftables does not log"
	exit 0
}

# open_gate: makes all that. The pipes are $gate_to and $gate_from.
open_gate() {
	space one && tool gate || return
	mkfifo "$gate_to" "$gate_from"
	exec 8<>"$gate_to" 9<>"$gate_from"
	in_ns one "$tools/gate" lan0 dmz0 wan0 <"$gate_to" >"$gate_from" &
	gate=$!
	read -r -t 10 -u 9 ready
	is "$ready" ready "the gate stands"

	# What is for this machine goes to the gate, and no further: nobody here answers. Nothing of the kernel's own goes out.
	in_ns one nft -f - <<'NFT' || return
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
}

# close_gate: packets come in no more.
close_gate() {
	kill "$gate"
	wait "$gate" 2>/dev/null
}
