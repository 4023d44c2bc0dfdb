#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lists "in" and "out" of a host: what it asks for and what it serves, loopback, local rejection, neighbour
# discovery, the owner of a socket.
. "$IPFI_TOP/tests/net/support/firewall.sh"
firewall=host-a
load_ipfi || exit
topo_pair || exit
serve_web host-a 80
serve_web host-a 81
serve_web host-b 80
serve_web host-b 81
serve_dns host-b www.example/192.0.2.7
serve_echo host-b udp 7777
page_of_b() { page host-a "http://$1/" --max-time "$(patience 3)" "${@:2}"; }
page_of_a() { page host-b "http://$1/" --max-time "$(patience 3)" "${@:2}"; }

commit_rules <<'RULES'
	allow { "served", dir = "in", proto = "tcp", dport = 80, state = true },
	allow { "used", dir = "out", proto = "tcp", dport = 80, state = true },
	allow { "dns", dir = "out", proto = "udp", dport = "domain", state = true },
	allow { "ping", dir = "out", icmp = "echo-request", state = true },
RULES
for family in '10.0.0.2 10.0.0.1 10.0.0.2 127.0.0.1' 'fd00::2 [fd00::1] [fd00::2] ::1'; do
	read -r b url_a url_b loopback <<<"$family"
	is "$(page_of_a "$url_a")" "ipfi lab" "what it serves: $url_a"
	is "$(page_of_b "$url_b")" "ipfi lab" "what it uses: $url_b"
	is "$(in_ns host-a dig +short +tries=3 +timeout=10 "@$b" www.example A)" 192.0.2.7 "the DNS server it asks: $b"
	runs "what it pings: $b" in_ns host-a ping -q -c 2 -i 0.2 -W "$(patience 5)" "$b"
	is "$(page_of_a "$url_a:81")" "curl 28" "what it does not serve: $url_a"
	is "$(page_of_b "$url_b:81")" "curl 28" "what it must not use: $url_b"
	fails "who pings it: from $b" in_ns host-b ping -q -c 1 -W 1 "${url_a//[\[\]]/}"
	# No rule is about loopback, and the list "in" does not allow pings.
	fails "loopback asks the rules: $loopback" in_ns host-a ping -q -c 1 -W 1 "$loopback"
	is "$(page_of_b "${url_a/10.0.0.1/127.0.0.1}")" "ipfi lab" "one's own server, allowed in and out: $url_a"
done

# Loopback has both ends here, and one state.
commit_rules --states=flush <<'RULES'
	allow { "loopback", iif = "lo", state = true },
RULES
is "$(page_of_b 127.0.0.1:81)" "ipfi lab" "TCP over loopback"
is "$(page_of_b '[::1]:81')" "ipfi lab" "TCP over loopback, IPv6"
runs "pings over loopback" in_ns host-a ping -q -c 2 -i 0.2 -W "$(patience 5)" ::1
is "$(row 'proto = "icmp"' s.packets s.reply_packets s.iif s.oif s.rule)" none "no IPv4 ping was sent"
is "$(row 'proto = "icmpv6"' s.packets s.reply_packets s.rule)" "2 2 loopback" "each packet over loopback is counted once"
is "$(page_of_b 10.0.0.2)" "curl 28" "loopback alone"
commit_rules <<'RULES'
	allow { "loopback", iif = "lo" },
RULES
is "$(page_of_b 127.0.0.1:81)" "ipfi lab" "loopback without states"

# Rejected on the way out, the caller hears it at once; on the way in, the peer does.
commit_rules <<'RULES'
	reject { "no web", dir = "out", proto = "tcp", dport = 80 },
	reject { "no echo", dir = "out", proto = "udp", dport = 7777 },
	reject { "no service", dir = "in", proto = "tcp", dport = 81 },
	reject { "no names", dir = "in", proto = "udp", dport = 5300 },
	deny { "silence", dir = "out", proto = "udp", dport = 7778 },
RULES
start=$SECONDS
is "$(page_of_b 10.0.0.2 --max-time "$(patience 30)")" "curl 7" "connect() is refused"
is "$(page_of_b '[fd00::2]' --max-time "$(patience 30)")" "curl 7" "connect() is refused, IPv6"
is "$(page_of_a 10.0.0.1:81 --max-time "$(patience 30)")" "curl 7" "the peer is refused"
is "$(page_of_a '[fd00::1]:81' --max-time "$(patience 30)")" "curl 7" "the peer is refused, IPv6"
in_time "at once" $((SECONDS - start)) "$(slow 15 30)"
for server in 10.0.0.2 '[fd00::2]'; do
	like "$(echo x | in_ns host-a socat -t 10 - "UDP:$server:7777" 2>&1)" "not permitted|[Rr]efused|prohibited|denied" "send() is refused: $server"
done
for server in 10.0.0.1 fd00::1; do
	like "$(in_ns host-b dig +tries=1 +timeout=10 "@$server" -p 5300 www.example 2>&1)" "host unreachable|permission denied|refused|unreachable" "UDP to it is refused: $server"
done

# Neighbour discovery needs no rule, and a rule can deny it.
forget() {
	ip -n host-a neigh flush all
	ip -n host-b neigh flush all
}
commit_rules <<<'allow { "ping", dir = "out", icmp = "echo-request", state = true },'
forget
runs "IPv6 neighbours are found under default deny" in_ns host-a ping -q -c 1 -W "$(patience 5)" fd00::2
holds "and counted" "$(fw 'print(fw.stats().passes.neighbour)') >= 2"
commit_rules <<'RULES'
	deny { "no neighbours", icmp = { "neighbour-solicitation", "neighbour-advertisement" } },
	allow { "ping", dir = "out", icmp = "echo-request", state = true },
RULES
forget
fails "unless a rule denies it" in_ns host-a ping -q -c 1 -W 2 fd00::2
holds "that rule" "$(hits 'no neighbours') > 0"

# The owner of the socket.
commit_rules <<'RULES'
	allow { "nobody's", dir = "out", proto = "tcp", dport = 80, user = "nobody", state = true },
RULES
forget
nobody=(setpriv --reuid nobody --clear-groups)
is "$(in_ns host-a "${nobody[@]}" curl -s --max-time "$(patience 20)" http://10.0.0.2/ 2>&1)" "ipfi lab" "the user of the rule"
is "$(page_of_b 10.0.0.2)" "curl 28" "another user"
