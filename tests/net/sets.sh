#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 500
#
# Dynamic sets: who is a member meets the rules at once, live connections too; networks, both families, negation,
# time limits, commits, a hundred thousand members, and what is refused.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms

# commit_sets RULES [NAME...]: a policy with the named dynamic sets, as locals, and rules that let all else pass.
commit_sets() {
	local rules=$1 name
	shift
	{
		for name; do printf 'local %s = set { name = "%s", dynamic = true }\n' "$name" "$name"; done
		printf 'return policy { name = "test", rules = {\n'
		printf 'allow { "sentinel", proto = "udp", dport = 9, src = { "10.8.255.9", "10.9.255.9" } },\n%s\n' "$rules"
		printf 'allow { "rest", dir = { "in", "out", "forward" } },\n} }\n'
	} | commit "${options[@]}"
}
options=()
# set_of NAME CODE: a method of a set, and what it gives.
set_of() { fw "print(fw.set('$1'):$2)"; }
# passes SRC...: what becomes of a datagram of each, separated by blanks.
passes() {
	local src lines=
	for src; do
		case $src in
		*:*) lines+="> udp $src 4001 fd00:8::1 53"$'\n' ;;
		*) lines+="> udp $src 4001 10.8.0.1 53"$'\n' ;;
		esac
	done
	wire <<<"$lines" | tr -d ,
}

# Before a policy declares it.
is "$(fw 'print(#fw.sets())')" 0 "no rule set, no set"
in_ns router "$IPFI" -e 'fw.set("bans"):add("10.9.0.1")' 2>"$lab_tmp/error"
is "$?" 4 "a set that no policy declares is refused"
runs "saying which line of the policy makes it" grep -q 'local bans = set { name = "bans", dynamic = true }' "$lab_tmp/error"

deny='deny { "from", src = bans, state = false }, deny { "to", dst = bans },'
commit_sets "$deny" bans unused
is "$(fw 'for _, s in ipairs(fw.sets()) do io.write(s.name, " ", s.members, " ") end')" "bans 0 unused 0 " "a policy makes its sets, used or not"
is "$(passes 10.9.0.1 fd00:9::1)" "pass pass" "nobody is in an empty set"

# Addresses.
is "$(set_of bans 'add({ "10.9.0.1", "fd00:9::1", "10.8.0.7" })')" 3 "three members, of both families"
is "$(set_of bans 'add("10.9.0.1")')" 0 "one that is there is not added again"
is "$(passes 10.9.0.1 fd00:9::1)" "drop drop" "members are denied"
is "$(passes 10.9.0.2 fd00:9::2)" "pass pass" "others are not"
is "$(wire <<<'> udp 10.9.0.2 4001 10.8.0.7 53')" drop "as destination too"
is "$(hits from) $(hits to)" "2 1" "by the rule that asks"
is "$(set_of bans 'count()') $(set_of bans 'has("10.9.0.1")') $(set_of bans 'has("10.9.0.2")')" $'3 true\t10.9.0.1 false' "count and has"
is "$(set_of bans 'del({ "10.9.0.1", "10.9.0.99" })')" 1 "deleting tells how many were there"
is "$(passes 10.9.0.1 fd00:9::1)" "pass drop" "who is deleted passes"
is "$(fw 'for _, m in ipairs(fw.set("bans"):list()) do io.write(m.address, " ") end')" "10.8.0.7 fd00:9::1 " "list, in order"
is "$(set_of bans 'flush()') $(passes fd00:9::1)" "2 pass" "flush"

# Networks: any of them that has the address, whatever its length; the longest first where it is told.
set_of bans 'add({ "10.9.0.0/24", "10.9.0.128/25", "fd00:9::/112", "10.9.3.4" })' >/dev/null
is "$(passes 10.9.0.1 10.9.0.200 10.9.1.1 10.9.3.4 10.9.3.5)" "drop drop pass drop pass" "networks"
is "$(passes fd00:9::ffff fd00:9::1:0)" "drop pass" "networks, IPv6"
is "$(set_of bans 'has("10.9.0.200")') $(set_of bans 'has("10.9.0.0/24")') $(set_of bans 'has("10.9.0.0/23")')" \
	$'true\t10.9.0.128/25 true\t10.9.0.0/24 false' "which one has an address, or a network"
set_of bans 'del("10.9.0.128/25")' >/dev/null
is "$(passes 10.9.0.200)" drop "within the wider one still"
set_of bans 'del("10.9.0.0/24")' >/dev/null
is "$(passes 10.9.0.200 10.9.3.4)" "pass drop" "until that has gone too"
set_of bans 'add("0.0.0.0/0")' >/dev/null
is "$(passes 10.9.9.9 fd00:9::2:2)" "drop pass" "all of IPv4 is a network"
set_of bans 'flush()' >/dev/null

# Negation, lists, sets in sets.
commit_sets 'allow { "friends", dir = "forward", src = { friends, set { "10.9.7.0/24", more } } },
	deny { "strangers", dir = "forward" },' friends more
is "$(fw 'for _, s in ipairs(fw.sets()) do io.write(s.name, " ") end')" "friends more " "the sets of the policy before are gone"
set_of friends 'add("10.9.0.1")' >/dev/null
set_of more 'add("10.9.0.2")' >/dev/null
is "$(passes 10.9.0.1 10.9.0.2 10.9.7.7 10.9.0.3)" "pass pass pass drop" "among other addresses"
commit_sets 'deny { "strangers", dir = "forward", proto = "udp", dport = 53, src = ~friends },' friends
is "$(passes 10.9.0.1 10.9.0.2 fd00:9::1)" "pass drop drop" "~friends: all but these, of both families"

# Commits keep the members, of a set that both policies have; without it they are lost.
commit_sets "$deny" bans
set_of bans 'add({ "10.9.0.1", "10.9.0.2" }, { timeout = 600 })' >/dev/null
commit_sets "deny { 'else', dport = 9999 }, $deny" more bans
is "$(set_of bans 'count()') $(passes 10.9.0.1)" "2 drop" "members are kept over commits"
fails "a commit that is refused keeps them too" commit_sets 'deny { "x", iif = "a/b" },' other
in_ns router "$IPFI" -n -f "$lab_tmp/policy.lua" >/dev/null 2>&1
is "$(set_of bans 'count()') $(fw 'print(#fw.sets())')" "2 2" "and makes none"
commit_sets '' more
fails "the last policy that had it takes it along" fw 'fw.set("bans"):count()'
commit_sets "$deny" bans
is "$(set_of bans 'count()') $(passes 10.9.0.1)" "0 pass" "one of that name is a new one"

# Time limits, long enough to be looked at in a slow guest too.
limit=$(slow 15 20)
fw "fw.set('bans'):add({ '10.9.0.1', '10.9.1.0/24', 'fd00:9::1' }, { timeout = $limit }) fw.set('bans'):add('10.9.0.2')
    local s = require('ipfi.c.sys') io.write(s.monotonic(), '\n')" >"$lab_tmp/begun"
is "$(passes 10.9.0.1 10.9.1.1 10.9.0.2)" "drop drop drop" "members with a time limit"
holds "list tells what is left" "$(fw 'print(fw.set("bans"):list()[1].timeout // 1 | 0)') < limit"
is "$(fw 'print(fw.set("bans"):list()[2].timeout)')" nil "and of one without nothing"
# How long they can be met: never beyond the deadline, and never less.
fw "local s, begun = require 'ipfi.c.sys', $(cat "$lab_tmp/begun")
    local set, was, fewer = fw.set 'bans', 4
    repeat local before, n, after = s.monotonic() - begun, set:count(), s.monotonic() - begun
	if n > 1 and before > $limit + 0.1 or n < 4 and after < $limit - 1 or n < 1 then print('wrong', n, before) end
	if n < 4 then fewer = fewer or after end
	if fewer and n > 1 and before > fewer + 0.1 then print('not together', n, before, fewer) end
	was = n
    until before > $limit + 2
    print(was)" >"$lab_tmp/counts"
is "$(cat "$lab_tmp/counts")" 1 "they go when it is over, together and in time"
is "$(passes 10.9.0.1 10.9.1.1 fd00:9::1 10.9.0.2)" "pass pass pass drop" "and pass again"
set_of bans 'add({ "10.9.0.2" }, { timeout = 1 })' >/dev/null
set_of bans 'add({ "10.9.0.2" }, { timeout = "1h" })' >/dev/null
sleep 2.5
is "$(passes 10.9.0.2)" drop "a new time limit takes the place of the old one"
holds "as told" "$(fw 'print(fw.set("bans"):list()[1].timeout // 1 | 0)') > 3590"
set_of bans 'add("10.9.0.2")' >/dev/null
is "$(fw 'print(fw.set("bans"):list()[1].timeout)')" nil "none too"
set_of bans 'flush()' >/dev/null

# Live connections: judged again when a set changes that the rules ask.
commit_sets 'deny { "from", src = bans }, allow { "flows", dir = "forward", proto = "udp", dport = 53, state = true },' bans other
live() { wire <<<'> udp 10.9.0.1 4001 10.8.0.1 53'; }
back() { wire <<<'< udp 10.8.0.1 53 10.9.0.1 4001'; }
is "$(live) $(back) $(count_states 'src = "10.9.0.1"')" "pass pass 1" "a live connection"
before=$(counter rejudged)
generation=$(row 'src = "10.9.0.1"' s.generation)
set_of bans 'add("10.9.0.1")' >/dev/null
is "$(back) $(count_states 'src = "10.9.0.1"')" "drop 0" "whose source becomes a member ends, the reply's packet too"
is "$(($(counter rejudged) - before)) $(live)" "1 drop" "as by a commit"
set_of bans 'flush()' >/dev/null
live >/dev/null
set_of bans 'add("10.9.0.99")' >/dev/null
is "$(live) $(row 'src = "10.9.0.1"' s.generation)" "pass $generation" "others go on, in the same generation"
is "$(fw 'print(fw.stats().generation)')" "$generation" "that of the rules does not change"
commit_sets 'allow { "flows", dir = "forward", proto = "udp", dport = 53, src = friends, state = true }, deny { "none", proto = "udp", dport = 53 },' friends
set_of friends 'add("10.9.0.1", { timeout = 2 })' >/dev/null
options=(--states=keep)
is "$(live) $(count_states 'src = "10.9.0.1"')" "pass 1" "allowed while it is a member"
wait_for 10 fw 'os.exit(fw.set("friends"):count() == 0)'
is "$(live) $(count_states 'src = "10.9.0.1"')" "drop 0" "and no longer than that"
set_of friends 'add("10.9.0.1")' >/dev/null
live >/dev/null
generation=$(fw 'print(fw.stats().generation)')
commit_sets 'deny { "none", proto = "udp", dport = 53, src = ~friends }, deny { "no more", proto = "udp", dport = 53 },' friends
set_of friends 'add("10.9.0.77")' >/dev/null
is "$(live) $(row 'src = "10.9.0.1"' s.generation)" "pass $generation" "what --states=keep kept stays, whatever changes"
options=()
commit_sets 'deny { "none", proto = "udp", dport = 53 },' friends
is "$(live)" drop "until a commit that asks again"

# Many members.
commit_sets "$deny" bans
many=$(slow 100000 20000)
fw "local list = {}
    for i = 0, $many - 1 do
	list[i + 1] = i % 4 == 3 and ('2001:db8:%x::%x'):format(i >> 8, i & 255)
	    or ('%d.%d.%d.%d'):format(20 + (i >> 20), i >> 12 & 255, i >> 4 & 255, (i & 15) * 16)
    end
    list[#list + 1] = '10.9.0.1'
    local s, set = require 'ipfi.c.sys', fw.set 'bans'
    local begun = s.monotonic()
    local added = set:add(list, { timeout = 3600 })
    local between = s.monotonic()
    local listed = #set:list()
    print(added, listed, set:count())
    io.stderr:write(('# %d members added in %.2f s, listed in %.2f s\n'):format(added, between - begun, s.monotonic() - between))" >"$lab_tmp/many" 2>"$lab_tmp/took"
is "$(tr '\t' ' ' <"$lab_tmp/many")" "$((many + 1)) $((many + 1)) $((many + 1))" "$many members"
cat "$lab_tmp/took"
is "$(passes 10.9.0.1 10.9.0.2)" "drop pass" "found among them"
is "$(set_of bans 'has("2001:db8:0::3")')" $'true\t2001:db8::3' "others too"
set_of bans 'flush()' >/dev/null
# All of them end at once: neither the kernel nor who asks meanwhile has to wait long.
fw "local list = {}
    for i = 0, $many - 1 do list[i + 1] = ('%d.%d.%d.%d'):format(20, i >> 16, i >> 8 & 255, i & 255) end
    fw.set('bans'):add(list, { timeout = $(slow 3 8) })" >/dev/null
wait_for 30 fw 'os.exit(fw.set("bans"):count() == 0)'
is "$(set_of bans 'count()')" 0 "all go when their time is over"

# A dump while members come and go: who stays is told once.
fw 'local set = fw.set "bans"
    for i = 1, 3 do local l = {} for j = 0, 999 do l[#l + 1] = ("10.%d.%d.%d"):format(20 + i, j >> 8, j & 255) end set:add(l) end'
in_ns router "$IPFI" -e 'local set = fw.set "bans"
    for i = 1, 200 do set:add("10.20.0." .. i) set:del("10.20.0." .. i) set:add("10.30.0." .. i) end' &
churn=$!
for _ in 1 2 3; do
	fw 'local seen, n = {}, 0
	    for m in fw.set("bans"):each() do
		if seen[m.address] then print("twice", m.address) end
		seen[m.address] = true
		if m.address:find("^10%.2[123]%.") then n = n + 1 end
	    end
	    print(n)'
done | sort -u >"$lab_tmp/seen"
wait $churn
is "$(cat "$lab_tmp/seen")" 3000 "dumps under changes tell who stays, once"

# Under traffic from both ends, with two that add and delete, and commits.
tool flows
commit_sets 'deny { "from", src = bans }, allow { "flows", dir = "forward", proto = "udp", state = true },' bans
: >"$lab_tmp/go"
for one in 1 2; do
	in_ns router "$IPFI" -e "local set, i = fw.set 'bans', 0
	    while io.open('$lab_tmp/go') do i = i + 1
		set:add({ '10.9.$one.' .. i % 256, '10.9.0.0/' .. 20 + i % 12, 'fd00:9::' .. i % 100 }, { timeout = i % 3 == 0 and 0.1 or nil })
		if i % 7 == 0 then set:flush() else set:del('10.9.$one.' .. (i + 128) % 256) end
	    end" &
done
for _ in 1 2 3; do
	"$tools/flows" --count="$(slow 10000 3000)" --sources=1000 --answer "$left" "$right" 10.9.0.1 10.8.0.1 >/dev/null
	commit_sets 'deny { "from", src = bans }, allow { "flows", dir = "forward", proto = "udp", state = true },' bans
done
rm "$lab_tmp/go"
wait
runs "changes under traffic" fw 'fw.set("bans"):flush()'
is "$(passes 10.9.0.1) $(set_of bans 'count()')" "pass 0" "leave what they should"

# What is wrong is said before anything is done.
says() { # says TEXT CODE
	in_ns router "$IPFI" -e "$2" >"$lab_tmp/error" 2>&1 && echo "no error" >"$lab_tmp/error"
	if grep -qF -- "$1" "$lab_tmp/error"; then ok "$1"; else not_ok "$1" "$(cat "$lab_tmp/error")"; fi
}
says "bad address '10.9.0.300'" 'fw.set("bans"):add({ "10.9.0.5", "10.9.0.300" })'
says "did you mean '10.9.0.0/24'?" 'fw.set("bans"):add("10.9.0.5/24")'
says "bits set behind its prefix" 'fw.set("bans"):del("fd00::1/64")'
says "no ranges" 'fw.set("bans"):add("10.9.0.1-10.9.0.9")'
says "timeout: expected seconds" 'fw.set("bans"):add("10.9.0.5", { timeout = "soon" })'
says "did you mean 'timeout'" 'fw.set("bans"):add("10.9.0.5", { timout = 5 })'
says "declares no dynamic set 'ban'; did you mean 'bans'" 'fw.set("ban"):list()'
says "bits set behind its prefix" 'require("ipfi.base.kernel").ask({ cmd = "set_add", set = { name = "bans", member = { { addr = "10.9.0.5" }, { addr = "10.0.0.1", length = 8 } } } }, "raw")'
is "$(set_of bans 'count()')" 0 "and nothing was added"
says "does not declare a dynamic set" 'require("ipfi.base.kernel").transact({ { cmd = "ruleset_begin", ruleset = { name = "x", set = { "a" } } },
	{ cmd = "rule_add", rule = { name = "r", lists = { "in" }, verdict = "deny", src = { set = { "b" } } } }, { cmd = "ruleset_commit", commit = {} } }, "raw")'
says "declared twice" 'require("ipfi.base.kernel").transact({ { cmd = "ruleset_begin", ruleset = { name = "x", set = { "a", "a" } } }, { cmd = "ruleset_commit", commit = {} } }, "raw")'
in_ns router setpriv --reuid nobody --clear-groups "$IPFI" -e 'fw.set("bans"):add("10.9.0.1")' 2>/dev/null
is $? 77 "nobody may not"

# A namespace that goes takes its sets along; the module too.
space gone
in_ns gone "$IPFI" -e 'local b = set { name = "b", dynamic = true }
	fw.commit(policy { name = "p", rules = { allow { "x", src = b } } })
	local l = {} for i = 1, 5000 do l[i] = ("10.%d.%d.%d"):format(i >> 16, i >> 8 & 255, i & 255) end
	fw.set("b"):add(l, { timeout = 1 })'
ip netns del gone
lab_spaces=(client router server)
set_of bans 'add({ "10.9.0.1", "10.9.0.0/16" }, { timeout = 2 })' >/dev/null
sleep 2
runs "unloading with sets" unload_ipfi
