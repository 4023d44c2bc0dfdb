#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian13 uml-debug
#
# Source NAT: what each protocol leaves as, in both families; ranges of addresses and ports; which port is kept or chosen;
# how long a mapping lives; what ends it and what does not. (Collisions are nat_collisions.sh's, many connections
# nat_load.sh's, ICMP nat_icmp.sh's.)
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3 socat
load_ipfi || exit
topo_router || exit
# Seconds for an answer.
patience=$(patience "$(slow 3 8)")
in_ns server setsid -f "$whoami" serve 80 81 >/dev/null 2>&1
wait_for 10 listening server tcp 81
# Nobody outside knows the way inside: what is not translated is not answered.
ip -n server route del default
ip -n server -6 route del default
for host in 3 4 5 6 7 8 9 10; do ip -n client address add 10.0.1.$host/24 dev eth0; done
for host in 10 11 12 13; do
	ip -n router address add 10.0.2.$host/24 dev wan0
	# Not one that masquerade would take of its own accord.
	ip -n router address add fd00:2::$host/64 dev wan0 nodad preferred_lft 0
done
nat() { # nat NAT [RULES [OPTION...]]: a policy of these NAT rules that allows everything, or what RULES say
	local nat=$1 rules=${2-'allow { "all", state = true }'}
	shift
	[ $# -eq 0 ] || shift
	commit "$@" <<<"return policy { name = \"nat\", nat = { $nat }, rules = { $rules } }"
}
nat_hits() { fw "for _, r in ipairs(fw.running().nat) do if r.name == '$1' then print(r.packets) end end"; }

runs "masquerade" nat 'masquerade { "out", oif = "wan0", src = { "10.0.1.0/24", "fd00:1::/64" } }'
is "$(ask client tcp,10.0.2.2,80,5000 udp,10.0.2.2,80,5000 tcp,fd00:2::2,80,5000 udp,fd00:2::2,80,5000)" \
	"10.0.2.1 5000, 10.0.2.1 5000, fd00:2::1 5000, fd00:2::1 5000" "the device's address, and the port as it was"
is "$(row 'proto = "udp", family = 4' s.src s.sport s.nat_src s.nat_sport s.dst s.dport "s.nat_dst or 0")" \
	"10.0.1.2 5000 10.0.2.1 5000 10.0.2.2 80 0" "a state shows both sides"
is "$(row 'proto = "tcp", family = 6' s.src s.nat_src s.nat_sport "s.nat_dst or 0")" "fd00:1::2 fd00:2::1 5000 0" "in IPv6 too"
is "$(nat_hits out)" 4 "the rule counts the connections that it translates"
for address in 10.0.2.2 fd00:2::2; do
	runs "ping $address" can_ping client $address
	like "$(in_ns client ping -c 2 -W 3 -s 4000 $address 2>&1)" "2 received" "ping in fragments $address"
done
serve_echo server udp 7
for end in UDP4:10.0.2.2 'UDP6:[fd00:2::2]'; do
	is "$(head -c 6000 /dev/zero | tr '\0' x | answer 6000 ip netns exec client socat -b 8192 -t $patience - "$end:7" | wc -c)" 6000 "a datagram in fragments: $end"
done
# A protocol without ports: its address alone is translated.
in_ns server setsid -f socat IP4-RECVFROM:253,fork PIPE
in_ns server setsid -f socat IP6-RECVFROM:253,fork PIPE
wait_for 10 eval '[ "$(in_ns server ss -Hnwl | grep -c :253)" -ge 2 ]' || note "$(in_ns server ss -nwl)"
is "$(echo over 4 | answer 7 ip netns exec client socat -t $patience - IP4-SENDTO:10.0.2.2:253)" "over 4" "a protocol without ports"
is "$(echo over 6 | answer 7 ip netns exec client socat -t $patience - 'IP6-SENDTO:[fd00:2::2]:253')" "over 6" "a protocol without ports, IPv6"
is "$(row 'proto = 253, family = 4' s.src s.nat_src s.nat_sport)" "10.0.1.2 10.0.2.1 0" "its state"
is "$(row 'proto = 253, family = 6' s.src s.nat_src)" "fd00:1::2 fd00:2::1" "its state, IPv6"

# How long: RFC 4787 REQ-5 wants 120 s of a UDP mapping, with or without replies, RFC 5508 REQ-2 60 s of a query's.
in_ns client socat -u - UDP:10.0.2.2:9,sourceport=5001 <<<"nobody answers"
holds "UDP one way has 120 s" "$(row 'sport = 5001' 'math.ceil(s.timeout)') > 100"
fw 'fw.states{ proto = "icmp" }:kill()' >/dev/null
quietly in_ns client ping -c 1 -W "$(patience 5)" 10.0.2.2
holds "ping has 60 s" "$(row 'proto = "icmp"' 'math.ceil(s.timeout)') > 40"
is "$(count_states 'sport = 5001')" 1 "the port that nobody listens at has been heard of, which ends no mapping"
in_ns client socat -u - UDP:10.0.2.2:9,sourceport=5001 <<<"again"
is "$(row 'sport = 5001' s.nat_sport 's.timeout > 100')" "5001 true" "it is used and renewed from inside"

# Ranges: of addresses. A source has always the same of them (paired), and not all sources have one.
fw 'fw.states():kill()' >/dev/null
runs "a range of addresses" nat 'snat { "out", oif = "wan0", to = { "10.0.2.10-10.0.2.13", "fd00:2::10-fd00:2::13" } }'
specs=()
for host in 2 3 4 5 6 7 8 9; do specs+=("tcp,10.0.2.2,80,500$host,10.0.1.$host" "tcp,10.0.2.2,81,510$host,10.0.1.$host" "udp,10.0.2.2,80,520$host,10.0.1.$host"); done
in_ns client "$whoami" ask "${specs[@]}" | awk '{ print $1 }' >"$lab_tmp/outside"
is "$(grep -cE '^10\.0\.2\.1[0-3]$' "$lab_tmp/outside")" 24 "all of 24 connections leave by one of the range"
is "$(paste - - - <"$lab_tmp/outside" | awk '$1 != $2 || $1 != $3')" "" "each source by one of its own"
holds "eight sources share more than one of them" "$(sort -u "$lab_tmp/outside" | wc -l) > 1"
like "$(ask client tcp,fd00:2::2,80,5000)" "^fd00:2::1[0-3] 5000$" "a range of IPv6 addresses"

# Of ports: one that is in it is kept.
fw 'fw.states():kill()' >/dev/null
runs "a range of ports" nat 'snat { "out", oif = "wan0", proto = { "tcp", "udp" }, to = "10.0.2.10:6000-6009" },
	snat { "out 6", oif = "wan0", to = "[fd00:2::10]:6000-6009", proto = { "tcp", "udp" } }'
is "$(ask client tcp,10.0.2.2,80,6003 udp,10.0.2.2,80,6004)" "10.0.2.10 6003, 10.0.2.10 6004" "a port of the range is kept"
like "$(ask client tcp,10.0.2.2,80,5000 udp,fd00:2::2,80,5000)" "^10\.0\.2\.10 600[0-9], fd00:2::10 600[0-9]$" "another becomes one of it"

# Where a port collides, the other is of its class, below 1024 or not, and of UDP of its parity (RFC 4787 REQ-3, REQ-4).
fw 'fw.states():kill()' >/dev/null
runs "masquerade again" nat 'masquerade { "out", oif = "wan0" }'
first=() second=() ports=()
for port in 600 601 5000 5001; do
	for proto in tcp udp; do
		first+=("$proto,10.0.2.2,80,$port,10.0.1.3")
		second+=("$proto,10.0.2.2,80,$port,10.0.1.4")
		ports+=("$proto $port")
	done
done
HOLD=200 ip netns exec client "$whoami" ask "${first[@]}" >"$lab_tmp/first" &
holder=$!
wait_for 20 eval '[ "$(wc -l <"$lab_tmp/first")" -eq 8 ]'
is "$(awk '{ print $2 }' "$lab_tmp/first" | paste -sd' ')" "600 600 601 601 5000 5000 5001 5001" "free ports are kept"
mapfile -t others < <(in_ns client "$whoami" ask "${second[@]}" | awk '{ print $2 }')
for i in "${!ports[@]}"; do
	port=${ports[i]#* } other=${others[i]}
	holds "${ports[i]}: another port, $other" "other != port && other > 0"
	holds "${ports[i]}: of the same class" "(other < 1024) == (port < 1024)"
	case ${ports[i]} in udp*) holds "${ports[i]}: of the same parity" "other % 2 == port % 2" ;; esac
done
kill $holder

# What lives goes on when the NAT rules change or go; what is new goes by the new ones.
serve_echo server tcp 7
coproc talk { exec ip netns exec client socat - TCP:10.0.2.2:7,reuseaddr,sourceport=5010; }
talks() { # talks TEXT NAME: it comes back
	local back=
	echo "$1" >&"${talk[1]}" && read -rt $((2 * patience)) back <&"${talk[0]}"
	is "$back" "$1" "$2"
}
talks one "a conversation"
runs "another address" nat 'snat { "out", oif = "wan0", to = { "10.0.2.11", "fd00:2::11" } }'
talks two "it goes on when the rules change"
is "$(row 'sport = 5010' s.nat_src) $(ask client tcp,10.0.2.2,80,5011)" "10.0.2.1 10.0.2.11 5011" "as it was, while what is new goes by the new rule"
runs "no NAT at all" nat ''
talks three "it goes on without NAT rules"
is "$(row 'sport = 5010' s.nat_src) $(WAIT=1 ask client tcp,10.0.2.2,80,5012)" "10.0.2.1 nothing" "as it was, while what is new is not translated"
runs "a policy that denies it" nat '' 'deny { "echo", proto = "tcp", dport = 7, dst = "10.0.2.2" }, allow { "all", state = true }'
back=
echo four >&"${talk[1]}"
read -rt $patience back <&"${talk[0]}"
is "$back $(count_states 'sport = 5010')" " 0" "one that denies it ends it, by its real end points"
# shellcheck disable=SC2154  # coproc gives it
kill "${talk_PID:-}" 2>/dev/null || : # it may have ended by itself

# Masquerade's states go with the address that they have, snat's do not.
goes() { # goes NAME COMMAND...: a masqueraded connection and one of snat; the command; which is left
	local name=$1
	shift
	runs "masquerade and snat" nat 'snat { "fixed", oif = "wan0", src = "10.0.1.3", to = "10.0.2.10" }, masquerade { "out", oif = "wan0" }' 'allow { "all", state = true }' --states=flush
	is "$(ask client udp,10.0.2.2,80,5020 udp,10.0.2.2,80,5021,10.0.1.3 udp,fd00:2::2,80,5022)" "10.0.2.1 5020, 10.0.2.10 5021, fd00:2::1 5022" "three connections: $name"
	runs "$name" "$@"
	wait_for 5 eval '[ "$(count_states "sport = 5020")" = 0 ]'
	is "$(count_states 'sport = 5020') $(count_states 'sport = 5021')" "0 1" "$name: masquerade's is gone, snat's is not"
}
in_ns router "$IPFI" "$IPFI_TOP/tests/net/support/listen.lua" group=state seconds=300 >"$lab_tmp/events" 2>&1 &
wait_for 20 grep -q '^ready' "$lab_tmp/events"
goes "its address is taken away" ip -n router address del 10.0.2.1/24 dev wan0
is "$(count_states 'sport = 5022')" 1 "the other family's stays"
like "$(<"$lab_tmp/events")" '"cause":"address-gone"' "who listens is told why"
# The first address of a network takes the others with it.
ip -n router address add 10.0.2.1/24 dev wan0
for host in 10 11 12 13; do ip -n router address replace 10.0.2.$host/24 dev wan0; done
goes "the device goes down" ip -n router link set wan0 down
is "$(count_states 'sport = 5022')" 0 "in IPv6 too"
