#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian uml-debug
# Malformed messages of every command: refused or handled, and the kernel stays clean.
# timeout: 400
. "$IPFI_TOP/tests/lab/lib.sh"
need python3

load_ipfi || exit
dmesg_mark
space one
# SEED=NUMBER repeats a run.
in_ns one python3 -B tests/net/netlink/mutation.py "$IPFI_TOP" ${SEED:+"$SEED"} || failures=$((failures + 1))
is "$({ echo "lab: start"; dmesg_since; } | awk -f tests/lab/reports.awk)" "" "the kernel's log has no report"
