# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The firewall of the FTP matrix: ours, or, to tell what is the matter with a cell that fails, the kernel's own
# (nftables, nf_conntrack_ftp, nf_nat_ftp). Either lets in the control connections alone; what they announce comes
# with them. The ways through it: "plain"; "snat", the client behind a masquerade; "dnat", the server published under
# the firewall's address and another port.
#
#	NAME_start               NAME_way WAY PORT:PUBLISHED...
#	NAME_left                reads lines "PORT PUBLISHED", answers each by what is left of the data connections of that
#	                         server, "nothing" when they are over
#	NAME_idle                whether no connection at all is left
#
# Data connections that have been closed are forgotten after a second, that this need not be waited for.

# way_host WAY FAMILY: where the client finds the server.
way_host() {
	case $1$2 in
	dnat4) echo 10.0.1.1 ;;
	dnat6) echo fd00:1::1 ;;
	*4) echo 10.0.2.2 ;;
	*6) echo fd00:2::2 ;;
	esac
}

ours_start() { load_ipfi; }

ours_way() {
	local way=$1 pair ports='' nat=''
	shift
	for pair; do ports+="${pair%:*}, "; done
	case $way in
	snat) nat='masquerade { "lan", oif = "wan0", src = { "10.0.1.0/24", "fd00:1::/64" } },' ;;
	dnat)
		for pair; do
			nat+="dnat { \"published ${pair%:*}\", iif = \"lan0\", dst = { \"10.0.1.1\", \"fd00:1::1\" },
				proto = \"tcp\", dport = ${pair#*:}, to = { \"10.0.2.2:${pair%:*}\", \"[fd00:2::2]:${pair%:*}\" } },"
		done
		;;
	esac
	commit --states=flush <<-POLICY
		return policy {
			name = "ftp $way",
			limits = { tcp_time_wait = 1, tcp_closed = 1, tcp_last_ack = 1 },
			nat = { $nat },
			rules = { allow { "ftp", dir = "forward", proto = "tcp", dport = { $ports }, helper = "ftp" } },
		}
	POLICY
}

ours_left() { exec ip netns exec router "$IPFI" "$IPFI_TOP/tests/net/ftp/left.lua"; }

ours_idle() { [ "$(fw 'print(fw.states():count() + #fw.expectations())')" = 0 ]; }

peer_start() {
	modprobe -a nf_tables nft_ct nft_nat nft_masq nf_conntrack_ftp nf_nat_ftp || return
	in_ns router sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 \
		net.netfilter.nf_conntrack_tcp_timeout_close=1 net.netfilter.nf_conntrack_tcp_timeout_last_ack=1
}

peer_way() {
	local way=$1 pair ports='' nat=''
	shift
	for pair; do ports+="${pair%:*}, "; done
	case $way in
	snat) nat='chain leave { type nat hook postrouting priority 100; oifname "wan0" masquerade; }' ;;
	dnat)
		nat='chain enter { type nat hook prerouting priority -100;'
		for pair; do
			nat+="ip daddr 10.0.1.1 tcp dport ${pair#*:} dnat ip to 10.0.2.2:${pair%:*};
				ip6 daddr fd00:1::1 tcp dport ${pair#*:} dnat ip6 to [fd00:2::2]:${pair%:*};"
		done
		nat+='}'
		;;
	esac
	# The addresses of two families cannot share a chain of type nat everywhere; they can in table inet since 5.2.
	in_ns router nft -f - <<-NFT
		table inet lab
		delete table inet lab
		table inet lab {
			ct helper ftp4 { type "ftp" protocol tcp; l3proto ip; }
			ct helper ftp6 { type "ftp" protocol tcp; l3proto ip6; }
			chain forward {
				type filter hook forward priority 0; policy drop;
				ct state established,related accept
				icmpv6 type != echo-request accept
				meta nfproto ipv4 tcp dport { $ports } ct helper set "ftp4" accept
				meta nfproto ipv6 tcp dport { $ports } ct helper set "ftp6" accept
			}
			$nat
		}
	NFT
}

# Data connections are all that do not go to a port of the matrix' servers.
peer_left() {
	local port published
	while read -r port published; do
		{
			in_ns router conntrack -L expect | grep -E "master.* dport=($port|$published) "
			in_ns router conntrack -L -p tcp | grep -E '(SYN_SENT|SYN_RECV|ESTABLISHED)' |
				grep -vE 'dport=(21|121|2021|2121|4021|4121) '
		} 2>/dev/null | paste -sd, | grep . || echo nothing
	done
}

peer_idle() {
	! { in_ns router conntrack -L -p tcp && in_ns router conntrack -L expect; } 2>/dev/null | grep -q .
}
