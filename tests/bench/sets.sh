#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What live connections pay for changes of a dynamic set: half a million of them, behind a thousand rules and one that
# asks the set, while members come and go ten times a second. Once they concern nobody, once everybody (which is what
# every change cost before only those it is about were asked). Run by tests/bench/run sets.
. "$IPFI_TOP/tests/lab/lib.sh"
flows=${1:-500000}
rules=${2:-1000}
rounds=${3:-40}

insmod "$IPFI_TOP/build/hookbench/hookbench.ko"
load_ipfi max_states=4000000
space ours
ip -n ours link add in0 type dummy
ip -n ours link add out0 type dummy
ip -n ours addr add 10.1.0.1/16 dev in0
ip -n ours addr add 10.2.0.1/16 dev out0
ip -n ours link set in0 up
ip -n ours link set out0 up
in_ns ours sysctl -qw net.ipv4.ip_forward=1
cat >"$lab_tmp/policy.lua" <<-END
	local bans = set { name = "bans", dynamic = true }
	local rules = { deny { "banned", dir = "forward", src = bans, dport = 1 } }
	for i = 1, $rules do
	  rules[i + 1] = deny { "rule " .. i, dir = "forward", src = "10.9." .. i // 256 .. "." .. i % 256, dport = i }
	end
	rules[#rules + 1] = allow { "all", dir = "forward", state = true }
	return policy { name = "bench", limits = { udp_new = 3600, udp_established = 3600 }, rules = rules }
END
in_ns ours "$IPFI" -f "$lab_tmp/policy.lua"

# bench FIELD...: fields of hookbench's report of a run over the same flows.
bench() {
	local field
	# shellcheck disable=SC2016
	in_ns ours bash -c 'echo "$1 $2 in0 out0 1" >/proc/hookbench' - "$flows" "$rounds"
	for field; do in_ns ours cat /proc/hookbench | tr ' ' '\n' | sed -n "s/^$field=//p"; done | paste -sd' '
}

# changes NETWORK: it comes and goes, ten changes a second, until this is killed.
changes() {
	ip netns exec ours "$IPFI" -e "
		fw.on('nat_full', print) -- fw.run() waits for nobody else
		local bans = fw.set('bans')
		for i = 1, 36000 do
		  if i % 2 == 1 then bans:add('$1') else bans:del('$1') end
		  fw.run(0.1)
		end" >/dev/null &
}

row() { printf '%-56s %8s %8s\n' "$@"; }
row "$flows live connections, $rules rules: ns a packet" least median
# shellcheck disable=SC2046
{
	row "no change" $(bench min median)
	for network in 192.0.2.1 10.1.0.0/16; do
		changes $network
		sleep 1
		row "ten changes a second of $network" $(bench min median)
		kill %% 2>/dev/null
		wait %% 2>/dev/null
	done
	row "no change" $(bench min median)
}
in_ns ours "$IPFI" -e 'print(fw.stats().states .. " states")'
