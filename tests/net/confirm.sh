#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A commit that waits to be confirmed: the kernel puts the rules before it back by itself, whatever becomes of who
# committed, unless somebody says in time that they are to stay.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
dmesg_mark
topo_router || exit
phantoms

# policy NAME PORT: lets connections to a port pass.
policy() {
	cat >"$lab_tmp/$1.lua" <<-POLICY
		return policy { name = "$1", limits = { udp_new = $2 }, rules = {
			allow { "sentinel", proto = "udp", dport = 9, src = { "10.8.255.9", "10.9.255.9" } },
			allow { "open $1", dir = "forward", proto = "tcp", dport = $2, state = true },
		} }
	POLICY
}
policy one 2222
policy two 2223
# running: its name, and the limit that came with it.
running() { fw 'print(fw.info().name, fw.limits().udp_new)'; }
try() { in_ns router "$IPFI" -q "$@" </dev/null; }
said() { dmesg | grep -c "ipfi: rule set 'two' $1"; }
# back_within BEFORE AFTER SECONDS TEXT: the old rules come back so many seconds after the commit, of which is known when it
# had not begun and when it was over, in microseconds.
back_within() {
	local before=$1 after=$2 seconds=$3 now
	if ! wait_for $((seconds + 20)) eval '[ "$(running)" = "$was" ]'; then
		not_ok "$4" "$(running)"
		return
	fi
	# shellcheck disable=SC2034  # read by holds
	now=${EPOCHREALTIME/./}
	# Asking takes its time in a slow guest; the kernel's own clock is asked below.
	holds "$4 ($((now - before)) us)" "now - before >= seconds * 1000000 && now - after < (seconds + $(patience "$(slow 15 5)")) * 1000000"
}

runs "rules to come back to" try -f "$lab_tmp/one.lua"
was=$(running)
is "$was" $'one\t2222' "they run"

# In time.
runs "a commit that waits" try --confirm=60 -f "$lab_tmp/two.lua"
is "$(running)" $'two\t2223' "is in force at once"
is "$(fw 'local left = fw.info().confirm print(left > 30 and left <= 60)')" true "and says how long"
fails "meanwhile there is no other commit" try -f "$lab_tmp/one.lua"
like "$(in_ns router "$IPFI" -f "$lab_tmp/one.lua" 2>&1)" 'waits to be confirmed: confirm it or roll it back first' "and it says why"
is "$(try -f "$lab_tmp/one.lua" 2>/dev/null; echo $?)" 75 "it is busy"
runs "another session confirms" try -e 'fw.confirm()'
is "$(running) $(fw 'print(fw.info().confirm, fw.info().change)')" $'two\t2223 nil\tconfirmed' "and it stays"
is "$(try -e 'fw.confirm()' 2>/dev/null; echo $?)" 4 "nothing is to be confirmed twice"
is "$(try -e 'fw.rollback()' 2>/dev/null; echo $?)" 4 "or rolled back"

# Rolled back by hand, with live states judged again.
try -f "$lab_tmp/one.lua"
try --confirm=60 -f "$lab_tmp/two.lua"
wire <<<'> tcp 10.9.0.1 4001 10.8.0.1 2223 S seq=1000' >/dev/null
is "$(count_states 'dport = 2223')" 1 "a state by the new rules"
runs "rolled back" try -e 'fw.rollback()'
is "$(running) $(fw 'print(fw.info().confirm, fw.info().change)')" $'one\t2222 nil\trolled-back' "rules and limits before are in force again"
is "$(wire <<'PACKETS'
> tcp 10.9.0.1 4001 10.8.0.1 2223 S seq=1000
> tcp 10.9.0.1 4002 10.8.0.1 2222 S seq=1000
PACKETS
)" "drop, pass" "what they deny is dropped, what they allow passes"
is "$(count_states 'dport = 2223')" 0 "a state that they deny ends at its next packet"
is "$(said 'is rolled back')" 1 "the kernel's log has it"
is "$(try -e 'fw.confirm()' 2>/dev/null; echo $?)" 6 "who confirms then is told that it is too late"

# By itself, whatever becomes of the shell.
was=$(running)
cat >"$lab_tmp/hold.lua" <<LUA
print("begins", math.floor(require("ipfi.c.sys").time() * 1000000))
fw.commit_confirmed(fw.load("$lab_tmp/two.lua"), 4)
print("waits")
io.stdout:flush()
fw.on("ruleset", function() end)
fw.run(60)
LUA
for end in KILL HUP parent; do
	: >"$lab_tmp/said"
	setsid bash -c "ip netns exec router '$IPFI' '$lab_tmp/hold.lua' >'$lab_tmp/said' & echo \$! >'$lab_tmp/pid'; wait" &
	parent=$!
	disown
	wait_for 30 grep -q waits "$lab_tmp/said"
	after=${EPOCHREALTIME/./}
	before=$(awk '/^begins/ { print $2 }' "$lab_tmp/said")
	case $end in
	parent) kill -9 $parent; kill -9 "$(<"$lab_tmp/pid")" ;;
	*) kill -$end "$(<"$lab_tmp/pid")" ;;
	esac
	wire <<<"> tcp 10.9.0.1 401 10.8.0.1 2223 S seq=1000" >/dev/null
	back_within "$before" "$after" 4 "after the shell met $end the rules before come back by themselves"
done
is "$(said 'was not confirmed in time')" 3 "each time the kernel's log has it"
is "$(fw 'print(fw.info().change)')" timed-out "and who asks is told"
is "$(wire <<<'> tcp 10.9.0.1 401 10.8.0.1 2223 S seq=1000')" drop "live states are judged again"

# Told to who listens; the deadline by the kernel's own clock.
cat >"$lab_tmp/listen.lua" <<LUA
fw.on("ruleset", function(r)
  print(r.change, r.name, r.confirm and r.confirm > 1 and "waits" or "")
  io.stdout:flush()
  return r.change ~= "timed-out"
end)
print("ready")
io.stdout:flush()
fw.run(120)
LUA
in_ns router "$IPFI" "$lab_tmp/listen.lua" >"$lab_tmp/events" &
listener=$!
wait_for 30 grep -q ready "$lab_tmp/events"
dmesg -C
try -e "local clock, p = require('ipfi.c.sys').monotonic, fw.load('$lab_tmp/two.lua')
  local before = clock()
  local d, after = fw.commit_confirmed(p, 3), clock()
  assert(d.confirm > 0 and d.confirm <= 3)
  repeat until fw.info().name == 'one'
  print(math.floor((clock() - before) * 1000), math.floor((clock() - after) * 1000))" >"$lab_tmp/took"
read -r before after <"$lab_tmp/took"
holds "it comes back within a second of the deadline ($before ms)" "$before >= 3000 && $after < $(patience "$(slow 6000 4000)")"
wait_for 20 grep -q timed-out "$lab_tmp/events"
wait $listener
is "$(tail -n +2 "$lab_tmp/events" | tr '\t\n' ' |')" "committed two waits|timed-out one |" "who listens is told of both"

# Before any rules.
in_ns client "$IPFI" -q --confirm="$(patience 6)" -f "$lab_tmp/two.lua" </dev/null
firewall=client
is "$(fw 'print(fw.info().name)')" two "the first rules of a namespace may wait too"
wait_for 30 eval '[ "$(fw "print(fw.info().generation)")" = 0 ]'
is "$(fw 'print(fw.info().armed, fw.stats().states)')" $'false\t0' "then every packet passes again, as before"
runs "and does" in_ns client ping -c 1 -W "$(patience 5)" 10.0.1.2
try_client() { in_ns client "$IPFI" -q "$@" </dev/null; }
runs "and the next commit takes effect" try_client -f "$lab_tmp/two.lua"
is "$(fw 'print(fw.info().name)')" two "as ever"

# A namespace may go while a rule set waits.
ip netns add brief
ip netns exec brief "$IPFI" -q --confirm=60 -f "$lab_tmp/two.lua" </dev/null
runs "a namespace goes while one waits" ip netns del brief

# Who may.
firewall=router
is "$(in_ns router setpriv --reuid nobody --clear-groups --bounding-set=-all --inh-caps=-all "$IPFI" -e 'fw.confirm()' 2>/dev/null; echo $?)" 77 "confirming is for administrators"
