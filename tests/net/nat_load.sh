#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
# timeout: 900
#
# Very many connections through one outside address to one server: no two share a port, and each has its own data;
# on two CPUs at once. And what happens when there is no port left.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi max_states=200000 || exit
topo_router || exit
tool crowd
sources=()
for host in 11 12 13 14; do
	ip -n client address add 10.0.1.$host/24 dev eth0
	sources+=("10.0.1.$host")
done
in_ns server sysctl -qw net.core.somaxconn=8192 net.ipv4.tcp_max_syn_backlog=8192
in_ns server setsid -f "$tools/crowd" serve 7000
wait_for 10 listening server tcp 7000
commit <<'POLICY'
return policy { name = "test", limits = { max_states = 200000 },
	nat = { masquerade { "out", oif = "wan0" } }, rules = { allow { "all", state = true } } }
POLICY

# Two processes, each with half of them, from two addresses each with the same ports: half of them collide.
crowd=$(slow "$(long 50000 20000)" 8000)
half=$((crowd / 2))
mkfifo "$lab_tmp/stay"
exec 7<>"$lab_tmp/stay"
for part in 0 1; do
	ip netns exec client "$tools/crowd" connect 10.0.2.2 7000 2000 $half "${sources[part * 2]}" "${sources[part * 2 + 1]}" \
		<"$lab_tmp/stay" >"$lab_tmp/crowd$part" 7>&- &
	crowds[part]=$!
done
for part in 0 1; do wait_for 600 grep -q open "$lab_tmp/crowd$part"; done
for part in 0 1; do
	is "$(<"$lab_tmp/crowd$part")" "open $half right $half ports $half" "all opened, with their own data and ports of their own ($((part + 1)) of 2)"
done
is "$(fw 'print(fw.states{ nat = "src", dport = 7000, state = "ESTABLISHED" }:count())')" $crowd "$crowd connections live at once"
is "$(fw '
	local seen, twice, addresses = {}, 0, {}
	for s in fw.states{ nat = "src", dport = 7000 }:each() do
		local key = s.nat_src .. " " .. s.nat_sport .. " " .. s.dst .. " " .. s.dport
		if seen[key] then twice = twice + 1 end
		seen[key], addresses[s.nat_src] = true, true
	end
	local n, last = 0
	for a in pairs(addresses) do n, last = n + 1, a end
	print(twice, n, last)')" $'0\t1\t10.0.2.1' "no two have the same port, all have one address"
is "$(counter nat-full)" 0 "none was refused"
note "$(fw 'local s = fw.stats() print(s.translated, "translated,", s.memory // 1024, "KiB")')"
kill "${crowds[@]}" 2>/dev/null
wait "${crowds[@]}" 2>/dev/null
# The last words of so many connections take their time, and would be taken for connections picked up in the middle.
closed() { ! { in_ns client ss -Htn state connected exclude time-wait && in_ns server ss -Htn state connected exclude time-wait; } | grep . >/dev/null; }
runs "they close" wait_for 120 closed
fw 'fw.states():kill()'

# Ten ports for one server, which the killed ones have given free: ten connections, and no more.
commit <<'POLICY'
return policy { name = "test",
	nat = { masquerade { "narrow", oif = "wan0", to_port = "30000-30009" } }, rules = { allow { "all", state = true } } }
POLICY
dmesg_mark
in_ns router timeout 300 "$IPFI" -e 'fw.on("nat_full", function(e)
	print(e.name or e.rule, e.proto, e.src, e.dst, e.dport) os.exit(0) end) print("ready") io.stdout:flush() fw.run(300)' \
	>"$lab_tmp/event" 2>&1 &
wait_for 20 grep -q ready "$lab_tmp/event"
ip netns exec client timeout "$(patience 60)" "$tools/crowd" connect 10.0.2.2 7000 45000 10 10.0.1.11 <"$lab_tmp/stay" >"$lab_tmp/ten" 7>&- &
ten=$!
wait_for 30 grep -q open "$lab_tmp/ten"
is "$(<"$lab_tmp/ten")" "open 10 right 10 ports 10" "as many as there are ports"
fails "not one more" in_ns client socat -u "TCP:10.0.2.2:7000,bind=10.0.1.12:46000,connect-timeout=$(patience 2)" -
holds "it is counted" "$(counter nat-full) > 0"
like "$(dmesg_since)" "ipfi: nat: no translation left .*10.0.1.12:46000.*10.0.2.2:7000.*'narrow'" "the kernel's log says so"
wait_for 10 grep -q narrow "$lab_tmp/event"
like "$(<"$lab_tmp/event")" "narrow.*10.0.1.12.*10.0.2.2.*7000" "and who listens is told"
is "$(fw 'print(fw.states{ src = "10.0.1.12" }:count())')" 0 "nothing is left of the refused one"
in_ns client socat -u - "UDP:10.0.2.2:9,bind=10.0.1.12:46000" <<<"another destination"
is "$(fw 'print(fw.states{ src = "10.0.1.12", dport = 9 }:count())')" 1 "another destination has the ports to itself"
kill "$ten" 2>/dev/null
wait "$ten" 2>/dev/null
fw 'fw.states():kill()'
in_ns client timeout "$(patience 30)" "$tools/crowd" connect 10.0.2.2 7000 46500 10 10.0.1.13 </dev/null >"$lab_tmp/ten"
is "$(<"$lab_tmp/ten")" "open 10 right 10 ports 10" "freed they are used again"
exec 7>&-
