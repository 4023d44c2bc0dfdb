#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What "make demo" shows, in a guest with Debian's kernel: a router between two networks, real programs on both
# sides, and what the firewall makes of their traffic; how a policy is changed with care (demo-policy.sh); then the
# same machine as a gateway that translates addresses (demo-gateway.sh). "demo.sh plain" leaves out colours. The exit status says whether every step went as it says.
. "$IPFI_TOP/tests/lab/lib.sh"

color=always bold=$'\e[1m' faint=$'\e[2m' green=$'\e[32m' red=$'\e[31m' off=$'\e[0m'
if [ "${1-}" = plain ]; then
	color=never bold='' faint='' green='' red='' off=''
fi
steps=0
wrong=0

# say TEXT...: what comes now, and why.
say() {
	steps=$((steps + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$steps" "$*" "$off"
}

# typed COMMAND...: as one would type it.
typed() {
	local word line=
	for word; do
		case $word in
		*[[:space:]\"\'\(\)\[\{\;]*) line+=" '$word'" ;;
		*) line+=" $word" ;;
		esac
	done
	echo "${line# }"
}

# show SPACE COMMAND...: the command as one would type it, and its output; the last 24 lines if there are more. With
# "only" set, the lines that are like it.
show() {
	local space=$1
	shift
	printf '%s%s# %s%s\n' "$faint" "$space" "$(typed "$@")" "$off"
	output=$(in_ns "$space" "$@" 2>&1)
	status=$?
	printf '%s\n' "$output" | grep -v '^$' | grep -E "${only-}" | tail -n 24
}

# expect TEXT CONDITION...: whether the command just shown did what it should.
expect() {
	local text=$1
	shift
	if "$@"; then
		printf '%s-> %s%s\n' "$green" "$text" "$off"
	else
		wrong=$((wrong + 1))
		printf '%s-> NOT: %s (status %s)%s\n' "$red" "$text" "$status" "$off"
	fi
}
good() { [ "$status" -eq 0 ]; }
bad() { [ "$status" -ne 0 ]; }
says() { [[ $output =~ $1 ]]; }

# Short names, so that the commands look as they would be typed.
mkdir -p /usr/local/bin
ln -sf "$IPFI" /usr/local/bin/ipfi
# A short wait for a denied packet, and nothing but the answer.
web=(curl -sS --max-time 2)

say "The machines: three network namespaces, client -- router -- server, each link with IPv4 and IPv6"
topo_router || exit 1
web_log=$lab_tmp/outside.log serve_web server 80 && serve_web server 8080 &&
	web_log=$lab_tmp/inside.log serve_web client 80 &&
	serve_dns server www.example/10.0.2.2 www.example/fd00:2::2 || exit 1
in_ns server iperf3 --server --daemon --pidfile "$lab_tmp/iperf3.pid"
wait_for 10 listening server tcp 5201 || exit 1
show router ip -brief -color=$color address
printf 'The server runs nginx on ports 80 and 8080, dnsmasq and iperf3; the client has an nginx of its own.\n'

say "The module is loaded. Before the first commit it changes nothing: every packet passes"
load_ipfi || exit 1
show client "${web[@]}" http://10.0.2.2:8080/
expect "port 8080 answers" says "ipfi lab"
show router ipfi --color=$color -e '=fw.states():count()'
expect "and no state is kept" says "0"

say "The policy examples/router.lua is checked and committed in the router: one message stream, all or nothing"
show router ipfi -v --color=$color -f examples/router.lua
expect "committed" good

say "A web page over IPv4 and over IPv6. One rule allows the way out; the state it makes carries the replies"
show client "${web[@]}" http://10.0.2.2/
expect "IPv4 answers" says "ipfi lab"
show client "${web[@]}" 'http://[fd00:2::2]/'
expect "IPv6 answers" says "ipfi lab"

say "Names from a real dnsmasq"
show client dig +short +tries=1 @10.0.2.2 www.example A
expect "an address over IPv4" says '10\.0\.2\.2'
show client dig +short +tries=1 @fd00:2::2 www.example AAAA
expect "an address over IPv6" says 'fd00:2::2'

say "Ping, in both families: a request makes a state, its replies belong to it"
show client ping -q -c 3 -i 0.2 10.0.2.2
expect "three replies" says '3 received'
show client ping -q -c 3 -i 0.2 fd00:2::2
expect "three replies" says '3 received'

say "iperf3 through the router, three seconds (the machine is emulated: look at the fact, not at the figure)"
show client iperf3 --client 10.0.2.2 --time 3 --interval 0
expect "data went through" good

say "A port that no rule allows is denied: from inside with an answer, so that programs do not wait ..."
show client "${web[@]}" http://10.0.2.2:8080/
expect "refused at once by a reset" says 'refused|[Cc]ouldn.t connect|reset'
say "... and from outside in silence, in both families"
show server "${web[@]}" http://10.0.1.2/
expect "no answer over IPv4" says 'timed out'
show server "${web[@]}" 'http://[fd00:1::2]/'
expect "no answer over IPv6" says 'timed out'

say "The state table while two downloads run: TCP states in blue, counters both ways, the time that is left"
in_ns client curl -s --limit-rate 200k http://10.0.2.2/big -o /dev/null &
four=$!
in_ns client curl -s --limit-rate 200k 'http://[fd00:2::2]/big' -o /dev/null &
six=$!
established() { [ "$(in_ns router ipfi -e 'print(fw.states{proto = "tcp", state = "ESTABLISHED"}:count())')" = 2 ]; }
wait_for 10 established
show router ipfi --color=$color -e '=fw.states()'
expect "both are ESTABLISHED" says 'ESTABLISHED.*ESTABLISHED'

say "The rules with their counters"
show router ipfi --color=$color -e '=fw.running()'
expect "the rule of the web has counted" says 'out web'

say "A live download is ended by deleting its state, here by a filter that the kernel evaluates; its next packet meets a reset"
show router ipfi --color=$color -e '=fw.states{ family = 4, state = "ESTABLISHED", dport = "http" }:kill()'
expect "one state is deleted" says '1'
wait "$four"
status=$?
expect "the IPv4 download is over" bad
show router ipfi --color=$color -e '=fw.states{ state = "ESTABLISHED" }'
expect "the IPv6 download goes on" says 'ESTABLISHED'
kill "$six" 2>/dev/null

say "Statistics: entries, memory, packets by reason"
show router ipfi --color=$color -e '=fw.stats()'
expect "drops are counted" says 'rule-deny'

# shellcheck source=tests/lab/demo-policy.sh
. "$IPFI_TOP/tests/lab/demo-policy.sh"

# shellcheck source=tests/lab/demo-gateway.sh
. "$IPFI_TOP/tests/lab/demo-gateway.sh"

say "The module is removed: packets pass again"
rmmod ipfi
status=$?
expect "unloaded" good
show client "${web[@]}" http://10.0.2.2:8080/
expect "port 8080 answers" says "ipfi lab"

if [ $wrong -eq 0 ]; then
	printf '\n%sAll of it went as said, in %d s.%s\n' "$green" "$SECONDS" "$off"
else
	printf '\n%s%d steps did not go as said.%s\n' "$red" "$wrong" "$off"
	exit 1
fi
