#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rule files of the original, imported and committed: real programs meet what their rules say.
. "$IPFI_TOP/tests/net/support/firewall.sh"

load_ipfi || exit
topo_router && serve_web server 80 && serve_web server 8080 && serve_web client 80 || exit
dir=$lab_tmp/legacy
mkdir "$dir"

cat >"$dir/options" <<-'EOF'
	NAT=YES
	MASQUERADE=YES
	STATEFUL=YES
	PROC_IPFIRE_POLICY=0
	MAX_STATE_ENTRIES=70000
EOF
cat >"$dir/blacklist" <<-'EOF'
	RULE
	NAME=not there
	DIRECTION=FORWARD
	PROTOCOL=6
	DSTADDR=10.0.2.2
	DSTPORT=8080
	END
EOF
cat >"$dir/allowed" <<-'EOF'
	RULE
	NAME=inside -> anywhere
	DIRECTION=FORWARD
	INDEVICE=lan0
	OUTDEVICE=wan0
	PROTOCOL=6
	SRCADDR=10.0.1.1
	_END_SRCADDR=10.0.1.9
	KEEP_STATE=YES
	RULE
	NAME=the published server
	DIRECTION=FORWARD
	INDEVICE=wan0
	PROTOCOL=6
	DSTADDR=10.0.1.2
	DSTPORT=80
	SYN=TRUE
	ACK=FALSE
	KEEP_STATE=YES
	RULE
	NAME=ping of one length
	DIRECTION=INPUT
	PROTOCOL=1
	ICMP_TYPE=8
	MYDSTADDR
	TOTAL_LENGTH=128
	KEEP_STATE=YES
	END
EOF
cat >"$dir/translation" <<-'EOF'
	RULE
	NAME=outward
	DIRECTION=POST
	OUTDEVICE=wan0
	SRCADDR=10.0.1.0
	_END_SRCADDR=10.0.1.255
	NAT=YES
	MASQUERADE=YES
	RULE
	NAME=published
	DIRECTION=PRE
	INDEVICE=wan0
	MYDSTADDR
	PROTOCOL=6
	DSTPORT=8000
	NAT=YES
	NEWADDR=10.0.1.2
	NEWPORT=80
	END
EOF
printf 'BSRULE\r\nNAME=10.0.1.3\r\nBSRULE\r\nNAME=www.blocked.example\r\nEND' >"$dir/blacksites"

"$IPFI" --import-legacy "$dir" >"$lab_tmp/imported.lua" 2>"$lab_tmp/warnings"
is "$?" 0 "the files are imported"
is "$(wc -l <"$lab_tmp/warnings")" 1 "one warning: names are for a job"
runs "what was printed is a policy" in_ns router "$IPFI" -f "$lab_tmp/imported.lua"

# Nobody outside knows a way inside: what comes back was translated.
ip -n server route del default
web() { in_ns "$1" curl -sS --max-time "$(patience 5)" "${@:2}"; }
is "$(web client http://10.0.2.2/)" "ipfi lab" "the inner network reaches a server outside"
is "$(web server http://10.0.2.1:8000/)" "ipfi lab" "the published server is reached from outside"
like "$(fw 'for row in fw.states{ rule = "the published server" }:each() do print(row.dst, row.nat_dst, row.nat_dport) end')" \
	'^10\.0\.2\.1.10\.0\.1\.2.80$' "and its state shows the translation"
fails "what the blacklist denies is denied, though allowed names it" web client http://10.0.2.2:8080/
fails "what nothing allows is denied" web server http://10.0.2.1/
fails "the original's rules hold for IPv4 only" web client 'http://[fd00:2::2]/'

ip -n client addr add 10.0.1.3/24 dev eth0
ip -n client addr add 10.0.1.20/24 dev eth0
fails "an address of blacksites is denied" web client --interface 10.0.1.3 http://10.0.2.2/
fails "an address beyond the interval is denied" web client --interface 10.0.1.20 http://10.0.2.2/
runs "a member of the set is blocked" fw 'fw.set("blocked_sites"):add "10.0.2.2"'
fails "for new connections" web client http://10.0.2.2/
runs "and no longer when it has gone" fw 'fw.set("blocked_sites"):del "10.0.2.2"'
is "$(web client http://10.0.2.2/)" "ipfi lab" "the server is back"

runs "a ping of the length that the rule says" in_ns client ping -c 1 -W "$(patience 10)" -s 100 10.0.1.1
fails "no other" in_ns client ping -c 1 -W 2 -s 99 10.0.1.1
is "$(fw 'print(fw.limits().max_states)')" 70000 "the number of states is the original's"
