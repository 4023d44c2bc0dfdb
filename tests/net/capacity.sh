#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian uml-debug
# timeout: 400
#
# A full state table stays correct: never more states than allowed, nothing passes untracked, what lives goes on,
# and the log says so without being flooded. Limits for each source and each rule.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
tool flows
most=$(slow "$(long 60000 20000)" 6000)
more=$((most / 10))
flows() { "$tools/flows" "$@"; }
stat() { fw "print(fw.stats().$1)"; }
# The tuples of all live states as flows writes those that arrived, sorted.
dump() { fw 'for s in fw.states{proto = "udp"}:each() do print(s.src, s.sport, s.dst, s.dport) end' | tr '\t' ' ' | sort; }

commit <<POLICY
return policy {
	name = "small",
	limits = { max_states = $most, udp_new = 3000, udp_established = 3000 },
	rules = {
		allow { "some", dir = "forward", iif = "lan0", dst = { "10.8.2.0/24", "fd00:8::2" }, state = true, per_source = 50 },
		allow { "seldom", dir = "forward", iif = "lan0", dst = "10.8.3.1", state = true, limit = "20/hour" },
		allow { "all", dir = "forward", iif = "lan0", dst = "!10.8.3.1", state = true },
	},
}
POLICY

# Filled with connections that have seen both sides, then asked for more, in both families.
# Meanwhile somebody looks all the time.
dmesg_mark
start=$SECONDS
fw "local most = 0
    repeat
      most = math.max(most, fw.stats().states)
      local stop = io.open('$lab_tmp/stop')
    until stop
    print(most)" >"$lab_tmp/seen" &
looker=$!
is "$(flows --count="$most" --sources=7 --answer --list="$lab_tmp/first" "$left" "$right" 10.9.0.1 10.8.1.1)" \
	"sent $most arrived $most answered $most back $most" "$most connections pass"
is "$(stat states)" "$most" "each has a state"
is "$(flows --count="$more" --first="$most" --sources=7 --answer "$left" "$right" 10.9.0.1 10.8.1.1)" \
	"sent $more arrived 0 answered 0 back 0" "no packet of $more others passes untracked"
is "$(flows --count="$more" --answer "$left" "$right" fd00:9::1 fd00:8::1)" \
	"sent $more arrived 0 answered 0 back 0" "nor in IPv6"
is "$(fw 'local s = fw.stats() print(s.states, s.states_peak, s.max_states, s.created, s.evicted)')" \
	"$most"$'\t'"$most"$'\t'"$most"$'\t'"$most"$'\t0' "never more states than allowed, none evicted"
touch "$lab_tmp/stop"
wait $looker
is "$(<"$lab_tmp/seen")" "$most" "nor does anybody see more"
is "$(counter table-full)" $((2 * more)) "each refusal is counted"
dump >"$lab_tmp/lives"
runs "what lives is what arrived" cmp <(sort "$lab_tmp/first") "$lab_tmp/lives"
is "$(fw 'print(fw.states():count())')" "$most" "counted in the kernel"
lines=$(dmesg_since | grep -c 'ipfi: state table full: ')
like "$(dmesg_since)" "ipfi: state table full: $most entries" "the log says so"
holds "$lines lines for $((2 * more)) refusals" "$lines >= 1 && $lines <= $((SECONDS - start)) / 5 + 2"
is "$(flows --count="$most" --sources=7 --answer "$left" "$right" 10.9.0.1 10.8.1.1)" \
	"sent $most arrived $most answered $most back $most" "all that lived before go on"

# A lower limit keeps the old and refuses the new.
lower=$((most - most / 6))
fw "fw.set_limits{max_states = $lower}"
is "$(stat states)" "$most" "lowering the limit keeps what there is"
is "$(flows --count=1000 --first="$most" "$left" "$right" 10.9.0.1 10.8.1.1)" "sent 1000 arrived 0 answered 0 back 0" "and lets nothing new in"
is "$(flows --count=1000 --answer --sources=7 "$left" "$right" 10.9.0.1 10.8.1.1)" "sent 1000 arrived 1000 answered 1000 back 1000" "the old ones pass"
fw 'fw.states{src = "10.9.0.1"}:kill() fw.states{src = "10.9.0.2"}:kill()'
now=$(stat states)
holds "room is made below the lower limit" "$now < $lower"
is "$(flows --count=$more --first=100000 --answer --sources=7 "$left" "$right" 10.9.0.100 10.8.1.1 | cut -d ' ' -f 1-4)" \
	"sent $more arrived $((lower - now < more ? lower - now : more))" "which is used, and no more"
holds "not above the lower limit" "$(stat states) <= $lower"

# Connections that nobody has answered make room for others.
fw 'fw.states():kill() fw.set_limits{max_states = 1000}'
before=$(stat created)
flows --count=1000 --first=200000 "$left" "$right" 10.9.0.1 10.8.1.1 >"$lab_tmp/arrived"
read -r _ _ _ arrived _ < <(flows --count=3000 --first=300000 --sources=3 "$left" "$right" 10.9.0.1 10.8.1.1)
holds "$arrived of 3000 newcomers find room" "$arrived > 1500"
holds "each of them has made a state" "$(stat created) - $before == $arrived + 1000"
is "$(fw 'local s = fw.stats() print(s.states <= 1000, s.evicted)')" $'true\t'"$arrived" "for each of which an unanswered one has gone"

# So many from one source. The others are not concerned.
fw 'fw.states():kill() fw.set_limits{max_states = 60000, max_states_per_source = 100}'
is "$(flows --count=600 --sources=3 --answer "$left" "$right" 10.9.0.1 10.8.1.1)" "sent 600 arrived 300 answered 300 back 300" "100 states a source"
is "$(flows --count=600 --sources=3 --answer "$left" "$right" fd00:9::1 fd00:8::1)" "sent 600 arrived 300 answered 300 back 300" "100 states a source, IPv6"
is "$(fw 'local c = fw.states():count_by("src") print(c["10.9.0.1"], c["10.9.0.2"], c["fd00:9::3"])') $(counter source-full)" $'100\t100\t100 600' "counted"
fw 'fw.states{src = "10.9.0.1"}:kill()'
is "$(flows --count=600 --sources=3 --first=3000 "$left" "$right" 10.9.0.1 10.8.1.1)" "sent 600 arrived 100 answered 0 back 0" "one that has ended makes room for one from there"

# So many from one source by one rule: more do not match it, and come to the rules below.
fw 'fw.states():kill() fw.set_limits{max_states_per_source = 0}'
before=$(hits some)
is "$(flows --count=400 --sources=2 --answer "$left" "$right" 10.9.0.1 10.8.2.1)" "sent 400 arrived 400 answered 400 back 400" "those beyond come to another rule"
is "$(fw 'local c = fw.states():count_by("rule") print(c.some, c.all)') $(($(hits some) - before))" $'100\t300 100' "50 of each source by the rule"
is "$(flows --count=400 --sources=2 --answer "$left" "$right" fd00:9::1 fd00:8::2)" "sent 400 arrived 400 answered 400 back 400" "the same in IPv6"
is "$(fw 'print(fw.states{family = 6, rule = "some"}:count())')" 100 "50 of each source by the rule, IPv6"

# So many in a time.
is "$(flows --count=100 "$left" "$right" 10.9.0.1 10.8.3.1)" "sent 100 arrived 20 answered 0 back 0" "a rate limit's burst, and no more"
is "$(flows --count=100 --answer "$left" "$right" 10.9.0.1 10.8.3.1)" "sent 100 arrived 20 answered 20 back 20" "packets of live states do not use it up"
