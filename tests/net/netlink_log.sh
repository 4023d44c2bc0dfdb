#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rules with log: NFLOG, in namespaces other than the first too, in the group of the module's parameter. The
# events of the group "log" are in netlink_contract.sh.
. "$IPFI_TOP/tests/lab/lib.sh"
need python3 tcpdump

load_ipfi nflog_group=7 || exit
space one

# A rule set that logs what leaves.
cat >"$lab_tmp/commit.py" <<'EOF'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/net/netlink")
import contract, wire
c = contract.Contract(sys.argv[1])
rule = c.rule("logged", lists=1 << c.n["IPFI_LIST_OUT"], more=[("LOG", wire.text("noted-by-ipfi"))])
sys.exit(c.put(rule, c.rule("rest")).error)
EOF
runs "a rule set that logs is committed" in_ns one python3 -B "$lab_tmp/commit.py" "$IPFI_TOP"

# capture GROUP ADDRESS: in how many lines of what NFLOG's group gets from one ping the prefix stands.
capture() {
	local file=$lab_tmp/nflog-$1-$2 pid
	ip netns exec one tcpdump -i "nflog:$1" -U -w "$file" >"$file.err" 2>&1 &
	pid=$!
	wait_for 10 grep -q "listening on" "$file.err"
	in_ns one ping -c 1 -W 1 "$2" >/dev/null
	wait_for 3 grep -aq noted-by-ipfi "$file"
	kill "$pid"
	wait "$pid"
	grep -ac noted-by-ipfi "$file"
}
isnt "$(capture 7 127.0.0.1)" 0 "a packet goes to NFLOG with its prefix"
isnt "$(capture 7 ::1)" 0 "an IPv6 packet too"
is "$(capture 8 127.0.0.1)" 0 "to its own group only"
echo 8 >/sys/module/ipfi/parameters/nflog_group
isnt "$(capture 8 127.0.0.1)" 0 "the group can be changed"
