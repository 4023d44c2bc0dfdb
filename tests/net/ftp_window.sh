#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 200
#
# examples/jobs/ftp-window.lua, as cron runs it, on the gateway of the examples: FTP is open for some machines at
# given hours, and closes by itself, also for connections that live.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
ip -n client addr add 10.0.1.3/24 dev eth0
serve_echo server tcp 21
cd "$IPFI_TOP" || exit
runs "the gateway, with hours" in_ns router "$IPFI" -f examples/gateway.lua net=10.0.1.0/24 ftp_hours=yes

# window WORD...: the job, without a terminal; its exit status and what it says.
window() {
	in_ns router env -i PATH=/usr/bin:/bin setsid -w "$IPFI" -v examples/jobs/ftp-window.lua "$@" \
		>"$lab_tmp/out" 2>&1 </dev/null
	echo "$? $(<"$lab_tmp/out")"
}
# asks [ADDRESS]: the client by one of its addresses.
asks() {
	local said
	said=$(in_ns client timeout "$(patience 60)" socat -t 30 - "TCP:10.0.2.2:21,bind=${1-10.0.1.2},connect-timeout=$(patience 20)" 2>&1 <<<hello)
	case $said in
	hello) echo yes ;;
	*refused*) echo no ;;
	*) echo "$said" ;;
	esac
}

is "$(asks)" no "at other hours FTP is refused"
is "$(window from=8:00 until=18:00 now=7:59 10.0.1.2)" "0 " "before its hours the job does nothing"
is "$(asks)" no "nor is it open"
is "$(window from=8:00 until=18:00 now=8:00 10.0.1.2)" "0 ipfi: FTP is open for 10.0.1.2 until 18:00" "it opens"
is "$(asks) $(asks 10.0.1.3)" "yes no" "for the one host"
is "$(window from=8:00 until=18:00 now=8:10 10.0.1.2)" "0 " "once open it says nothing"
holds "until its closing hour" "$(fw 'print(math.floor(fw.set("ftp_hosts"):list()[1].timeout))') <= 35400"
is "$(window from=8:00 until=18:00 now=18:00 10.0.1.2)" "0 ipfi: FTP is closed for 10.0.1.2" "it closes"
is "$(asks)" no "then it is refused"

# Some seconds before the closing hour, with a connection that would go on for longer.
seconds=$(patience "$(slow 3 12)")
closing=$(($(date -d 18:00 +%s) - seconds))
is "$(window open until=18:00 now=$closing 10.0.1.0/28)" "0 ipfi: FTP is open for 10.0.1.0/28 until 18:00" "a network, by hand"
{ for ((i = 1; i <= 2 * seconds + 10; i++)); do echo "$i" && sleep 0.5; done; } |
	in_ns client timeout $((seconds + 30)) socat -t 1 - TCP:10.0.2.2:21 >"$lab_tmp/echoed" 2>/dev/null &
client=$!
is "$(asks 10.0.1.3)" yes "open"
none_left() { [ "$(fw 'print(fw.set("ftp_hosts"):count())')" = 0 ]; }
runs "the set is empty in time" wait_for $((seconds + 20)) none_left
is "$(asks 10.0.1.3)" no "closed when the time is over, by itself"
wait $client
echoed=$(tail -n 1 "$lab_tmp/echoed")
holds "which ended the connection that was there, at ${echoed:-nothing}" "${echoed:-0} >= 1 && ${echoed:-0} <= 2 * seconds + 5"
is "$(window close 10.0.1.2)" "0 " "what is closed is not closed again"

# Without what it needs.
like "$(window from=8:00 10.0.1.2)" "^1 ipfi: ftp-window: say open or close, or the hours: from=8:00 until=18:00" \
	"half of an order"
runs "another policy" in_ns router "$IPFI" -f examples/gateway.lua net=10.0.1.0/24
like "$(window open 10.0.1.2)" '^4 .*declares no dynamic set .ftp_hosts.' "a policy without the set"
