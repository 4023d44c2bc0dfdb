#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Announcements in pieces through address translation, between ordinary sockets: these send the next piece when
# the last one is acknowledged, while the firewall may let none of it go before it has them all. Both get on, and
# the other side reads one line with the address that it knows.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
ip -n router addr add 10.0.1.200/24 dev lan0
ip -n router addr add 10.0.2.100/24 dev wan0
commit_rules <<'RULES'
	allow { "control", dir = "forward", proto = "tcp", dport = 21, helper = "ftp" },
	allow { "neighbour", dir = { "in", "out" }, proto = "icmp" },
}, nat = {
	snat { "out", oif = "wan0", src = "10.0.1.0/24", to = "10.0.2.100" },
	dnat { "published", iif = "lan0", dst = "10.0.1.200", proto = "tcp", dport = 21, to = "10.0.2.2" },
RULES
dribble=$IPFI_TOP/tests/net/support/dribble.py

# conversation NAME HOST PIECES... [-- SERVER'S PIECES...]: leaves what the server heard in $heard, the client in $told.
conversation() {
	local name=$1 host=$2 mine=() started=$SECONDS server
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		mine+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	in_ns server python3 "$dribble" serve 21 "$lab_tmp/heard" "$@" &
	server=$!
	wait_for 20 listening server tcp 21
	told=$(in_ns client timeout "$(patience 70)" python3 "$dribble" talk "$host" 21 "${mine[@]}" 2>&1 | tr -d '\r' | paste -sd'|')
	wait "$server"
	heard=$(tr -d '\r' <"$lab_tmp/heard" | paste -sd'|')
	in_time "$name: nobody waits for the other" $((SECONDS - started)) "$(slow 20 50)"
}

mapfile -t letters < <(grep -o . <<<"PORT 10,0,1,2,200,10")
conversation "PORT letter by letter" 10.0.2.2 "${letters[@]/ /\\x20}" '\r\n' + 'NOOP\r\n' +
is "$heard" "PORT 10,0,2,100,200,10|NOOP" "PORT letter by letter: the server reads where it shall connect to"
is "$told" "200 ok|200 ok" "PORT letter by letter: the client reads the answers"
is "$(fw "for _, e in ipairs(fw.expectations()) do print(e.src, e.dst, e.dport, e.nat_dst) end" | xargs)" \
	"" "PORT letter by letter: closed, nothing is expected any more"

conversation "the number cut" 10.0.1.200 'PASV\r\n' + 'NOOP\r\n' + -- '227 Entering Passive Mode (10,0,2,2,4,2' '10' ').' '\r\n'
is "$heard" "PASV|NOOP" "the number cut: the server reads the commands"
is "$told" "227 Entering Passive Mode (10,0,1,200,4,210).|200 ok" "the number cut: the client reads where it shall connect to"

conversation "no announcement" 10.0.1.200 'PASV\r\n' + 'NOOP\r\n' + -- '227 at 1' '0,0 o' "'clock" '\r\n'
is "$told" "227 at 10,0 o'clock|200 ok" "no announcement: the client reads all of it"

conversation "an end in the middle" 10.0.2.2 'PORT 10,0,1'
is "$heard" "PORT 10,0,1" "an end in the middle: the server reads what there was"
