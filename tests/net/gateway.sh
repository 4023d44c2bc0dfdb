#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian13
# timeout: 300
#
# examples/gateway.lua under real traffic: machines of an inner network go out by one address, servers among them
# are published under it, for those inside too; in IPv6 the same passes without translation.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need vsftpd
load_ipfi || exit
cd "$IPFI_TOP" || exit

# alice (10.0.0.2) and www (10.0.0.10) on one network (switch) -- (lan0) router (wan0) -- world (203.0.113.9)
space alice www switch router world || exit
link alice eth0 10.0.0.2/24 fd00:1::2/64 -- switch alice
link www eth0 10.0.0.10/24 fd00:1::10/64 -- switch www
link router lan0 10.0.0.1/24 fd00:1::1/64 -- switch router
link router wan0 203.0.113.1/24 fd00:2::1/64 -- world eth0 203.0.113.9/24 fd00:2::9/64
ip -n switch link add bridge type bridge && ip -n switch link set bridge up
for port in alice www router; do ip -n switch link set "$port" master bridge; done
in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for inner in alice www; do
	ip -n $inner route add default via 10.0.0.1
	ip -n $inner -6 route add default via fd00:1::1
done
# The world knows no way to the inner IPv4 network; for IPv6 it does.
ip -n world -6 route add default via fd00:2::1
wait_for 10 in_ns alice ping -c 1 -W 1 10.0.0.10 || exit
wait_for 10 in_ns router ping -c 1 -W 1 203.0.113.9 || exit

# Pages that tell who asked.
for server in www world; do
	for port in 80 25; do
		for listen in TCP4-LISTEN:$port TCP6-LISTEN:$port,ipv6only=1; do
			in_ns $server setsid -f socat "$listen,fork,reuseaddr" \
				SYSTEM:"echo $server sees "'$SOCAT_PEERADDR' 2>/dev/null
		done
		wait_for 10 listening $server tcp $port
	done
done
# asks SPACE ADDRESS [PORT]: what the server there says of who asks, "refused" or "nothing".
asks() {
	local said
	if said=$(in_ns "$1" socat -u "TCP:$2:${3-80},connect-timeout=$(patience 2)" - 2>&1 </dev/null); then
		echo "$said"
	else
		[[ $said = *refused* ]] && echo refused || echo nothing
	fi
}
example() { runs "gateway.lua $*" in_ns router "$IPFI" -f examples/gateway.lua "$@"; }

example www=10.0.0.10 www6=fd00:1::10
is "$(asks alice 203.0.113.9)" "world sees 203.0.113.1" "out by the outer address"
is "$(asks router 203.0.113.9)" "world sees 203.0.113.1" "the gateway itself"
is "$(asks alice '[fd00:2::9]')" "world sees [fd00:0001:0000:0000:0000:0000:0000:0002]" "in IPv6 as oneself"
is "$(row 'src = "10.0.0.2"' s.src s.nat_src s.dst "s.nat_dst or 0" s.rule)" "10.0.0.2 203.0.113.1 203.0.113.9 0 tcp out" \
	"the state has both sides"
is "$(asks alice 203.0.113.9 25)" refused "mail servers are not asked"
runs "ping" in_ns alice ping -q -c 1 -W "$(patience 5)" 203.0.113.9
runs "ping, IPv6" in_ns alice ping -q -c 1 -W "$(patience 5)" fd00:2::9

fw 'fw.states():kill()' >/dev/null
is "$(asks world 203.0.113.1)" "www sees 203.0.113.9" "the server is published"
is "$(row 'src = "203.0.113.9"' s.dst s.nat_dst s.nat_dport "s.nat_src or 0" s.rule)" "203.0.113.1 10.0.0.10 80 0 web server" \
	"its state has both sides"
is "$(asks world '[fd00:1::10]')" "www sees [fd00:0002:0000:0000:0000:0000:0000:0009]" "in IPv6 by its own address"
is "$(asks world 203.0.113.1 25) $(asks world '[fd00:1::10]' 25)" "nothing nothing" "nothing else of it"
is "$(asks alice 203.0.113.1)" "www sees 10.0.0.1" "from inside by the outer address"
is "$(row 'src = "10.0.0.2", nat = "dst"' s.nat_dst s.nat_src)" "10.0.0.10 10.0.0.1" "then both sides are translated"
is "$(asks router 127.0.0.1)" refused "what the gateway asks itself is its own business"

# The prompt's two lists.
is "$(fw 'print(fw.states{nat = "src"}:count(), fw.states{nat = "dst"}:count(), fw.states{nat = true}:count())')" $'1\t2\t2' \
	"they can be asked for by what is translated"
like "$(fw 'print(fw.states{nat = "src"})')" \
	'10\.0\.0\.2:[0-9]+ → 10\.0\.0\.1:[0-9]+ +203\.0\.113\.1:80 → 10\.0\.0\.10:80' "and show both sides"

# Another address for the same; and none.
example www=10.0.0.10 outside=203.0.113.77
is "$(asks world 203.0.113.1)" nothing "not under that address"
ip -n router addr add 203.0.113.77/24 dev wan0
is "$(asks world 203.0.113.77)" "www sees 203.0.113.9" "but under this one"
is "$(asks router 203.0.113.77)" "www sees 203.0.113.1" "the gateway, too, finds the server under it"
example
is "$(asks world 203.0.113.77)" nothing "nothing is published without being asked for"

# FTP, outward and to a published server.
# serve_ftp SPACE: vsftpd for everybody, with one file that says whose it is.
serve_ftp() {
	local dir=$lab_tmp/ftp-$1
	chmod 755 "$lab_tmp"
	install -d -m 755 "$dir" "$dir/root" "$dir/empty"
	echo "file of $1" >"$dir/root/file"
	printf '%s\n' listen=NO listen_ipv6=YES background=YES anonymous_enable=YES no_anon_password=YES \
		"anon_root=$dir/root" ftp_username=daemon nopriv_user=nobody "secure_chroot_dir=$dir/empty" >"$dir/conf"
	in_ns "$1" vsftpd "$dir/conf"
	wait_for 20 listening "$1" tcp 21
}
serve_ftp www && serve_ftp world
fetch() { in_ns "$1" curl -sS --max-time "$(patience 10)" "${@:3}" "ftp://$2/file" 2>&1; }
example ftp=10.0.0.10 ftp6=fd00:1::10
for mode in "" "--disable-epsv" "--ftp-port -" "--disable-eprt --ftp-port -"; do
	# shellcheck disable=SC2086
	is "$(fetch alice 203.0.113.9 $mode), $(fetch world 203.0.113.1 $mode)" "file of world, file of www" \
		"FTP outward and to the published server${mode:+, curl $mode}"
done
is "$(fetch alice '[fd00:2::9]'), $(fetch world '[fd00:1::10]' --ftp-port -)" "file of world, file of www" "FTP, IPv6"
is "$(fetch alice 203.0.113.1)" "file of www" "FTP from inside by the outer address"

# A control connection that has announced a data connection, which does not come.
{ printf 'USER anonymous\r\nPASS x\r\nPASV\r\n' && sleep 30; } |
	ip netns exec alice socat - TCP:203.0.113.9:21 >"$lab_tmp/said" &
waiting=$!
announced() { grep -q '^227' "$lab_tmp/said"; }
wait_for 10 announced
is "$(fw 'for _, e in ipairs(fw.expectations()) do
	print(e.family, e.proto, e.src, e.dst, e.helper, e.rule, e.timeout <= 30, fw.states{id = e.master}:count()) end')" \
	$'4\ttcp\t10.0.0.2\t203.0.113.9\tftp\tftp out\ttrue\t1' "what is expected can be listed"
like "$(fw 'print(fw.expectations())')" $'PROTO +SOURCE .*\ntcp +10\\.0\\.0\\.2 +203\\.0\\.113\\.9:[0-9]+ +ftp +[0-9]+ +ftp out ' \
	"and is shown"
is "$(fw 'print(fw.stats().expectations)')" 1 "and counted"
like "$(fw 'print(fw.states{helper = "ftp", src = "10.0.0.2", state = "ESTABLISHED"})')" ' ftp [0-9]+ +lan0>wan0 +ftp out ' \
	"its control connection is marked"
kill $waiting
wait $waiting 2>/dev/null
none_expected() { [ "$(fw 'print(#fw.expectations())')" = 0 ]; }
runs "nothing is expected of a connection that has ended" wait_for 40 none_expected
