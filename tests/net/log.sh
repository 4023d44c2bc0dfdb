#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rules that log, through NFLOG, for tcpdump and ulogd, and through the program's own group with the names; events of
# states, of a full table and of new rule sets.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
log_backends
# listen GROUP: prints events to $lab_tmp/GROUP from now on. field GROUP LUA: of each event "e", what LUA gives.
listen() {
	in_ns router "$IPFI" "$IPFI_TOP/tests/net/support/listen.lua" "group=$1" seconds=250 >"$lab_tmp/$1" 2>&1 &
	wait_for 20 grep -q '^ready' "$lab_tmp/$1" || not_ok "listening to $1" "$(<"$lab_tmp/$1")"
}
field() {
	sed 1d "$lab_tmp/$1" | lua5.4 -e "
		local json = require 'cjson'
		for line in io.lines() do
			local e = json.decode(line)
			local value = $2
			if value then print(value) end
		end" | sed -E 's/([0-9])\.0( |$)/\1\2/g' # it reads all numbers as floats
}
for group in log state ruleset; do listen $group; done
ip netns exec router tcpdump -nlU -i nflog:0 >"$lab_tmp/tcpdump" 2>"$lab_tmp/tcpdump.error" &
tcpdump=$!
wait_for 20 grep -q listening "$lab_tmp/tcpdump.error" || not_ok "tcpdump listens" "$(<"$lab_tmp/tcpdump.error")"

runs "a policy that logs" eval "commit_rules <<'RULES'
	allow { 'web', dir = 'forward', iif = 'lan0', proto = 'tcp', dport = 80, state = true, log = 'web-open' },
	allow { 'dns', dir = 'forward', iif = 'lan0', proto = 'udp', dport = 53, state = true },
	deny { 'mail', dir = 'forward', proto = 'tcp', dport = 25, log = 'mail-deny' },
	reject { 'ntp', dir = 'forward', proto = 'udp', dport = 123, log = 'ntp-reject' },
	deny { 'rest', dir = 'forward', proto = 'tcp', limit = '3/hour', log = 'rest' },
RULES"
# However slow the guest, what has ended is still remembered when it is looked at.
fw 'fw.set_limits{tcp_closed = 600}'
wire <<'PACKETS' >"$lab_tmp/verdicts"
> tcp 10.9.0.1 4001 10.8.0.1 80 S seq=1000
< tcp 10.8.0.1 80 10.9.0.1 4001 SA seq=5000 ack=1001
> tcp 10.9.0.1 4001 10.8.0.1 80 A seq=1001 ack=5001
> tcp 10.9.0.1 4001 10.8.0.1 80 PA seq=1001 ack=5001 len=60
< tcp 10.8.0.1 80 10.9.0.1 4001 RA seq=5001 ack=1061
> tcp 10.9.0.1 4002 10.8.0.1 25 S seq=1000
> udp fd00:9::1 4003 fd00:8::1 123 len=40
> udp 10.9.0.1 4004 10.8.0.1 53 len=12
> tcp 10.9.0.1 4005 10.8.0.1 99 S seq=1000
> tcp 10.9.0.1 4006 10.8.0.1 99 S seq=1000
> tcp 10.9.0.1 4007 10.8.0.1 99 S seq=1000
> tcp 10.9.0.1 4008 10.8.0.1 99 S seq=1000
> tcp 10.9.0.1 4009 10.8.0.1 99 S seq=1000
PACKETS
is "$(<"$lab_tmp/verdicts")" "pass, pass, pass, pass, pass, drop, drop icmp 1/1, pass, drop, drop, drop, drop, drop" "what the packets meet"
fw 'fw.states{proto = "udp"}:kill()'
wait_for 20 grep -q destroyed "$lab_tmp/state"
wait_for 10 eval "[ \$(wc -l <$lab_tmp/tcpdump) -ge 6 ]"

# The log group: what a rule decided, once for each packet that met it.
is "$(field log 'e.log and e.log.prefix' | paste -sd' ')" "web-open mail-deny ntp-reject rest rest rest" "each rule's prefix, as often as its limit allows"
is "$(field log 'e.log and e.log.prefix == "web-open" and table.concat({e.log.name, e.log.verdict, e.log.reason, e.log.state, e.log.list, e.log.family, e.log.proto, e.log.src, e.log.sport, e.log.dst, e.log.dport, e.log.length}, " ")')" \
	"web allow rule-allow SYN_SENT forward 4 6 10.9.0.1 4001 10.8.0.1 80 40" "of a packet that opens a connection, the state's name"
is "$(field log 'e.log and e.log.prefix == "ntp-reject" and table.concat({e.log.name, e.log.verdict, e.log.reason, e.log.family, e.log.proto, e.log.src, e.log.dport, e.log.length}, " ")')" \
	"ntp reject rule-reject 6 17 fd00:9::1 123 88" "of one that is rejected, in IPv6"

# NFLOG.
is "$(grep -c '10.9.0.1.4001 > 10.8.0.1.80: Flags \[S\]' "$lab_tmp/tcpdump") $(grep -c '10.8.0.1.25: ' "$lab_tmp/tcpdump") $(grep -c 'fd00:9::1.4003 > fd00:8::1.123' "$lab_tmp/tcpdump") $(grep -c '10.8.0.1.99: ' "$lab_tmp/tcpdump")" \
	"1 1 1 3" "tcpdump reads the same from NFLOG"
is "$(grep -c '10.8.0.1.53: ' "$lab_tmp/tcpdump")" 0 "and nothing of a rule that does not log"

# States: born, changing, dead, with what they carried in the end.
of_web() { field state "e.state and e.state.sport == 4001 and e.state.dport == 80 and ($1)"; }
is "$(of_web 'e.event.kind .. " " .. e.state.state' | paste -sd, )" \
	"new SYN_SENT,changed SYN_RECV,changed ESTABLISHED,changed CLOSED" "a connection's life"
fw 'fw.states{sport = 4001, dport = 80}:kill()'
wait_for 15 eval "grep -q destroyed $lab_tmp/state && [ \$(grep -c destroyed $lab_tmp/state) -ge 2 ]"
like "$(of_web 'e.event.kind == "destroyed" and table.concat({e.event.cause, e.state.packets, e.state.bytes, e.state.reply_packets, e.state.reply_bytes}, " ")')" \
	"^deleted 3 180 2 80$" "its end, with the final counters"
is "$(field state 'e.state and e.state.dport == 53 and e.event.kind .. (e.event.cause and " " .. e.event.cause or "")' | paste -sd,)" \
	"new,destroyed deleted" "one that was killed"

# The full table, and the generation.
fw 'fw.states():kill() fw.set_limits{max_states = 10}'
tool flows
fw 'fw.set_limits{udp_new = 100}'
commit_rules <<<"allow { 'all', dir = 'forward', proto = 'udp', state = true },"
"$tools/flows" --count=10 --answer "$left" "$right" 10.9.0.1 10.8.1.1 >"$lab_tmp/flows"
"$tools/flows" --count=100 --first=1000 "$left" "$right" 10.9.0.1 10.8.1.1 >>"$lab_tmp/flows"
wait_for 10 grep -q event_full "$lab_tmp/state"
is "$(field state 'e.cmd == "event_full" and e.stats.states .. " " .. e.stats.max_states' | uniq)" "10 10" "the table is full"
holds "said once, not for each packet" "$(grep -c event_full "$lab_tmp/state") <= 3"
is "$(field ruleset 'e.info and e.info.generation .. " " .. e.info.name .. " " .. e.info.rules' | paste -sd,)" "1 test 6,2 test 2" "rule sets"

# ulogd, as people run it.
if command -v ulogd >/dev/null; then
	plugins=$(dirname /usr/lib/*/ulogd/ulogd_inppkt_NFLOG.so)
	cat >"$lab_tmp/ulogd.conf" <<-CONF
		[global]
		logfile="$lab_tmp/ulogd.log"
		plugin="$plugins/ulogd_inppkt_NFLOG.so"
		plugin="$plugins/ulogd_raw2packet_BASE.so"
		plugin="$plugins/ulogd_filter_IFINDEX.so"
		plugin="$plugins/ulogd_filter_IP2STR.so"
		plugin="$plugins/ulogd_filter_PRINTPKT.so"
		plugin="$plugins/ulogd_output_LOGEMU.so"
		stack=log1:NFLOG,base1:BASE,ifi1:IFINDEX,ip2str1:IP2STR,print1:PRINTPKT,emu1:LOGEMU
		[log1]
		group=0
		[emu1]
		file="$lab_tmp/ulogd.out"
		sync=1
	CONF
	kill $tcpdump # one reads a group at a time
	wait $tcpdump
	in_ns router ulogd -c "$lab_tmp/ulogd.conf" 2>"$lab_tmp/ulogd.error" &
	commit_rules <<<"deny { 'mail', dir = 'forward', proto = 'tcp', dport = 25, log = 'mail-deny' },"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		wire <<<'> tcp 10.9.0.1 4002 10.8.0.1 25 S seq=1000' >/dev/null
		grep -q mail-deny "$lab_tmp/ulogd.out" 2>/dev/null && break
		sleep 1
	done
	like "$(head -n 1 "$lab_tmp/ulogd.out" 2>&1)" "mail-deny.*IN=lan0 OUT=wan0.*SRC=10.9.0.1 DST=10.8.0.1.*PROTO=TCP SPT=4002 DPT=25" "ulogd reads it, with the prefix"
else
	skip "ulogd" "it is not installed"
fi
