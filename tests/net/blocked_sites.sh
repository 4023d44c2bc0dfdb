#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sites blocked by name, by examples/blocked-sites.lua and its policy, with a resolver that is there, changes its
# mind, and is away: denied both ways, in both families; what failed stays blocked; nothing waits longer than said.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
serve_web server
for address in 10.0.2.20 10.0.2.21; do ip -n server addr add $address/24 dev eth0; done
ip -n server addr add fd00:2::20/64 dev eth0 nodad
firewall=client

# The client asks the server for names: a resolver of its own, seen in its namespace only.
names() { # names NAME/ADDRESS...: what they are from now on
	local resolver
	for resolver in $(ip netns pids server); do
		[ "$(cat "/proc/$resolver/comm")" = dnsmasq ] && kill "$resolver"
	done
	wait_for 10 eval '! listening server udp 53'
	[ $# -eq 0 ] || serve_dns server "$@"
}
mkdir -p /etc/netns/client
echo 'nameserver 10.0.2.2' >/etc/netns/client/resolv.conf
echo 'options timeout:1 attempts:1' >>/etc/netns/client/resolv.conf
state=$lab_tmp/state
block() { # block ARGUMENT...: as cron runs it
	in_ns client env -i PATH=/usr/bin:/bin "$IPFI" "$IPFI_TOP/examples/blocked-sites.lua" "state=$state" private=yes "$@" \
		</dev/null >"$lab_tmp/said" 2>&1
}
members() { fw 'for _, m in ipairs(fw.set("blocked"):list()) do io.write(m.address, " ") end'; }

runs "the policy" in_ns client "$IPFI" -f "$IPFI_TOP/examples/blocked-sites-policy.lua"
names bad.example/10.0.2.20 bad.example/fd00:2::20 good.example/10.0.2.2
is "$(page client http://bad.example/) $(page client 'http://[fd00:2::20]/')" "ipfi lab ipfi lab" "a site, before"
block bad.example
is "$? $(cat "$lab_tmp/said")" "0 " "it says nothing when all is well"
is "$(members)" "10.0.2.20 fd00:2::20 " "both addresses are members"
holds "for a while" "$(fw 'print(fw.set("blocked"):list()[1].timeout // 1 | 0)') > 7000"
is "$(page client http://bad.example/) $(page client 'http://[fd00:2::20]/')" "curl 7 curl 7" "the site is denied, and one is told at once"
is "$(page client http://good.example/)" "ipfi lab" "others are not"
fails "denied from there too" in_ns server ping -q -c 2 -i 0.3 -W 1 -I 10.0.2.20 10.0.1.2
fails "in IPv6 as well" in_ns server ping -q -c 2 -i 0.3 -W 1 -I fd00:2::20 fd00:1::2
runs "others are not" in_ns server ping -q -c 1 -W "$(patience 5)" 10.0.1.2

# What is under way ends.
: >"$lab_tmp/got"
in_ns client curl -sg --limit-rate 1M --speed-time 5 --speed-limit 1 -o "$lab_tmp/got" http://10.0.2.21/big &
curl=$!
wait_for 20 eval '[ "$(stat -c %s "$lab_tmp/got")" -gt 300000 ]'
names bad.example/10.0.2.20 bad.example/fd00:2::20 new.example/10.0.2.21
printf '# sites\nbad.example\nNew.Example. # moved\n' >"$lab_tmp/sites"
block "file=$lab_tmp/sites"
is "$? $(cat "$lab_tmp/said")" "0 " "more names, from a file"
wait $curl
holds "a live download from there ends" "$? != 0 && $(stat -c %s "$lab_tmp/got") < 67108864"

# A name that has gone, a resolver that has gone.
fw 'fw.set("blocked"):flush()' >/dev/null
names new.example/10.0.2.21
block bad.example new.example
is $? 1 "a name that fails makes the status 1"
runs "and is told of" grep -q '^ipfi: blocked-sites: bad.example: .* stays blocked$' "$lab_tmp/said"
is "$(members)" "10.0.2.20 10.0.2.21 fd00:2::20 " "it keeps its addresses, and the others theirs"
names
fw 'fw.set("blocked"):flush()' >/dev/null
begun=$SECONDS
block wait=4 bad.example new.example other.example
is "$? $(members)" "1 10.0.2.20 10.0.2.21 fd00:2::20 " "without a resolver all stay"
runs "what never resolved is told of" grep -q 'other.example: .* never resolved' "$lab_tmp/said"
# A resolver that hears and never answers.
ip netns exec server socat -u UDP-RECV:53 /dev/null &
silent=$!
wait_for 10 listening server udp 53
many=$(printf 'n%s.example ' $(seq 300))
begun=$SECONDS
# shellcheck disable=SC2086
block wait=3 $many
took=$((SECONDS - begun))
in_time "300 names and no answer: it takes no longer than said ($took s)" $took "$(slow 12 40)"
is "$(members)" "10.0.2.20 10.0.2.21 fd00:2::20 " "and takes nothing away"
kill $silent

# What is not asked for any more goes by itself.
names new.example/10.0.2.21
block timeout=2 new.example
fw 'fw.set("blocked"):add({ "10.0.2.20", "fd00:2::20" }, { timeout = 2 })' >/dev/null
wait_for 20 fw 'os.exit(fw.set("blocked"):count() == 0)'
is "$(members)" "" "the set lets go of what is not asked for any more"

# A site that says it is the gateway.
names evil.example/10.0.1.1 evil.example/127.0.0.1
in_ns client "$IPFI" "$IPFI_TOP/examples/blocked-sites.lua" state=no evil.example >"$lab_tmp/said" 2>&1
is "$? $(members)" "0 " "a site cannot block what is no site"
rm -rf /etc/netns/client
