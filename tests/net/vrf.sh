#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# VRFs: two networks of one router with the same addresses. Each packet passes the kernel's hooks for the VRF and for its
# own interface; it is evaluated, translated and counted once, and the two networks never meet.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3 socat
modprobe vrf || { skip vrf "no module vrf" && exit; }
load_ipfi || exit
space router
in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
number=10
for vrf in blue red; do
	number=$((number + 1))
	space c-$vrf s-$vrf
	ip -n router link add $vrf up type vrf table $number
	link c-$vrf eth0 10.0.1.2/24 fd00:1::2/64 -- router $vrf-in
	link router $vrf-out -- s-$vrf eth0 10.0.2.2/24 fd00:2::2/64
	for side in in out; do ip -n router link set $vrf-$side master $vrf; done
	lab_addresses $vrf-in 10.0.1.1/24 fd00:1::1/64 | ip -n router -batch -
	lab_addresses $vrf-out 10.0.2.1/24 fd00:2::1/64 | ip -n router -batch -
	printf 'route add default via %s\n' 10.0.1.1 fd00:1::1 | ip -n c-$vrf -batch -
	# What is not translated is not answered.
	in_ns s-$vrf setsid -f "$whoami" serve 80 >/dev/null 2>&1
	wait_for 10 listening s-$vrf tcp 80
done
commit <<'LUA'
return policy { name = "vrf", nat = {
	masquerade { "blue out", oif = "blue-out" }, masquerade { "red out", oif = "red-out" },
	dnat { "blue www", iif = "blue", proto = { "tcp", "udp" }, dst = "me", dport = 8080, to = { "10.0.2.2", "fd00:2::2" }, to_port = 80 },
	dnat { "own", proto = "udp", dport = 8081, to = { "10.0.2.2", "fd00:2::2" }, to_port = 80 },
}, rules = {
	allow { "through", dir = "forward", proto = { "tcp", "udp" }, state = true },
	allow { "sent", dir = "out", oif = "blue", proto = "udp", state = true },
	allow { "received", dir = "in", iif = "blue", proto = "udp", dst = "me", dport = 99, state = true },
	allow { "ping", proto = { "icmp", "icmpv6" }, state = true },
} }
LUA
is $? 0 "commit"
hits() { fw "local r = fw.running() for _, l in ipairs{r.rules, r.nat} do for _, x in ipairs(l) do if x.name == '$1' then print(x.packets) end end end"; }
counted() { fw "print(fw.stats().passes.state)"; }

for vrf in blue red; do
	is "$(ask c-$vrf tcp,10.0.2.2,80,5000 udp,10.0.2.2,80,5000 tcp,fd00:2::2,80,5000 udp,fd00:2::2,80,5000)" \
		"10.0.2.1 5000, 10.0.2.1 5000, fd00:2::1 5000, fd00:2::1 5000" "masquerade in $vrf, each with its port"
	for family in 4 6; do
		is "$(row "proto = 'udp', family = $family, vrf = '$vrf'" s.packets s.reply_packets s.iif s.oif s.vrf)" \
			"1 1 $vrf-in $vrf-out $vrf" "counted once, IPv$family in $vrf"
	done
	is "$(hits "$vrf out")" 4 "its NAT rule too"
done
is "$(hits through)" 8 "and the filter rule"
# A request that a rule allows and an answer that belongs to its state, whatever neighbours say to each other meanwhile.
before=$(counted)
is "$(ask c-blue udp,10.0.2.2,80,5100)" "10.0.2.1 5100" "one more"
is $(($(counted) - before)) 1 "its answer counted once"
is "$(hits through)" 9 "and its request"

is "$(ask c-blue tcp,10.0.1.1,8080,5001 udp,10.0.1.1,8080,5001 tcp,fd00:1::1,8080,5001 udp,fd00:1::1,8080,5001)" \
	"10.0.2.1 5001, 10.0.2.1 5001, fd00:2::1 5001, fd00:2::1 5001" "dnat by a rule for the VRF"
is "$(row 'proto = "udp", family = 4, sport = 5001' s.packets s.reply_packets s.nat_dst s.vrf)" "1 1 10.0.2.2 blue" "counted once"
is "$(hits 'blue www')" 4 "by its rule as well"
WAIT=1 ask c-red udp,10.0.1.1,8080,5001 >/dev/null
is "$(hits 'blue www')" 4 "not in the other VRF"

# What this machine sends in a VRF.
# sent SPEC ANSWER NAME: what comes back begins with that.
sent() {
	is "$(echo "from here" | answer ${#2} ip netns exec router socat -t 20 - "$1,so-bindtodevice=blue")" "$2" "$3"
}
before=$(counted)
sent UDP4:10.0.2.2:80,sourceport=5002 "10.0.2.1 5002" "sent from here"
sent 'UDP6:[fd00:2::2]:80,sourceport=5002' "fd00:2::1 5002" "sent from here, IPv6"
is "$(row 'sport = 5002, family = 4' s.packets s.reply_packets s.oif s.vrf)" "1 1 blue-out blue" "counted once"
is "$(row 'sport = 5002, family = 6' s.packets s.reply_packets s.oif s.vrf)" "1 1 blue-out blue" "counted once, IPv6"
is $(($(counted) - before)) 2 "the answers too"
sent UDP4:10.0.2.9:8081,sourceport=5003 "10.0.2.1 5003" "its destination translated"
is "$(row 'sport = 5003' s.packets s.reply_packets s.nat_dst)" "1 1 10.0.2.2" "counted once"

# What it receives.
in_ns router setsid -f socat UDP6-RECVFROM:99,so-bindtodevice=blue,fork PIPE
wait_for 10 listening router udp 99
for end in UDP4:10.0.1.1 'UDP6:[fd00:1::1]'; do
	text="to $end"
	is "$(echo "$text" | answer ${#text} ip netns exec c-blue socat -t 20 - "$end:99,sourceport=5004")" "$text" "received: $end"
done
for family in 4 6; do
	is "$(row "sport = 5004, family = $family" s.packets s.reply_packets s.iif s.vrf)" "1 1 blue-in blue" "counted once, IPv$family"
done
sent UDP4:10.0.1.1:99,sourceport=5005 "from here" "to itself"
is "$(row 'sport = 5005' s.packets s.reply_packets s.vrf)" "1 1 blue" "counted once"
runs "ping" can_ping c-blue 10.0.1.1
runs "ping through" can_ping c-red 10.0.2.2

# Routes between a VRF and the rest: to its interface, and to the VRF's own.
space other
link router other 10.0.5.1/24 -- other eth0 10.0.5.2/24
ip -n other route add default via 10.0.5.1
ip -n router route add 10.0.1.0/24 dev blue
ip -n router route add 10.0.5.0/24 dev other vrf blue
in_ns other setsid -f "$whoami" serve 80 >/dev/null 2>&1
in_ns c-blue setsid -f "$whoami" serve 81 >/dev/null 2>&1
wait_for 10 listening other tcp 80
wait_for 10 listening c-blue tcp 81
before=$(hits sent)
is "$(ask c-blue tcp,10.0.5.2,80,5006 udp,10.0.5.2,80,5006)" "10.0.1.2 5006, 10.0.1.2 5006" "out of a VRF"
is "$(row 'proto = "udp", sport = 5006' s.packets s.reply_packets s.vrf s.dst_vrf)" "1 1 blue " "counted once"
is "$(row 'proto = "tcp", sport = 5006' s.vrf 's.reply_packets > 2')" "blue true" "a connection of TCP goes on"
is "$(ask other tcp,10.0.1.2,81,5007 udp,10.0.1.2,81,5007)" "10.0.5.2 5007, 10.0.5.2 5007" "into a VRF"
is "$(row 'proto = "udp", sport = 5007' s.packets s.reply_packets "s.vrf or 0" s.dst_vrf)" "1 1 0 blue" "counted once"
is "$(hits sent)" "$before" "what is forwarded to a VRF is not sent from here"

is "$(fw "local x = fw.explain { dir = 'forward', iif = 'blue-in', src = '10.0.1.9', dst = '10.0.2.2', proto = 'udp', sport = 9, dport = 80 }
	print(x.verdict, x.rule, x.nat and x.nat.src)")" "$(printf 'allow\tthrough\t10.0.2.1')" "explained"
holds "states of red" "$(count_states 'vrf = "red"') > 0"
ip -n router link del red
gone() { fw "for s in fw.states():each() do if (s.oif or s.iif or ''):find '^red' or s.vrf == 'red' then os.exit(1) end end"; }
wait_for 10 gone
runs "go with their VRF" gone
holds "others stay" "$(count_states 'vrf = "blue"') > 0"
