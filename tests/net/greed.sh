#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 500
#
# Somebody who is root of a namespace of his own, and of nothing else, tries to take the machine's memory: by raising
# max_states, by more connections than the table holds, by deleting them again and again, by rules, members of sets and
# transactions without end. What all such namespaces hold together is bounded, what he writes does not reach the
# machine's log, and it is all given back when he goes.
. "$IPFI_TOP/tests/net/support/firewall.sh"
[ -e /proc/self/ns/user ] || { skip "user namespaces" "this kernel has none"; exit 0; }
load_ipfi max_states=20000 namespaces_memory=24 || exit
tool flows
free() {
	echo 3 >/proc/sys/vm/drop_caches
	shrink_caches
	awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo
}
echo 0 >/proc/sys/net/netfilter/nf_log_all_netns

# His namespace: he makes it himself, with two ends of a wire each way; nobody else does anything in it.
cat >"$lab_tmp/attack" <<'ATTACK'
#!/bin/bash
. "$IPFI_TOP/tests/net/support/firewall.sh"
try() { "$IPFI" "$@" 2>&1; }
ip link set lo up
mount -t tmpfs tmpfs /run/netns
trap - EXIT # of who may unload the module
for side in lan wan; do
	ip netns add "$side"
	ip link add "${side}0" type veth peer name eth0 netns "$side"
done
touch /run/netns/router
mount --bind "/proc/$$/ns/net" /run/netns/router
ip addr add 10.0.1.1/24 dev lan0
ip addr add 10.0.2.1/24 dev wan0
ip link set lan0 up
ip link set wan0 up
for side in lan:10.0.1.2 wan:10.0.2.2; do
	ip -n "${side%%:*}" addr add "${side#*:}/24" dev eth0
	ip -n "${side%%:*}" link set eth0 up
done
echo 1 >/proc/sys/net/ipv4/ip_forward
ip route add 10.9.0.0/16 via 10.0.1.2
ip route add 10.8.0.0/16 via 10.0.2.2
ip neigh add 10.0.1.2 lladdr "$(ip -n lan -br link show eth0 | awk '{print $3}')" dev lan0
ip neigh add 10.0.2.2 lladdr "$(ip -n wan -br link show eth0 | awk '{print $3}')" dev wan0
flows() { "$tools/flows" "$@" lan/eth0@router/lan0 wan/eth0@router/wan0 10.9.0.1 10.8.0.1 2>&1; }
. "$1"
ATTACK
attack() {
	cat >"$lab_tmp/what"
	setpriv --reuid nobody --clear-groups true # it must be possible
	tools=$tools unshare --user --map-root-user --net --mount --pid --fork --mount-proc bash "$lab_tmp/attack" "$lab_tmp/what" >"$lab_tmp/said" 2>&1
	wait_for 30 eval '[ "$(free)" -gt $((before - 16)) ]' || not_ok "it is given back" "$before MiB before, $(free) MiB after"
	cat "$lab_tmp/said"
}
export tools lab_tmp IPFI IPFI_TOP
before=$(free)

attack >"$lab_tmp/out" <<'WHAT'
try -e 'print(fw.limits().max_states)'
try -e 'fw.set_limits{max_states = 20001}'
try -e 'fw.set_limits{max_states = 2147483647}'
try -e 'fw.commit(policy{name = "mine", limits = { max_states = 30000 }, rules = { allow { "all", state = true } }})'
try -e 'print(fw.set_limits{max_states = 20000}, fw.set_limits{max_states = 1000})'
WHAT
is "$(head -n 1 "$lab_tmp/out")" 20000 "his limit is the machine's"
is "$(grep -c 'first network namespace' "$lab_tmp/out")" 3 "it cannot be raised, by itself or with a commit"
like "$(tail -n 1 "$lab_tmp/out")" "true" "lowered it can be"

# Evictions: every connection is half open, and the table holds 2000.
dmesg_mark
echo 0 >/proc/sys/net/netfilter/nf_log_all_netns
attack >"$lab_tmp/out" <<'WHAT'
try -e 'fw.commit(policy{name = "CHOSEN", limits = { max_states = 2000 }, rules = { allow { "all", state = true } }})'
before=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
for ((i = 0; i < 4; i++)); do flows --count=5000 --first=$((i * 5000)); done
try -e 'local s = fw.stats() print("churn", s.states <= 2000, s.evicted > 10000, s.memory < 2^20 * 2)'
echo "took $((before - $(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)))"
try -e 'fw.commit_confirmed(policy{name = "CHOSEN", rules = { deny { "CHOSEN" } }}, 600) fw.rollback()'
WHAT
like "$(<"$lab_tmp/out")" $'churn\ttrue\ttrue\ttrue' "20,000 connections through a table of 2000"
took=$(awk '/^took/ { print $2 }' "$lab_tmp/out")
holds "take little memory: $took MiB" "$took < 24"
is "$(dmesg_since | grep -c 'ipfi:')" 0 "and nothing of it in the machine's log"

# Rules, members, transactions.
attack >"$lab_tmp/out" <<'WHAT'
cat >"$lab_tmp/rules.lua" <<'LUA'
local comment = ("x"):rep(200)
local rules = {}
for i = 1, 40000 do rules[i] = allow { "r" .. i, proto = "udp", dport = i % 65535 + 1, comment = comment } end
print("rules", pcall(fw.commit, policy { name = "many", rules = rules }))
LUA
try "$lab_tmp/rules.lua"
try -e 'fw.commit(policy{name = "sets", rules = { deny { "bans", src = set { name = "bans", dynamic = true } } }})'
try -e 'local list = {}
	for i = 1, 300000 do list[#list + 1] = ("10.%d.%d.%d"):format(i // 65536, i // 256 % 256, i % 256) end
	print("members", pcall(function() return fw.set("bans"):add(list) end))'
WHAT
is "$(grep -c 'have no memory left' "$lab_tmp/out")" 1 "rules end at the cap of all namespaces but the first"
like "$(grep ^members "$lab_tmp/out")" "false" "and so do members of sets"
wait_for 30 eval '[ "$(free)" -gt $((before - 16)) ]'
after=$(free)
holds "all of it is given back: $before MiB before, $after MiB after" "$after > $before - 24"
runs "unloading, with nothing counted any more" unload_ipfi
