#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# What an FTP client or server may not talk the firewall into: other hosts, ports of services, answers that nobody
# asked for or that the wrong side gives, numbers cut by segments, floods. Each is counted and logged, opens nothing, and
# what it came with passes unchanged.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3
load_ipfi || exit
topo_router || exit
# A third host on either side.
ip -n server address add 10.0.2.3/24 dev eth0
ip -n server address add fd00:2::3/64 dev eth0 nodad
ip -n client address add 10.0.1.3/24 dev eth0

# One process is all clients and servers (see ftp/talk.py). step LINE [WANTED]: does it, and prints what came of it. What
# is wanted may take its time on a busy machine; where nothing is wanted, all of the time is waited for it, and what is
# expected is so for 30 s, in which several are tried.
coproc talk { exec "$IPFI_TOP/tests/net/ftp/talk.py" client server 2>&1; }
step() {
	local answer seconds
	case ${2-} in
	open | connected | *'$') seconds=20 ;;
	*) seconds=$(slow 1 3) ;;
	esac
	echo "$seconds $1" >&"${talk[1]}"
	read -r answer <&"${talk[0]}"
	echo "$answer"
}
does() { is "$(step "$1" "$2")" "$2" "${3:-$1}"; }
says() { does "$1" "heard ${1#* }" "$2: passes as it is"; }

# seen REASON: how often it was counted, and what is expected.
seen() { fw "$expected_lua print(fw.stats().passes['$1'], table.concat(t, ' '))" | tr '\t' ' '; }
passes() { fw "print(fw.stats().passes['$1'])"; }
expected_lua='local t = {} for _, e in ipairs(fw.expectations()) do t[#t + 1] = ("%s>%s:%d"):format(e.src, e.dst, e.dport) end table.sort(t)'
expected() { fw "$expected_lua print(table.concat(t, ' '))"; }
log() {
	in_ns router "$IPFI" "$IPFI_TOP/tests/net/support/listen.lua" group=log seconds=250 >"$lab_tmp/log" 2>&1 &
	wait_for 20 grep -q '^ready' "$lab_tmp/log" || not_ok "listening to the log" "$(<"$lab_tmp/log")"
}
log
ftp() { # ftp NAT [FIELD]
	commit --states=flush <<-POLICY
		return policy { name = "ftp", nat = { $1 },
			rules = {
				allow { "ftp", dir = "forward", proto = "tcp", dport = 21, helper = "ftp" ${2-} },
				allow { "no helper", dir = "forward", proto = "tcp", dport = 2121, state = true },
			} }
	POLICY
}
runs "a policy for FTP" ftp ''
does 'listen server 21 2121 2000 2001 1026 1234 1000' listening "the server's ports"
does 'listen client 2000 2001 1000' listening "the client's ports"

# refused REASON TEXT SAID...: the texts pass unchanged, the last is counted as REASON, and nothing is expected then but
# what $own says.
refused() {
	local reason=$1 name=$2 text before expected=${own-}
	shift 2
	does "control 10.0.2.2 21" connected "$name"
	before=$(passes "$reason")
	for text; do
		# What a translation or a cut has to hold back is heard later: the last says all of it.
		does "$text" "heard $(sed 's/^[^ ]* //; s/~//g' <<<"$text")" "$name: '${text:0:60}' passes as it is"
	done
	is "$(seen "$reason")" "$((before + 1)) $expected" "$name: counted as $reason, and ${expected:-nothing} is expected"
	step end >/dev/null
}

# The firewall does believe what is right, or else all that follows would prove nothing.
does 'control 10.0.2.2 21' connected
says 'client PASV$' "a question"
does 'data client 10.0.2.2 2000' closed "before the answer nothing is open"
says 'server 227 Entering Passive Mode (10,0,2,2,7,208).$' "its answer"
is "$(expected)" "10.0.1.2>10.0.2.2:2000" "is expected"
does 'data client 10.0.2.2 2001' closed "to another port: no"
does 'data client 10.0.2.2 2000 10.0.1.3' closed "from another address: no"
does 'data client 10.0.2.3 2000' closed "to another address: no"
does 'data server 10.0.1.2 2000' closed "the other way round: no"
is "$(expected)" "10.0.1.2>10.0.2.2:2000" "all of which leave it as it is"
does 'data client 10.0.2.2 2000' open "what was announced: yes"
does 'data client 10.0.2.2 2000' closed "once"
is "$(expected)" "" "then it is used up"
says 'client PORT 10,0,1,2,7,209$' "an announcement of the client"
is "$(expected)" "10.0.2.2>10.0.1.2:2001" "is expected"
does 'data server 10.0.1.2 2001 10.0.2.3' closed "from another server: no"
does 'data server 10.0.1.3 2001' closed "to another client: no"
does 'data server 10.0.1.2 2000' closed "to another port of the client: no"
does 'data server 10.0.1.2 2001' open "from the server: yes"
says 'client PASV$' "another question"
says 'server 227 (10,0,2,2,7,208)$' "its answer"
does end ended
is "$(expected)" "" "what is announced goes with the control connection"
does 'data client 10.0.2.2 2000' closed "and opens nothing"
does 'control 10.0.2.2 2121' connected "a control connection without helper"
says 'client PASV$' "a question there"
says 'server 227 (10,0,2,2,7,208)$' "its answer there"
is "$(expected)" "" "no rule says it is FTP: nothing is expected"
step end >/dev/null

# In two segments, the number cut: never the half of it.
does 'control 10.0.2.2 21' connected
says 'client PASV$' "a question before a cut answer"
does 'server 227 Entering Passive Mode (10,0,2,2,4,2~10).$' 'heard 227 Entering Passive Mode (10,0,2,2,4,210).$' "an answer cut in its number"
is "$(expected)" "10.0.1.2>10.0.2.2:1234" "only the whole number counts"
does 'data client 10.0.2.2 1026' closed "the half of it: no"
does 'data client 10.0.2.2 1234' open "the whole: yes"
does end ended

# What is not believed. The first of each reason is found in the logs below.
dmesg_mark
own='10.0.1.2>10.0.2.2:2000' refused ftp-foreign "227 of another host" 'client PASV$' \
	'server 227 Entering Passive Mode (10,0,2,3,7,208).$'
does 'data client 10.0.2.3 2000' closed "the other host stays closed"
refused ftp-foreign "227 of another host's service" 'client PASV$' 'server 227 (10,0,2,3,0,25)$'
# An address of the server's inside, which clients ignore: they go to the one that they know.
does 'control 10.0.2.2 21' connected
says 'client PASV$' "a question before a private address"
says 'server 227 Entering Passive Mode (192,168,178,2,7,208).$' "a private address"
does 'data client 10.0.2.2 2001' closed "a private address: another port of the server: no"
does 'data client 10.0.2.3 2000' closed "a private address: another host: no"
does 'data client 10.0.2.2 2000' open "a private address: the port that was announced, at the server: yes"
does 'data client 10.0.2.2 2000' closed "a private address: once"
step end >/dev/null
refused ftp-foreign "PORT of another host" 'client PORT 10,0,1,3,7,208$'
does 'data server 10.0.1.3 2000' closed "that other host stays closed"
refused ftp-foreign "EPRT of another host" 'client EPRT |1|10.0.1.3|2000|$'
refused ftp-port "227 of a service" 'client PASV$' 'server 227 (10,0,2,2,3,232)$'
does 'data client 10.0.2.2 1000' closed "the service stays closed"
refused ftp-port "229 of a service" 'client EPSV$' 'server 229 Entering (|||1000|)$'
refused ftp-port "PORT of a service" 'client PORT 10,0,1,2,3,232$'
does 'data server 10.0.1.2 1000' closed "the client's service stays closed"
refused ftp-unasked "227 without a question" 'server 227 Entering Passive Mode (10,0,2,2,7,208).$'
does 'data client 10.0.2.2 2000' closed "nothing is open"
refused ftp-unasked "229 without a question" 'server 229 Entering Extended Passive Mode (|||2000|)$'
refused ftp-unasked "229 to PASV" 'client PASV$' 'server 229 Entering Extended Passive Mode (|||2000|)$'
refused ftp-unasked "a second 227 to one PASV that is over" 'client PASV$' 'server 425 no$' 'server 227 (10,0,2,2,7,208)$'
refused ftp-unasked "227 sent by the client" 'client PASV$' 'client 227 Entering Passive Mode (10,0,2,2,7,208)$'
refused ftp-syntax "octets above 255" 'client PASV$' 'server 227 (10,0,2,2,256,208)$'
refused ftp-syntax "port 0" 'client EPSV$' 'server 229 (|||0|)$'
refused ftp-syntax "a port above 65535" 'client EPRT |1|10.0.1.2|67536|$'
# 150 is a reply like another, and PORT in a server's mouth is text.
does 'control 10.0.2.2 21' connected
says 'client RETR 227 (10,0,2,2,7,208)$' "a name that looks like an answer"
says 'server 150 Opening data connection for 227 (10,0,2,2,7,208)$' "a reply that quotes one"
says 'server 200-$' "a reply of several lines"
does 'data client 10.0.2.2 2000' closed "neither opens anything"
does end ended
does 'control fd00:2::2 21' connected "IPv6"
before=$(passes ftp-foreign)
says 'client EPRT |2|fd00:1::3|2000|$' "another host"
is "$(seen ftp-foreign)" "$((before + 1)) " "EPRT of another host in IPv6: counted, not expected"
says 'client EPSV$' "a question in IPv6"
says 'server 229 (|||2000|)$' "its answer in IPv6"
does 'data client fd00:2::3 2000' closed "another host in IPv6"
does 'data client fd00:2::2 2000' open "the server in IPv6"
does end ended

# The kernel's log says what was announced, without being flooded; the group "log" has the packet.
sleep 1
like "$(dmesg_since)" "ipfi: ftp: 10\.0\.2\.2:21 announces 10\.0\.2\.3:2000 to 10\.0\.1\.2:[0-9]+: not believed \(ftp-foreign\)" "a line of the kernel's log"
like "$(grep -m 1 '"reason":"ftp-foreign"' "$lab_tmp/log")" '"src":"10.0.2.2"' "an event of the log group"

# With ftp_foreign = true a server may name another host (transfers between servers); a service it may not.
runs "a policy that believes other addresses" ftp '' ', ftp_foreign = true'
does 'control 10.0.2.2 21' connected
says 'client PASV$' "a question"
says 'server 227 (10,0,2,3,7,208)$' "another host"
does 'data client 10.0.2.3 2000' open "ftp_foreign: the other host"
does 'data client 10.0.2.2 2000' open "ftp_foreign: and the server itself"
before=$(passes ftp-port)
says 'client PASV$' "a question"
says 'server 227 (10,0,2,3,3,232)$' "another host's service"
is "$(seen ftp-port)" "$((before + 1)) " "ftp_foreign: a service of the other host is counted, not expected"
does end ended

# Through destination NAT: what is cut is held back until the whole is known, and what is refused is not translated.
runs "a published server" ftp 'dnat { "published", iif = "lan0", dst = "10.0.1.1", proto = "tcp", dport = 21, to = "10.0.2.2" }'
does 'control 10.0.1.1 21' connected "published"
says 'client PASV$' "a question"
does 'server 227 Entering Passive Mode (10,0,2,2,4,2~10).$' 'heard 227 Entering Passive Mode (10,0,1,1,4,210).$' "published: an answer cut in its number is translated whole"
is "$(expected)" "10.0.1.2>10.0.1.1:1234" "published: and expected there"
does 'data client 10.0.1.1 1026' closed "published: the half of it: no"
does 'data client 10.0.1.1 1234' open "published: the whole: yes"
says 'client PASV$' "a question"
before=$(passes ftp-foreign)
says 'server 227 Entering Passive Mode (10,0,2,3,7,208).$' "published: another host is not translated and"
is "$(seen ftp-foreign)" "$((before + 1)) 10.0.1.2>10.0.1.1:2000" "published: counted, and the server itself is expected"
does 'data client 10.0.2.3 2000' closed "published: the other host stays closed"
does 'data client 10.0.1.1 2000' open "published: the server itself is open"
does end ended

# Floods: 100,000 announcements, on one control connection and on many. Eight are expected of each, and the memory that
# it takes does not grow with what is asked.
runs "a policy for FTP again" ftp ''
count=$(slow 100000 20000)
# slab: the kernel's memory for objects in KiB.
slab() { shrink_caches && awk '/^Slab:/ { print $2 }' /proc/meminfo; }
# stays_small: asserts that it is hardly more than $memory.
stays_small() {
	local more=$(($(slab) - memory))
	holds "memory has not grown by more than 4 MB: $more kB" "$more < 4096"
}
does 'control 10.0.2.2 21' connected
before=$(passes ftp-full)
memory=$(slab)
dmesg_mark
# shellcheck disable=SC2034  # in the expression below
started=$SECONDS
does "flood $count PORT 10,0,1,2,%\$" "said $count" "$count announcements on one connection"
holds "8 are expected" "$(fw 'print(#fw.expectations())') == 8"
holds "the others are counted" "$(passes ftp-full) > before"
stays_small
lines=$(dmesg_since | grep -c 'ipfi: ftp: ')
holds "$lines lines in the log for $count refusals" "lines >= 1 && lines <= 10 * ((SECONDS - started) / 5 + 2)"
does end ended
does "control 10.0.2.2 21 100" connected "100 control connections"
memory=$(slab)
does "flood $((count / 100)) PORT 10,0,1,2,%\$" "said $count" "$count announcements on them"
holds "at most 8 are expected of each: $(fw 'print(#fw.expectations())')" "$(fw 'print(#fw.expectations())') <= 800"
holds "each has no more than 8" "$(fw 'local n, most = {}, 0 for _, e in ipairs(fw.expectations()) do n[e.master] = (n[e.master] or 0) + 1 most = math.max(most, n[e.master]) end print(most)') <= 8"
stays_small
holds "they are forgotten after 30 s" "$(fw 'local most = 0 for _, e in ipairs(fw.expectations()) do most = math.max(most, e.timeout) end print(math.ceil(most))') <= 30"
does end ended
is "$(fw 'print(fw.stats().expectations)')" 0 "and with their control connections"
