#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# One engine: random policies and packets go through the kernel and through the engine that is built into the program.
# Explanations, verdicts, what comes out, states and counters must be the same. tests/one-engine is the long run.
. "$IPFI_TOP/tests/net/support/firewall.sh"
. "$IPFI_TOP/tests/net/one_engine/gate.sh"
need_gate
load_ipfi || exit
open_gate || exit

in_ns one "$IPFI" tests/net/one_engine/run.lua to="$gate_to" from="$gate_from" policies=30 packets=60 "$@"
status=$?
[ $status -eq 0 ] || not_ok "one engine" "see above"
close_gate
exit $((failures > 0))
