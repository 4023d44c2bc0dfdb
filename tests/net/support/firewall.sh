# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What guest tests about the firewall share, on top of tests/lab/lib.sh, which it reads. "The firewall" is the
# namespace $firewall; a test may set it to another one.
# shellcheck source=tests/lab/lib.sh
. "$IPFI_TOP/tests/lab/lib.sh"
firewall=router

# fw LUA...: runs statements in the firewall's namespace and prints what they print.
fw() { in_ns "$firewall" "$IPFI" -e "$*"; }

# count_states FILTER: how many live states there are, as in: count_states 'proto = "udp"'.
count_states() { fw "print(fw.states{${1-}}:count())"; }

# commit [OPTION...] <POLICY: commits a policy file; its exit status is ipfi's.
commit() {
	cat >"$lab_tmp/policy.lua"
	in_ns "$firewall" "$IPFI" "$@" -f "$lab_tmp/policy.lua"
}

# commit_rules [OPTION...] <RULES: the same for a policy of these rules alone, everything else denied. The
# sentinels of tool/wire pass.
commit_rules() {
	{
		printf 'return policy { name = "test", rules = {\n'
		printf 'allow { "sentinel", proto = "udp", dport = 9, src = { "10.8.255.9", "10.9.255.9" } },\n'
		cat
		printf '} }\n'
	} | commit "$@"
}

# tool NAME: compiles tests/net/tool/NAME.c to the program $tools/NAME. Once a guest: tests run one after another
# in the same.
tools=/run/lab/tools
tool() {
	local dir=$IPFI_TOP/tests/net/tool
	mkdir -p "$tools"
	[ -x "$tools/$1" ] || cc -std=gnu11 -O1 -Wall -Wextra -Werror -o "$tools/$1" "$dir/$1.c" "$dir/end.c" "$dir/craft.c" -lpthread
}

# phantoms: in topo_router, addresses that no machine answers for: 10.9.0.0/16 and fd00:9::/64 behind the client,
# 10.8.0.0/16 and fd00:8::/64 behind the server. What is sent there by tool/wire and tool/flows
# crosses the router and meets no other machine's opinion.
left=client/eth0@router/lan0
# shellcheck disable=SC2034  # for the tests
right=server/eth0@router/wan0
phantoms() {
	ip -n router route add 10.9.0.0/16 via 10.0.1.2 && ip -n router route add 10.8.0.0/16 via 10.0.2.2 &&
		ip -n router -6 route add fd00:9::/64 via fd00:1::2 && ip -n router -6 route add fd00:8::/64 via fd00:2::2
}

# wire <PACKETS: what became of packets made by hand, separated by ", " (see tool/wire.c).
wire() {
	tool wire && "$tools/wire" "$left" "$right" | paste -sd, | sed 's/,/, /g'
}

# ask SPACE SPEC...: whom a server saw of each of these connections, separated by ", " (see support/whoami.py).
whoami=$IPFI_TOP/tests/net/support/whoami.py
ask() {
	local space=$1
	shift
	in_ns "$space" "$whoami" ask "$@" | paste -sd, | sed 's/,/, /g'
}

# row FILTER FIELD...: the fields of the only state that the filter finds, separated by blanks; "none" or
# "several" otherwise. FIELD is a Lua expression about the row "s".
row() {
	local filter=$1 fields
	shift
	fields=$(printf ', %s' "$@")
	fw "local rows = {} for s in fw.states{$filter}:each() do rows[#rows + 1] = s end
	    if #rows ~= 1 then print(#rows == 0 and 'none' or 'several') return end
	    local s, t = rows[1], {}
	    for _, v in ipairs{${fields#, }} do t[#t + 1] = tostring(v) end
	    print(table.concat(t, ' '))"
}

# counter REASON: how many packets were passed or dropped for that reason.
counter() { fw "print(fw.stats().drops['$1'] or 0)"; }

# hits RULE: packets that the rule decided.
hits() { fw "for _, r in ipairs(fw.running().rules) do if r.name == '$1' then print(r.packets) end end"; }

# quietly COMMAND...: its exit status, with nothing printed.
quietly() { "$@" >/dev/null 2>&1; }

# can_ping SPACE ADDRESS: whether that address answers one of three pings within two seconds.
can_ping() { quietly in_ns "$1" ping -c 3 -i 0.3 -W "$(patience 2)" "$2"; }

# page SPACE URL [OPTION...]: what curl gets, or its exit status as "curl N".
page() {
	local space=$1 url=$2
	shift 2
	in_ns "$space" curl -sg --max-time "$(patience 20)" "$@" "$url" 2>/dev/null || echo "curl $?"
}
