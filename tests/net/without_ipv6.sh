#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kernel: ipv6.disable=1
#
# A machine without IPv6: none of its tables is there to be looked into. IPv6's hooks are not registered, questions
# about its packets are refused with the reason, IPv4 is as ever, and so is unloading.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3
load_ipfi || exit
fails "there is no IPv6" test -e /proc/net/if_inet6
space router client server
for side in client:10.0.1 server:10.0.2; do
	name=${side%%:*}
	ip link add "to-$name" netns router type veth peer name eth0 netns "$name"
	ip -n router addr add "${side#*:}.1/24" dev "to-$name"
	ip -n router link set "to-$name" up
	ip -n "$name" addr add "${side#*:}.2/24" dev eth0
	ip -n "$name" link set eth0 up
	ip -n "$name" route add default via "${side#*:}.1"
done
in_ns router sysctl -qw net.ipv4.ip_forward=1
firewall=router
runs "a commit with rules for both families" eval "commit <<'POLICY'
return policy { name = 'both', nat = { masquerade { 'out', oif = 'to-server' }, dnat { 'www', iif = 'to-client', dst = 'me', proto = 'tcp', dport = 80, to = '10.0.2.2' } },
	rules = {
		allow { 'ping', proto = { 'icmp', 'icmpv6' }, state = true },
		allow { 'me', dst = { 'me', '2001:db8::/32' }, state = true },
		allow { 'from me', src = 'me', state = true },
	} }
POLICY"
runs "IPv4 passes, translated" in_ns client ping -q -c 1 -W "$(patience 5)" 10.0.2.2
is "$(fw 'print(fw.explain{dir = "in", iif = "to-client", proto = "udp", src = "10.0.1.2", dst = "10.0.1.1", dport = 53}.rule)')" me "a question about IPv4"
for packet in \
	'dir = "in", iif = "to-client", proto = "udp", src = "2001:db8::2", dst = "2001:db8::1", dport = 53' \
	'dir = "out", oif = "to-client", proto = "tcp", src = "2001:db8::1", dst = "2001:db8::2", dport = 53' \
	'dir = "out", proto = "tcp", src = "2001:db8::1", dst = "2001:db8::2", dport = 53' \
	'dir = "forward", iif = "to-client", proto = "tcp", src = "2001:db8::1", dst = "2001:db8:1::2", dport = 80' \
	'dir = "in", iif = "lo", proto = "icmpv6", src = "::1", dst = "::1", icmp = "echo-request"'; do
	in_ns router "$IPFI" -e "fw.explain{$packet}" >"$lab_tmp/out" 2>&1
	is $? 4 "a question about IPv6 is refused: $packet"
	like "$(<"$lab_tmp/out")" "ipv6.disable=1" "with the reason"
done

# Packets of IPv6 that come by all the same, and over a bridge: the bridge hands them to netfilter's hooks where
# br_netfilter is there, and everywhere to those who look at them.
ip -n router link add br0 type bridge
ip -n router link set br0 up
ip -n router link set to-client master br0
modprobe -q br_netfilter
for family in ip ip6; do
	file=/proc/sys/net/bridge/bridge-nf-call-${family}tables
	[ ! -e $file ] || in_ns router bash -c "echo 1 >$file"
done
runs "IPv6 frames arrive" in_ns client python3 -c "
import socket
ends = bytes.fromhex('20010db8' + '00' * 11 + '02' + '20010db8' + '00' * 11 + '01')
frame = bytes.fromhex('ff' * 6 + '020000000001' + '86dd' + '60000000' + '00081140') + ends + bytes.fromhex('04d2003500080000')
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0x86dd))
for n in range(20): s.send(frame)"
ip -n router link set to-client nomaster
runs "and IPv4 goes on" in_ns client ping -q -c 1 -W "$(patience 5)" 10.0.2.2
runs "unloading" unload_ipfi
