#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: uml-debug
#
# The drop recorder: each way in which a packet is dropped leaves a record with its reason, rule and headers; the ring
# keeps the last 1024; a flood costs no more than 1000 records a second, and the rest is counted; namespaces know of
# their own only.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
phantoms
is "$(fw 'fw.print(fw.drops())')" "no dropped packet is remembered" "nothing before the first commit"
commit <<'POLICY'
return policy { name = "drops", limits = { tcp_loose = false },
	nat = { dnat { "published", iif = "lan0", proto = "tcp", dst = "10.8.0.9", dport = 99, to = "10.8.0.1" },
	        snat { "one port", oif = "wan0", proto = "udp", dport = 53, to = "10.8.0.77", to_port = 5000 } },
	rules = {
		allow { "sentinel", proto = "udp", dport = 9, src = { "10.8.255.9", "10.9.255.9" } },
		allow { "served", dir = "forward", proto = "tcp", dport = { 80, 22 }, state = true },
		allow { "names", dir = "forward", proto = "udp", dport = 53, state = true },
		deny { "telnet", dir = "forward", proto = "tcp", dport = 23 },
		reject { "mail", dir = "forward", proto = "tcp", dport = 25 },
		allow { "pings", dir = "forward", proto = "icmp", state = true },
	} }
POLICY
# last REASON FIELD...: of the newest record of that reason; fields are Lua expressions about the row "d".
last() {
	local reason=$1 fields
	shift
	fields=$(printf ', %s' "$@")
	fw "local list = fw.drops{reason = '$reason'} local d = list[#list]
	    if not d then print 'none' return end
	    local t = {} for _, v in ipairs{${fields#, }} do t[#t + 1] = tostring(v) end print(table.concat(t, ' '))"
}

wire <<<'> tcp 10.9.0.1 4001 10.8.0.1 23 S' >/dev/null
is "$(last rule-deny d.dir d.iif d.oif d.rule d.line)" "forward lan0 wan0 telnet 10.9.0.1:4001 > 10.8.0.1:23 tcp S len 40" \
	"a rule that denies: its name, the way and the headers"
like "$(last rule-deny d.at)" "policy.lua:8" "and where it stands"
wire <<<'> tcp 10.9.0.1 4002 10.8.0.1 25 S' >/dev/null
is "$(last rule-reject d.rule d.dport)" "mail 25" "a rule that rejects"
wire <<<'> tcp 10.9.0.1 4003 10.8.0.9 99 S' >/dev/null
is "$(last default-deny d.dst "d.rule or 'none'")" "10.8.0.1 none" "the default, behind a translation of the destination: as it was judged"
wire <<<'> tcp fd00:9::1 4004 fd00:8::1 23 S' >/dev/null
is "$(last rule-deny d.line)" "[fd00:9::1]:4004 > [fd00:8::1]:23 tcp S len 60" "IPv6"
wire <<<'> tcp 10.9.0.1 4005 10.8.0.1 80 S bad' >/dev/null
is "$(last bad-checksum d.sport)" 4005 "a wrong checksum"
wire <<<'> tcp 10.9.0.1 4006 10.8.0.1 80 SF' >/dev/null
is "$(last tcp-flags d.dir d.iif d.sport)" "forward lan0 4006" "what cannot be parsed: flags"
wire <<<'> tcp 10.9.0.1 4007 10.8.0.1 80 A' >/dev/null
is "$(last tcp-not-syn d.sport d.rule)" "4007 served" "a connection met in the middle, allowed by a rule and yet dropped"
wire <<<'> icmp 10.9.0.1 10.8.0.1 0/0 id=7' >/dev/null
is "$(last icmp-unasked d.proto)" icmp "a reply that nobody asked for"
wire <<<'> tcp 10.9.0.1 4008 10.8.0.1 80 S seq=100
< tcp 10.8.0.1 80 10.9.0.1 4008 SA seq=500 ack=101
> tcp 10.9.0.1 4008 10.8.0.1 80 A seq=101 ack=501
> tcp 10.9.0.1 4008 10.8.0.1 80 A seq=1000000000 ack=501 len=10
> tcp 10.9.0.1 4008 10.8.0.1 80 R seq=1000000000' >/dev/null
is "$(last tcp-window d.sport d.length)" "4008 50" "a segment outside the window"
is "$(last tcp-rst d.line)" "10.9.0.1:4008 > 10.8.0.1:80 tcp R len 40" "a reset outside the window"
wire <<<'> udp 10.9.0.1 4009 10.8.0.1 53
> udp 10.9.0.2 4010 10.8.0.1 53' >/dev/null
is "$(last nat-full d.src d.sport)" "10.9.0.2 4010" "no translation left"
fw 'fw.states{dport = 80}:kill()'
wire <<<'> tcp 10.9.0.1 4008 10.8.0.1 80 A seq=101 ack=501 len=10' >/dev/null
is "$(last killed d.sport)" 4008 "a deleted connection"
fw 'fw.set_limits { max_states = 1 }'
wire <<<'> tcp 10.9.0.1 4011 10.8.0.1 80 S
< tcp 10.8.0.1 80 10.9.0.1 4011 SA ack=1
> tcp 10.9.0.1 4011 10.8.0.1 80 A seq=1 ack=1
> tcp 10.9.0.1 4012 10.8.0.1 80 S' >/dev/null
is "$(last table-full d.dport)" 80 "no room for a state"
fw 'fw.set_limits { max_states = 1000, max_states_per_source = 1 } fw.states():kill()'
wire <<<'> tcp 10.9.0.1 4013 10.8.0.1 80 S
> tcp 10.9.0.1 4014 10.8.0.1 80 S' >/dev/null
is "$(last source-full d.sport)" 4014 "too many states of one source"

like "$(in_ns router "$IPFI" -j -e 'fw.print(fw.drops{reason = "rule-reject"})')" '"reason":"rule-reject","rule":"mail"' "-j"

# The bytes are the packet's: whoever explains a record asks about the same packet.
is "$(fw 'local d = fw.drops{reason = "rule-reject"}[1] local j = fw.explain(d) print(j.verdict, j.rule, j.reason)' | tr '\t' ' ')" \
	"reject mail rule-reject" "a record can be explained"
serve_echo router tcp 7
in_ns client timeout "$(patience 2)" socat -u TCP:10.0.1.1:7 - 2>/dev/null
is "$(fw 'local l = fw.drops{dport = 7, iif = "lan0"} local j = fw.explain(l[#l]) print(j.verdict, j.reason)' | tr '\t' ' ')" \
	"deny default-deny" "also one whose checksum was left to the device"

# New rules.
fw 'fw.set_limits { max_states_per_source = 0 }'
wire <<<'> tcp 10.9.0.1 4020 10.8.0.1 80 S seq=100
< tcp 10.8.0.1 80 10.9.0.1 4020 SA seq=500 ack=101
> tcp 10.9.0.1 4020 10.8.0.1 80 A seq=101 ack=501' >/dev/null
commit_rules <<<'deny { "no web", dir = "forward", proto = "tcp", dport = 80 }'
wire <<<'> tcp 10.9.0.1 4020 10.8.0.1 80 A seq=101 ack=501 len=5' >/dev/null
is "$(last rejudged d.rule d.sport)" "no web 4020" "a live connection that new rules deny"

# Order, filters and forms.
is "$(fw 'local l, ok = fw.drops(), true for i = 2, #l do ok = ok and l[i].time >= l[i - 1].time end print(ok)')" true \
	"the newest is the last"
is "$(fw 'print(#fw.drops{src = "10.9.0.0/24", dport = "telnet", proto = "tcp"})')" 1 "filters: prefix, service, protocol"
like "$(fw 'fw.drops{resaon = 1}' 2>&1)" "did you mean 'reason'" "a filter that is none"
is "$(in_ns router setpriv --reuid nobody --clear-groups --bounding-set=-all --inh-caps=-all "$IPFI" -e 'fw.drops()' 2>/dev/null; echo $?)" 77 \
	"dropped packets are for administrators"

# Floods: 3000 in far less than a second at native speed. What is not remembered is counted with the next.
commit_rules <<<''
before=$(counter default-deny)
for ((i = 0; i < 3000; i++)); do echo "> udp 10.9.1.1 $((i + 1000)) 10.8.0.1 4444"; done >"$lab_tmp/flood"
wire <"$lab_tmp/flood" >/dev/null
sleep 1.2
started=$(date +%s%N)
wire <"$lab_tmp/flood" >/dev/null
took=$((($(date +%s%N) - started) / 1000000))
flooded=$(($(counter default-deny) - before))
sleep 1.2
wire <<<'> udp 10.9.1.1 999 10.8.0.1 4445' >/dev/null
is "$(fw 'print(#fw.drops())')" 1024 "the ring keeps the last 1024"
told=$(fw 'local n, last, spans = 0, nil, {} for _, d in ipairs(fw.drops()) do n = n + d.missed
	local s = math.floor(d.time) spans[s] = (spans[s] or 0) + 1 last = d end
	local most = 0 for _, c in pairs(spans) do most = math.max(most, c) end
	print(last.dport, most <= 1000 * 2, n)')
note "flood: $flooded packets; last port, rate kept, missed of those kept: $told"
like "$told" "^4445	true	" "in a flood so many a second, and the last is there"
# In so little time there are two seconds of the recorder's at most.
if [ "$took" -lt 1500 ]; then
	is "$((${told##*	} > 0))" 1 "those that were only counted are told with the next"
else
	skip "those that were only counted are told with the next" "the guest is too slow for a flood"
fi

# Other namespaces.
ip netns add elsewhere
firewall=elsewhere
is "$(fw 'print(#fw.drops())')" 0 "another namespace has none of these"
ip netns del elsewhere
