#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# The firewall's own reset passes list out, but a tunnel's packet around it does not: not in the same namespace, nor
# in the one where the tunnel's packets are sent from.
. "$IPFI_TOP/tests/net/support/firewall.sh"
modprobe ipip || { skip reject_tunnel "no module ipip" && exit; }
load_ipfi || exit
topo_pair || exit
ip -n host-a link add tun0 type ipip local 10.0.0.1 remote 10.0.0.2 ttl 64
ip -n host-a addr add 10.7.0.1/24 dev tun0
ip -n host-a link set tun0 up
refused() { in_ns host-a curl -s --max-time 20 http://10.7.0.2:81/ >/dev/null; [ $? = 7 ]; }
# rules [RULE]: what host-b allows: the tunnel's packets to come in, and RULE.
outer() {
	firewall=host-b
	commit_rules <<RULES
	allow { "tunnelled", dir = "in", proto = 4 },
	${1-}
	reject { "refused", dir = "in", proto = "tcp", dport = 81 },
RULES
}

# The tunnel ends where it is sent from.
ip -n host-b link add tun0 type ipip local 10.0.0.2 remote 10.0.0.1 ttl 64
ip -n host-b addr add 10.7.0.2/24 dev tun0
ip -n host-b link set tun0 up
outer
fails "the reset's tunnel is not allowed to leave" refused
holds "the firewall's own reset is: $(counter default-deny)" "$(counter default-deny) >= 1"
is "$(fw 'local s = fw.stats() print((s.passes or {})["own-reject"] == s.drops["rule-reject"])')" true "one a packet"
outer 'allow { "tunnel", dir = "out", proto = 4 },'
runs "a tunnel that is" refused

# It ends in a namespace of its own, which has a firewall of its own; its packets leave from this one.
space inner
ip -n host-b link set tun0 netns inner
ip -n inner addr add 10.7.0.2/24 dev tun0
ip -n inner link set tun0 up
firewall=inner
commit_rules <<<'reject { "refused", dir = "in", proto = "tcp", dport = 81 },'
outer
before=$(counter default-deny)
fails "nor in another namespace" refused
holds "it is denied there" "$(counter default-deny) > $before"
outer 'allow { "tunnel", dir = "out", proto = 4 },'
runs "and allowed" refused
