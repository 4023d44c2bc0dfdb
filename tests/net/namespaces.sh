#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian uml-debug
#
# Everything is per network namespace: rules, states, limits, counters, events. Who rules a namespace rules its
# firewall, and nobody else. A namespace goes with all it has, under traffic too.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
open='return policy { name = "open", limits = { udp_new = 77 }, rules = { allow { "all", state = true } } }'
for firewall in router client; do commit <<<"$open"; done
firewall=client
commit_rules <<<'allow { "ping", dir = "out", icmp = "echo-request", state = true },'
is "$(fw 'print(fw.stats().generation, fw.running().name, #fw.running().rules, fw.limits().udp_new)')" $'2\ttest\t2\t77' "one namespace"
firewall=router
is "$(fw 'print(fw.stats().generation, fw.running().name, #fw.running().rules)')" $'1\topen\t1' "another"
firewall=server
is "$(fw 'print(fw.stats().generation, #fw.running().rules, fw.limits().udp_new)')" $'0\t0\t30' "one without rules"
runs "a ping" in_ns client ping -q -c 1 -W "$(patience 5)" 10.0.2.2
for firewall in client router server; do
	is "$firewall $(fw 'print(fw.states{proto = "icmp"}:count(), fw.stats().states_peak > 0)')" \
		"$firewall $([ $firewall = server ] && printf '0\tfalse' || printf '1\ttrue')" "has its states where it was tracked"
done
firewall=client
is "$(fw 'print(fw.states():kill() > 0, fw.states():count())')" $'true\t0' "killed in one"
firewall=router
holds "not in the other" "$(count_states) >= 1"

# Rights.
for call in 'fw.set_limits{icmp = 31}' 'fw.states():count()' 'fw.states():kill()' 'for _ in fw.states():each() do end' 'fw.running()'; do
	in_ns router setpriv --reuid nobody --clear-groups "$IPFI" -e "$call" >"$lab_tmp/out" 2>&1
	is $? 77 "nobody may not: $call"
done
echo "$open" >/etc/open.lua
in_ns router setpriv --reuid nobody --clear-groups "$IPFI" -f /etc/open.lua 2>"$lab_tmp/out"
is $? 77 "nor commit"
if [ -e /proc/self/ns/user ]; then
	setpriv --reuid nobody --clear-groups unshare --user --map-root-user --net "$IPFI" \
		-e 'fw.commit(policy { name = "own", rules = { allow { "all" } } }) print(fw.running().name, fw.set_limits{icmp = 31})' >"$lab_tmp/out" 2>&1
	is "$? $(<"$lab_tmp/out")" $'0 own\ttrue' "who is root of a namespace of one's own rules its firewall"
	# The same user, root of a user namespace, but in a network that is not its own.
	in_ns router setpriv --reuid nobody --clear-groups unshare --user --map-root-user "$IPFI" -e 'fw.set_limits{icmp = 31}' >"$lab_tmp/out" 2>&1
	is $? 77 "but no other"
	is "$(fw 'print(fw.limits().icmp)')" 30 "which is as it was"
else
	skip "user namespaces" "this kernel has none"
fi

# Namespaces that go while packets pass through them. The kernel must have nothing to report, now or when the
# module is unloaded.
tool flows
for round in 1 2 3; do
	space gone
	link gone up0 10.0.3.1/24 fd00:3::1/64 -- client eth1 10.0.3.2/24 fd00:3::2/64
	link gone up1 10.0.4.1/24 fd00:4::1/64 -- server eth1 10.0.4.2/24 fd00:4::2/64
	in_ns gone sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n gone route add 10.9.0.0/16 via 10.0.3.2
	ip -n gone route add 10.8.0.0/16 via 10.0.4.2
	firewall=gone
	commit <<<"$open"
	"$tools/flows" --count=2000 --answer client/eth1@gone/up0 server/eth1@gone/up1 10.9.0.1 10.8.0.1 >"$lab_tmp/flows"
	holds "round $round: states are there: $(<"$lab_tmp/flows")" "$(count_states) >= 2000"
	ip netns exec client ping -q -f -w 60 10.0.3.1 >/dev/null 2>&1 &
	flood=$!
	"$tools/flows" --count=200000 --first=60000 client/eth1@gone/up0 server/eth1@gone/up1 10.9.0.1 10.8.0.1 >"$lab_tmp/flows" 2>&1 &
	sender=$!
	sleep 1
	ip netns del gone
	wait $sender
	kill $flood 2>/dev/null # unless it has noticed
	wait $flood 2>/dev/null
	fails "round $round: it has gone" ip netns pids gone
done
firewall=router
runs "the others go on" in_ns client ping -q -c 1 -W "$(patience 5)" 10.0.2.2
lab_spaces=(client router server)
# Destroyed by the kernel in its own time, which a new one waits for.
space last && runs "namespaces still come and go" ip -n last link show lo
runs "unloading with states in several namespaces" unload_ipfi
