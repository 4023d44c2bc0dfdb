#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kill() ends a live download, with the limits as they are by default: what is under way between the two ends at
# that moment must not bring the connection back to life.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi || exit
topo_router || exit
serve_web server
# Slow enough to be met in the middle, fast enough to have packets under way at any time.
download() { # download URL
	: >"$lab_tmp/got"
	in_ns client curl -sg --limit-rate 4M --speed-time 20 --speed-limit 1 -o "$lab_tmp/got" "$1" &
	curl=$!
	wait_for 20 eval '[ "$(stat -c %s "$lab_tmp/got")" -gt 1000000 ]'
}
ended() { # ended NAME: curl stops and has not got everything
	local status
	wait $curl
	status=$?
	holds "$1: the download ends" "$status != 0 && $(stat -c %s "$lab_tmp/got") < 67108864"
}

commit_rules <<'RULES'
	allow { "web", dir = "forward", iif = "lan0", proto = "tcp", dport = 80, state = true },
RULES
for url in 'http://10.0.2.2/big' 'http://[fd00:2::2]/big'; do
	download "$url"
	is "$(row 'proto = "tcp"' s.state)" ESTABLISHED "a live download: $url"
	is "$(fw 'print(fw.states{proto = "tcp", dport = 80}:kill())')" 1 "killed"
	ended "$url"
	fw 'fw.states():kill()'
done
is "$(page client http://10.0.2.2/)" "ipfi lab" "a new connection is welcome"

# The same when the rule would let either side begin.
commit_rules --states=flush <<'RULES'
	allow { "to web", dir = "forward", proto = "tcp", dport = 80, state = true },
	allow { "from web", dir = "forward", proto = "tcp", sport = 80, state = true },
RULES
download http://10.0.2.2/big
isnt "$(fw 'print(fw.states{proto = "tcp"}:kill())')" 0 "killed, where either side may begin"
ended "either side may begin"

# And nothing but that connection ends.
download http://10.0.2.2/big
fw 'fw.states{proto = "tcp", dport = 81}:kill()'
wait $curl
is "$? $(stat -c %s "$lab_tmp/got")" "0 67108864" "a download that was not meant goes on to its end"
