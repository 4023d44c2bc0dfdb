#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ICMP errors pass when they speak about a live state, in both families, and not otherwise. The rule sets here say
# nothing about ICMP errors.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms

# A host with the firewall learns what happened to its packets.
firewall=client
commit_rules <<'RULES'
	allow { "ping", dir = "out", icmp = "echo-request", state = true },
	allow { "dns", dir = "out", proto = "udp", dport = 5300, state = true },
	allow { "forgetful", dir = "out", proto = "udp", dport = 5301, state = false },
RULES
hears() { in_ns client dig +tries=1 +timeout=5 "@$1" -p "$2" www.example 2>&1; }
ip -n router link set wan0 mtu 1300
for server in 10.0.2.2 fd00:2::2; do
	like "$(hears $server 5300)" "connection refused" "a closed UDP port is heard of: $server"
	like "$(hears $server 5301)" "timed out" "not so without a state: $server"
	like "$(in_ns client ping -c 1 -W "$(patience 5)" -t 1 $server 2>&1)" "(Time to live exceeded|Hop limit)" "the time to live has run out: $server"
	like "$(in_ns client ping -c 1 -W "$(patience 5)" -M "do" -s 1400 $server 2>&1)" "[Mm]tu ?[=:] ?1300|mtu=1300" "a packet too big is heard of: $server"
done
ip -n router link set wan0 mtu 1500

# A router lets errors about its connections pass, from any hop, to the one who has sent the packet, and no others.
firewall=router
commit_rules <<'RULES'
	allow { "web", dir = "forward", iif = "lan0", proto = "tcp", dport = 80, state = true },
	allow { "dns", dir = "forward", iif = "lan0", proto = "udp", dport = 53, state = true },
	allow { "ping", dir = "forward", iif = "lan0", icmp = "echo-request", state = true },
RULES
is "$(wire <<'PACKETS'
# Three connections in each family, opened by 9.1.
> tcp 10.9.0.1 4001 10.8.0.1 80 S seq=1000
< tcp 10.8.0.1 80 10.9.0.1 4001 SA seq=5000 ack=1001
> tcp 10.9.0.1 4001 10.8.0.1 80 A seq=1001 ack=5001
> udp 10.9.0.1 4001 10.8.0.1 53 len=9
> icmp 10.9.0.1 10.8.0.1 8/0 id=77 seq=1
> tcp fd00:9::1 4001 fd00:8::1 80 S seq=1000
< tcp fd00:8::1 80 fd00:9::1 4001 SA seq=5000 ack=1001
> tcp fd00:9::1 4001 fd00:8::1 80 A seq=1001 ack=5001
> udp fd00:9::1 4001 fd00:8::1 53 len=9
> icmp fd00:9::1 fd00:8::1 128/0 id=77 seq=1
PACKETS
)" "pass, pass, pass, pass, pass, pass, pass, pass, pass, pass" "connections are there"
before=$(fw 'print(fw.stats().states)')
is "$(wire <<'PACKETS'
< icmp 10.8.0.9 10.9.0.1 3/4 mtu=1200 about tcp 10.9.0.1 4001 10.8.0.1 80 A seq=1001
< icmp 10.8.0.1 10.9.0.1 3/3 about udp 10.9.0.1 4001 10.8.0.1 53 len=9
< icmp 10.8.0.9 10.9.0.1 11/0 about icmp 10.9.0.1 10.8.0.1 8/0 id=77 seq=1
< icmp fd00:8::9 fd00:9::1 2/0 mtu=1280 about tcp fd00:9::1 4001 fd00:8::1 80 A seq=1001
< icmp fd00:8::1 fd00:9::1 1/4 about udp fd00:9::1 4001 fd00:8::1 53 len=9
< icmp fd00:8::9 fd00:9::1 3/0 about icmp fd00:9::1 fd00:8::1 128/0 id=77 seq=1
> icmp 10.9.0.9 10.8.0.1 3/4 mtu=1200 about tcp 10.8.0.1 80 10.9.0.1 4001 SA seq=5000
PACKETS
)" "pass, pass, pass, pass, pass, pass, pass" "errors about them pass, either way, from any hop"
is "$(wire <<'PACKETS'
# Another port, another identifier, another protocol.
< icmp 10.8.0.9 10.9.0.1 3/4 mtu=1200 about tcp 10.9.0.1 4002 10.8.0.1 80 A seq=1001
< icmp 10.8.0.1 10.9.0.1 3/3 about udp 10.9.0.1 4001 10.8.0.1 54 len=9
< icmp 10.8.0.9 10.9.0.1 11/0 about icmp 10.9.0.1 10.8.0.1 8/0 id=78 seq=1
< icmp fd00:8::1 fd00:9::1 1/4 about udp fd00:9::1 4001 fd00:8::2 53 len=9
< icmp fd00:8::9 fd00:9::1 2/0 mtu=1280 about udp fd00:9::1 4001 fd00:8::1 80 len=9
# About a packet that its receiver has not sent.
< icmp 10.8.0.1 10.9.0.1 3/3 about udp 10.8.0.1 53 10.9.0.1 4001 len=9
< icmp fd00:8::1 fd00:9::2 1/4 about udp fd00:9::1 4001 fd00:8::1 53 len=9
# A sequence number that the connection is nowhere near.
< icmp 10.8.0.9 10.9.0.1 3/4 mtu=1200 about tcp 10.9.0.1 4001 10.8.0.1 80 A seq=900000000
# A wrong checksum.
< icmp 10.8.0.1 10.9.0.1 3/3 bad about udp 10.9.0.1 4001 10.8.0.1 53 len=9
< icmp fd00:8::1 fd00:9::1 1/4 bad about udp fd00:9::1 4001 fd00:8::1 53 len=9
# Replies that nobody asked for.
< icmp 10.8.0.1 10.9.0.1 0/0 id=78 seq=1
< icmp fd00:8::1 fd00:9::1 129/0 id=78 seq=1
# No error, no query: nothing lets it pass.
< icmp 10.8.0.1 10.9.0.1 5/1
PACKETS
)" "drop, drop, drop, drop, drop, drop, drop, drop, drop, drop, drop, drop, drop" "errors about nothing that lives do not"
is "$(fw 'print(fw.stats().states)')" "$before" "none of them made or ended a state"
is "$(row 'family = 4, proto = "tcp"' s.state)" "ESTABLISHED" "nor changed one"

# The answer to a ping passes once it was asked for.
is "$(wire <<'PACKETS'
< icmp 10.8.0.1 10.9.0.1 0/0 id=77 seq=1
< icmp fd00:8::1 fd00:9::1 129/0 id=77 seq=1
PACKETS
)" "pass, pass" "replies that were asked for pass"
