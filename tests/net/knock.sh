#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Port knocking, by examples/knock.lua and its policy: who knocks right gets in, nobody else does, in both families;
# the door closes by itself, but not on who stands in it.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
log_backends
topo_pair || exit
ip -n host-a addr add 10.0.0.11/24 dev eth0
ip -n host-a addr add 10.0.0.12/24 dev eth0
firewall=host-b
serve_echo host-b tcp 22

runs "the policy" in_ns host-b "$IPFI" -f "$IPFI_TOP/examples/knock-policy.lua"
in_ns host-b "$IPFI" "$IPFI_TOP/examples/knock.lua" set=others 2>"$lab_tmp/said"
is "$? $(grep -c 'set { name = "others", dynamic = true }' "$lab_tmp/said")" "4 1" "a policy without its set is told of"

# listen [ARGUMENT...]: starts it; it is heard when it says so.
listen() {
	: >"$lab_tmp/said"
	in_ns host-b "$IPFI" -v "$IPFI_TOP/examples/knock.lua" "$@" </dev/null >"$lab_tmp/said" 2>&1 &
	listener=$!
	wait_for 20 grep -q 'listening for' "$lab_tmp/said"
}
deaf() {
	kill -INT $listener
	wait $listener
}
# knock SOURCE PORT...: one packet to each port, "PORT/udp" for UDP; nothing comes back.
knock() {
	local source=$1 port target=10.0.0.2
	[[ $source = *:* ]] && target=fd00::2
	shift
	for port; do
		case $port in
		*/udp) echo | in_ns host-a nc -u -w 1 -s "$source" $target "${port%/udp}" >/dev/null 2>&1 & ;;
		*) in_ns host-a nc -w 1 -z -s "$source" $target "$port" >/dev/null 2>&1 & ;;
		esac
		sleep 0.3
	done
}
# enters SOURCE: whether ssh is there for it.
enters() {
	local target=10.0.0.2
	[[ $1 = *:* ]] && target='[fd00::2]'
	[ "$(echo hello | in_ns host-a timeout 5 socat -t 2 - "TCP:$target:22,bind=$(bound "$1"),connect-timeout=2" 2>/dev/null)" = hello ]
}
bound() { [[ $1 = *:* ]] && echo "[$1]" || echo "$1"; }
opened() { grep -c "open for $1\$" "$lab_tmp/said"; }

listen ports=7000,8000/udp,9000 within=10 open=8
is "$(grep -o 'listening for.*' "$lab_tmp/said")" "listening for tcp 7000, udp 8000, tcp 9000" "it listens"
fails "without a knock there is no ssh" enters 10.0.0.1
knock 10.0.0.1 7000 8000/udp 9000
wait_for 20 grep -q 'open for' "$lab_tmp/said"
runs "who knocks gets in" enters 10.0.0.1
fails "another address does not" enters 10.0.0.11
is "$(fw 'for _, m in ipairs(fw.set("knockers"):list()) do print(m.address, m.timeout <= 8) end')" $'10.0.0.1\ttrue' "it is a member, for a while"

# The wrong ones.
knock 10.0.0.11 7000 9000 8000/udp 9000
knock 10.0.0.11 7000 7001 8000/udp 9000
knock 10.0.0.11 8000/udp 9000 7000
knock 10.0.0.11 7000 8000 9000
# One after the other, as a scan does.
in_ns host-a hping3 -q -a 10.0.0.11 -S -p ++6995 -c 20 -i u2000 10.0.0.2 >/dev/null 2>&1
sleep 2
fails "in no other order, with none between, by no other protocol" enters 10.0.0.11
is "$(opened 10.0.0.11)" 0 "and nobody is told otherwise"

# Two at once, and IPv6.
for port in 7000 8000/udp 9000; do
	for source in 10.0.0.11 fd00::1 10.0.0.12; do knock $source $port; done
done
wait_for 20 eval '[ "$(grep -c "open for" "$lab_tmp/said")" -ge 4 ]'
runs "sources are told apart" enters 10.0.0.12
runs "IPv6" enters fd00::1
is "$(opened 10.0.0.11) $(opened 10.0.0.12) $(opened fd00::1)" "1 1 1" "each once, retransmissions or not"
wait_for 30 fw 'os.exit(fw.set("knockers"):count() == 0)'
fails "the door closes by itself" enters 10.0.0.12

# Who knocks again is let in again.
knock 10.0.0.12 7000 8000/udp 9000
wait_for 20 eval '[ "$(opened 10.0.0.12)" -ge 2 ]'
runs "who knocks again is let in again" enters 10.0.0.12
deaf
is "$?" 130 "it ends when it is told to"

# A session holds the door open: it goes on long after the time to enter is over, and ends when it is deleted.
sed 's/^local RENEWAL = .*/local RENEWAL = 1/' "$IPFI_TOP/examples/knock.lua" >"$lab_tmp/knock.lua"
chmod 755 "$lab_tmp"
in_ns host-b "$IPFI" -v "$lab_tmp/knock.lua" open=4 </dev/null >"$lab_tmp/said" 2>&1 &
listener=$!
wait_for 20 grep -q 'listening for' "$lab_tmp/said"
knock 10.0.0.1 7000 8000 9000
wait_for 20 grep -q 'open for 10.0.0.1$' "$lab_tmp/said"
: >"$lab_tmp/session"
(while sleep 0.3; do echo typed; done) | in_ns host-a socat -t 0 - TCP:10.0.0.2:22,bind=10.0.0.1 >"$lab_tmp/session" 2>/dev/null &
disown
moves() {
	local size
	size=$(stat -c %s "$lab_tmp/session")
	wait_for 10 eval "[ \$(stat -c %s $lab_tmp/session) -gt $((size + 6)) ]"
}
runs "a session" moves
sleep 8
runs "goes on after its time to enter" moves
is "$(fw 'print(fw.set("knockers"):has("10.0.0.1"))')" $'true\t10.0.0.1' "for it is a member still"
fw 'fw.set("knockers"):del("10.0.0.1")'
sleep 2
fails "put out, it is out" moves
is "$(fw 'print(fw.set("knockers"):count())')" 0 "and nobody takes it in again"

# The policy goes and comes back.
commit <<<'return policy { name = "other", rules = { allow { "loopback", iif = "lo" }, deny { "knock", log = "knock", proto = "tcp", flags = "S/SAFR" } } }'
knock 10.0.0.1 7000 8000 9000
wait_for 20 grep -q 'knocked, but' "$lab_tmp/said"
runs "it goes on without its set" kill -0 $listener
runs "until the policy is back" in_ns host-b "$IPFI" -f "$IPFI_TOP/examples/knock-policy.lua"
sleep 1
knock 10.0.0.12 7000 8000 9000
wait_for 20 grep -q 'open for 10.0.0.12$' "$lab_tmp/said"
runs "then it opens again" enters 10.0.0.12
deaf
