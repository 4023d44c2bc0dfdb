# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The part of the demonstration about policies: why a packet was dropped, what a change would do, how it is tried
# without a kernel, and a commit that goes by itself. Read by demo.sh, whose router and policy it goes on with.
# shellcheck disable=SC2154  # color, lab_tmp, web: demo.sh's

say "Why did the connections from outside fail? The kernel remembers the last packets that it dropped ..."
only='TIME|10\.0\.1\.2' show router ipfi --color="$color" -e '=fw.drops()'
expect "they are among them" says '10\.0\.1\.2:80'
say "... and explains what would happen to a packet, rule by rule, without sending one"
show router ipfi --color="$color" -e '=fw.explain{ dir = "forward", iif = "wan0", oif = "lan0", proto = "tcp", src = "10.0.2.2", dst = "10.0.1.2", dport = "http" }'
expect "denied, and why" says 'denied'

say "A change of the policy: no more http. What would it do? Nothing is changed by asking"
sed 's/"web", "tcp", { "http", "https" }/"web", "tcp", "https"/' examples/router.lua >/tmp/tight.lua
in_ns client curl -s --limit-rate 100k http://10.0.2.2/big -o /dev/null &
download=$!
running() { [ "$(in_ns router ipfi -e 'print(fw.states{dport = "http", state = "ESTABLISHED"}:count() > 0)')" = true ]; }
wait_for 10 running
show router ipfi --color="$color" -n -f /tmp/tight.lua
expect "it names the rule, and how many live states would end" says 'http,https → https.*denied: over'

say "The same policy, tried by the built-in engine: the module's own code, without the module, as nobody"
show router setpriv --reuid nobody --clear-groups ipfi --color="$color" -e '=fw.simulate(fw.load("/tmp/tight.lua"), { dir = "forward", iif = "lan0", oif = "wan0", proto = "tcp", src = "10.0.1.2", dst = "10.0.2.2", dport = "http" })'
expect "no http by it" says 'denied|rejected'

say "It is committed all the same, but must be confirmed within 5 seconds"
show router ipfi -v --color="$color" --confirm=5 -f /tmp/tight.lua
expect "committed" good
show client "${web[@]}" http://10.0.2.2/
expect "no http" bad
say "Nobody confirms: the kernel puts the old rules back by itself"
back() { [ "$(in_ns router ipfi -e 'print(fw.info().change)')" = timed-out ]; }
wait_for 20 back
dmesg | grep 'ipfi: rule set' | tail -n 1
show client "${web[@]}" http://10.0.2.2/
expect "the web is there again" says "ipfi lab"
kill "$download" 2>/dev/null
