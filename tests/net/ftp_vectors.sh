#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The FTP conversations of tests/vectors, which the unit tests give to the core, cross a router segment by segment: what
# leaves, what is expected and what is counted must be the same.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
tool wire
cat >"$lab_tmp/policy.lua" <<'POLICY'
local client, server, foreign = args.client, args.server, args.foreign
local six = args.family == "6"
local nat = {}
if server then
	nat[#nat + 1] = dnat { "published", proto = "tcp", dst = server, dport = 21, to = six and "fd00:8::1" or "10.8.0.1" }
end
if client then
	nat[#nat + 1] = snat { "hidden", proto = "tcp", src = six and "fd00:9::1" or "10.9.0.1", dport = 21, to = client }
end
return policy {
	name = "ftp vectors",
	nat = nat,
	rules = {
		allow { "sentinel", proto = "udp", dport = 9 },
		allow { "control", dir = "forward", proto = "tcp", dport = 21, helper = "ftp", ftp_foreign = foreign == "yes" },
	},
}
POLICY
mkfifo "$lab_tmp/lines" "$lab_tmp/answers"
while "$tools/wire" "$left" "$right" <"$lab_tmp/lines" >"$lab_tmp/answers"; do :; done &
player=$!
disown
in_ns router "$IPFI" "$IPFI_TOP/tests/net/support/ftp_vectors.lua" lines="$lab_tmp/lines" answers="$lab_tmp/answers" \
	policy="$lab_tmp/policy.lua" "$IPFI_TOP"/tests/vectors/*.ftp >"$lab_tmp/results" 2>&1 ||
	not_ok "the vectors are played to the end" "$(tail -n 1 "$lab_tmp/results")"
pkill -9 -P $player
kill -9 $player 2>/dev/null # it ends with its child
cat "$lab_tmp/results"
wrong=$(grep -c '^not ok' "$lab_tmp/results")
failures=$((failures + wrong))
