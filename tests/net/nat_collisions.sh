#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two connections that would look alike somewhere: each gets its own look, and its own data. And what becomes of a
# translated connection whose ports are used again, that is rejected, or that is killed.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3
load_ipfi || exit
topo_router || exit
in_ns server setsid -f "$whoami" serve 80 81 >/dev/null 2>&1
wait_for 10 listening server tcp 81
# A second client, behind the same link.
ip -n client address add 10.0.1.3/24 dev eth0

commit_nat() {
	{
		printf 'return policy { name = "test", nat = {\n'
		cat
		printf '}, rules = { allow { "all", state = true } } }\n'
	} | commit
}
# hold SPACE SPEC: a connection that stays open until let_go; $lab_tmp/first has whom the server saw of it.
hold() {
	HOLD=600 ip netns exec "$1" "$whoami" ask "$2" >"$lab_tmp/first" &
	held=$!
	wait_for 20 test -s "$lab_tmp/first"
}
let_go() {
	kill "$held"
	wait "$held" 2>/dev/null
}
reset() { fw 'fw.states():kill()'; }

commit_nat <<'NAT'
	masquerade { "out", oif = "wan0" },
	dnat { "published", dst = { "10.0.2.1", "fd00:2::1" }, dport = 8080, proto = { "tcp", "udp" }, to = { "10.0.2.2:80", "[fd00:2::2]:80" } },
NAT

for proto in tcp udp; do
	# Both clients from one port: the second gets another.
	hold client "$proto,10.0.2.2,80,5000,10.0.1.2"
	second=$(ask client "$proto,10.0.2.2,80,5000,10.0.1.3")
	let_go
	is "$(<"$lab_tmp/first")" "10.0.2.1 5000" "$proto: a port that is free is kept"
	like "$second" "^10.0.2.1 [0-9]+$" "$proto: one that collides is not lost"
	isnt "$second" "10.0.2.1 5000" "$proto: and gets another port"

	# One source port to the server itself and to the published address, in both orders.
	answers=$(ask client "$proto,10.0.2.2,80,5010,10.0.1.2" "$proto,10.0.2.1,8080,5010,10.0.1.2")
	like "$answers" "^10.0.2.1 5010, 10.0.2.1 [0-9]+$" "$proto: the same server directly, then published"
	isnt "${answers#*, }" "10.0.2.1 5010" "$proto: the server can tell them apart"
	answers=$(ask client "$proto,10.0.2.1,8080,5011,10.0.1.2" "$proto,10.0.2.2,80,5011,10.0.1.2")
	like "$answers" "^10.0.2.1 [0-9]+, 10.0.2.1 [0-9]+$" "$proto: published, then directly"
	isnt "${answers#*, }" "${answers%,*}" "$proto: the server can tell these apart too"
	answers=$(ask client "$proto,fd00:2::2,80,5012" "$proto,fd00:2::1,8080,5012")
	like "$answers" "^fd00:2::1 5012, fd00:2::1 [0-9]+$" "$proto: the same in IPv6"

	# The router's own connection, from the port that a client has there, and the other way round.
	hold client "$proto,10.0.2.2,80,5020,10.0.1.2"
	own=$(ask router "$proto,10.0.2.2,80,5020,10.0.2.1")
	let_go
	is "$(<"$lab_tmp/first")" "10.0.2.1 5020" "$proto: a client has the port first"
	like "$own" "^10.0.2.1 [0-9]+$" "$proto: the router's own connection is not lost"
	isnt "$own" "10.0.2.1 5020" "$proto: and leaves by another port"
	hold router "$proto,10.0.2.2,80,5021,10.0.2.1"
	other=$(ask client "$proto,10.0.2.2,80,5021,10.0.1.2")
	let_go
	is "$(<"$lab_tmp/first")" "10.0.2.1 5021" "$proto: the router has its own port"
	like "$other" "^10.0.2.1 [0-9]+$" "$proto: the client's connection is not lost"
	isnt "$other" "10.0.2.1 5021" "$proto: and gets another port than the router's"
	reset
done

# A plain connection of the router's is not made a translated one for nothing.
is "$(ask router tcp,10.0.2.2,80,5030)" "10.0.2.1 5030" "the router's own connection keeps its port"
is "$(count_states 'sport = 5030, nat = false')" 1 "and is not translated"

# The same ports again, soon after: the old connection makes way, at the published address too.
for again in 1 2 3; do
	is "$(ask client tcp,10.0.2.1,8080,5040,10.0.1.2)" "10.0.2.1 5040" "ports used again, connection $again"
done
is "$(count_states 'sport = 5040')" 1 "one state for them"

# Killed it is over for both sides, and a new one is new.
hold client tcp,10.0.2.1,8080,5050,10.0.1.2
is "$(fw 'print(fw.states{ sport = 5050 }:kill())')" 1 "a translated connection is killed"
is "$(count_states 'sport = 5050')" 0 "and gone"
let_go
is "$(ask client tcp,10.0.2.1,8080,5051,10.0.1.2)" "10.0.2.1 5051" "others go on"

# Rejected after the translation: the client hears it from the address that it asked.
commit <<'POLICY'
return policy { name = "test",
	nat = { dnat { "published", dst = "10.0.2.1", dport = 8080, proto = { "tcp", "udp" }, to = "10.0.2.2:80" } },
	rules = { reject { "not this", dst = "10.0.2.2", proto = { "tcp", "udp" }, dport = 80 }, allow { "all", state = true } },
}
POLICY
is "$(ask client tcp,10.0.2.1,8080,5060 udp,10.0.2.1,8080,5060)" "refused, unreachable" "a rejection comes back by the translation"
is "$(count_states 'sport = 5060')" 0 "and leaves no state"
commit <<'POLICY'
return policy { name = "test",
	nat = { dnat { "published", dst = "10.0.2.1", dport = 8080, proto = { "tcp", "udp" }, to = "10.0.2.2:80" } },
	rules = { allow { "stateless", state = false, dst = "10.0.2.2" } },
}
POLICY
is "$(ask client tcp,10.0.2.1,8080,5061)" "10.0.1.2 5061" "what is translated has a state, whatever its rule says"

# The same translation for all destinations, where asked.
commit_nat <<'NAT'
	masquerade { "out", oif = "wan0", persistent = true, to_port = "20000-29999" },
NAT
for proto in tcp udp; do
	answers=$(ask client "$proto,10.0.2.2,80,5070" "$proto,10.0.2.2,81,5070")
	is "${answers#*, }" "${answers%,*}" "$proto: persistent: one source end has one translation"
	like "$answers" "^10.0.2.1 2[0-9]{4}," "$proto: out of the range"
	answers=$(ask client "$proto,10.0.2.2,80,5071,10.0.1.2" "$proto,10.0.2.2,81,5071,10.0.1.3")
	isnt "${answers#*, }" "${answers%,*}" "$proto: another source has another"
	reset
done
commit_nat <<'NAT'
	masquerade { "out", oif = "wan0", to_port = "20000-29999" },
NAT
answers=$(ask client udp,10.0.2.2,80,5072 udp,10.0.2.2,81,5072)
isnt "${answers#*, }" "${answers%,*}" "not persistent: two destinations, two translations"

# Nothing is left when the translated connections are.
commit <<<'return policy { name = "none", rules = { allow { "all", state = true } } }'
answers=$(ask client tcp,10.0.2.2,80,5080)
is "$answers" "10.0.1.2 5080" "without NAT rules nothing new is translated"
