#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian13 uml-debug
#
# The module's own life: nothing changes before the first commit, closed=1 starts the other way round, and it can
# be unloaded at any time.
. "$IPFI_TOP/tests/net/support/firewall.sh"
firewall=host-a
topo_pair || exit
serve_web host-a 8080

# pings NAME yes|no: whether host-b's pings of host-a are answered, in both families.
pings() {
	local address
	for address in 10.0.0.1 fd00::1; do
		if can_ping host-b $address; then is yes "$2" "$1: $address"; else is no "$2" "$1: $address"; fi
	done
}

# Loaded, not armed.
load_ipfi || exit
runs "the program finds the module" fw 'assert(fw.stats().generation == 0)'
pings "passes before the first commit" yes
is "$(page host-b 'http://[fd00::1]:8080/')" "ipfi lab" "TCP passes before the first commit"
is "$(fw 'print(fw.stats().states, fw.stats().states_peak, fw.stats().packets)')" $'0\t0\t0' "nothing is tracked or counted before"

# The first commit arms this namespace alone.
commit_rules <<<''
pings "denied by a policy without rules" no
is "$(page host-b http://10.0.0.1:8080/ --max-time "$(patience 3)")" "curl 28" "TCP is denied without an answer"
if can_ping host-b 127.0.0.1; then ok "another namespace is not armed"; else not_ok "another namespace is not armed" "no ping of its own"; fi
unload_ipfi
pings "passes after unloading" yes

# closed=1: the other way round.
load_ipfi closed=1
pings "closed=1 denies" no
if can_ping host-a 127.0.0.1 && can_ping host-a ::1; then
	ok "closed=1 lets loopback pass"
else
	not_ok "closed=1 lets loopback pass" "no ping of its own"
fi
space late
link late eth0 10.0.3.1/24 -- host-b eth1 10.0.3.2/24
if can_ping host-b 10.0.3.1; then not_ok "closed=1 holds in namespaces made later" "a ping passed"; else ok "closed=1 holds in namespaces made later"; fi
for firewall in host-b host-a; do
	commit <<<'return policy { name = "open", rules = { allow { "all", state = true } } }'
done
pings "a commit takes its place" yes
unload_ipfi
pings "passes after unloading that too" yes

# Unloading under load, again and again: traffic never ends, the kernel stays clean (the lab looks), and none of
# the states made keeps the module.
in_ns host-a iperf3 --server --daemon --pidfile "$lab_tmp/iperf" >/dev/null
wait_for 10 listening host-a tcp 5201
ip netns exec host-b iperf3 --client 10.0.0.1 --time 300 --bitrate 50M --parallel 2 >/dev/null 2>&1 &
load=$!
ip netns exec host-b ping -q -f -w 300 fd00::1 >/dev/null 2>&1 &
flood=$!
for i in $(seq "$(long 5 3)"); do
	load_ipfi
	commit <<<'return policy { name = "open", rules = { allow { "all", state = true } } }'
	wait_for 20 fw 'assert(fw.stats().states >= 3 and fw.stats().packets > 200)' || not_ok "traffic is tracked, round $i" "$(fw 'print(fw.stats().states, fw.stats().packets)')"
	if unload_ipfi; then ok "unloaded under load, round $i"; else not_ok "unloaded under load, round $i" "rmmod failed"; fi
done
if kill -0 "$load" 2>/dev/null; then ok "the traffic is still there"; else not_ok "the traffic is still there" "iperf3 has ended"; fi
kill "$load" $flood
wait 2>/dev/null
pings "passes in the end" yes
