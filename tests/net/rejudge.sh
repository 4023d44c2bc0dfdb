#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# New rules and live connections: a commit ends at its next packet what the new rules deny, and nothing else;
# --states=keep leaves all, --states=flush ends all.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
for port in 2222 2223; do serve_echo server tcp $port; done

# session NAME ADDRESS PORT: a session like those of ssh: what one types comes back, now and then.
session() {
	: >"$lab_tmp/$1"
	(while sleep 0.2; do echo typed; done) |
		in_ns client socat -d -t 0 - "TCP:$2:$3" >"$lab_tmp/$1" 2>"$lab_tmp/$1.error" &
	disown
	if moves "$1"; then ok "$1: a live session"; else not_ok "$1: a live session" "nothing comes back: $(<"$lab_tmp/$1.error")"; fi
}
# moves NAME: whether more comes back within some seconds.
moves() {
	local size
	size=$(stat -c %s "$lab_tmp/$1")
	wait_for 15 eval "[ \$(stat -c %s $lab_tmp/$1) -gt $((size + 6)) ]"
}
# stopped NAME WHAT: nothing comes back any more. Whatever was under way has arrived after a second, and in two what goes
# on has typed ten times.
stopped() {
	local size
	sleep 1
	size=$(stat -c %s "$lab_tmp/$1")
	sleep 2
	if [ "$(stat -c %s "$lab_tmp/$1")" -eq "$size" ]; then ok "$2"; else not_ok "$2" "$1 goes on"; fi
}
going() {
	if moves "$1"; then ok "$2"; else not_ok "$2" "$1 has stopped: $(<"$lab_tmp/$1.error")"; fi
}
allowing() { printf 'allow { "ssh %s", dir = "forward", proto = "tcp", dport = %s, state = true },\n' "$1" "$1"; }

commit_rules <<<"$(allowing 2222) $(allowing 2223)"
session one 10.0.2.2 2222
session two '[fd00:2::2]' 2222
session three 10.0.2.2 2223

# The same rules at other places, and more of them: the states still name theirs.
commit_rules <<<"deny { 'telnet', proto = 'tcp', dport = 23 }, $(allowing 2223) $(allowing 2222)"
going one "allowed again it goes on"
is "$(row 'dport = 2223' s.rule)" "ssh 2223" "a state names its rule over commits"
generation=$(fw 'print(fw.stats().generation)')
going three "so does the other"
is "$(row 'dport = 2223' s.generation)" "$generation" "judged by the new rule set at its next packet"

# keep: those that live stay, others are denied.
commit_rules --states=keep <<<"$(allowing 2223)"
going one "--states=keep keeps what the new rules deny"
is "$(fw 'print(fw.states{dport = 2222}:count())')" 2 "and its states"
fails "but nothing new" in_ns client socat -u "TCP:10.0.2.2:2222,connect-timeout=$(patience 2)" -
is "$(counter rejudged)" 0 "nothing was judged again"

# The same rules once more, and the next packet ends it.
commit_rules <<<"$(allowing 2223)"
stopped one "a commit that denies a live session ends it"
stopped two "a commit that denies a live session ends it, IPv6"
going three "and not the one that is still allowed"
is "$(fw 'print(fw.states{dport = 2222}:count())')" 0 "their states are gone"
holds "one packet of each was dropped for that" "$(counter rejudged) >= 2"

# Rejected, who types is told.
commit_rules <<<"$(allowing 2222) $(allowing 2223)"
session four 10.0.2.2 2222
session five '[fd00:2::2]' 2222
commit_rules <<<"reject { 'no more', dir = 'forward', proto = 'tcp', dport = 2222 }, $(allowing 2223)"
for name in four five; do
	if wait_for 10 grep -qi 'reset' "$lab_tmp/$name.error"; then
		ok "$name: a live session that is now rejected gets a reset"
	else
		not_ok "$name: a live session that is now rejected gets a reset" "$(<"$lab_tmp/$name.error")"
	fi
done
going three "the other goes on"

# flush: nothing is left. Connections that are allowed begin anew, as guesses.
wire <<<'> tcp 10.9.0.1 4001 10.8.0.1 2223 S seq=1000' >/dev/null
is "$(count_states 'src = "10.9.0.1"')" 1 "a state before --states=flush"
commit_rules --states=flush <<<"$(allowing 2223)"
is "$(count_states 'src = "10.9.0.1"')" 0 "none after"
going three "what is allowed goes on"
is "$(row 'src = "10.0.1.2", dport = 2223' s.guessed)" true "met in the middle"

# Rules are asked again only about what is remembered of a first packet.
firewall=client
commit_rules <<'RULES'
	allow { "first", dir = "out", proto = "tcp", dport = 2222, flags = "S/SA", length = "40-100", user = "nobody", state = true },
RULES
: >"$lab_tmp/six"
(while sleep 0.2; do echo typed; done) |
	in_ns client setpriv --reuid nobody --clear-groups socat -t 0 - TCP:10.0.2.2:2222 >"$lab_tmp/six" 2>"$lab_tmp/six.error" &
disown
firewall=router
commit_rules <<<"$(allowing 2222) $(allowing 2223)"
firewall=client
going six "a session of a user's, allowed by the first packet's looks"
commit_rules <<'RULES'
	allow { "again", dir = "out", proto = "tcp", dport = 2222, flags = "S/SA", length = "40-100", user = "nobody", state = true },
RULES
going six "it is judged by its first packet, not by the next one"
is "$(row 'dport = 2222' s.rule)" again "and moved to the rule that allows it now"
commit_rules <<'RULES'
	allow { "other", dir = "out", proto = "tcp", dport = 2222, user = "daemon", state = true },
RULES
stopped six "another user's rule does not allow it"
