#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# Translation beside IPsec: two sites with the same network, joined by a tunnel whose policies speak of translated
# addresses only. Nothing may leave in clear text that a policy wants encrypted, and what comes back is received.
#
#	a 10.0.1.2 -- 10.0.1.1 left 192.0.2.1 ==== 192.0.2.2 right 10.0.1.1 -- 10.0.1.2 b
#	left's network is 172.16.1.0/24 (fd00:a::) to the right, right's 172.16.2.0/24 (fd00:b::) to the left
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3 socat
modprobe -a esp4 esp6 xfrm_user || { skip ipsec "no modules for IPsec" && exit; }
load_ipfi || exit
space a left right b
link a eth0 10.0.1.2/24 fd00:1::2/64 -- left lan0 10.0.1.1/24 fd00:1::1/64
link left wan0 192.0.2.1/24 fd00:9::1/64 -- right wan0 192.0.2.2/24 fd00:9::2/64
link b eth0 10.0.1.2/24 fd00:1::2/64 -- right lan0 10.0.1.1/24 fd00:1::1/64
for host in a b; do printf 'route add default via %s\n' 10.0.1.1 fd00:1::1 | ip -n $host -batch -; done
for gateway in left right; do
	in_ns $gateway sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_ns $gateway setsid -f "$whoami" serve 90 >/dev/null 2>&1
done
in_ns b setsid -f "$whoami" serve 80 >/dev/null 2>&1

# tunnel GATEWAY OWN PEER OWN4 PEER4 OWN6 PEER6: both states, and policies for its networks.
tunnel() {
	local space=$1 own=$2 peer=$3 own4=$4 peer4=$5 own6=$6 peer6=$7 aead key
	aead="aead rfc4106(gcm(aes)) 0x$(printf '%040d' 7) 128"
	# shellcheck disable=SC2086
	ip -n "$space" xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 reqid 1 mode tunnel flag af-unspec $aead &&
		ip -n "$space" xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 2 reqid 1 mode tunnel flag af-unspec $aead || return
	for key in "$own4 $peer4" "$own6 $peer6"; do
		# shellcheck disable=SC2086
		set -- $key
		ip -n "$space" xfrm policy add src "$1" dst "$2" dir out tmpl src "$own" dst "$peer" proto esp reqid 1 mode tunnel
		for dir in in fwd; do
			ip -n "$space" xfrm policy add src "$2" dst "$1" dir $dir tmpl src "$peer" dst "$own" proto esp reqid 1 mode tunnel
		done
	done
}
runs "the left end" tunnel left 192.0.2.1 192.0.2.2 172.16.1.0/24 172.16.2.0/24 fd00:a::/64 fd00:b::/64
runs "the right end" tunnel right 192.0.2.2 192.0.2.1 172.16.2.0/24 172.16.1.0/24 fd00:b::/64 fd00:a::/64
for gateway in "left 2 2 b" "right 1 1 a"; do
	# shellcheck disable=SC2086
	set -- $gateway
	ip -n "$1" route add "172.16.$2.0/24" via "192.0.2.$3"
	ip -n "$1" -6 route add "fd00:$4::/64" via "fd00:9::$3"
done
ip -n left addr add 172.16.1.1/32 dev lo
ip -n left addr add fd00:a::1/128 dev lo nodad

firewall=left
commit <<'LUA'
return policy { name = "left", nat = {
	snat { "to right", dst = { "172.16.2.0/24", "fd00:b::/64" }, to = { "172.16.1.1", "fd00:a::1" } },
}, rules = { allow { "esp", proto = { "esp", "icmpv6" } }, allow { "all", state = true } } }
LUA
firewall=right
commit <<'LUA'
return policy { name = "right", nat = {
	dnat { "published", dst = { "172.16.2.2", "fd00:b::2" }, to = { "10.0.1.2", "fd00:1::2" } },
}, rules = { allow { "esp", proto = { "esp", "icmpv6" } }, allow { "all", state = true } } }
LUA
wait_for 10 listening b tcp 80

# What is put on the wire in clear text: what is decrypted is seen again as it comes in.
need tcpdump
ip netns exec left tcpdump -nlp -Q out -i wan0 'not esp and not icmp6 and not arp' >"$lab_tmp/clear" 2>"$lab_tmp/tcpdump" &
wait_for 20 grep -q 'listening on' "$lab_tmp/tcpdump" || not_ok "tcpdump listens" "$(<"$lab_tmp/tcpdump")"
encrypted() { ip -n left -s xfrm state | awk '/spi 0x00000001/ { on = 1 } on && /[0-9]\(packets\)/ { gsub(/[^0-9 ]/, ""); print $2; exit }'; }
errors() { in_ns "$1" cat /proc/net/xfrm_stat | awk '$2 { print $1 }' | paste -sd' '; }

is "$(ask a tcp,172.16.2.2,80,5000 udp,172.16.2.2,80,5000)" "172.16.1.1 5000, 172.16.1.1 5000" "through the tunnel, both ends translated"
is "$(ask a tcp,fd00:b::2,80,5000 udp,fd00:b::2,80,5000)" "fd00:a::1 5000, fd00:a::1 5000" "IPv6 too"
runs "ping" can_ping a 172.16.2.2
runs "ping, IPv6" can_ping a fd00:b::2
holds "the tunnel was used" "$(encrypted) > 10"
like "$(in_ns a ping -c 1 -W 5 -s 1400 -M "do" 172.16.2.2 2>&1)" "1 received|mtu" "a long packet is delivered, or its sender told"
# What must come encrypted is not received in clear text.
ip -n left xfrm policy flush
ip -n left xfrm state flush
is "$(WAIT=1 ask a udp,172.16.2.2,80,5009)" "nothing" "in clear text nothing is received"
firewall=right
holds "and that is counted" "$(fw 'local n = 0 for _, d in ipairs(fw.drops()) do if d.reason == "ipsec-policy" then n = n + 1 end end print(n)') > 0"
is "$(grep -v 5009 "$lab_tmp/clear" | grep -c 172.16)" 0 "nothing left in clear text before that"
note "errors: left $(errors left) right $(errors right)"
