#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Destination NAT: published servers for each protocol and family, ranges, redirect, connections that this machine makes,
# hairpin, and what a commit does to live connections.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3 socat
load_ipfi || exit
topo_router || exit
# Seconds for an answer.
patience=$(patience "$(slow 3 8)")
for space in server router; do in_ns $space setsid -f "$whoami" serve 80 8080 >/dev/null 2>&1; done
wait_for 10 listening server tcp 8080
wait_for 10 listening router tcp 8080
for host in 3 4 5 6 7 8; do
	ip -n server address add 10.0.2.$host/24 dev eth0
	ip -n client address add 10.0.1.$host/24 dev eth0
done
serve_echo server tcp 7
serve_echo client tcp 7
nat() { # nat NAT [RULES [OPTION...]]: a policy of these NAT rules that allows everything, or what RULES say
	local nat=$1 rules=${2-'allow { "all", state = true }'}
	shift
	[ $# -eq 0 ] || shift
	commit "$@" <<<"return policy { name = \"nat\", nat = { $nat }, rules = { $rules } }"
}
forget() { fw 'fw.states():kill()' >/dev/null; }

# Published: by port, in both families.
runs "a published server" nat 'dnat { "published", iif = "lan0", dst = { "10.0.1.1", "fd00:1::1" }, proto = { "tcp", "udp" }, dport = 99,
	to = { "10.0.2.2:8080", "[fd00:2::2]:8080" } }' 'allow { "www", dir = "forward", dst = { "10.0.2.2", "fd00:2::2" }, dport = 8080, state = true }'
is "$(ask client tcp,10.0.1.1,99,5000 udp,10.0.1.1,99,5000 tcp,fd00:1::1,99,5000 udp,fd00:1::1,99,5000)" \
	"10.0.1.2 5000, 10.0.1.2 5000, fd00:1::2 5000, fd00:1::2 5000" "is reached, and sees who asks"
is "$(row 'proto = "tcp", family = 4' s.src s.dst s.dport s.nat_dst s.nat_dport "s.nat_src or 0" s.rule)" "10.0.1.2 10.0.1.1 99 10.0.2.2 8080 0 www" \
	"a state shows both sides"
is "$(row 'proto = "udp", family = 6' s.dst s.dport s.nat_dst s.nat_dport)" "fd00:1::1 99 fd00:2::2 8080" "in IPv6 too"
is "$(fw 'print(fw.running().nat[1].packets)')" 4 "the rule counts the connections that it translates"
is "$(WAIT=1 ask client tcp,10.0.2.2,80,5001)" nothing "the filter lets in what was published and nothing else"
runs "everything, not by port" nat 'dnat { "everything", iif = "lan0", dst = { "10.0.1.1", "fd00:1::1" }, to = { "10.0.2.2", "fd00:2::2" } }'
for address in 10.0.1.1 fd00:1::1; do
	runs "ping $address" can_ping client $address
	like "$(in_ns client ping -c 2 -W 3 -s 4000 $address 2>&1)" "2 received" "ping in fragments $address"
done
is "$(fw 'for s in fw.states():each() do if s.proto:match("^icmp") then print(s.dst, s.nat_dst) end end' | tr '\t' ' ' | sort -u | paste -sd,)" \
	"10.0.1.1 10.0.2.2,fd00:1::1 fd00:2::2" "by the other address"
in_ns server setsid -f socat IP4-RECVFROM:253,fork PIPE
in_ns server setsid -f socat IP6-RECVFROM:253,fork PIPE
wait_for 10 eval '[ "$(in_ns server ss -Hnwl | grep -c :253)" -ge 2 ]' || note "$(in_ns server ss -nwl)"
is "$(echo over 4 | answer 7 ip netns exec client socat -t $patience - IP4-SENDTO:10.0.1.1:253)" "over 4" "a protocol without ports"
is "$(echo over 6 | answer 7 ip netns exec client socat -t $patience - 'IP6-SENDTO:[fd00:1::1]:253')" "over 6" "a protocol without ports, IPv6"
is "$(row 'proto = 253, family = 4' s.dst s.nat_dst)" "10.0.1.1 10.0.2.2" "its state"

# Ranges: several servers share the connections. Of ports: those of the range.
forget
runs "a range of servers" nat 'dnat { "www", iif = "lan0", dst = "10.0.1.1", proto = "tcp", dport = 80, to = "10.0.2.2-10.0.2.5" }'
specs=()
for host in 2 3 4 5 6 7 8; do
	for port in 5000 5001 5002; do specs+=("tcp,10.0.1.1,80,$port,10.0.1.$host"); done
done
is "$(ask client "${specs[@]}" | tr ',' '\n' | grep -c '10\.0\.1\.[2-8] 500[0-2]$')" 21 "all of 21 connections are answered"
holds "by more than one server" "$(fw 'local n = 0 for _ in pairs(fw.states{ nat = "dst" }:count_by("nat_dst")) do n = n + 1 end print(n)') > 1"
is "$(fw 'for s in fw.states{ nat = "dst" }:each() do if not s.nat_dst:match("^10%.0%.2%.[2-5]$") then print(s.nat_dst) end end')" "" "of the range"

# Redirect: whatever was asked, this machine answers, and as the one that was asked.
forget
runs "redirect" nat 'redirect { "proxy", iif = "lan0", proto = { "tcp", "udp" }, dport = 81, to_port = 8080 }'
is "$(ask client tcp,10.0.2.2,81,5000 udp,10.0.2.2,81,5000 tcp,fd00:2::2,81,5000 udp,fd00:2::2,81,5000)" \
	"10.0.1.2 5000, 10.0.1.2 5000, fd00:1::2 5000, fd00:1::2 5000" "this machine answers for another"
is "$(row 'proto = "tcp", family = 4' s.dst s.dport s.nat_dst s.nat_dport s.list)" "10.0.2.2 81 10.0.1.1 8080 in" "its state"

# Connections that this machine makes: their way is looked for again.
forget
runs "dnat of own connections" nat 'dnat { "own", dst = { "10.0.1.99", "fd00:1::99" }, proto = { "tcp", "udp" }, dport = 99, to = { "10.0.2.2:80", "[fd00:2::2]:80" } },
	redirect { "own redirected", dst = "10.0.1.98", proto = "tcp", dport = 98, to_port = 8080 }'
like "$(ask router tcp,10.0.1.99,99,5000 udp,10.0.1.99,99,5000)" "^10\.0\.[12]\.1 5000, 10\.0\.[12]\.1 5000$" "reach the other server, which is elsewhere"
like "$(ask router tcp,fd00:1::99,99,5000 udp,fd00:1::99,99,5000)" "^fd00:[12]::1 5000, fd00:[12]::1 5000$" "in IPv6 too"
is "$(row 'dst = "10.0.1.99", proto = "tcp"' s.nat_dst s.nat_dport s.list)" "10.0.2.2 80 out" "its state"
like "$(ask router tcp,10.0.1.98,98,5001)" "^[0-9.]+ 5001$" "redirected to this machine itself"

# Hairpin: inside, the published server is reached by the outside address. Its answers come back by the firewall when the
# source is translated too: to the outside address, where RFC 4787 REQ-9 is to be kept.
forget
inside='dnat { "published", dst = "10.0.2.1", proto = "tcp", dport = 7000, to = "10.0.1.3:7" }'
runs "a server inside, with hairpin" nat "$inside, snat { \"hairpin\", oif = \"lan0\", src = \"10.0.1.0/24\", dst = \"10.0.1.0/24\", to = \"10.0.2.1\" }"
hears() { echo "$2" | in_ns "$1" socat -t $patience - "TCP:10.0.2.1:7000,connect-timeout=$patience,reuseaddr,sourceport=$3" 2>/dev/null; }
is "$(hears server outside 5103)" outside "from outside"
is "$(hears client inside 5100)" inside "from inside, by the outside address"
is "$(row 'sport = 5100' s.src s.nat_src s.nat_sport s.dst s.nat_dst s.nat_dport)" "10.0.1.2 10.0.2.1 5100 10.0.2.1 10.0.1.3 7" "the server sees the outside address"
runs "with masquerade" nat "$inside, masquerade { \"hairpin\", oif = \"lan0\", src = \"10.0.1.0/24\", dst = \"10.0.1.0/24\" }"
is "$(hears client masqueraded 5101)" masqueraded "with masquerade too"
is "$(row 'sport = 5101' s.nat_src s.nat_dst)" "10.0.1.1 10.0.1.3" "by the inner address then"

runs "queries and errors of ICMP, too" nat 'dnat { "published", dst = "10.0.2.1", proto = "udp", dport = 7001, to = "10.0.1.3:9" },
	dnat { "ping", dst = "10.0.2.1", icmp = "echo-request", to = "10.0.1.3" },
	snat { "hairpin", oif = "lan0", src = "10.0.1.0/24", dst = "10.0.1.0/24", to = "10.0.2.1" }'
like "$(in_ns client ping -c 2 -W 3 10.0.2.1 2>&1)" "2 received" "ping, from inside"
is "$(row 'proto = "icmp"' s.dst s.nat_dst s.nat_src)" "10.0.2.1 10.0.1.3 10.0.2.1" "both sides translated"
is "$(ask client udp,10.0.2.1,7001,5004)" refused "a closed port is heard of"

# A commit moves what is new; what lives keeps its server, and is judged by the new filter rules.
forget
echo_to() { printf 'dnat { "echo", iif = "lan0", dst = "10.0.1.1", proto = "tcp", dport = 7, to = "%s" }' "$1"; }
runs "published: the first server" nat "$(echo_to 10.0.2.2)"
coproc talk { exec ip netns exec client socat - TCP:10.0.1.1:7,reuseaddr,sourceport=5010; }
talks() { # talks TEXT NAME: it comes back
	local back=
	echo "$1" >&"${talk[1]}" && read -rt $((2 * patience)) back <&"${talk[0]}"
	is "$back" "$1" "$2"
}
talks one "a conversation"
runs "published: the second server" nat "$(echo_to 10.0.2.3)"
talks two "goes on"
is "$(echo new | in_ns client socat -t $patience - TCP:10.0.1.1:7,reuseaddr,sourceport=5011)" new "a new one"
is "$(row 'sport = 5010' s.nat_dst) $(row 'sport = 5011' s.nat_dst)" "10.0.2.2 10.0.2.3" "each with its own server"
runs "no rule at all" nat ''
talks three "goes on without the rule"
runs "the first server denied, all kept" nat "$(echo_to 10.0.2.3)" 'deny { "first", dst = "10.0.2.2" }, allow { "all", state = true }' --states=keep
talks four "goes on, kept"
runs "the first server denied" nat "$(echo_to 10.0.2.3)" 'deny { "first", dst = "10.0.2.2" }, allow { "all", state = true }'
back=
echo five >&"${talk[1]}"
read -rt $patience back <&"${talk[0]}"
# (A segment that is sent again is a new connection's, met in the middle, and goes to the second server, which resets it.)
is "$back $(count_states 'sport = 5010, addr = "10.0.2.2"')" " 0" "is judged by its real end points, and ends"
# shellcheck disable=SC2154  # coproc gives it
kill "${talk_PID:-}" 2>/dev/null || : # it may have ended by itself
