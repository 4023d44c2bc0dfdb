#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What somebody remote tries with the state table: segments of connections that nobody has opened, to fill it, and
# addresses of IPv6 chosen so that their words cancel each other out, to put all of them into one bucket. Who is honest
# gets in meanwhile, who was there stays, and a dump ends.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms

policy() {
	commit <<POLICY
return policy { name = "floods", limits = { max_states = $1 }, rules = {
	allow { "sentinel", proto = "udp", dport = 9, src = { "10.8.255.9", "10.9.255.9" }, state = false },
	allow { "web", dir = "forward", proto = "tcp", dport = 80, state = true },
	allow { "dns", dir = "forward", proto = "udp", dport = 53, state = true },
} }
POLICY
}
# passed: how many packets of those that stand on standard input came through.
passed() { wire | tr ',' '\n' | grep -c pass; }

policy 64
is "$(wire <<'PACKETS'
> tcp 10.9.0.1 4000 10.8.0.1 80 S seq=1000
< tcp 10.8.0.1 80 10.9.0.1 4000 SA seq=5000 ack=1001
> tcp 10.9.0.1 4000 10.8.0.1 80 A seq=1001 ack=5001
PACKETS
)" "pass, pass, pass" "a connection lives"
# flood FLAGS COUNT NET: segments from so many addresses.
flood() { for ((i = 1; i <= $2; i++)); do echo "> tcp $3.$((i / 250)).$((i % 250 + 1)) $((1024 + i)) 10.8.0.1 80 $1 seq=$((i * 7919)) ack=$((12345 + i))"; done; }
for flags in A PA S; do
	holds "a flood of $flags is let in as far as there is room" "$(flood $flags 400 10.9 | passed) >= 60"
	is "$(flood S 100 10.9 | sed 's/ 10\.9\./ 10.9.1/' | passed)" 100 "and none of a hundred honest SYNs is refused for it"
	holds "the table keeps its limit" "$(count_states) <= 64"
done
is "$(wire <<'PACKETS'
< tcp 10.8.0.1 80 10.9.0.1 4000 A seq=5001 ack=1001 len=100
> tcp 10.9.0.1 4000 10.8.0.1 80 A seq=1001 ack=5101
PACKETS
)" "pass, pass" "who was there stays"
is "$(row 'src = "10.9.0.1", sport = 4000' s.state s.guessed)" "ESTABLISHED false" "and is no guess"

# The first two words of each address have the same xor.
policy 5000
crafted() {
	local i w
	for ((i = 1; i <= $1; i++)); do
		w=$((0x2a000000 + i * 4099))
		printf '> udp %x:%x:%x:%x::1 1234 fd00:8::1 53\n' $((w >> 16)) $((w & 0xffff)) \
			$(((w ^ 0x5eed5eed) >> 16)) $(((w ^ 0x5eed5eed) & 0xffff))
	done
}
many=$(slow 2000 1000)
is "$(crafted "$many" | passed)" "$many" "addresses whose words cancel each other out: each gets its state"
is "$(count_states 'family = 6')" "$many" "all of them are counted"
is "$(fw 'local n, seen = 0, {} for s in fw.states { family = 6 }:each() do if not seen[s.src] then n = n + 1 end seen[s.src] = true end print(n)')" \
	"$many" "and told, each once, by a dump that ends"
is "$(fw 'print(fw.states { family = 6 }:kill())')" "$many" "and deleted"
is "$(counter lookup-failed)" 0 "no look-up was given up"
