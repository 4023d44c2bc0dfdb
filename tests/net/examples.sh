#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# The examples do what their comments say: the three policies under real traffic, the two jobs from cron.
. "$IPFI_TOP/tests/net/support/firewall.sh"
load_ipfi max_states=262144 || exit
topo_router || exit
phantoms
tool flows
cd "$IPFI_TOP" || exit
example() { runs "examples/$*" in_ns "$firewall" "$IPFI" -f "examples/$1" "${@:2}"; }
asks() { in_ns "$1" dig +short +tries=1 +timeout=5 "@$2" www.example A 2>/dev/null | grep -x '[0-9.]*'; }
# connects SPACE ADDRESS PORT [SECONDS]: "yes" when it does, "refused" at once, or "nothing" comes in that time.
connects() {
	local output
	output=$(in_ns "$1" socat -u "TCP:$2:$3,connect-timeout=${4-$(patience 3)}" /dev/null 2>&1 </dev/null)
	case $? in
	0) echo yes ;;
	*) [[ $output = *refused* ]] && echo refused || echo nothing ;;
	esac
}
# serve_word SPACE PORT: greets everybody who connects.
serve_word() {
	ip netns exec "$1" socat -U "TCP6-LISTEN:$2,fork,reuseaddr,ipv6only=0" EXEC:'echo hello' &
	disown
	wait_for 10 listening "$1" tcp "$2"
}
for space in server router client; do
	serve_web $space 80
	for port in 22 25 443 8080; do serve_word $space $port; done
	serve_dns $space www.example/192.0.2.7
done

# The router.
firewall=router
example router.lua server=10.0.1.2 server6=fd00:1::2
for server in 10.0.2.2 '[fd00:2::2]'; do
	is "$(page client "http://$server/")" "ipfi lab" "router: the web outside: $server"
	is "$(connects client "$server" 22)" yes "router: ssh outside: $server"
	is "$(connects client "$server" 8080)" refused "router: another port is refused at once: $server"
done
for router in 10.0.1.1 '[fd00:1::1]'; do
	is "$(connects client "$router" 22)" yes "router: ssh to it from inside: $router"
	is "$(connects client "$router" 80 2)" nothing "router: no web of its own: $router"
done
is "$(asks client 10.0.1.1) $(asks client fd00:1::1) $(asks client 10.0.2.2)" "192.0.2.7 192.0.2.7 192.0.2.7" "router: names, by it and beyond"
is "$(asks server 10.0.2.1)" "" "router: not from outside"
is "$(connects server 10.0.2.1 22 2)" nothing "router: nor ssh"
for client in 10.0.1.2 '[fd00:1::2]'; do
	is "$(page server "http://$client/")" "ipfi lab" "router: the published server: $client"
	is "$(connects server "$client" 22 2)" nothing "router: nothing else of it: $client"
done
runs "router: ping outward" in_ns client ping -q -c 1 -W "$(patience 5)" 10.0.2.2
runs "router: ping outward, IPv6" in_ns client ping -q -c 1 -W "$(patience 5)" fd00:2::2
runs "router: ping inward, IPv6" in_ns server ping -q -c 1 -W "$(patience 5)" fd00:1::2
fails "router: no ping inward in IPv4" in_ns server ping -q -c 1 -W 2 10.0.1.2
runs "router: ping from it" in_ns router ping -q -c 1 -W "$(patience 5)" fd00:2::2
is "$("$tools/flows" --count=3 "$right" "$left" 169.254.1.1 10.9.0.1) $(hits bogus)" "sent 3 arrived 0 answered 0 back 0 3" "router: addresses that have no business there"
is "$(fw 'print(fw.limits().tcp_established)')" 7200 "router: its limits"

# The workstation.
firewall=client
example workstation.lua
is "$(page client http://10.0.2.2/) $(page client 'http://[fd00:2::2]/')" "ipfi lab ipfi lab" "workstation: asks the world"
is "$(connects client 10.0.2.2 25)" refused "workstation: sends no mail"
is "$(page client http://127.0.0.1/)" "ipfi lab" "workstation: loopback"
is "$(connects router 10.0.1.2 22)" yes "workstation: ssh from next door"
is "$(connects router 10.0.1.2 80) $(connects router '[fd00:1::2]' 80)" "refused refused" "workstation: neighbours are told that it serves nothing"
runs "workstation: can be pinged" in_ns router ping -q -c 1 -W "$(patience 5)" fd00:1::2
example workstation.lua ssh=no
is "$(connects router 10.0.1.2 22)" refused "workstation: ssh=no"
example workstation.lua home=10.3.0.0/16
is "$(connects router 10.0.1.2 22 2)" nothing "workstation: another network next door"

# The server.
firewall=server
firewall=router commit <<<'return policy { name = "open", rules = { allow { "all" } } }'
firewall=client commit <<<'return policy { name = "open", rules = { allow { "all" } } }'
firewall=server
example server.lua
is "$(page client http://10.0.2.2/) $(page client 'http://[fd00:2::2]/')" "ipfi lab ipfi lab" "server: the web"
is "$(connects client 10.0.2.2 22)" yes "server: ssh for those who administer"
is "$(connects client 10.0.2.2 25) $(connects client 10.0.2.2 8080)" "nothing nothing" "server: what it does not publish"
is "$(asks server 10.0.2.1)" 192.0.2.7 "server: asks for names"
runs "server: can be pinged" in_ns client ping -q -c 1 -W "$(patience 5)" fd00:2::2
is "$(fw 'print(fw.limits().max_states_per_source, fw.limits().tcp_syn_recv)')" $'2000\t30' "server: its limits"
# More than a hundred connections from one address, all open at once.
in_ns client bash -c '
	refused=0
	for i in {1..110}; do exec {fd}<>/dev/tcp/10.0.2.2/80 || refused=$((refused + 1)); done
	echo $refused' >"$lab_tmp/refused" 2>/dev/null
note "of 110 connections from one address, $(<"$lab_tmp/refused") were refused"
holds "server: not more than 100 from one address by the rule" "$(fw 'local most = 0 for _, n in pairs(fw.states{rule = "web"}:count_by("src")) do most = math.max(most, n) end print(most)') <= 100"
holds "server: more are refused" "$(<"$lab_tmp/refused") >= 5"
example server.lua mail=yes admin=203.0.113.0/24
is "$(connects client 10.0.2.2 25) $(connects client 10.0.2.2 22)" "yes nothing" "server: its arguments"

# The jobs, from cron: silent when all is well.
job() { in_ns "$firewall" env -i PATH=/usr/bin:/bin setsid -w "$IPFI" "$@" >"$lab_tmp/out" 2>"$lab_tmp/err" </dev/null; }
firewall=router
commit --states=flush <<'POLICY'
return policy {
	name = "jobs",
	limits = { max_states = 1000, udp_new = 3000 },
	rules = { allow { "flows", dir = "forward", proto = "udp", dport = "5000-5009", state = true } },
}
POLICY
most() { fw 'print(fw.limits().max_states)'; }
"$tools/flows" --count=500 --sources=2 "$left" "$right" 10.9.0.1 10.8.0.1 >"$lab_tmp/flows"
job examples/jobs/tune.lua least=500
is "$? $(<"$lab_tmp/out")$(<"$lab_tmp/err") $(most)" "0  1000" "tune: half full is well, and silence"
"$tools/flows" --count=400 --first=10000 --sources=2 "$left" "$right" 10.9.0.1 10.8.0.1 >"$lab_tmp/flows"
job examples/jobs/tune.lua least=500
is "$? $(<"$lab_tmp/out")$(<"$lab_tmp/err") $(most)" "0  2000" "tune: a table nearly full grows, in silence"
"$tools/flows" --count=1000 --first=20000 --sources=2 "$left" "$right" 10.9.0.1 10.8.0.1 >"$lab_tmp/flows"
job examples/jobs/tune.lua least=500 memory=0.0000001 top=1
is "$? $(most)" "0 2000" "tune: not beyond its share of memory"
like "$(<"$lab_tmp/err")" "1900 of 2000 states.*10.9.0.[12] +950" "tune: then it names the sources"
fw 'fw.states():kill()'
job examples/jobs/tune.lua least=500
is "$? $(most)" "0 1000" "tune: an empty one shrinks"
job examples/jobs/tune.lua least=500
job examples/jobs/tune.lua least=500
is "$(most)" 500 "tune: not below the least"
job examples/jobs/tune.lua high=much
is $? 1 "tune: nonsense is an error"

"$tools/flows" --count=300 --sources=3 "$left" "$right" 10.9.0.1 10.8.0.1 >"$lab_tmp/flows"
"$tools/flows" --count=20 "$left" "$right" fd00:9::1 fd00:8::1 >"$lab_tmp/flows"
job examples/jobs/report.lua top=2
is "$? $(<"$lab_tmp/err")" "0 " "report: from cron"
report=$(<"$lab_tmp/out")
like "$report" "^320 states of 500" "report: how many"
like "$report" $'udp +320\n' "report: by protocol"
like "$report" $'flows +320\n' "report: by rule"
like "$report" $'10.9.0.1 +100\n' "report: by source"
unlike "$report" "fd00:9::1" "report: the top ones only"
job -j examples/jobs/report.lua top=9
is "$(lua5.4 -e '
	local json = require "cjson"
	for line in io.lines() do
		local row = json.decode(line)
		if row.src or row.rule or row.proto then print(row.src or row.rule or row.proto, math.tointeger(row.states)) end
	end' <"$lab_tmp/out" | sort | paste -sd, | tr '\t' ' ')" \
	"10.9.0.1 100,10.9.0.2 100,10.9.0.3 100,fd00:9::1 20,flows 320,udp 320" "report: as JSON lines"
