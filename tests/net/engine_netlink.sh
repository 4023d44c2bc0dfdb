#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The built-in engine stands in for the kernel's netlink: its errors, texts and replies are those of the kernel.
. "$IPFI_TOP/tests/lab/lib.sh"

# In the first network namespace, as the engine's is one: only that may raise what costs memory.
for seed in 1 2; do
	load_ipfi || exit
	"$IPFI" "$IPFI_TOP/tests/net/support/same_answers.lua" "seed=$seed" rounds=60 >"$lab_tmp/results" 2>&1 ||
		not_ok "requests are made" "$(tail -n 1 "$lab_tmp/results")"
	cat "$lab_tmp/results"
	wrong=$(grep -c '^not ok' "$lab_tmp/results")
	failures=$((failures + wrong))
	unload_ipfi
done
