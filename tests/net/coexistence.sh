#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# Beside nf_conntrack and the rules of others in the same namespace (docs/coexistence.md): a filter beside rules as Docker
# writes them does its work, and they do theirs; translation here is warned of.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3 nft
load_ipfi || exit
topo_router || exit
in_ns server setsid -f "$whoami" serve 80 81 >/dev/null 2>&1
in_ns client setsid -f "$whoami" serve 8000 8001 >/dev/null 2>&1
wait_for 10 listening server tcp 80
wait_for 10 listening client tcp 8000
# Nobody outside knows the way inside.
ip -n server route del default

# As Docker does it: containers (the client's network) are masqueraded, a port is published, and what the filter lets
# through is what belongs to these.
docker() {
	in_ns router nft -f - <<'NFT'
table ip nat {
	chain prerouting { type nat hook prerouting priority dstnat; iif "wan0" tcp dport 8080 dnat to 10.0.1.2:8000; }
	chain postrouting { type nat hook postrouting priority srcnat; ip saddr 10.0.1.0/24 oif "wan0" masquerade; }
}
table ip filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct state invalid counter drop
		iif "wan0" ct status dnat accept
		iif "lan0" accept
	}
}
NFT
}
docker || { skip coexistence "no nftables with connection tracking" && exit; }

filter() { # filter RULES: a policy without NAT
	commit <<<"return policy { name = \"filter\", rules = { allow { \"own\", dir = { \"in\", \"out\" }, state = true }, $1 } }"
}
is "$(filter 'allow { "out", dir = "forward", iif = "lan0", state = true },
	allow { "published", dir = "forward", iif = "wan0", dst = "10.0.1.2", proto = "tcp", dport = 8000, state = true }' 2>&1)" "" \
	"a filter without NAT is not warned of"
is "$(ask client tcp,10.0.2.2,80,5000 udp,10.0.2.2,80,5000)" "10.0.2.1 5000, 10.0.2.1 5000" "others' masquerading works"
is "$(ask server tcp,10.0.2.1,8080,5001)" "10.0.2.2 5001" "a port that others publish"
is "$(row 'dport = 8000' s.src s.dst 's.reply_packets > 1' 's.nat_dst or 0')" "10.0.2.2 10.0.1.2 true 0" \
	"the filter sees the addresses behind their translation"
is "$(row 'proto = "udp", sport = 5000' s.src s.dst s.packets s.reply_packets)" "10.0.1.2 10.0.2.2 1 1" "and before it"
is "$(ask server tcp,10.0.2.1,8081,5002)" "refused" "what nobody publishes"
filter 'allow { "published", dir = "forward", iif = "wan0", dst = "10.0.1.2", proto = "tcp", dport = 8000, state = true }'
is "$(WAIT=1 ask client udp,10.0.2.2,80,5003)" "nothing" "what the filter denies, others' rules do not let through"
is "$(ask server tcp,10.0.2.1,8080,5004)" "10.0.2.2 5004" "what it allows goes on"
in_ns router nft flush chain ip filter forward
filter 'allow { "all", dir = "forward", state = true }'
is "$(WAIT=1 ask client udp,10.0.2.2,80,5005)" "nothing" "what others' rules drop, the filter does not bring back"

# Translation here, and theirs gone: their filter takes the replies for invalid, and a commit says so.
in_ns router nft delete table ip nat
in_ns router nft delete table ip filter
nat='return policy { name = "nat", nat = { masquerade { "out", oif = "wan0" } }, rules = { allow { "all", state = true } } }'
is "$(commit <<<"$nat" 2>&1)" "" "without connection tracking nothing is said"
is "$(ask client tcp,10.0.2.2,80,5006)" "10.0.2.1 5006" "masquerade here"
docker && in_ns router nft delete table ip nat
like "$(commit <<<"$nat" 2>&1)" "policy.lua: nf_conntrack is active here" "with it there is a warning"
like "$(fw "print(fw.commit(fw.load '$lab_tmp/policy.lua').warning)")" "nf_conntrack is active here" "scripts have it too"
is "$(WAIT=1 ask client udp,10.0.2.2,80,5007)" "nothing" "for the replies are invalid to it"
in_ns router nft delete table ip filter
is "$(ask client udp,10.0.2.2,80,5008)" "10.0.2.1 5008" "without such rules they arrive"
