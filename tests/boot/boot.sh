#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/boot/boot.sh prepare|run SCENARIO: a machine with ipfi.service enabled that systemd boots (tests/boot/run), on
# which something is wrong; what "make install" installs is below build/boot-root. "prepare" makes it so before systemd starts, "run" looks at it when it is up. The machine's
# network.service has one interface, lan0, with hosts behind it in the namespace "outside": 192.0.2.2 and 2001:db8::2
# are in /etc/ipfi/management, 192.0.2.3 is not.
# shellcheck source=tests/lab/lib.sh
. "$IPFI_TOP/tests/lab/lib.sh"
scenario=$2

# What brings the network up, as Debian's own services are ordered; it notes what it found in force.
network_service() {
	cat >/etc/systemd/system/networking.service <<-'UNIT'
		[Unit]
		DefaultDependencies=no
		After=local-fs.target network-pre.target
		Before=network.target
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/bash /etc/lab/network-up
	UNIT
	cat >/etc/lab/network-up <<-'UP'
		{ grep '^ipfi ' /proc/modules; nft list tables; /usr/sbin/ipfi -e 'print(fw.info().armed)'; } >/run/network-found 2>&1
		ip link set dev lan0 up
		ip address add 192.0.2.1/24 dev lan0
		ip -6 address add 2001:db8::1/64 dev lan0 nodad
	UP
	mkdir -p /etc/systemd/system/network.target.wants
	ln -sf ../networking.service /etc/systemd/system/network.target.wants/
	ip netns add outside
	ip link add lan0 type veth peer name eth0 netns outside
	ip -n outside link set dev lo up
	ip -n outside link set dev eth0 up
	for address in 192.0.2.2/24 192.0.2.3/24; do ip -n outside address add "$address" dev eth0; done
	ip -n outside -6 address add 2001:db8::2/64 dev eth0 nodad
}

compile() {
	cat >/etc/lab/"$1".lua <<-POLICY
		return policy { name = "$1", stateful = true, rules = { allow { "loopback", iif = "lo" },
		  allow { "web", dir = "in", proto = "tcp", dport = 80 } } }
	POLICY
	/usr/sbin/ipfi --compile="$2" -f /etc/lab/"$1".lua
}

# other_version FILE: the module with another version of the netlink family, which stands behind the family's name.
other_version() {
	perl -0777 -pi -e 'my $name = "ipfi" . "\0" x 12; s/\Q$name\E\x01\0\0\0/$name\x02\0\0\0/ == 1 or die "no family"' "$1"
}

prepare() {
	local root=$IPFI_TOP/build/boot-root modules
	modules=/lib/modules/$(uname -r)
	cp -r "$root/etc" "$root/usr" / || return
	mount --bind "$root/lib/modules/$(uname -r)" "$modules" || return
	modules=$modules/updates
	systemctl --quiet enable ipfi.service || return
	mkdir -p /etc/lab
	printf '192.0.2.2\n2001:db8::2/128\nnonsense!\n' >/etc/ipfi/management
	network_service
	case $scenario in
	good) compile good /etc/ipfi/policy.ipfi ;;
	module-missing) compile good /etc/ipfi/policy.ipfi && rm "$modules/ipfi.ko" ;;
	module-and-nft-missing)
		compile good /etc/ipfi/policy.ipfi && rm "$modules/ipfi.ko" && rm "$(command -v nft)"
		;;
	module-of-other-version) compile good /etc/ipfi/policy.ipfi && other_version "$modules/ipfi.ko" ;;
	policy-missing) : ;;
	policy-broken)
		mkdir -p /var/lib/ipfi
		compile last /var/lib/ipfi/last-good.ipfi && compile new /etc/lab/new.ipfi &&
			head -c 300 /etc/lab/new.ipfi >/etc/ipfi/policy.ipfi
		;;
	policy-of-other-version)
		compile good /etc/ipfi/policy.ipfi && mv /etc/lab/good.lua /etc/ipfi/policy.lua &&
			sed -i 's/^family 1$/family 7/' /etc/ipfi/policy.ipfi
		;;
	esac
}

# from ADDRESS PORT: can a host outside connect to the machine? ADDRESS is its own.
from() {
	local to=192.0.2.1
	[[ $1 != *:* ]] || to=2001:db8::1
	ip netns exec outside nc -z -w 10 -s "$1" "$to" "$2"
}
listen() { socat -u "TCP6-LISTEN:$1,reuseaddr,fork" /dev/null & }
listens() { ss -Hltn "sport = :$1" | grep -q .; }
running() { /usr/sbin/ipfi -e 'print(fw.info().name)' 2>&1; }

# Nothing passes but loopback and ssh from the management's addresses.
is_closed() {
	local port
	for port in 22 80; do listen $port; done
	for port in 22 80; do wait_for 20 listens $port; done
	runs "loopback is open" nc -z -w 5 127.0.0.1 80
	runs "ssh from the management" from 192.0.2.2 22
	runs "ssh from the management by IPv6" from 2001:db8::2 22
	fails "nothing else from there" from 192.0.2.2 80
	fails "no ssh from others" from 192.0.2.3 22
	fails "nothing leaves" nc -z -w 5 192.0.2.2 9
	fails "no ping comes through" ip netns exec outside ping -c 1 -W 2 192.0.2.1
	like "$(dmesg)" "ipfi: NO POLICY IS IN FORCE" "the console says so"
	like "$(dmesg)" "management: 'nonsense!' is no address" "and what is wrong with the management's addresses"
	like "$(cat /run/issue.d/50-ipfi.issue)" "NO POLICY IS IN FORCE" "the login prompt too"
	is "$(systemctl is-failed ipfi.service)" failed "the unit has failed"
	unlike "$(cat /run/network-found)" "^$" "the network came up"
}

# It is repaired: the next start opens what the policy opens, without a boot.
is_repaired_by_policy() {
	compile good /etc/ipfi/policy.ipfi
	runs "repaired, the unit starts" systemctl restart ipfi.service
	is "$(running)" good "its policy is in force"
	runs "and the web is open" from 192.0.2.3 80
	is "$(nft list tables 2>&1)" "" "nothing else filters"
}

runs_policy() {
	is "$(running)" "$1" "the policy in force"
	is "$(systemctl is-active ipfi.service)" active "the unit is active"
	like "$(cat /run/network-found)" true "it was in force before the network came up"
	listen 80
	wait_for 20 listens 80
	runs "what it allows is open" from 192.0.2.3 80
	fails "and ssh is not" from 192.0.2.2 22
}

run() {
	# The module begins closed in every namespace.
	echo 'return policy { name = "open", default = { ["in"] = "allow", out = "allow" }, rules = {} }' >/etc/lab/open.lua
	if grep -q '^ipfi ' /proc/modules; then ip netns exec outside /usr/sbin/ipfi -f /etc/lab/open.lua; fi
	case $scenario in
	good)
		runs_policy good
		runs "it is kept for other boots" cmp /etc/ipfi/policy.ipfi /var/lib/ipfi/last-good.ipfi
		fails "nothing is said" test -e /run/issue.d/50-ipfi.issue
		echo 'return policy { "no"' >/etc/ipfi/policy.lua
		fails "a policy that is refused is not reloaded" systemctl reload ipfi.service
		is "$(running)" good "the rules stay"
		runs "and the file" cmp /etc/ipfi/policy.ipfi /var/lib/ipfi/last-good.ipfi
		echo 'return policy { name = "reloaded", rules = { deny { "all" } } }' >/etc/ipfi/policy.lua
		runs "a new one is" systemctl reload ipfi.service
		is "$(running)" reloaded "the new rules are in force"
		runs "and kept" cmp /etc/ipfi/policy.ipfi /var/lib/ipfi/last-good.ipfi
		echo broken >/etc/ipfi/policy.ipfi
		fails "a restart with a broken policy fails" systemctl restart ipfi.service
		is "$(running)" reloaded "the running rules stay in force"
		;;
	module-missing)
		is_closed
		like "$(nft list tables)" ipfi_closed "by nftables"
		like "$(cat /run/network-found)" ipfi_closed "from before the network came up"
		;;
	module-and-nft-missing)
		like "$(dmesg)" "The network is kept down" "the console says so"
		fails "the network's service did not start" test -e /run/network-found
		is "$(cat /sys/class/net/lan0/operstate)" down "its interface is down"
		is "$(ip -br address show dev lan0 | awk '{ print $3 }')" "" "and has no address"
		;;
	module-of-other-version)
		is_closed
		like "$(cat /run/network-found)" ipfi_closed "by nftables, from before the network came up"
		unlike "$(cat /run/network-found)" "ipfi [0-9]" "the module that nobody can speak to was gone"
		;;
	policy-missing)
		is_closed
		is "$(running)" "closed at boot" "by the module"
		like "$(cat /run/network-found)" true "from before the network came up"
		is_repaired_by_policy
		;;
	policy-broken)
		runs_policy last
		like "$(dmesg)" "the last policy that could be is in force" "the console says so"
		;;
	policy-of-other-version)
		runs_policy good
		like "$(dmesg)" "policy.lua was compiled and is in force" "the console says so"
		;;
	*) not_ok "$scenario" "no such scenario" ;;
	esac
}

"$1"
