#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 200
#
# A real FTP server that announces an address of its inside, as one behind a NAT that does not know FTP, and a real client
# that ignores it. And text that must be rewritten within large segments, on a device that wants them cut right.
. "$IPFI_TOP/tests/net/support/firewall.sh"
. "$IPFI_TOP/tests/net/ftp/servers.sh"
need vsftpd curl python3 ethtool
load_ipfi || exit
topo_router || exit
# shellcheck disable=SC2034  # for serve_ftp
vsftpd_more=pasv_address=192.168.178.2
serve_ftp vsftpd server 21 || not_ok "vsftpd is there" "it does not listen"
ftp() { # ftp NAT [FIELD]
	commit --states=flush <<-POLICY
		return policy { name = "ftp", nat = { $1 },
			rules = { allow { "ftp", dir = "forward", proto = "tcp", dport = 21, helper = "ftp" ${2-} } } }
	POLICY
}
head -c 300000 /dev/urandom >"$lab_tmp/sent"
# transfer ADDRESS [OPTION...]: uploads, lists and downloads with PASV; "same" if the file came back, else curl's exit status.
transfer() {
	local address=$1 url
	shift
	url=ftp://$ftp_user:$ftp_password@$address/files/
	in_ns client curl -s --disable-epsv --max-time "$(patience 60)" "$@" -T "$lab_tmp/sent" "${url}file" || { echo "up $?"; return; }
	in_ns client curl -s --disable-epsv --max-time "$(patience 60)" "$@" "$url" | grep -q file || { echo "list $?"; return; }
	in_ns client curl -s --disable-epsv --max-time "$(patience 60)" "$@" -o "$lab_tmp/came" "${url}file" || { echo "down $?"; return; }
	cmp -s "$lab_tmp/sent" "$lab_tmp/came" && echo same
}
foreign() { fw 'print(fw.stats().passes["ftp-foreign"])'; }

for way in plain dnat snat; do
	address=10.0.2.2
	case $way in
	plain) runs "$way: a policy" ftp '' ;;
	dnat)
		address=10.0.1.1
		runs "$way: a policy" ftp 'dnat { "published", iif = "lan0", dst = "10.0.1.1", proto = "tcp", dport = 21, to = "10.0.2.2" }'
		;;
	snat) runs "$way: a policy" ftp 'masquerade { "out", oif = "wan0" }' ;;
	esac
	before=$(foreign)
	is "$(transfer $address --ftp-skip-pasv-ip)" same "$way: a client that ignores the address is served"
	is "$(foreign)" $((before + 3)) "$way: what it announces is not believed"
	is "$(fw 'print(#fw.expectations())')" 0 "$way: nothing is expected any more"
done
runs "a policy that believes other addresses" ftp '' ', ftp_foreign = true'
is "$(transfer 10.0.2.2 --ftp-skip-pasv-ip)" same "ftp_foreign: the server's own is expected too"

# Six commands to be rewritten and some kilobytes behind them, in one segment for the client's device. What cannot be edited
# at once is cut, and the rest comes again. The router's device cuts by software.
runs "offloading is off on the way out" in_ns router ethtool -K wan0 tso off gso off
runs "a policy for hidden clients" ftp 'masquerade { "out", oif = "wan0" }'
in_ns router ip -s -j link show wan0 >"$lab_tmp/before"
cat >"$lab_tmp/collect.py" <<'PY'
import socket, sys
end = socket.create_server(("10.0.2.2", 2121))
print("ready", flush=True)
one, _ = end.accept()
one.settimeout(20)
with open(sys.argv[1], "wb") as out:
    while True:
        data = one.recv(65536)
        if not data:
            break
        out.write(data)
PY
commit --states=flush <<'POLICY'
return policy { name = "ftp", nat = { masquerade { "out", oif = "wan0" } },
	rules = { allow { "ftp", dir = "forward", proto = "tcp", dport = 2121, helper = "ftp" } } }
POLICY
in_ns server python3 "$lab_tmp/collect.py" "$lab_tmp/heard" >"$lab_tmp/collect" &
collector=$!
wait_for 10 grep -q ready "$lab_tmp/collect"
in_ns client python3 - "$lab_tmp/said" "$lab_tmp/wanted" <<'PY'
import socket, sys
port = lambda host: b"".join(b"PORT %s,7,%d\r\n" % (host, 200 + i) for i in range(6))
rest = b"".join(b"NOOP %03d %s\r\n" % (i, b"x" * 300) for i in range(40))
open(sys.argv[2], "wb").write(port(b"10,0,2,1") + rest)
end = socket.create_connection(("10.0.2.2", 2121))
end.sendall(port(b"10,0,1,2") + rest)
end.shutdown(socket.SHUT_WR)
end.settimeout(20)
end.recv(1)
PY
wait $collector
is "$(cmp "$lab_tmp/wanted" "$lab_tmp/heard" && echo same)" same "the server reads all of it, rewritten"
is "$(fw 'print(#fw.expectations())')" 0 "it has hung up: nothing is expected"
dropped() { python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["stats64"]["tx"]["dropped"])'; }
is "$(in_ns router ip -s -j link show wan0 | dropped)" "$(dropped <"$lab_tmp/before")" "no segment was refused by the device"
