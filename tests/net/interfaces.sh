#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Routes that move under live connections: a kill switch for a tunnel, answers by another route, interfaces that get
# another name, and masqueraded connections. The server has one address on two links, wan0 and tun0 of the router.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3 socat tcpdump
load_ipfi || exit
topo_router || exit
link router tun0 10.0.3.1/24 fd00:3::1/64 -- server eth1 10.0.3.2/24 fd00:3::2/64 || exit
for space in router server; do
	in_ns $space sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
done
ip -n server addr add 10.5.0.1/32 dev lo
ip -n server addr add fd00:5::1/128 dev lo nodad
in_ns server setsid -f "$whoami" serve 7 80 >/dev/null 2>&1
wait_for 10 listening server udp 80

# there wan0|tun0 [DEVICE], back wan0|tun0: by which link the router sends to the server, and the server to the client.
by() { if [ "$1" = wan0 ]; then echo 2; else echo 3; fi; }
there() {
	local n dev=${2:-$1}
	n=$(by "$1")
	ip -n router route replace 10.5.0.1 via "10.0.$n.2" dev "$dev" &&
		ip -n router -6 route replace fd00:5::1 via "fd00:$n::2" dev "$dev"
}
back() {
	local n
	n=$(by "$1")
	ip -n server route replace default via "10.0.$n.1" && ip -n server -6 route replace default via "fd00:$n::1"
}

# sessions SPACE NAME=SPEC...: connections that a line is sent on five times a second (support/sessions.py), from here on
# until end_sessions. The names in "all" are those that most of the test is about.
all=(tcp4 tcp6 udp4 udp6)
mkdir "$lab_tmp/sessions"
running=()
sessions() {
	local space=$1 argument names=()
	shift
	for argument; do names+=("${argument%%=*}"); done
	ip netns exec "$space" "$IPFI_TOP/tests/net/support/sessions.py" "$lab_tmp/sessions" "$@" 2>"$lab_tmp/sessions.error" &
	running+=($!)
	disown
	going "a live session" "${names[@]}"
}
end_sessions() {
	kill "${running[@]}"
	running=()
}

declare -A sent=() answers=()
# look NAME...: how many lines were sent on each, and how many answers came.
look() {
	local name
	for name; do read -r "sent[$name]" "answers[$name]" <"$lab_tmp/sessions/$name"; done
}
# more sent|answers NAME NUMBER: whether there have been so many since look().
more() {
	local name=$2 n_sent n_answers
	read -r n_sent n_answers <"$lab_tmp/sessions/$name" || return
	case $1 in
	sent) [ "$n_sent" -ge $((sent[$name] + $3)) ] ;;
	answers) [ "$n_answers" -ge $((answers[$name] + $3)) ] ;;
	esac
}

# stopped WHAT NAME...: lines are sent, and no answer comes any more. What is under way while the first are sent may.
stopped() {
	local what=$1 name
	shift
	look "$@"
	for name; do wait_for 10 more sent "$name" 3; done
	look "$@"
	for name; do
		if ! wait_for 10 more sent "$name" 5; then
			not_ok "$name: $what" "nothing is sent: $(cat "$lab_tmp/sessions/$name.error")"
		elif more answers "$name" 1; then
			not_ok "$name: $what" "it goes on"
		else
			ok "$name: $what"
		fi
	done
}
# going WHAT NAME...: answers come. TCP may take some seconds to send again what was lost.
going() {
	local what=$1 name
	shift
	sent=() answers=()
	if [ "$what" != "a live session" ]; then look "$@"; fi
	for name; do
		if wait_for 30 more answers "$name" 2; then
			ok "$name: $what"
		else
			not_ok "$name: $what" "no answers: $(cat "$lab_tmp/sessions"{/"$name",}.error 2>&1)"
		fi
	done
}

# A kill switch. Nothing of what it stops may reach the other link.
KILL="deny { 'never in the clear', oif = 'wan0', dir = { 'forward', 'out' }, dst = { '10.5.0.1', 'fd00:5::1' } },"
OWN="allow { 'own', dir = 'out', dst = '10.5.0.1', state = true },"
there tun0 && back tun0
commit_rules <<<"$KILL allow { 'by the tunnel', oif = 'tun0', dir = { 'forward', 'out' }, state = true },"
sessions client tcp4=tcp,10.5.0.1,7,0 'tcp6=tcp,fd00:5::1,7,0' udp4=udp,10.5.0.1,7,5001 'udp6=udp,fd00:5::1,7,5002'
sessions router own=tcp,10.5.0.1,7,0
is "$(row 'proto = "tcp", family = 4, src = "10.0.1.2"' s.iif s.oif s.rule)" "lan0 tun0 by the tunnel" "a state knows its interfaces"
in_ns server tcpdump -nl --immediate-mode -i eth0 'dst host 10.5.0.1 or dst host fd00:5::1' \
	>"$lab_tmp/clear" 2>"$lab_tmp/tcpdump" &
tcpdump=$!
wait_for 20 grep -q 'listening on' "$lab_tmp/tcpdump" || not_ok "tcpdump listens" "$(<"$lab_tmp/tcpdump")"
there wan0
stopped "the tunnel is not the route any more" "${all[@]}" own
is "$(count_states 'rule = "by the tunnel"')" 5 "the states live on"
holds "the packets were denied by the rule" "$(hits 'never in the clear') >= 5"
there tun0
going "behind the tunnel again" "${all[@]}" own
kill $tcpdump
wait $tcpdump
is "$(head -n 1 "$lab_tmp/clear")" "" "nothing went in the clear"

# Answers by the other link.
back wan0
stopped "an answer by an interface that the rules do not give the connection" "${all[@]}"
commit_rules <<<"$OWN allow { 'by either', iif = 'lan0', dir = 'forward', state = true },"
going "one that they give it" "${all[@]}"
is "$(row 'proto = "tcp", family = 6, src = "fd00:1::2"' s.iif s.oif s.rule)" "lan0 tun0 by either" "the state tells where its own packets go"
there wan0
going "a route that the rules allow" "${all[@]}" own
is "$(row 'proto = "tcp", family = 4, src = "10.0.1.2"' s.oif)" wan0 "the state tells where they go now"
commit_rules <<<"$OWN allow { 'by wan0', iif = 'lan0', oif = 'wan0', dir = 'forward', state = true },"
going "a commit asks about the present interfaces" "${all[@]}"
is "$(row 'proto = "udp", family = 4, sport = 5001' s.oif s.rule)" "wan0 by wan0" "and finds the rule for them"
is "$(counter rejudged)" 0 "nothing has ended for a route that moved"

# Names: states remember indexes, rules name interfaces.
there tun0 && back tun0
commit_rules <<<"allow { 'by tun0', iif = 'lan0', oif = 'tun0', dir = 'forward', state = true },"
going "by a name" "${all[@]}"
rename() {
	printf 'link set %s\n' "$1 down" "$1 name $2" "$2 up" | ip -n router -batch - &&
		ip -n router addr replace fd00:3::1/64 dev "$2" nodad && there tun0 "$2"
}
rename tun0 vpn0
stopped "the interface has another name" "${all[@]}"
rename vpn0 tun0
going "it has its name again" "${all[@]}"
end_sessions
fw 'fw.states():kill()' >/dev/null

# Masquerading.
commit <<<"return policy { name = 'nat', nat = { masquerade { 'wan', oif = 'wan0' }, masquerade { 'tun', oif = 'tun0' } },
	rules = { allow { 'all', state = true } } }"
there wan0
is "$(ask client udp,10.5.0.1,80,6000 udp,fd00:5::1,80,6000 tcp,10.5.0.1,80,6000)" \
	"10.0.2.1 6000, fd00:2::1 6000, 10.0.2.1 6000" "masqueraded by the first link"
sessions client long=tcp,10.5.0.1,7,0
there tun0
for end in UDP4:10.5.0.1 'UDP6:[fd00:5::1]'; do
	in_ns client socat -u - "$end:80,sourceport=6000" <<<"lost"
done
is "$(count_states 'sport = 6000, proto = "udp"')" 0 "the route moved: the states end"
is "$(ask client udp,10.5.0.1,80,6000 udp,fd00:5::1,80,6000)" "10.0.3.1 6000, fd00:3::1 6000" "the next packets have the right address"
wait_for 20 test -s "$lab_tmp/sessions/long.error"
like "$(cat "$lab_tmp/sessions/long.error" 2>&1)" 'reset by peer' "a TCP connection cannot go on: the server does not know the other address"
holds "what left by another link was dropped once" "$(counter nat-moved) >= 3"
is "$(fw 'local n = 0 for s in fw.states{ oif = "tun0" }:each() do n = n + (s.nat_src == "10.0.2.1" and 1 or 0) end print(n)')" 0 "nothing leaves with the first link's address by the second"
