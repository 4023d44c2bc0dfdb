#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The state table as it is shown: each state by the packets that lead to it, the fields of a row, filters evaluated
# in the kernel, counting.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
commit_rules <<'RULES'
	allow { "web", dir = "forward", iif = "lan0", proto = "tcp", dport = 80, state = true },
	allow { "dns", dir = "forward", iif = "lan0", proto = "udp", dport = 53, state = true },
	allow { "ping", dir = "forward", iif = "lan0", icmp = "echo-request", state = true },
	allow { "gre", dir = "forward", iif = "lan0", proto = "gre", state = true },
RULES
# The shortest times are made longer: a slow guest takes more than they to look at all of it.
quietly fw 'fw.set_limits{tcp_closed = 110, tcp_last_ack = 130, tcp_syn_recv = 160, tcp_close_wait = 170, udp_new = 125, icmp = 126}'

# One connection for each state of TCP, told by the client's port. Each has its own time; the defaults are a unit test's
# subject, the windows and numbers of TCP the vectors'.
open_to() { # open_to PORT: a handshake, then what standard input says, "@" standing for the client's port
	{
		printf '> tcp 10.9.0.1 @ 10.8.0.1 80 S seq=1000\n< tcp 10.8.0.1 80 10.9.0.1 @ SA seq=5000 ack=1001\n'
		printf '> tcp 10.9.0.1 @ 10.8.0.1 80 A seq=1001 ack=5001\n'
		cat
	} | sed "s/@/$1/g"
}
{
	echo '> tcp 10.9.0.1 4001 10.8.0.1 80 S seq=1000'
	echo '> tcp 10.9.0.1 4002 10.8.0.1 80 S seq=1000'
	echo '< tcp 10.8.0.1 80 10.9.0.1 4002 SA seq=5000 ack=1001'
	open_to 4003 </dev/null
	open_to 4004 <<<'> tcp 10.9.0.1 @ 10.8.0.1 80 FA seq=1001 ack=5001'
	open_to 4005 <<-'PACKETS'
		> tcp 10.9.0.1 @ 10.8.0.1 80 FA seq=1001 ack=5001
		< tcp 10.8.0.1 80 10.9.0.1 @ A seq=5001 ack=1002
	PACKETS
	open_to 4006 <<-'PACKETS'
		> tcp 10.9.0.1 @ 10.8.0.1 80 FA seq=1001 ack=5001
		< tcp 10.8.0.1 80 10.9.0.1 @ FA seq=5001 ack=1002
	PACKETS
	open_to 4007 <<-'PACKETS'
		< tcp 10.8.0.1 80 10.9.0.1 @ FA seq=5001 ack=1001
		> tcp 10.9.0.1 @ 10.8.0.1 80 FA seq=1001 ack=5002
		< tcp 10.8.0.1 80 10.9.0.1 @ A seq=5002 ack=1002
	PACKETS
	open_to 4008 <<<'< tcp 10.8.0.1 80 10.9.0.1 @ RA seq=5001 ack=1001'
} >"$lab_tmp/tcp"
verdicts=$(wire <"$lab_tmp/tcp")
is "${verdicts//pass, /}" pass "all of it passes"
port=4001
for want in 'SYN_SENT 120' 'SYN_RECV 160' 'ESTABLISHED 3600' 'FIN_WAIT 120' 'CLOSE_WAIT 170' 'LAST_ACK 130' 'TIME_WAIT 120' 'CLOSED 110'; do
	most=${want#* }
	read -r state rest <<<"$(row "sport = $port" s.state 'math.ceil(s.timeout)')"
	is "$state" "${want% *}" "state ${want% *}"
	holds "${want% *} lives $most s" "${rest:-0} <= $most && ${rest:-0} > $most - 60"
	port=$((port + 1))
done
is "$(wire <<'PACKETS'
# Which of these belong to what lives, which open something, which do neither.
< tcp 10.8.0.1 80 10.9.0.1 4003 PA seq=5001 ack=1001 len=100
< tcp 10.8.0.1 80 10.9.0.1 4003 PA seq=9005001 ack=1001 len=100
< tcp 10.8.0.1 80 10.9.0.1 4003 R seq=9005001
< tcp 10.8.0.1 80 10.9.0.1 4009 PA seq=5001 ack=1001 len=100
> tcp 10.9.0.1 4009 10.8.0.1 80 SF seq=1
> tcp 10.9.0.1 4009 10.8.0.1 80 - seq=1
> tcp 10.9.0.1 4009 10.8.0.1 80 S seq=1 bad
> tcp 10.9.0.1 4009 10.8.0.1 80 SA seq=1 ack=1
> tcp 10.9.0.1 4009 10.8.0.1 80 R seq=1
PACKETS
)" "pass, drop, drop, drop, drop, drop, drop, drop, drop" "what belongs to no connection is dropped"
is "$(row 'sport = 4003' s.state) $(count_states 'sport = 4009')" "ESTABLISHED 0" "and leaves no trace"
for reason in tcp-window tcp-rst tcp-flags bad-checksum tcp-state; do
	holds "counted as $reason" "$(counter $reason) >= 1"
done

# UDP: traffic one way never makes it established.
is "$(wire <<'PACKETS'
> udp fd00:9::1 4001 fd00:8::1 53 len=10
> udp fd00:9::1 4001 fd00:8::1 53 len=10
> udp fd00:9::1 4001 fd00:8::1 53 len=10
> udp 10.9.0.1 4001 10.8.0.1 53 len=10
< udp 10.8.0.1 53 10.9.0.1 4001 len=30
< udp 10.8.0.1 53 10.9.0.1 4002 len=30
> icmp fd00:9::1 fd00:8::1 128/0 id=77 seq=1 len=8
< icmp fd00:8::1 fd00:9::1 129/0 id=77 seq=1 len=8
> ip 10.9.0.1 10.8.0.1 47 len=40
PACKETS
)" "pass, pass, pass, pass, pass, drop, pass, pass, pass" "UDP, ping and GRE"
is "$(row 'proto = "udp", family = 6' s.state s.packets s.reply_packets 's.timeout > 100' s.reply_seen)" "UDP_NEW 3 0 true false" "UDP one way"
is "$(row 'proto = "udp", family = 4' s.state s.packets s.reply_packets 'math.ceil(s.timeout) > 30' s.reply_seen)" "UDP_ESTABLISHED 1 1 true true" "UDP both ways"
is "$(row 'proto = "icmpv6"' s.state s.sport 's.timeout > 60' s.rule)" "ICMP 77 true ping" "ping"
is "$(row 'proto = "gre"' s.state 'math.ceil(s.timeout) > 100' s.rule)" "OTHER true gre" "another protocol"

# The fields of a row, with exact counters: bytes are those of whole IP packets.
is "$(open_to 4010 <<'PACKETS' | sed 's/10\.9\.0\.1/fd00:9::1/; s/10\.8\.0\.1/fd00:8::1/' | wire
> tcp 10.9.0.1 @ 10.8.0.1 80 PA seq=1001 ack=5001 len=100
< tcp 10.8.0.1 80 10.9.0.1 @ PA seq=5001 ack=1101 len=1000
< tcp 10.8.0.1 80 10.9.0.1 @ PA seq=6001 ack=1101 len=1000
PACKETS
)" "pass, pass, pass, pass, pass, pass" "an IPv6 connection"
is "$(row 'sport = 4010' s.family s.proto s.state s.guessed s.src s.sport s.dst s.dport s.list s.iif s.oif s.rule)" \
	"6 tcp ESTABLISHED false fd00:9::1 4010 fd00:8::1 80 forward lan0 wan0 web" "who, where and why"
is "$(row 'sport = 4010' s.packets s.bytes s.reply_packets s.reply_bytes s.mark 's.age < 60')" \
	"3 280 3 2180 0 true" "counters both ways"
like "$(fw 'print(fw.states{sport = 4010})')" "ESTABLISHED .*web" "shown as a line"

# A connection met in the middle is a guess, and no guess is made when tcp_loose is off.
is "$(wire <<'PACKETS'
> tcp 10.9.0.2 4011 10.8.0.1 80 PA seq=1001 ack=5001 len=100
< tcp 10.8.0.1 80 10.9.0.2 4011 PA seq=5001 ack=1101 len=100
PACKETS
)" "pass, pass" "met in the middle"
is "$(row 'sport = 4011' s.state s.guessed)" "ESTABLISHED true" "taken up as a guess"
like "$(fw 'print(fw.states{guessed = true})')" 'ESTABLISHED\?' "and shown as one"
is "$(fw 'print(fw.set_limits{tcp_loose = false}, fw.set_limits{tcp_loose = false})')" $'true\tfalse' "tcp_loose is turned off, once"
is "$(wire <<'PACKETS'
> tcp 10.9.0.2 4012 10.8.0.1 80 PA seq=1001 ack=5001 len=100
> tcp 10.9.0.2 4011 10.8.0.1 80 PA seq=1101 ack=5101 len=100
> tcp 10.9.0.2 4012 10.8.0.1 80 S seq=1001
PACKETS
)" "drop, pass, pass" "tcp_loose off: no new guess, the old one stays, a SYN opens"
holds "counted as tcp-not-syn" "$(counter tcp-not-syn) == 1"

# Filters: what each finds, beside what it must not find.
lives=$(count_states)
found() { # found WANTED FILTER: noted, all are asked at once by look_up
	filters+=("$2")
	wanted+=("$1")
}
look_up() {
	local statements i got
	statements=$(printf 'print(fw.states{%s}:count()) ' "${filters[@]}")
	mapfile -t got <<<"$(fw "$statements")"
	for i in "${!filters[@]}"; do is "${got[i]}" "${wanted[i]}" "filter: ${filters[i]}"; done
	filters=() wanted=()
}
filters=() wanted=()
tcp=11
holds "all of it is there" "$lives == $tcp + 4"
found $tcp 'proto = "tcp"'
found 2 'proto = 17'
found 3 'family = 6'
found 1 'family = 6, proto = "tcp"'
found 3 'state = "ESTABLISHED"'
found 3 'state = {"SYN_SENT", "TIME_WAIT"}'
found 2 'src = "10.9.0.2"'
found 3 'src = "fd00:9::/64"'
found 0 'src = "10.8.0.0/16"'
found $((tcp + 1)) 'dst = "10.8.0.0/16"'
found $((tcp + 1)) 'addr = "10.8.0.1"'
found 2 'addr = "10.9.0.2"'
found 3 'sport = 4001'
found 3 'sport = "4002-4004"'
found $tcp 'dport = "http"'
found 2 'port = 53'
found 2 'rule = "dns"'
found "$lives" 'iif = "lan0"'
found 0 'iif = "wan0"'
found "$lives" 'oif = "wan0"'
found "$lives" 'iface = "wan0"'
found 1 'guessed = true'
found $((lives - 1)) 'guessed = false'
found "$lives" 'mark = 0'
found 0 'mark = 1'
look_up
fails "an unknown filter is an error" fw 'fw.states{dprot = 80}:count()'
like "$(fw 'fw.states{dprot = 80}:count()' 2>&1)" "'?dport'?" "that suggests the nearest name"
is "$(fw 'local n, seen = 0, {} for s in fw.states():each() do n = n + 1 local k = table.concat({s.proto, s.src, s.sport, s.dst, s.dport}, " ") assert(not seen[k]) seen[k] = true end print(n)')" "$lives" "a dump has each once"
is "$(fw 'local c = fw.states{proto = "udp"}:count_by("state") print(c.UDP_NEW, c.UDP_ESTABLISHED, c.ESTABLISHED)')" $'1\t1\tnil' "count_by"
is "$(fw 'local t = fw.states{family = 4}:top(2, "src") print(t[1].src, t[1].states, t[2].src, t[2].states, t[3])')" $'10.9.0.1\t'$((tcp - 3 + 2))$'\t10.9.0.2\t2\tnil' "top sources"
is "$(fw 'print(fw.states():top(1, "reply_bytes")[1].sport)')" 4010 "top by bytes"
is "$(in_ns router "$IPFI" -j -e 'fw.print(fw.states{sport = 4010})' | grep -c '"sport":4010')" 1 "JSON lines"

# Marked packets.
in_ns router nft -f - <<'NFT'
	table inet marks {
		chain c { type filter hook prerouting priority -150
			udp sport 4020 meta mark set 7
		}
	}
NFT
wire <<<'> udp 10.9.0.1 4020 10.8.0.1 53' >/dev/null
found 1 'mark = 7'
look_up
in_ns router nft delete table inet marks

# Killed.
is "$(fw 'print(fw.states{proto = "udp"}:kill(), fw.states{proto = "udp"}:count(), fw.states{proto = "icmpv6"}:count())')" $'3\t0\t1' "kill ends what it finds and nothing else"
is "$(wire <<<'< udp 10.8.0.1 53 10.9.0.1 4001 len=30')" drop "the reply of a killed one is nobody's"
