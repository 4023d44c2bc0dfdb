#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A commit that is killed at any point leaves a whole rule set: the old one or the new one, never a part, a mixture
# or none; and nothing of it stands in the way of the next.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
rules=$(slow 3000 500)
policy() { # policy NAME: its rules are named after it
	cat >"$lab_tmp/$1.lua" <<-POLICY
		local rules = {
			allow { "$1 sentinel", proto = "udp", dport = 9 },
			allow { "$1 open", dir = "forward", proto = "udp", dport = 53, state = true },
		}
		for i = 3, $rules do
			rules[i] = deny { ("$1 %d"):format(i), dir = "forward", src = "192.0.2.1", proto = "tcp", dport = i }
		end
		return policy { name = "$1", rules = rules }
	POLICY
}
policy one
policy two
# What runs: "NAME whole" or what is wrong with it.
running() {
	fw "local r, odd = fw.running(), {}
	    for i, rule in ipairs(r.rules) do
	      local want = i == 1 and ' sentinel' or i == 2 and ' open' or (' %d'):format(i)
	      if rule.name ~= r.name .. want then odd[#odd + 1] = rule.name end
	    end
	    print(r.name, #r.rules == $rules and #odd == 0 and 'whole' or #r.rules .. ' rules, odd: ' .. table.concat(odd, ' ', 1, math.min(#odd, 3)))"
}
generation() { fw 'print(fw.stats().generation)'; }

runs "the first policy" in_ns router "$IPFI" -f "$lab_tmp/one.lua"
is "$(running)" $'one\twhole' "runs whole"

# Killed somewhere on the way from the file to the kernel: reading, compiling, sending, waiting.
took=0
for new in two one two; do
	start=${EPOCHREALTIME/./}
	in_ns router "$IPFI" -f "$lab_tmp/$new.lua"
	stop=${EPOCHREALTIME/./}
	if [ $took -eq 0 ] || [ $((stop - start)) -lt $took ]; then took=$((stop - start)); fi
done
note "a commit of $rules rules takes $((took / 1000)) ms"
is "$(running)" $'two\twhole' "a commit that is not killed takes effect"
early=0
for part in 20 50 60 70 80 90 95 100; do
	old=$(running)
	before=$(generation)
	[[ $old = one* ]] && new=two || new=one
	ip netns exec router "$IPFI" -f "$lab_tmp/$new.lua" &
	committer=$!
	nap $((took * part / 100))
	kill -9 $committer 2>/dev/null
	wait $committer 2>/dev/null
	now=$(running)
	if [ "$now" = "$old" ] && [ "$(generation)" -eq "$before" ]; then
		early=$((early + 1))
		ok "killed after $part% of its time: the old rules are whole"
	elif [ "$now" = "$new"$'\twhole' ] && [ "$(generation)" -eq $((before + 1)) ]; then
		ok "killed after $part% of its time: the new rules are whole"
	else
		not_ok "killed after $part% of its time: whole" "was '$old', is '$now'"
	fi
done
holds "some were killed in time" "$early >= 1"

# Killed in the middle of talking to the kernel, again and again: a script that does nothing else.
cat >"$lab_tmp/commits.lua" <<SCRIPT
local one, two = fw.load("$lab_tmp/one.lua"), fw.load("$lab_tmp/two.lua")
print("ready")
io.stdout:flush()
while true do
  fw.commit(one)
  fw.commit(two)
end
SCRIPT
seen=
for round in 1 2 3 4 5 6; do
	: >"$lab_tmp/ready"
	ip netns exec router "$IPFI" "$lab_tmp/commits.lua" >"$lab_tmp/ready" &
	committer=$!
	wait_for 60 grep -q ready "$lab_tmp/ready" || not_ok "the script begins" "it is not ready"
	sleep "0.$((RANDOM % 900 + 100))"
	kill -9 $committer
	wait $committer 2>/dev/null
	now=$(running)
	like "$now" $'^(one|two)\twhole$' "killed among commits, round $round"
	seen+=" ${now%%$'\t'*}"
	is "$(wire <<'PACKETS'
> udp 10.9.0.1 4001 10.8.0.1 53
> tcp 10.9.0.1 4001 10.8.0.1 80 S seq=1
PACKETS
)" "pass, drop" "and its rules are in force"
done
note "left behind:$seen"
runs "the next commit meets no lock and no transaction" in_ns router "$IPFI" -f "$lab_tmp/one.lua"
is "$(running)" $'one\twhole' "and takes effect"
