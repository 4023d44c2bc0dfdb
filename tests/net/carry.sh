#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian debian13 uml-debug
#
# One stateful rule, and none for the replies, carries a whole connection through a router: TCP, UDP and ping, in
# both families. What no rule allows does not pass, what a rule rejects is answered at once.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms

mkdir "$lab_tmp/files"
head -c 5000000 /dev/urandom >"$lab_tmp/files/big"
echo "ipfi lab" >"$lab_tmp/files/index.html"
sum=$(sha256sum <"$lab_tmp/files/big")
for port in 80 81 25; do serve_web server $port "$lab_tmp/files"; done
serve_web client 80
serve_dns server www.example/192.0.2.7
serve_echo server udp 7777
ask() { in_ns client dig +short +tries=3 +timeout=10 "@$1" www.example A 2>/dev/null; }
is "$(page client 'http://[fd00:2::2]:81/')" "ipfi lab" "without rules everything passes: port 81"
is "$(page server http://10.0.1.2/)" "ipfi lab" "without rules everything passes: to the client"

commit_rules <<'RULES'
	allow { "web", dir = "forward", iif = "lan0", oif = "wan0", proto = "tcp", dport = 80, state = true },
	allow { "dns", dir = "forward", iif = "lan0", proto = "udp", dport = "domain", state = true },
	allow { "ping", dir = "forward", iif = "lan0", icmp = "echo-request", state = true },
	allow { "echo", dir = "forward", iif = "lan0", proto = "udp", dport = 7777, state = true },
	reject { "mail", dir = "forward", proto = "tcp", dport = 25 },
	reject { "ntp", dir = "forward", proto = "udp", dport = 123 },
	reject { "pong", dir = "forward", icmp = "timestamp-request" },
RULES
for server in 10.0.2.2 '[fd00:2::2]'; do
	is "$(page client "http://$server/big" --max-time "$(patience 60)" | sha256sum)" "$sum" "5 MB over TCP from $server"
done
for server in 10.0.2.2 fd00:2::2; do
	is "$(ask $server)" 192.0.2.7 "a DNS answer from $server"
	runs "pings of $server" in_ns client ping -q -c 3 -i 0.2 -W "$(patience 5)" $server
	runs "pings of $server in fragments" in_ns client ping -q -c 2 -i 0.2 -W "$(patience 5)" -s 4000 $server
done
head -c 8000 "$lab_tmp/files/big" >"$lab_tmp/datagram"
for server in 10.0.2.2 '[fd00:2::2]'; do
	# A datagram may get lost where the machine is busy; one of three must not.
	for _ in 1 2 3; do
		in_ns client socat -b 9000 -t 5 -T 5 "UDP:$server:7777" - <"$lab_tmp/datagram" >"$lab_tmp/back" 2>/dev/null
		if cmp -s "$lab_tmp/datagram" "$lab_tmp/back"; then break; fi
	done
	runs "8000 bytes there and back in fragments: $server" cmp "$lab_tmp/datagram" "$lab_tmp/back"
done
holds "the rule for TCP was asked once a connection" "$(hits web) == 2"

# What no rule allows.
for server in 10.0.2.2 '[fd00:2::2]'; do
	is "$(page client "http://$server:81/" --max-time "$(patience 2)")" "curl 28" "another port is denied in silence: $server"
done
for client in 10.0.1.2 '[fd00:1::2]'; do
	is "$(page server "http://$client/" --max-time "$(patience 2)")" "curl 28" "a connection the other way is denied: $client"
done
fails "pings the other way are denied" in_ns server ping -q -c 1 -W 1 fd00:1::2
fails "what is for the router itself is denied" in_ns client ping -q -c 1 -W 1 10.0.1.1
holds "denials are counted" "$(counter default-deny) >= 6"

# What a rule rejects.
start=$SECONDS
for server in 10.0.2.2 '[fd00:2::2]'; do
	is "$(page client "http://$server:25/" --max-time "$(patience 20)")" "curl 7" "TCP is refused at once: $server"
done
in_time "within seconds" $((SECONDS - start)) "$(slow 10 20)"
is "$(wire <<'RULES'
> tcp 10.9.0.1 4001 10.8.0.1 25 S seq=1
> tcp fd00:9::1 4001 fd00:8::1 25 S seq=1
> udp 10.9.0.1 4001 10.8.0.1 123 len=20
> udp fd00:9::1 4001 fd00:8::1 123 len=20
> icmp 10.9.0.1 10.8.0.1 13/0 id=1
> udp 10.9.0.1 4001 10.8.0.1 124 len=20
> tcp fd00:9::1 4001 fd00:8::1 26 S seq=1
RULES
)" "drop reset, drop reset, drop icmp 3/13, drop icmp 1/1, drop icmp 3/13, drop, drop" "a reset for TCP, administratively prohibited for others, nothing for what is denied"

# Fragments are judged as the packets they make: the rule looks at ports that only the first one has.
in_ns client socat -b 9000 -u - UDP:10.0.2.2:7778 <"$lab_tmp/datagram"
is "$(fw 'print(fw.states{dport = 7778}:count())')" 0 "a denied datagram in fragments makes no state"
