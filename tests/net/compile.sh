#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Compiled policies on the real kernel: --apply does what -f does, as a whole or not at all, and says the same errors.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
dir=$(mktemp -d "$HOME/compile.XXXXXX")
# dump SPACE: the rule set of a namespace as the kernel has it, but for counters and generation.
dump() {
	in_ns "$1" "$IPFI" -j -e 'for m in require("ipfi.base.kernel").dump({ cmd = "rules_dump" }, "dump") do
		if m.rule then m.rule.packets, m.rule.bytes = nil, nil end
		if m.info then m.info.generation, m.info.change = nil, nil end
		fw.print(m) end
		fw.print(fw.limits()) for _, s in ipairs(fw.sets()) do print(s.name) end'
}
generation() { fw 'print(fw.info().generation)'; }
# status NAME WANTED COMMAND...: the exit status; what was complained about is in $complained.
status() {
	local name=$1 want=$2 got
	shift 2
	in_ns router "$@" >"$lab_tmp/out" 2>"$lab_tmp/err"
	got=$?
	complained=$(<"$lab_tmp/err")
	is "$got" "$want" "$name: exits $want"
}

cat >"$dir/gw.lua" <<'POLICY'
local bans = set { name = "bans", dynamic = true }
return policy {
	name = "gateway",
	limits = { udp_new = 77 },
	nat = { masquerade { "lan", oif = "wan0", src = "10.0.1.0/24" } },
	rules = {
		allow { "sentinel", proto = "udp", dport = 9, src = { "10.8.255.9", "10.9.255.9" } },
		deny { "banned", src = bans },
		allow { "web", dir = "forward", proto = "tcp", dport = { 80, 443 }, state = true, log = "web" },
		allow { "dns", dir = "forward", proto = "udp", dport = "domain", state = true, limit = "10/second" },
	},
}
POLICY
runs "-f in one namespace" in_ns router "$IPFI" -f "$dir/gw.lua"
runs "--compile, without rights" setpriv --bounding-set -all --inh-caps -all "$IPFI" --compile="$dir/gw.ipfi" -f "$dir/gw.lua"
mv "$dir/gw.lua" "$dir/gone.lua"
runs "--apply in another, the policy gone" in_ns client "$IPFI" --apply="$dir/gw.ipfi"
mv "$dir/gone.lua" "$dir/gw.lua"
is "$(dump client)" "$(dump router)" "has the same rules, limits and sets"
is "$(in_ns client "$IPFI" -n -f "$dir/gw.lua" | head -n 1)" "policy 'gateway': nothing to do, it is what runs (generation 1)" "and nothing to plan"
runs "compiled from a running shell" in_ns router "$IPFI" -e "local compiled = require 'ipfi.policy.compiled' local p = fw.load '$dir/gw.lua'
	assert(compiled.bytes(fw.compile(p), p) == io.open('$dir/gw.ipfi', 'rb'):read 'a')"

# What the kernel refuses is named as -f would, and changes nothing.
fw "local p = fw.load '$dir/gw.lua'
    local messages = fw.compile(p)
    messages[5].rule.proto = nil
    local file = io.open('$dir/bad.ipfi', 'wb')
    file:write(require('ipfi.policy.compiled').bytes(messages, p)) file:close()"
chmod 600 "$dir/bad.ipfi"
before=$(dump router)
status "refused by the kernel" 4 "$IPFI" --apply="$dir/bad.ipfi"
is "$complained" "$dir/gw.lua:9: rule 'web': refused by the kernel: ${complained##*refused by the kernel: }" "it names the rule and its place"
like "$complained" "refused by the kernel: (d?port|proto)" "and the field"
head -c 700 "$dir/gw.ipfi" >"$dir/cut.ipfi"
chmod 600 "$dir/cut.ipfi"
status "cut off" 3 "$IPFI" --apply="$dir/cut.ipfi"
status "not permitted" 77 setpriv --reuid nobody --clear-groups --bounding-set -all --inh-caps -all "$IPFI" --apply=- <"$dir/gw.ipfi"
is "$(dump router) $(generation)" "$before 1" "none of these changes anything"
flock /run/ipfi.lock sleep 5 &
wait_for 5 eval '! flock -n /run/ipfi.lock true'
status "while another commits" 75 "$IPFI" --apply="$dir/gw.ipfi"
status "it waits" 0 "$IPFI" --lock-wait=30 --apply="$dir/gw.ipfi"
wait

# --states is in the file, --confirm is not.
wire <<<'> udp 10.9.0.1 4001 10.8.0.1 53' >/dev/null
is "$(count_states 'dport = 53')" 1 "a live state"
runs "--apply" in_ns router "$IPFI" --apply="$dir/gw.ipfi"
is "$(count_states 'dport = 53')" 1 "stays"
in_ns router "$IPFI" --states=flush --compile="$dir/flush.ipfi" -f "$dir/gw.lua"
runs "--apply, compiled with --states=flush" in_ns router "$IPFI" --apply="$dir/flush.ipfi"
is "$(count_states 'dport = 53')" 0 "ends it"
echo 'return policy { name = "other", rules = { deny { "all" } } }' >"$dir/other.lua"
in_ns router "$IPFI" --compile="$dir/other.ipfi" -f "$dir/other.lua"
runs "--apply with --confirm" in_ns router "$IPFI" --confirm="$(patience 4)" --apply="$dir/other.ipfi"
is "$(fw 'print(fw.info().name)')" other "is in force"
is_back() { [ "$(fw 'print(fw.info().name)')" = gateway ]; }
wait_for 8 is_back
is "$(fw 'print(fw.info().name, fw.info().change)')" "gateway	timed-out" "and goes when nobody confirms"

# Killed at any moment, the old or the new rule set runs, whole.
fw "local rules = {}
    for i = 1, 5000 do rules[i] = allow { 'r' .. i, proto = 'tcp', dport = i, src = '10.0.0.0/8' } end
    local p = policy { name = 'large', rules = rules }
    local file = io.open('$dir/large.ipfi', 'wb')
    file:write(require('ipfi.policy.compiled').bytes(fw.compile(p), p)) file:close()"
chmod 600 "$dir/large.ipfi"
began=${EPOCHREALTIME/./}
runs "a large one" in_ns router "$IPFI" --apply="$dir/large.ipfi"
took=$((${EPOCHREALTIME/./} - began))
runs "and the one before" in_ns router "$IPFI" --apply="$dir/gw.ipfi"
whole=0
for part in 20 50 70 80 90 100; do
	ip netns exec router "$IPFI" --apply="$dir/large.ipfi" 2>/dev/null &
	nap $((took * part / 100))
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	case $(fw 'local r = fw.running() print(r.name, #r.rules)') in
	"gateway	4" | "large	5000") whole=$((whole + 1)) ;;
	esac
done
is $whole 6 "kill -9: the old rule set or the new one"
runs "and no transaction is left that is in the way" in_ns router "$IPFI" --apply="$dir/large.ipfi"
is "$(fw 'local r = fw.running() print(r.name, #r.rules)')" "large	5000" "the next one is applied"
