#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What an attacker tries with translation: the root of a user namespace of his own, who lets a packet be looked up for
# ever; and somebody remote, whose ICMP errors are about a connection that the filter has not seen. The kernel must
# have nothing to report.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
tool wire

# In a network namespace that the attacker has made: a veth pair with both ends in it, so that packets also come in.
cat >"$lab_tmp/attack.sh" <<'ATTACK'
	inject=$IPFI_TOP/tests/net/support/inject.py
	ip link set lo up
	ip link add eth0 type veth peer name peer0
	ip link set eth0 up
	ip link set peer0 up
	ip addr add 192.0.2.1/24 dev eth0
	ip addr add 2001:db8::1/64 dev eth0 nodad
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.lo.rp_filter=0
	ip route add default via 192.0.2.254
	ip -6 route add default via 2001:db8::fe
	ip neigh add 192.0.2.254 lladdr 02:00:00:00:00:01 dev eth0
	ip neigh add 2001:db8::fe lladdr 02:00:00:00:00:01 dev eth0
	"$IPFI" -e 'fw.commit(policy { name = "loop", nat = {
		dnat { "4", dst = "198.51.100.9", proto = "udp", dport = 40000, src = "192.0.2.1", to = "198.51.100.77:5555" },
		dnat { "6", dst = "2001:db8:9::9", proto = "udp", dport = 40000, src = "2001:db8::1", to = "[2001:db8:9::77]:5555" },
	}, rules = { allow { "any", state = true } } })'
	attack() { # attack OWN OTHER
		/usr/bin/python3 -c "import socket
s = socket.socket(socket.AF_INET6 if ':' in '$1' else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$1', 8080)); s.connect(('$2', 40000)); s.send(b'x')"
		"$inject" peer0 "$2" 40000 "$1" 8080 <<<"$(ip -br link show eth0 | awk '{ print $3 }')"
		"$IPFI" -e "print(fw.states{sport = 8080}:kill())"
		"$inject" lo "$2" 40000 "$1" 8080
		"$inject" lo "$2" 40000 "$1" 8080
		"$inject" lo "$1" 8080 "$2" 40000
	}
	attack 192.0.2.1 198.51.100.9
	attack 2001:db8::1 2001:db8:9::9
	sleep 0.2
	"$IPFI" -e 'local d = fw.stats().drops print(d["nat-failed"], d["lookup-failed"])'
	ping -c 1 -W 5 -q 192.0.2.1 >/dev/null && ping -c 1 -W 5 -q 2001:db8::1 >/dev/null && echo alive
ATTACK
export IPFI
if [ -e /proc/self/ns/user ]; then
	chmod 755 "$lab_tmp"
	is "$(timeout "$(patience 60)" setpriv --reuid nobody --clear-groups unshare --user --map-root-user --net bash "$lab_tmp/attack.sh" 2>&1)" \
		$'1\n1\n4\t0\nalive' "the root of a user namespace: dropped, and life goes on"
else
	skip "the root of a user namespace" "this kernel has none"
fi
is "$(timeout "$(patience 60)" unshare --net bash "$lab_tmp/attack.sh" 2>&1)" $'1\n1\n4\t0\nalive' "root in another network namespace"

# Remote: packets that arrive for a published service and end here, then errors about them from anywhere.
topo_router || exit
phantoms
commit <<'POLICY'
return policy { name = "remote",
	nat = {
		dnat { "dns", iif = "lan0", dst = { "10.8.0.1", "fd00:8::1" }, proto = "udp", dport = 53,
			to = { "10.8.0.2", "fd00:8::2" } },
		dnat { "web", iif = "lan0", dst = { "10.8.0.1", "fd00:8::1" }, proto = "tcp", dport = 80,
			to = { "10.8.0.2", "fd00:8::2" } },
	},
	rules = {
		allow { "sentinel", proto = "udp", dport = 9 },
		allow { "errors", icmp = { "destination-unreachable", "time-exceeded" }, state = false },
		allow { "in", dir = "forward", dst = { "10.8.0.2", "fd00:8::2" }, state = true },
	} }
POLICY
for net in "10.9.0. 10.8.0. 3/3 11/0" "fd00:9:: fd00:8:: 1/4 3/0"; do
	read -r near far error over <<<"$net"
	is "$(wire <<PACKETS
> udp ${near}1 5000 ${far}1 53 ttl=1
> icmp ${near}1 ${far}1 $error about udp ${far}1 53 ${near}1 5000
> icmp ${near}1 ${far}2 $error about udp ${far}2 53 ${near}1 5000
< icmp ${far}2 ${near}1 $error about udp ${near}1 5000 ${far}2 53
< icmp ${far}1 ${near}1 $error about udp ${near}1 5000 ${far}1 53
> tcp ${near}1 5000 ${far}1 80 S seq=1 ttl=1
> icmp ${near}1 ${far}1 $error about tcp ${far}1 80 ${near}1 5000 S
< icmp ${far}2 ${near}1 $error about tcp ${near}1 5000 ${far}2 80 S
PACKETS
)" "drop icmp $over, pass, pass, drop, pass, drop icmp $over, pass, drop" "errors about what has not passed: ${near}1"
	is "$(fw 'print(fw.stats().drops["nat-failed"])')" 0 "nothing that could not be written"
done
