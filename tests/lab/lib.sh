# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What guest tests are written with. A test is an executable bash script tests/net/NAME.sh:
#
#	#!/bin/bash
#	# SPDX-License-Identifier: GPL-2.0-or-later
#	# guests: debian uml-debug        (optional: where it runs; default uml-debug, see tests/check)
#	# timeout: 120                    (optional: seconds; default 300, more in slow guests)
#	. "$IPFI_TOP/tests/lab/lib.sh"
#	load_ipfi
#	topo_router
#	in_ns router "$IPFI" -f examples/router.lua
#	is "$?" 0 "the policy is committed"
#
# It runs as root in a guest, at the top of the tree, on a file system that is thrown away. The environment:
# IPFI_TOP (the tree), IPFI (the program), IPFI_KO (the module of this kernel), IPFI_GUEST (debian, uml-debug,
# uml-bench, x86-debug), IPFI_SLOWNESS (speed.sh: limits of time are scaled by it), IPFI_LONG (1 in a long run, else
# empty). Its results are the lines "ok NAME", "not ok NAME - why" and "skip NAME - why". When
# it ends, its processes, its namespaces and the module go, and its exit status says whether all was ok.

# shellcheck source=tests/lab/speed.sh
. "$IPFI_TOP/tests/lab/speed.sh"

failures=0
lab_spaces=()
lab_tmp=$(mktemp -d)

# ok NAME; not_ok NAME WHY; skip NAME WHY: one result. WHY is one line.
ok() { printf 'ok %s\n' "$1"; }
not_ok() {
	failures=$((failures + 1))
	printf 'not ok %s - %s\n' "$1" "$(printf '%s' "${2-}" | tr '\n' ' ')"
}
skip() { printf 'skip %s - %s\n' "$1" "$2"; }

# note TEXT...: a line for the reader, no result.
note() { printf '# %s\n' "$*"; }

# is GOT WANTED NAME: the same string.
is() {
	if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "got '$1', wanted '$2'"; fi
}

# isnt GOT UNWANTED NAME
isnt() {
	if [ "$1" != "$2" ]; then ok "$3"; else not_ok "$3" "got '$1'"; fi
}

# like GOT REGEX NAME; unlike GOT REGEX NAME: an extended regular expression.
like() {
	if [[ $1 =~ $2 ]]; then ok "$3"; else not_ok "$3" "'$1' is not like '$2'"; fi
}
unlike() {
	if [[ $1 =~ $2 ]]; then not_ok "$3" "'$1' is like '$2'"; else ok "$3"; fi
}

# holds NAME EXPRESSION: an arithmetic one, as in: holds "in time" "elapsed <= 2".
holds() {
	if (($2)); then ok "$1"; else not_ok "$1" "$2 does not hold"; fi
}

# runs NAME COMMAND...; fails NAME COMMAND...: by its exit status; what it printed is the reason.
runs() {
	local name=$1 output status
	shift
	output=$("$@" 2>&1 </dev/null)
	status=$?
	if [ $status -eq 0 ]; then ok "$name"; else not_ok "$name" "status $status: $output"; fi
}
fails() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1 </dev/null); then not_ok "$name" "it succeeded: $output"; else ok "$name"; fi
}

# in_time NAME TOOK SECONDS: that it took no longer than that, on a machine as slow as this one is now (speed.sh).
in_time() {
	local limit=$3
	if [ "$2" -gt "$limit" ]; then
		measure_speed "$IPFI_GUEST"
		limit=$(patience "$limit")
	fi
	holds "$1" "$2 <= limit"
}

# wait_for SECONDS COMMAND...: repeats the command, ten times a second, until it succeeds; 1 when time is up. A machine
# that has become slower gets the time that it needs.
wait_for() {
	local limit=$1 began=$SECONDS deadline
	shift
	deadline=$((began + $(patience "$limit")))
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $deadline ]; then
			measure_speed "$IPFI_GUEST"
			deadline=$((began + $(patience "$limit")))
			[ $SECONDS -lt $deadline ] || return 1
		fi
		sleep 0.1
	done
}

# answer BYTES PROGRAM...: what a program prints that is given standard input, as soon as so many bytes of it are there.
# It is ended then: socat, for one, waits its whole time for more where nothing tells it that there is none.
answer() {
	local bytes=$1 from pid
	shift
	exec {from}< <(exec "$@" 2>/dev/null)
	pid=$!
	head -c "$bytes" <&"$from"
	kill "$pid" 2>/dev/null
	exec {from}<&-
}

# need TOOL...: ends the script as skipped when one is not installed.
need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || {
			skip "$(basename "$0" .sh)" "$tool is not installed"
			exit 0
		}
	done
}

# nap MICROSECONDS: sleeps for so long.
nap() { sleep "$(printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)))"; }

# slow FAST SLOW: the first number in a guest of full speed, the second in a debugging one.
slow() {
	case $IPFI_GUEST in
	*-debug) echo "$2" ;;
	*) echo "$1" ;;
	esac
}

# long LONG SHORT: LONG in a long run of tests/check (--long), else SHORT.
long() { if [ "${IPFI_LONG-}" ]; then echo "$1"; else echo "$2"; fi; }

# shrink_caches: the kernel's caches give back what is free in them, and what KASAN keeps of it to find a use after the
# free.
shrink_caches() {
	local shrink
	for shrink in /sys/kernel/slab/*/shrink; do echo 1 >"$shrink"; done
}

# load_ipfi [PARAMETER=VALUE...]: inserts the module built for this kernel, after the modules it needs.
load_ipfi() {
	local module
	for module in $(modinfo -F depends "$IPFI_KO" | tr ',' ' '); do
		modprobe "$module" || return
	done
	insmod "$IPFI_KO" "$@"
}

unload_ipfi() { rmmod ipfi; }

# log_backends: what the kernel's own log needs for "log" rules: nfnetlink_log (NFLOG) and the syslog printer.
# Built in where there are no modules.
log_backends() {
	if [ -d "/lib/modules/$(uname -r)" ]; then modprobe -a nfnetlink_log nf_log_syslog; fi
}

# dmesg_mark: remembers the end of the kernel's log; dmesg_since: what came after it.
# Lines about other namespaces than the first reach the log from then on.
dmesg_mark() {
	echo 1 >/proc/sys/net/netfilter/nf_log_all_netns
	lab_mark="lab: mark $RANDOM$RANDOM"
	echo "$lab_mark" >/dev/kmsg
}
dmesg_since() { dmesg | sed "1,/$lab_mark/d"; }

# space NAME...: network namespaces, with loopback up. They have what tests/lab/inside sets for all: no duplicate
# address detection (it would keep addresses unusable for a second) and no router solicitations.
space() {
	local name
	for name; do
		ip netns add "$name" || return
		lab_spaces+=("$name")
		ip -n "$name" link set lo up
	done
}

# in_ns SPACE COMMAND... In the background it is a process of its own: "ip netns exec" starts what is to be killed.
in_ns() { ip netns exec "$@"; }

# link SPACE IF ADDRESS... -- SPACE IF ADDRESS...: a veth pair between two namespaces, addresses with prefixes.
link() {
	local space_a=$1 if_a=$2 space_b if_b addresses_a=() address
	shift 2
	while [ "$1" != -- ]; do
		addresses_a+=("$1")
		shift
	done
	space_b=$2 if_b=$3
	shift 3
	# In as few processes as it takes: in some guests each is a fiftieth of a second.
	{
		printf 'link add %s type veth peer name %s netns %s\n' "$if_a" "$if_b" "$space_b"
		lab_addresses "$if_a" "${addresses_a[@]}"
	} | ip -n "$space_a" -batch - && lab_addresses "$if_b" "$@" | ip -n "$space_b" -batch -
}
# lab_addresses DEVICE ADDRESS...: as commands of ip, with the one that takes it up.
lab_addresses() {
	local device=$1 address
	shift
	for address; do
		case $address in
		*:*) printf 'addr add %s dev %s nodad\n' "$address" "$device" ;;
		*) printf 'addr add %s dev %s\n' "$address" "$device" ;;
		esac
	done
	printf 'link set %s up\n' "$device"
}

# topo_router: client (eth0) -- (lan0) router (wan0) -- (eth0) server.
#	client 10.0.1.2 fd00:1::2    router 10.0.1.1 fd00:1::1, 10.0.2.1 fd00:2::1    server 10.0.2.2 fd00:2::2
topo_router() {
	space client router server &&
		link client eth0 10.0.1.2/24 fd00:1::2/64 -- router lan0 10.0.1.1/24 fd00:1::1/64 &&
		link router wan0 10.0.2.1/24 fd00:2::1/64 -- server eth0 10.0.2.2/24 fd00:2::2/64 || return
	in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	printf 'route add default via %s\n' 10.0.1.1 fd00:1::1 | ip -n client -batch -
	printf 'route add default via %s\n' 10.0.2.1 fd00:2::1 | ip -n server -batch -
	wait_for 10 in_ns client ping -c 1 -W 1 10.0.2.2 && wait_for 10 in_ns client ping -6 -c 1 -W 1 fd00:2::2
}

# topo_pair: host-a (eth0, 10.0.0.1, fd00::1) -- (eth0, 10.0.0.2, fd00::2) host-b.
topo_pair() {
	space host-a host-b &&
		link host-a eth0 10.0.0.1/24 fd00::1/64 -- host-b eth0 10.0.0.2/24 fd00::2/64 || return
	wait_for 10 in_ns host-a ping -c 1 -W 1 10.0.0.2 && wait_for 10 in_ns host-a ping -6 -c 1 -W 1 fd00::2
}

# listening SPACE tcp|udp PORT: whether a socket is bound there.
listening() {
	in_ns "$1" ss -Hln "--$2" "sport = $3" 2>/dev/null | grep -q .
}

# serve_web SPACE [PORT [ROOT]]: nginx on all addresses, serving ROOT (default: one page "ipfi lab", and a file
# of 64 MiB of zeros, /big). The caller's web_log, if set, is the file for its log of requests.
serve_web() {
	local space=$1 port=${2:-80} root=${3-} dir
	dir=$(mktemp -d "$lab_tmp/web.XXXXXX")
	if [ -z "$root" ]; then
		root=$dir/root
		mkdir "$root"
		echo "ipfi lab" >"$root/index.html"
		truncate -s 64M "$root/big"
	fi
	chmod 755 "$lab_tmp" "$dir"
	cat >"$dir/nginx.conf" <<-EOF
		user root;
		worker_processes 1;
		pid $dir/pid;
		error_log $dir/error.log;
		events { worker_connections 1024; }
		http {
			access_log ${web_log:-off};
			client_body_temp_path $dir;
			proxy_temp_path $dir;
			fastcgi_temp_path $dir;
			uwsgi_temp_path $dir;
			scgi_temp_path $dir;
			server {
				listen $port;
				listen [::]:$port;
				root $root;
			}
		}
	EOF
	in_ns "$space" nginx -e "$dir/error.log" -c "$dir/nginx.conf" || return
	wait_for 10 listening "$space" tcp "$port"
}

# serve_dns SPACE NAME/ADDRESS...: dnsmasq, authoritative for the names, on all addresses.
serve_dns() {
	local space=$1 options=() pair
	shift
	for pair; do options+=("--address=/$pair"); done
	in_ns "$space" dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
		--no-ping --bind-dynamic "${options[@]}" || return
	wait_for 10 listening "$space" udp 53
}

# serve_echo SPACE tcp|udp PORT: answers every connection or datagram with what it sent, both families. A client that
# says all it has to say and ends is answered still, however long cat takes to begin.
serve_echo() {
	local space=$1 proto=$2 port=$3
	case $proto in
	tcp) in_ns "$space" setsid -f socat -t 60 "TCP6-LISTEN:$port,fork,reuseaddr,ipv6only=0" EXEC:cat ;;
	udp) in_ns "$space" setsid -f socat "UDP6-RECVFROM:$port,fork,ipv6only=0" PIPE ;;
	esac
	wait_for 10 listening "$space" "$proto" "$port"
}

# lab_end: processes in the namespaces, namespaces, module, files.
lab_end() {
	local status=$? name pids
	for name in "${lab_spaces[@]}"; do
		pids=$(ip netns pids "$name" 2>/dev/null)
		# shellcheck disable=SC2086
		[ -z "$pids" ] || kill -9 $pids 2>/dev/null
	done
	# shellcheck disable=SC2046
	kill -9 $(jobs -p) 2>/dev/null
	wait 2>/dev/null
	for name in "${lab_spaces[@]}"; do ip netns del "$name"; done
	if grep -q '^ipfi ' /proc/modules && ! rmmod ipfi; then
		not_ok "the module can be unloaded" "rmmod failed"
	fi
	rm -rf "$lab_tmp"
	if [ "$status" -eq 0 ] && [ "$failures" -gt 0 ]; then status=1; fi
	exit "$status"
}
trap lab_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
