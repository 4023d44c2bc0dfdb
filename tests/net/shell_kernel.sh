#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian uml-debug
# timeout: 600
#
# The program's C side against the module: transactions, dumps, refusals with their paths, events, Ctrl-C, rights,
# --rmmod.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
tool flows

in_ns router "$IPFI" tests/net/shell/transactions.lua || failures=$((failures + 1))

flows=$(slow 20000 3000)
commit_rules <<'RULES'
	allow { "flows", dir = "forward", proto = "udp", dport = "5000-5100", state = true },
RULES
fw 'fw.set_limits { udp_new = 3600, udp_established = 3600 }' >/dev/null
"$tools/flows" --count="$flows" --sources=10 "$left" "$right" 10.9.1.1 10.8.1.1 >"$lab_tmp/flows"
"$tools/flows" --count="$flows" --sources=10 "$left" "$right" fd00:9::1 fd00:8::1 >>"$lab_tmp/flows"
in_ns router "$IPFI" tests/net/shell/states.lua "$flows" || failures=$((failures + 1))

# Ctrl-C in a script that dumps for ever.
in_ns router timeout --preserve-status -k 60 -s INT 3 "$IPFI" \
	-e 'while true do for _ in fw.states():each() do end end' 2>"$lab_tmp/interrupted"
is $? 130 "Ctrl-C in a dump exits 130"

# Rights: a user without them.
as_nobody() { in_ns router setpriv --reuid=65534 --regid=65534 --clear-groups "$IPFI" "$@" 2>"$lab_tmp/refused"; }
as_nobody -e 'fw.set_limits { icmp = 31 }'
is $? 77 "without CAP_NET_ADMIN the limits cannot be set: 77"
as_nobody -e 'for _ in fw.states():each() do end'
is $? 77 "nor the states be read"
as_nobody --rmmod -e 'return'
is $? 77 "nor the module be removed"
like "$(<"$lab_tmp/refused")" "cannot remove the module" "which is said"

# --rmmod: after the statement, whose status it keeps.
runs "--rmmod" "$IPFI" --rmmod -e 'return'
fails "the module is gone" grep -q '^ipfi ' /proc/modules
runs "-rmmod is understood, and one that is gone is no error" "$IPFI" -rmmod -e 'return'
"$IPFI" -e 'fw.limits()' 2>"$lab_tmp/absent"
is $? 5 "without the module: 5"
load_ipfi || exit
"$IPFI" --rmmod -e 'error "x"' 2>"$lab_tmp/error"
is $? 1 "an error keeps its status, and the module goes all the same"
fails "gone" grep -q '^ipfi ' /proc/modules
load_ipfi || exit
runs "os.exit in a script" "$IPFI" --rmmod -e 'os.exit(0)'
fails "is leaving, too" grep -q '^ipfi ' /proc/modules
