#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian13 uml-debug
# What the uapi header promises of each netlink command.
. "$IPFI_TOP/tests/lab/lib.sh"
need python3

load_ipfi || exit
space one
in_ns one python3 -B tests/net/netlink/contract.py "$IPFI_TOP" || failures=$((failures + 1))

unload_ipfi
load_ipfi closed=1 || exit
space two
in_ns two python3 -B tests/net/netlink/contract.py "$IPFI_TOP" closed || failures=$((failures + 1))
