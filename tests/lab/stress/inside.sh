#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests/stress runs in the guest: inside.sh SECONDS.
. "$IPFI_TOP/tests/net/support/firewall.sh"

here=$IPFI_TOP/tests/lab/stress
seconds=$1
topo_router || exit 1
phantoms
serve_web server 80
[ -e /proc/net/pktgen ] || modprobe pktgen || exit 1
load_ipfi max_states=20000 udp_new=2 udp_established=3 tcp_time_wait=2 || exit 1
in_ns router "$IPFI" -f "$here/policy.lua" || exit 1
note "set up in $SECONDS s; now $seconds s of load"

# worker NAME COMMAND...: repeats the command until the time is up, counting its rounds; it may fail, for the
# others get in its way on purpose, but never be killed by a signal of its own.
worker() {
	local name=$1 rounds=0 status
	shift
	while [ $SECONDS -lt $end ]; do
		"$@" >"$lab_tmp/$name.err" 2>&1
		status=$?
		rounds=$((rounds + 1))
		if [ $status -ge 128 ] && [ $status -ne 137 ]; then echo "signal $((status - 128))" >"$lab_tmp/$name.died"; fi
	done
	echo $rounds >"$lab_tmp/$name.rounds"
}
churn() { in_ns router "$IPFI" "$here/churn.lua" "what=$1" "seconds=$seconds" "policy=$here/policy.lua"; }

# set_pktgen SPACE FILE COMMAND...: commands for the kernel's packet generator, in that namespace.
set_pktgen() {
	local space=$1 file=$2 command
	shift 2
	# shellcheck disable=SC2016
	for command; do in_ns "$space" bash -c 'echo "$1" >"/proc/net/pktgen/$2"' - "$command" "$file" || return; done
}
# generate SPACE CPU COMMAND...: that CPU is to send 64-byte datagrams from the namespace to the router, at a rate
# that an emulated machine can bear, until pktgen is stopped.
generate() {
	local space=$1 cpu=$2 gateway
	shift 2
	gateway=$(in_ns router cat "/sys/class/net/$([ "$space" = client ] && echo lan0 || echo wan0)/address")
	set_pktgen "$space" "kpktgend_$cpu" rem_device_all "add_device eth0@$cpu" &&
		set_pktgen "$space" "eth0@$cpu" "dst_mac $gateway" "count 0" "pkt_size 80" "ratep $(slow 800 150)" "$@"
}

# Packets: from both ends of the same flows, one CPU each, so that both may find them new; the other family; and
# downloads and rejects.
{
	generate client 0 "flag IPSRC_RND" "src_min 10.9.1.1" "src_max 10.9.1.50" "dst 10.8.1.1" \
		"flag UDPSRC_RND" "udp_src_min 1024" "udp_src_max 1123" "udp_dst_min 5000" "udp_dst_max 5000" &&
		generate server 1 "flag IPDST_RND" "dst_min 10.9.1.1" "dst_max 10.9.1.50" "src_min 10.8.1.1" "src_max 10.8.1.1" \
			"udp_src_min 5000" "udp_src_max 5000" "flag UDPDST_RND" "udp_dst_min 1024" "udp_dst_max 1123" &&
		generate client 1 "src6 fd00:9::1" "dst6 fd00:8::1" \
			"flag UDPSRC_RND" "udp_src_min 1024" "udp_src_max 9000" "udp_dst_min 5000" "udp_dst_max 5000"
} || exit 1
# The time counts from here: a slow guest takes a minute to set the generators.
end=$((SECONDS + seconds))
set_pktgen client pgctrl start &
set_pktgen server pgctrl start &
worker web in_ns client curl -sg --max-time 10 'http://[fd00:2::2]/big' -o /dev/null 2>/dev/null &
worker refused in_ns client curl -s --max-time 2 http://10.0.2.2:25/ -o /dev/null 2>/dev/null &
# Control: two commit against each other, one is killed half way; dumps; deletions; limits.
for what in commit recommit dump delete limits; do
	churn $what >"$lab_tmp/$what.out" 2>&1 &
done
worker killed timeout -s KILL 0.7 ip netns exec router "$IPFI" -f "$here/policy.lua" n=300 2>/dev/null &
# Namespaces with a rule set come and go.
passing() {
	ip netns add passing && ip netns exec passing "$IPFI" -f "$here/policy.lua" &&
		ip -n passing link set lo up && ip netns exec passing ping -q -c 2 -i 0.2 127.0.0.1
	ip netns del passing
}
worker namespaces passing 2>/dev/null &

while [ $SECONDS -lt $end ]; do
	sleep 5
	note "$((end - SECONDS)) s left: $(fw 'local s = fw.stats() print(s.states .. " states, " .. s.packets .. " packets, generation " .. s.generation)' 2>&1)"
done
stats=$(fw 'local s = fw.stats() print(s.packets, s.states_peak, s.generation)')
# Unloading is part of the load: the workers on the packet side go on for a while, those of the control side get
# errors from here on.
tries=0
until rmmod ipfi 2>"$lab_tmp/rmmod.err"; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || break
	sleep 0.2
done
is "$(grep -c '^ipfi ' /proc/modules)" 0 "the module is unloaded under load"
sleep 2
set_pktgen client pgctrl stop
set_pktgen server pgctrl stop
wait

read -r packets peak generation <<<"$stats"
note "packets $packets, most states $peak, generation $generation"
holds "packets were judged" "${packets:-0} > 3000"
holds "states were made" "${peak:-0} > 300"
# A commit waits for a grace period, which takes seconds in an emulated kernel under this load.
holds "rule sets were committed" "${generation:-0} > 3"
for name in web refused killed namespaces; do
	note "$name: $(cat "$lab_tmp/$name.rounds" 2>/dev/null) rounds; $(tail -n 1 "$lab_tmp/$name.err" 2>/dev/null)"
	holds "$name: rounds" "$(cat "$lab_tmp/$name.rounds" 2>/dev/null || echo 0) > 0"
	if [ -e "$lab_tmp/$name.died" ]; then not_ok "$name: not killed" "$(cat "$lab_tmp/$name.died")"; fi
done
for what in commit recommit dump delete limits; do
	like "$(tail -n 1 "$lab_tmp/$what.out")" '^[1-9][0-9]* rounds' "$what: rounds"
	note "$what: $(tail -n 1 "$lab_tmp/$what.out")"
done
# A cache whose objects are freed by RCU is destroyed by a work item after the next grace period.
no_cache() { [ -z "$(find /sys/kernel/slab -name 'ipfi*' 2>/dev/null)" ]; }
runs "no cache is left behind" wait_for 30 no_cache
