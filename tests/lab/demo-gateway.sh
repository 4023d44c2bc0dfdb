# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # demo.sh gives: lab_tmp color web; show and expect use status and output
#
# The second part of tests/lab/demo.sh, which reads it: the router as a gateway. The client is a machine of the inner
# network, with private addresses; the server stands for the Internet, and for somebody there.

# serve_ftp SPACE: vsftpd on all addresses, for everybody, with a short file "hello" and one of 256 MiB of zeros,
# "big". Its log, $lab_tmp/ftp-SPACE/log, has what clients say.
serve_ftp() {
	local dir=$lab_tmp/ftp-$1
	install -d -m 755 "$dir" "$dir/root" "$dir/empty"
	echo "hello from $1" >"$dir/root/hello"
	truncate -s 256M "$dir/root/big"
	cat >"$dir/vsftpd.conf" <<-EOF
		listen=NO
		listen_ipv6=YES
		background=YES
		anonymous_enable=YES
		no_anon_password=YES
		anon_root=$dir/root
		ftp_username=daemon
		nopriv_user=nobody
		secure_chroot_dir=$dir/empty
		xferlog_enable=YES
		log_ftp_protocol=YES
		vsftpd_log_file=$dir/log
	EOF
	in_ns "$1" vsftpd "$dir/vsftpd.conf"
	wait_for 20 listening "$1" tcp 21
}

# last_line FILE REGEX: what a server's log says last, shown like a command's output.
last_line() {
	output=$(grep -E "$2" "$1" | tail -n 1)
	status=0
	printf '%s\n' "$output"
}

say "Now a gateway. The machine outside knows no way to the inner network, as the Internet knows none to private addresses"
ip -n server route del default
show server ip route
show client "${web[@]}" http://10.0.2.2/
expect "the request leaves, no answer finds its way back" says 'timed out'

say "examples/gateway.lua: those inside go out by the outer address, a web and an FTP server inside are published under it"
serve_ftp server && serve_ftp client || exit 1
show router ipfi -v --color=$color -f examples/gateway.lua net=10.0.1.0/24 www=10.0.1.2 www6=fd00:1::2 ftp=10.0.1.2 \
	ftp6=fd00:1::2
expect "committed" good
only='NAT RULE|dnat|masquerade' show router ipfi --color=$color -e '=fw.running()'
expect "its NAT rules" says 'masquerade'

say "From inside to outside: the server sees the outer address"
show client "${web[@]}" http://10.0.2.2/
expect "it answers" says 'ipfi lab'
last_line "$lab_tmp/outside.log" GET
expect "its log says 10.0.2.1, the gateway's" says '^10\.0\.2\.1 '

say "From outside to the published web server, over IPv4 by the gateway's address, over IPv6 by its own"
show server "${web[@]}" http://10.0.2.1/
expect "it answers" says 'ipfi lab'
last_line "$lab_tmp/inside.log" GET
expect "its log says who asked" says '10\.0\.2\.2 '
show server ip -6 route add fd00:1::/64 via fd00:2::1
show server "${web[@]}" 'http://[fd00:1::2]/'
expect "it answers" says 'ipfi lab'

say "From inside to the outer address (a hairpin): as the others, though the server is next door"
show client "${web[@]}" http://10.0.2.1/
expect "it answers" says 'ipfi lab'

say "The states of translated connections show both sides: as it arrives, and what becomes of it"
show router ipfi --color=$color -e '=fw.states{ nat = true }'
expect "both sides are shown" says '10\.0\.2\.1'

ftp=(curl -sS --max-time 20)
said='PASV|EPSV|PORT|EPRT|^[<>] 2[02]|hello'
say "FTP from inside, passive: the server announces a port, the helper of the rule \"ftp out\" expects the connection"
only=$said show client "${ftp[@]}" -v --disable-epsv ftp://10.0.2.2/hello
expect "the file comes" says 'hello from server'

say "FTP from inside, active: the client announces its private address, the text that leaves has the outer one"
only=$said show client "${ftp[@]}" -v --disable-eprt --ftp-port - ftp://10.0.2.2/hello
expect "the file comes" says 'hello from server'
last_line "$lab_tmp/ftp-server/log" '"PORT '
expect "the server was told the gateway's address" says 'PORT 10,0,2,1,'

say "FTP from outside to the published server: its announcement of 10.0.1.2 leaves as 10.0.2.1, which lftp believes"
show server lftp --norc -c 'set ftp:prefer-epsv no; set ftp:fix-pasv-address no; set net:timeout 10; open 10.0.2.1; cat hello'
expect "passive" says 'hello from client'
show server lftp --norc -c 'set ftp:passive-mode no; set net:timeout 10; open 10.0.2.1; cat hello'
expect "active" says 'hello from client'
show server "${ftp[@]}" --ftp-port - 'ftp://[fd00:1::2]/hello'
expect "active over IPv6 (EPRT), where nothing is translated" says 'hello from client'

say "While transfers run, one each way: the state of a data connection names its control connection"
in_ns client curl -s --limit-rate 200k --ftp-port - ftp://10.0.2.2/big -o /dev/null &
outward=$!
in_ns server curl -s --limit-rate 200k --disable-epsv ftp://10.0.2.1/big -o /dev/null &
inward=$!
data() { [ "$(in_ns router ipfi -e 'local n = 0
	for row in fw.states{ helper = "ftp", state = "ESTABLISHED" }:each() do n = n + (row.master and 1 or 0) end
	print(n)')" = 2 ]; }
wait_for 10 data
show router ipfi --color=$color -e '=fw.states{ helper = "ftp", state = "ESTABLISHED" }'
expect "two data connections, each \"of\" the id of a control connection" says 'of [0-9]+.*of [0-9]+'

say "Live connections are judged by the new rules: without the published FTP server its transfer ends, the other goes on"
show router ipfi -v --color=$color -f examples/gateway.lua net=10.0.1.0/24 www=10.0.1.2
expect "committed" good
inward_over() { [ "$(in_ns router ipfi -e 'print(fw.states{ helper = "ftp", rule = "ftp server" }:count())')" = 0 ]; }
wait_for 10 inward_over
show router ipfi --color=$color -e '=fw.states{ helper = "ftp", state = "ESTABLISHED" }'
one_data() { says 'of [0-9]+' && ! says 'of [0-9]+.*of [0-9]+'; }
expect "one data connection is left, outward; the other's control connection is judged when it says something" one_data
kill "$outward" "$inward" 2>/dev/null
ip -n server route add default via 10.0.2.1
