#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ICMP through a translation, both ways and in both families: errors come back as answers to what was sent, with the
# quoted packet as its sender knows it; a route can be traced, and the path's MTU is found.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need traceroute python3 ethtool
load_ipfi || exit
# client -- router -- middle -- server: behind the router the path is longer, and at its end narrower.
space client router middle server &&
	link client eth0 10.0.1.2/24 fd00:1::2/64 -- router lan0 10.0.1.1/24 fd00:1::1/64 &&
	link router wan0 10.0.2.1/24 fd00:2::1/64 -- middle eth0 10.0.2.2/24 fd00:2::2/64 &&
	link middle eth1 10.0.3.1/24 fd00:3::1/64 -- server eth0 10.0.3.2/24 fd00:3::2/64 || exit
# Each probe of a traceroute is to be answered, by the routers and by the ends, which of themselves answer one a second
# after the first six, and no more than so many together.
for name in client router middle server; do
	in_ns $name sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000 \
		net.ipv6.icmp.ratelimit=0
done
for name in router middle; do in_ns $name sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
ip -n client route add default via 10.0.1.1 && ip -n client -6 route add default via fd00:1::1
ip -n router route add 10.0.3.0/24 via 10.0.2.2 && ip -n router -6 route add fd00:3::/64 via fd00:2::2
# Outside nobody knows of the inside.
ip -n server route add 10.0.2.0/24 via 10.0.3.1 && ip -n server -6 route add fd00:2::/64 via fd00:3::1
serve_web server 80
serve_web client 80
# Counts what it gets.
for name in client server; do
	in_ns $name setsid -f socat -t 60 TCP6-LISTEN:5000,fork,reuseaddr,ipv6only=0 SYSTEM:'wc -c'
	wait_for 10 listening $name tcp 5000
done
# Checksums as they are on the wire, so that what is quoted has whole ones.
for name in client router middle server; do
	for device in $(in_ns $name ls /sys/class/net); do in_ns $name ethtool -K "$device" tx off >/dev/null 2>&1; done
done

commit <<'POLICY'
return policy { name = "test",
	nat = {
		masquerade { "out", oif = "wan0" },
		dnat { "published", dst = "10.0.2.1", proto = { "tcp", "udp" }, dport = { 53, 80, 5000, "33434-33534" }, to = "10.0.1.2" },
		dnat { "published 6", dst = "fd00:2::1", proto = { "tcp", "udp" }, dport = { 53, 80, 5000, "33434-33534" }, to = "fd00:1::2" },
		dnat { "ping", iif = "wan0", icmp = "echo-request", dst = { "10.0.2.1", "fd00:2::1" }, to = { "10.0.1.2", "fd00:1::2" } },
	},
	rules = { allow { "all", state = true } },
}
POLICY

# hops SPACE ADDRESS OPTION...: the addresses that a traceroute meets, separated by blanks.
hops() {
	local space=$1 address=$2
	shift 2
	in_ns "$space" traceroute -n -q 1 -w 3 -m 8 "$@" "$address" 2>&1 | awk 'NR > 1 { printf "%s%s", (NR > 2 ? " " : ""), $2 }'
}
# By UDP to a port for each probe, by UDP to port 53 alone, by echo requests, by TCP to port 80: all are published.
out4="10.0.1.1 10.0.2.2 10.0.3.2" out6="fd00:1::1 fd00:2::2 fd00:3::2"
for how in -Mdefault -U -I -T; do
	is "$(hops client 10.0.3.2 $how)" "$out4" "traceroute $how from inside"
	is "$(hops client fd00:3::2 $how)" "$out6" "traceroute $how from inside, IPv6"
	# From outside the inside is one address, which answers from two hops.
	is "$(hops server 10.0.2.1 $how)" "10.0.3.1 10.0.2.1 10.0.2.1" "traceroute $how from outside to what is published"
	is "$(hops server fd00:2::1 $how)" "fd00:3::1 fd00:2::1 fd00:2::1" "traceroute $how from outside, IPv6"
done

# A closed port is heard of, with the address and the port that were asked.
unreached() { in_ns "$1" python3 - "$2" "$3" <<'EOF2'
import socket, sys
end = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
end.settimeout(20)
end.connect((sys.argv[1], int(sys.argv[2])))
end.send(b"anybody?")
try:
    end.recv(100)
except ConnectionRefusedError:
    print("refused")
except OSError as error:
    print(error)
EOF2
}
is "$(unreached client 10.0.3.2 5002)" "refused" "a closed port outside is heard of inside"
is "$(unreached client fd00:3::2 5002)" "refused" "the same in IPv6"
is "$(unreached server 10.0.2.1 33500)" "refused" "a closed port inside is heard of outside"
is "$(unreached server fd00:2::1 33500)" "refused" "the same in IPv6"

# What is quoted is what was sent, and all the checksums of it are right.
in_ns client tcpdump -vvni eth0 -c 1 'icmp[icmptype] = icmp-unreach' >"$lab_tmp/quoted" 2>"$lab_tmp/tcpdump" &
wait_for 20 grep -q 'listening on' "$lab_tmp/tcpdump"
is "$(unreached client 10.0.3.2 5001)" "refused" "one more, to be looked at"
wait_for 20 grep -q unreachable "$lab_tmp/quoted"
like "$(tr '\n' ' ' <"$lab_tmp/quoted")" "10.0.3.2 > 10.0.1.2: ICMP.*unreachable.*10.0.1.2.[0-9]+ > 10.0.3.2.5001: " "the quoted packet is the sender's"
unlike "$(<"$lab_tmp/quoted")" "(wrong|bad|incorrect)" "with right checksums"

# Neither the error nor another ended the mapping.
is "$(count_states 'dport = 5001')" 1 "an error ends no mapping"

# The path's MTU, smaller beyond the router: TCP and UDP find it through the translation.
ip -n middle link set eth1 mtu 1400 && ip -n server link set eth0 mtu 1400
for address in 10.0.3.2 fd00:3::2; do
	like "$(in_ns client ping -c 2 -W 3 -M "do" -s 1440 $address 2>&1)" "mtu ?= ?1400|too big: mtu=1400|Packet too big" "the path's MTU is told through snat: $address"
	like "$(in_ns client ip route get $address)" "mtu 1400" "and believed: $address"
done
ip -n client route flush cache
truncate -s 1M "$lab_tmp/upload"
upload() { in_ns "$1" socat -t 60 - "$2" <"$lab_tmp/upload"; }
is "$(upload client TCP:10.0.3.2:5000)" 1048576 "a megabyte gets through snat over the narrow path"
is "$(upload client 'TCP:[fd00:3::2]:5000')" 1048576 "the same in IPv6"
ip -n middle link set eth1 mtu 1500 && ip -n server link set eth0 mtu 1500

# And the other way: the narrow part is behind the published address.
ip -n client link set eth0 mtu 1300 && ip -n router link set lan0 mtu 1300
for address in 10.0.2.1 fd00:2::1; do
	like "$(in_ns server ping -c 2 -W 3 -M "do" -s 1440 $address 2>&1)" "mtu ?= ?1300|too big: mtu=1300|Packet too big" "the path's MTU is told through dnat: $address"
	like "$(in_ns server ip route get $address)" "mtu 1300" "and believed: $address"
done
is "$(upload server TCP:10.0.2.1:5000)" 1048576 "a megabyte gets through dnat over the narrow path"
is "$(upload server 'TCP:[fd00:2::1]:5000')" 1048576 "the same in IPv6"

# Fragments are put together, translated, and taken apart again.
for address in 10.0.3.2 fd00:3::2; do
	like "$(in_ns client ping -c 2 -W 3 -s 4000 $address 2>&1)" "2 received" "fragments through snat: $address"
done
for address in 10.0.2.1 fd00:2::1; do
	like "$(in_ns server ping -c 2 -W 3 -s 4000 $address 2>&1)" "2 received" "fragments through dnat: $address"
done
