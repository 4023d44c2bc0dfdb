#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program from outside: what it leaves behind, its exit codes, cron, policies that are broken or that others
# could have written, the lock.
. "$IPFI_TOP/tests/net/support/firewall.sh"
topo_router || exit
phantoms
dir=$(mktemp -d "$HOME/policies.XXXXXX")
cat >"$dir/good.lua" <<'POLICY'
return policy {
	name = args.name or "good",
	rules = {
		allow { "sentinel", proto = "udp", dport = 9 },
		allow { "web", dir = "forward", iif = "lan0", proto = "tcp", dport = 80, state = true },
	},
}
POLICY
cat >"$dir/broken.lua" <<'POLICY'
return policy {
	name = "broken",
	rules = {
		allow { "ssh", proto = "tcp", dport = "ssh" },
		allow { "web", proto = "tcp",
			dport = "htpps" },
		allow { "dns", dportt = 53 },
	},
}
POLICY
# status NAME WANTED COMMAND...: the command ends with that status; what it prints is in $said and $complained.
status() {
	local name=$1 want=$2 got
	shift 2
	in_ns router "$@" >"$lab_tmp/out" 2>"$lab_tmp/err" </dev/null
	got=$?
	said=$(<"$lab_tmp/out")
	complained=$(<"$lab_tmp/err")
	if [ $got -eq "$want" ]; then ok "$name: exits $want"; else not_ok "$name: exits $want" "it is $got: $complained"; fi
}
now() { fw 'local r = fw.running() io.write(r.generation, " ", r.name or "-") for _, rule in ipairs(r.rules) do io.write(" ", rule.name, " ", rule.at) end print()'; }

# Without the module.
status "the module is absent" 5 "$IPFI" -f "$dir/good.lua"
like "$complained" "ipfi" "which is said"
status "a check needs no module" 0 "$IPFI" -c -f "$dir/good.lua"
status "a check of a broken policy" 3 "$IPFI" -c -f "$dir/broken.lua"

load_ipfi || exit
status "a commit" 0 "$IPFI" -f "$dir/good.lua"
is "$said$complained" "" "is silent"
running=$(now)
like "$running" "^1 good sentinel $dir/good.lua:4 web $dir/good.lua:5$" "it runs"
is "$(wire <<'PACKETS'
> tcp 10.9.0.1 4001 10.8.0.1 80 S seq=1000
< tcp 10.8.0.1 80 10.9.0.1 4001 SA seq=5000 ack=1001
PACKETS
)" "pass, pass" "states live on after the program has ended"
is "$(row 'proto = "tcp"' s.state s.rule)" "SYN_RECV web" "as the next one sees"

# Broken policies change nothing.
status "a broken policy" 3 "$IPFI" -f "$dir/broken.lua"
like "$complained" "$dir/broken.lua:[56]: .*'web'.*'htpps'.*'https'" "it names the place and the rule, and suggests the name"
like "$complained" "$dir/broken.lua:7: .*'dns'.*'dportt'.*'dport'" "every mistake"
is "$said" "" "on standard error"
status "a policy that is no Lua" 3 "$IPFI" -f <(echo 'return policy {')
echo 'return policy { name = = "x", rules = { allow { "a" } }' >"$dir/syntax.lua"
status "a syntax error" 3 "$IPFI" -f "$dir/syntax.lua"
like "$complained" "$dir/syntax.lua:1" "with its place"
echo 'return 7' >"$dir/seven.lua"
status "no policy" 3 "$IPFI" -f "$dir/seven.lua"
echo 'os.execute "true" return policy { name = "x", rules = {} }' >"$dir/os.lua"
status "a policy that reaches out" 3 "$IPFI" -f "$dir/os.lua"
status "a policy that is not there" 3 "$IPFI" -f "$dir/nowhere.lua"
is "$(now)" "$running" "all of them changed nothing"

# The other exit codes.
status "a script" 0 "$IPFI" -e 'print(fw.stats().generation)'
is "$said" 1 "prints"
status "an error of Lua's" 1 "$IPFI" -e 'error "x"'
status "a syntax error in a statement" 1 "$IPFI" -e 'x ='
status "an unknown option" 2 "$IPFI" --nonsense
like "$complained" "nonsense" "which is named"
status "an option without its value" 2 "$IPFI" -f
status "a limit out of range" 1 "$IPFI" -e 'fw.set_limits{icmp = 0}'
cp "$dir/good.lua" /etc/ipfi-readable.lua
status "nobody may not commit" 77 setpriv --reuid nobody --clear-groups "$IPFI" -f /etc/ipfi-readable.lua
status "root without the capability may not either" 77 setpriv --bounding-set -net_admin --inh-caps -net_admin "$IPFI" -f /etc/ipfi-readable.lua
is "$(now)" "$running" "nothing has changed"
status "overtaken" 75 "$IPFI" -e "fw.commit(fw.load('$dir/good.lua'), {expect = 7})"
is "$(now)" "$running" "nothing has changed by that either"
"$IPFI" -e 'print "runs" io.stdout:flush() while true do end' >"$lab_tmp/out" 2>/dev/null &
endless=$!
wait_for 20 grep -q runs "$lab_tmp/out"
kill -INT $endless
wait $endless
is $? 130 "interrupted: exits 130"

# The lock: one commits at a time.
flock /run/ipfi.lock sleep 6 &
fails_to_lock() { ! flock -n /run/ipfi.lock true; }
wait_for 5 fails_to_lock
status "somebody else commits" 75 "$IPFI" -f "$dir/good.lua"
is "$(now)" "$running" "it did not wait"
status "a check needs no lock" 0 "$IPFI" -c -f "$dir/good.lua"
status "it waits when told to" 0 "$IPFI" --lock-wait=60 -f "$dir/good.lua"
like "$(now)" "^2 good" "and then commits"

# Cron: no terminal, hardly an environment; arguments; JSON lines; scripts.
cron=(env -i PATH=/usr/bin:/bin setsid -w)
status "cron commits" 0 "${cron[@]}" "$IPFI" -f "$dir/good.lua" name=nightly
is "$said$complained" "" "in silence"
like "$(now)" "^3 nightly" "with its argument"
cat >"$dir/job.lua" <<'SCRIPT'
#!/usr/sbin/ipfi
print(fw.stats().generation, ...)
print(arg[1], args.top)
SCRIPT
status "a script from cron" 0 "${cron[@]}" "$IPFI" "$dir/job.lua" top=5
like "$said" $'^3.*\ntop=5\t5$' "with its arguments"
is "$complained" "" "without a word else"
in_ns router "${cron[@]}" "$IPFI" <<<'print("from " .. "stdin", fw.stats().generation)' >"$lab_tmp/out" 2>&1
is "$(<"$lab_tmp/out")" $'from stdin\t3' "a script on standard input"
status "JSON lines" 0 "${cron[@]}" "$IPFI" -j -e 'fw.print(fw.running())'
is "$(lua5.4 -e 'local json = require "cjson" for line in io.lines() do local r = json.decode(line) print(r.name, r.verdict) end' <<<"$said")" \
	$'sentinel\tallow\nweb\tallow' "one object a line"
unlike "$said" $'\e' "without colours"
mkdir -p /usr/sbin /usr/share/ipfi
cp "$IPFI" /usr/sbin/ipfi
cp -r "$IPFI_TOP"/lua/. /usr/share/ipfi/
chmod -R go-w /usr/share/ipfi
sed '1i #!/usr/sbin/ipfi -f' "$dir/good.lua" >"$dir/program"
chmod 755 "$dir/program"
status "a policy that is a program" 0 "${cron[@]}" "$dir/program" name=itself
like "$(now)" "^4 itself" "commits itself"
status "no environment variable loads code" 0 env LUA_INIT='error "x"' LUA_INIT_5_4='error "x"' LUA_PATH=/nowhere LUA_CPATH=/nowhere \
	"$IPFI" -e 'assert(fw.stats())'

# The system log: errors and what is done, by facility and tag.
socat -u UNIX-RECVFROM:/dev/log,fork OPEN:"$lab_tmp/log",creat,append &
logger=$!
has_log() { [ -S /dev/log ]; }
wait_for 20 has_log
status "a job that logs" 0 "${cron[@]}" "$IPFI" --syslog -f "$dir/good.lua" name=logged
is "$said$complained" "" "is silent"
status "one that fails" 3 "${cron[@]}" "$IPFI" --syslog -f "$dir/broken.lua"
"$IPFI" --syslog -q -e 'fw.log("warning", "a\27[31mb")' 2>/dev/null
logged() { grep -qa "$1" "$lab_tmp/log"; }
runs "the commit is in the system log" wait_for 20 logged "<30>.* ipfi\[[0-9]*\]: $dir/good.lua: generation"
runs "so are the mistakes" wait_for 20 logged "<27>.* ipfi\[[0-9]*\]: $dir/broken.lua:7: rule 'dns'"
runs "and warnings, harmlessly" wait_for 20 logged '<28>.* ipfi\[[0-9]*\]: a\\x1b\[31mb'
kill $logger
rm -f /dev/log

# The rights of the program: to rule the network, and nothing else.
status "its rights" 0 "$IPFI" -e 'for line in io.lines "/proc/self/status" do if line:find "^Cap" then print(line) end end'
is "$(awk '/Cap(Prm|Eff|Bnd)/ { print $2 }' <<<"$said" | sort -u)" 0000000000001000 "are CAP_NET_ADMIN alone"
status "what it starts gets no more" 1 "$IPFI" -e 'assert(os.execute "rmmod ipfi 2>/dev/null")'
runs "the module is still there" grep -q '^ipfi ' /proc/modules

# Policies that somebody else could have written.
refused() { # refused NAME FILE
	status "$1" 3 "$IPFI" -f "$2"
	like "$complained" "refus" "which is said"
}
cp "$dir/good.lua" "$dir/open.lua"
chmod 666 "$dir/open.lua"
refused "a file that everybody may write" "$dir/open.lua"
cp "$dir/good.lua" "$dir/theirs.lua"
chown nobody "$dir/theirs.lua"
refused "a file of somebody else's" "$dir/theirs.lua"
mkdir -m 777 "$dir/open"
cp "$dir/good.lua" "$dir/open/good.lua"
refused "a file in a directory that everybody may write to" "$dir/open/good.lua"
chmod 1777 "$dir/open"
status "a file of one's own in a sticky directory" 0 "$IPFI" -f "$dir/open/good.lua" name=sticky
like "$(now)" "^6 sticky" "is taken"

# The module goes when told to, after the program has done its work.
status "--rmmod" 0 "$IPFI" --rmmod -f "$dir/good.lua"
fails "the module is gone" grep -q '^ipfi ' /proc/modules
runs "and everything passes" in_ns client ping -q -c 1 -W "$(patience 5)" 10.0.2.2
