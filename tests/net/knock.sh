#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# Port knocking, by examples/knock.lua and its policy: who knocks right gets in, nobody else does, in both families;
# the door closes by itself, but not on who stands in it.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3
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

# listen [ARGUMENT...]: starts it, looking after its members more often than it does by itself; it is heard when it
# says so.
program=$lab_tmp/knock.lua
sed 's/^local RENEWAL = .*/local RENEWAL = 1/' "$IPFI_TOP/examples/knock.lua" >"$program"
listen() {
	: >"$lab_tmp/said"
	ip netns exec host-b "$IPFI" -v "$program" "$@" </dev/null >"$lab_tmp/said" 2>&1 &
	listener=$!
	wait_for 20 grep -q 'listening for' "$lab_tmp/said"
}
# knock SOURCE PORT... [SOURCE PORT...]: one packet to each port, in that order, "PORT/udp" for UDP. Nothing comes
# back, and TCP is not given the time to try again.
knock() {
	in_ns host-a python3 - "$@" <<-'EOF'
		import socket, sys, time
		for word in sys.argv[1:]:
		    if "." in word or ":" in word:
		        source = word
		        continue
		    port, _, udp = word.partition("/")
		    family, target = (socket.AF_INET6, "fd00::2") if ":" in source else (socket.AF_INET, "10.0.0.2")
		    knocker = socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
		    knocker.setblocking(False)
		    knocker.bind((source, 0))
		    if udp:
		        knocker.sendto(b"knock", (target, int(port)))
		    else:
		        knocker.connect_ex((target, int(port)))
		    time.sleep(0.02)
		    knocker.close()
	EOF
}
# Nothing is knocked that it has not heard: a source of its own that knocks right comes last.
heard=0
hears() {
	heard=$((heard + 1))
	ip -n host-a addr add "10.0.0.$((100 + heard))/24" dev eth0
	knock "10.0.0.$((100 + heard))" "${sequence[@]}"
	wait_for 20 grep -q "open for 10.0.0.$((100 + heard))\$" "$lab_tmp/said"
}
# enters SOURCE: whether ssh is there for it.
enters() {
	local target=10.0.0.2
	[[ $1 = *:* ]] && target='[fd00::2]'
	[ "$(echo hello | in_ns host-a timeout "$(patience 30)" socat -t 20 - "TCP:$target:22,bind=$(bound "$1"),connect-timeout=$(patience 2)" 2>/dev/null)" = hello ]
}
bound() { [[ $1 = *:* ]] && echo "[$1]" || echo "$1"; }
opened() { grep -c "open for $1\$" "$lab_tmp/said"; }

sequence=(7000 8000/udp 9000)
open=$(patience 60)
listen ports=7000,8000/udp,9000 within=20 "open=$open"
is "$(grep -o 'listening for.*' "$lab_tmp/said")" "listening for tcp 7000, udp 8000, tcp 9000" "it listens"
fails "without a knock there is no ssh" enters 10.0.0.1
knock 10.0.0.1 "${sequence[@]}"
wait_for 20 grep -q 'open for' "$lab_tmp/said"
runs "who knocks gets in" enters 10.0.0.1
fails "another address does not" enters 10.0.0.11
is "$(fw "for _, m in ipairs(fw.set('knockers'):list()) do print(m.address, m.timeout <= $open) end")" $'10.0.0.1\ttrue' "it is a member, for a while"

# The wrong ones.
knock 10.0.0.11 7000 9000 8000/udp 9000
knock 10.0.0.11 7000 7001 8000/udp 9000
knock 10.0.0.11 8000/udp 9000 7000
knock 10.0.0.11 7000 8000 9000
# One after the other, as a scan does.
# shellcheck disable=SC2046
knock 10.0.0.11 $(seq 6998 7003) $(seq -f '%g/udp' 7998 8003) $(seq 8998 9003)
hears
fails "in no other order, with none between, by no other protocol" enters 10.0.0.11
is "$(opened 10.0.0.11)" 0 "and nobody is told otherwise"

# Two at once, and IPv6.
together=()
for port in "${sequence[@]}"; do
	for source in 10.0.0.11 fd00::1 10.0.0.12; do together+=("$source" "$port"); done
done
knock "${together[@]}"
hears
runs "sources are told apart" enters 10.0.0.12
runs "IPv6" enters fd00::1
is "$(opened 10.0.0.11) $(opened 10.0.0.12) $(opened fd00::1)" "1 1 1" "each once"
# nc tries again after a second, which is no second knock.
for port in 7000 9000; do
	[ $port = 7000 ] || knock 10.0.0.1 8000/udp
	in_ns host-a nc -w 3 -z -s 10.0.0.1 10.0.0.2 $port
done
hears
is "$(opened 10.0.0.1)" 2 "a retransmission is no second knock"
# The end of their time, which is the kernel's work (sets.sh), is not waited for.
fw 'for _, m in ipairs(fw.set("knockers"):list()) do fw.set("knockers"):add(m.address, { timeout = 1 }) end'
wait_for 20 fw 'os.exit(fw.set("knockers"):count() == 0)'
fails "the door closes by itself" enters 10.0.0.12
runs "though what has ended is still remembered" fw 'os.exit(fw.states { rule = "knocked" }:count() > 0)'

# Who knocks again is let in again.
knock 10.0.0.12 "${sequence[@]}"
wait_for 20 eval '[ "$(opened 10.0.0.12)" -ge 2 ]'
runs "who knocks again is let in again" enters 10.0.0.12
kill $listener
wait $listener
is "$?" 143 "it ends when it is told to"

# A session holds the door open: it goes on long after the time to enter is over, and ends when it is deleted.
sequence=(7000 8000 9000)
listen "open=$open" within=20
knock 10.0.0.1 "${sequence[@]}"
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
fw 'fw.set("knockers"):add("10.0.0.1", { timeout = 5 })'
sleep 7
runs "goes on after its time to enter" moves
is "$(fw 'print(fw.set("knockers"):has("10.0.0.1"))')" $'true\t10.0.0.1' "for it is a member still"
fw 'fw.set("knockers"):del("10.0.0.1")'
sleep 2
fails "put out, it is out" moves
is "$(fw 'print((fw.set("knockers"):has("10.0.0.1")))')" false "and nobody takes it in again"

# The policy goes and comes back.
commit <<<'return policy { name = "other", rules = { allow { "loopback", iif = "lo" }, deny { "knock", log = "knock", proto = "tcp", flags = "S/SAFR" } } }'
knock 10.0.0.1 "${sequence[@]}"
wait_for 20 grep -q 'knocked, but' "$lab_tmp/said"
runs "it goes on without its set" kill -0 $listener
runs "until the policy is back" in_ns host-b "$IPFI" -f "$IPFI_TOP/examples/knock-policy.lua"
# The door may have closed again before a slow guest gets there.
again() {
	knock 10.0.0.12 "${sequence[@]}"
	wait_for 20 grep -q 'open for 10.0.0.12$' "$lab_tmp/said"
	enters 10.0.0.12
}
runs "then it opens again" wait_for 60 again
