#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# Captures of real programs (curl and nginx, dig and dnsmasq, curl and vsftpd), taken on a network without a firewall and
# replayed by fw.replay, by the built-in engine and by the kernel, under policies that track, translate and help:
# every packet must fare the same. See one_engine/captures.lua.
. "$IPFI_TOP/tests/net/support/firewall.sh"
. "$IPFI_TOP/tests/net/one_engine/gate.sh"
# shellcheck source=tests/net/ftp/servers.sh
. "$IPFI_TOP/tests/net/ftp/servers.sh"
need tcpdump nginx dnsmasq dig curl vsftpd
need_gate

# The addresses are those that the replay gives to a client in the inner network and a server in the outer one.
client4=10.0.0.2 client6=fd00:1::2 server4=203.0.113.9 server6=2001:db8:f::9
space client server || exit
link client eth0 $client4/24 $client6/64 -- server eth0 $server4/24 $server6/64
for name in client server; do
	ip -n $name route add default dev eth0
	ip -n $name -6 route add default dev eth0
	# What is captured is what is on a wire: no segments that are yet to be cut, no checksums that are yet to be written.
	quietly in_ns $name ethtool -K eth0 tso off gso off gro off tx off
done
wait_for 10 in_ns client ping -c 1 -W 1 $server4 && wait_for 10 in_ns client ping -6 -c 1 -W 1 $server6 || exit

mkdir "$lab_tmp/root"
echo "ipfi lab" >"$lab_tmp/root/index.html"
head -c 8000 /dev/urandom >"$lab_tmp/root/pages"
serve_web server 80 "$lab_tmp/root" && serve_web server 8080 "$lab_tmp/root" || exit
serve_dns server lab.test/192.0.2.80 lab.test/2001:db8:1::80 || exit
serve_ftp vsftpd server 21 || exit
install -o "$ftp_user" "$lab_tmp/root/pages" "$ftp_home/files/pages"

over() { in_ns server ss -Htn state connected exclude time-wait | grep -q . && return 1 || return 0; }
ended() { tcpdump -nr "$1" 'udp port 9' 2>/dev/null | grep -q .; }
# capture NAME COMMAND...: what is on the client's wire while the command runs, until the connections are over and
# the packet that ends the capture is in it.
capture() {
	local file=$lab_tmp/$1.pcap
	shift
	ip netns exec client tcpdump -i eth0 -nU --immediate-mode -Z root -w "$file" 'tcp or udp' 2>"$lab_tmp/tcpdump" &
	local tcpdump=$!
	wait_for 20 grep -q 'listening on' "$lab_tmp/tcpdump" || not_ok "tcpdump listens" "$(<"$lab_tmp/tcpdump")"
	"$@"
	wait_for 20 over || not_ok "the connections end" "$(in_ns server ss -tn)"
	echo end | in_ns client socat -u - "UDP:$server4:9"
	wait_for 20 ended "$file" || not_ok "the capture is whole" "$(<"$lab_tmp/tcpdump")"
	kill $tcpdump
	wait $tcpdump
}

# get URL [OPTION...]: what comes must be what was sent.
get() {
	local url=$1
	shift
	runs "curl $*${*:+ }$url" in_ns client curl -sSg --max-time "$(patience 20)" -o "$lab_tmp/got" "$@" "$url"
	runs "what came is whole" cmp "$lab_tmp/got" "$lab_tmp/root/pages"
}
surf() {
	get "http://$server4/pages"
	get "http://[$server6]/pages"
	get "http://$server4:8080/pages"
}
resolve() {
	local host
	for host in $server4 $server6; do
		is "$(in_ns client dig +short "@$host" lab.test A) $(in_ns client dig +short +tcp "@$host" lab.test AAAA)" \
			"192.0.2.80 2001:db8:1::80" "dig @$host"
	done
}
# In words: PASV, PORT, EPSV, EPRT.
transfer() {
	local login=$ftp_user:$ftp_password
	get "ftp://$login@$server4/files/pages" --disable-epsv
	get "ftp://$login@$server4/files/pages" --disable-eprt --ftp-port -
	get "ftp://$login@[$server6]/files/pages"
	get "ftp://$login@[$server6]/files/pages" --ftp-port -
}
capture web surf
capture dns resolve
capture ftp transfer

load_ipfi || exit
open_gate || exit
in_ns one "$IPFI" tests/net/one_engine/captures.lua to="$gate_to" from="$gate_from" tmp="$lab_tmp" \
	web="$lab_tmp/web.pcap" dns="$lab_tmp/dns.pcap" ftp="$lab_tmp/ftp.pcap" "$@"
status=$?
[ $status -eq 0 ] || not_ok "captures" "see above"
close_gate
exit $((failures > 0))
