#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# The prompt on a terminal: what is typed, and what is then on the screen (tests/net/terminal/*.txt).
. "$IPFI_TOP/tests/net/support/terminal.sh"
need tmux less
load_ipfi max_states=600000 || exit
topo_router || exit
phantoms
tool spray
crowd=$(slow 500000 50000)
# Where nobody answers: to an address of hardware that is nobody's.
ip -n router route add 10.64.0.0/12 via 10.0.2.99
ip -n router neigh add 10.0.2.99 lladdr 02:00:00:00:00:99 dev wan0 nud permanent

cat >"$lab_tmp/policy.lua" <<POLICY
local bans = set { name = "bans", dynamic = true }
return policy {
	name = "terminal",
	limits = { max_states = 600000, udp_new = 3000, udp_established = 3000 },
	nat = {
		dnat { "to the inside", iif = "lan0", proto = "udp", dport = 4000, to = "10.8.1.9:4001" },
		snat { "hidden", oif = "wan0", proto = "udp", dport = 4001, to = "10.0.2.1:7000" },
	},
	rules = {
		allow { "loopback", iif = "lo" },
		allow { "sentinel", proto = "udp", dport = 9 },
		deny { "banned", src = bans },
		group { "passing", dir = "forward", state = true } {
			allow { "published", iif = "lan0", proto = "udp", dport = 4001 },
			allow { "web", proto = "tcp", dport = { "http", "https" }, comment = "to be completed" },
		},
		allow {
			"crowd of many", dir = "out", proto = "udp", src = { "10.0.2.1", "192.0.2.0/24" },
			dst = "10.64.0.0/12", dport = "5000-5100", state = true,
		},
		reject { "rest", dir = "forward", proto = "tcp", log = "rest" },
	},
}
POLICY
in_ns router "$IPFI" -f "$lab_tmp/policy.lua" || exit
wire >/dev/null <<'PACKETS'
> udp 10.9.0.1 1024 10.8.1.1 4000 len=4
PACKETS

terminal 80 24 "$IPFI"
screen banner '^ipfi>$'

# Completion: functions, fields, values, devices, services, sets, rules, methods, files.
press F1
sees '^F1 explains' || not_ok "help" "no overview"
clean
write 'fw.st'
press Tab Tab Tab
sees '^fw.states +fw.stats' || not_ok "completion" "no candidates"
press C-e C-u
write 'allow { "x", d'
press Tab Tab
sees '^dir = +dport = +dscp = +dst =' || not_ok "completion" "no fields"
press C-e C-u
complete_to() {
	write "$1"
	press Tab
	sees "^ipfi> $2\$" || not_ok "completion" "$1"
	press C-e C-u
}
complete_to 'fw.states{ iif = "lan' 'fw.states[{] iif = "lan0"'
complete_to 'fw.states{ rule = "cro' 'fw.states[{] rule = "crowd of many"'
complete_to 'allow { "x", dport = "tft' 'allow [{] "x", dport = "tftp"'
complete_to 'allow { "x", dir = "for' 'allow [{] "x", dir = "forward"'
complete_to 'allow { "x", helper = "f' 'allow [{] "x", helper = "ftp"'
complete_to 'fw.states{ state = "EST' 'fw.states[{] state = "ESTABLISHED"'
complete_to 'fw.set("ba' 'fw.set[(]"bans"'
complete_to 'fw.set("bans"):ad' 'fw.set[(]"bans"[)]:add[(]'
complete_to 'fw.states{}:count_' 'fw.states[{][}]:count_by[(]'
complete_to 'fw.commit(fw.load("examples/gate' 'fw.commit[(]fw.load[(]"examples/gateway.lua"'
screen completion '^ipfi>$'

# Lines that belong together, typed and pasted, and back from the history as one.
clean
enter 'for i = 1, 2 do'
enter '  print("line", i)'
enter 'end'
sees '^line	?.*2' || not_ok "multi-line" "did not run"
paste_text $'local function double(x)\n  return x * 2\nend\nprint(double(21))\n'
sees '^print\(double' || not_ok "paste" "not seen"
unlike "$(on_screen)" $'\n42' "a pasted text waits for Enter"
press Enter
sees '^42' || not_ok "paste" "did not run"
press Up Up
screen multi_line '^end$'

# Mistakes.
clean
enter 'x = = 2'
enter 'fw.states{ dports = 22 }'
enter 'for i = 1, 2 do'
enter '  print(nothing.there)'
enter 'end'
enter '=1 +* 2'
enter 'fw.load("examples/nothing.lua")'
screen mistakes 'cannot open'

# Help at the cursor, and readline's own keys: search, words, undo.
clean
enter 'print("to be found")'
enter ' print("to be forgotten")'
enter '6 * 7'
press C-r
write 'be fo'
sees 'reverse-i-search.*print\("to be found"' || not_ok "search" "not found"
press C-e C-w
write 'kept")'
press C-a M-f F1
screen help_and_search '^ipfi> print\("to be kept"\)'

# Function keys: one state, whose source and destination are translated.
clean
press F3
sees '^([0-9]+ +)?rest' || not_ok "F3" "no rules"
press F4
screen f3_f4 ':4001$'
clean
press F5
sees '^udp' || not_ok "F5" "no states"
press F6
screen f5_f6 '^ipfi>$'
clean
press F7
sees '^DROPPED' || not_ok "F7" "no statistics"
ok "F7 shows statistics"

# Wide tables use the room that there is.
clean
resize 120 40
press F3 F5
screen wide '^ipfi>$'
clean
resize 60 15
sees '^ipfi>$' || not_ok "resize" "no prompt"
press F5
screen narrow '^ipfi>$'
write 'print("what is longer than the line of a small terminal is", "drawn in two lines")'
sees 'two lines"[)]$' || not_ok "resize" "not typed"
resize 80 24
screen resized 'lines"[)]$'
press C-e C-u

# A commit that waits for its confirmation: the prompt counts while nobody types, and does not disturb what is
# typed; whoever decides, it is said.
clean
enter "p = fw.load('$lab_tmp/policy.lua')"
enter 'done = fw.commit_confirmed(p, 600)'
sees '^ipfi<CONFIRM 600s>$' || not_ok "countdown" "it does not begin"
write 'half a line'
shows '^ipfi<CONFIRM 59[0-8]s> half a line$' "the prompt counts down beside what is typed"
press C-r
write 'p = '
sees "reverse-i-search.*p = fw.load" || not_ok "countdown" "no search"
press C-g
in_ns router "$IPFI" -e 'fw.confirm()'
sees '^ipfi> half a line$' || not_ok "countdown" "no end"
press C-e C-u
enter 'done = fw.commit_confirmed(p, 600)'
sees '^ipfi<CONFIRM [0-9]+s>$' || not_ok "countdown" "it does not begin again"
in_ns router "$IPFI" -e 'fw.rollback()'
sees '^ipfi>$' || not_ok "countdown" "no rollback"
enter 'for i = 1, 1 do'
in_ns router "$IPFI" -q -e "fw.commit_confirmed(fw.load('$lab_tmp/policy.lua'), 2)"
sees 'not confirmed in time' || not_ok "countdown" "no time-out"
enter 'end'
screen countdown '^ipfi>$'

# A long text goes through the pager.
clean
enter 'lines = {} for i = 1, 100 do lines[i] = "row " .. i end'
enter 'fw.print(table.concat(lines, "\n"))'
screen pager '^:$'
press q
shows '^ipfi>$' "leaving the pager is back at the prompt"

# Ctrl-C, in a loop and in what would show very many states.
clean
enter 'while true do end'
press C-c
shows 'interrupted!$' "Ctrl-C ends a loop"
in_ns router "$tools/spray" 10.64.0.1 "$crowd" || not_ok "a crowd" "spray failed"
clean
enter 'fw.states{ rule = "crowd of many" }:count()'
shows "^$crowd\$" "$crowd states live"

# back_within SECONDS NAME: whether the prompt is there again.
back_within() {
	local started
	started=$(date +%s%N)
	shows '^ipfi>$' "$2"
	local elapsed=$((($(date +%s%N) - started) / 1000000))
	note "$elapsed ms"
	in_time "within $1 s" $((elapsed / 1000)) "$1"
}
clean
enter 'for s in fw.states():each() do print(s) end'
sees '^udp UDP_NEW 10.0.2.1' || not_ok "dump" "no rows"
press C-c
back_within "$(slow 5 20)" "Ctrl-C ends a dump"
sees 'interrupted!$' || not_ok "dump" "no word"
clean
press F5
sees '^:$' || not_ok "dump" "no pager"
press q
back_within "$(slow 5 20)" "leaving the pager ends a dump"
clean
press F5
sees '^:$' || not_ok "dump" "no pager"
press C-c
back_within "$(slow 5 20)" "Ctrl-C in the pager ends both"
clean
enter 'fw.states():count_by("rule")'
shows "^crowd of many +" "states are counted by a field"

# The end.
clean
press C-d
shows "^$((crowd + 1)) states live on without the prompt" "the end says how many states live on"
shows '^status 0$' "and is no error"
is "$(stat -c %a "$lab_tmp/home/.ipfi_history")" 600 "the history is the user's alone"
is "$(grep -c 'to be forgotten' "$lab_tmp/home/.ipfi_history")" 0 "a line that begins with a blank is not kept"
is "$(grep -c 'to be found' "$lab_tmp/home/.ipfi_history")" 1 "others are"
