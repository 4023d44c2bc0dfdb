#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What "make demo-shell" gives: the prompt in the router of tests/lab/demo.sh, its policy committed, a web server
# and a name server on one side, and something to see in the state table.
. "$IPFI_TOP/tests/lab/lib.sh"
printf 'Setting up: client -- router -- server ...\n'
{
	topo_router && serve_web server 80 && serve_dns server www.example/10.0.2.2 www.example/fd00:2::2 &&
		load_ipfi && log_backends
} || exit 1
mkdir -p /usr/local/bin
ln -sf "$IPFI" /usr/local/bin/ipfi
in_ns router ipfi -f examples/router.lua || exit 1
# Detached from the terminal, and this script deaf to its signal: Ctrl-C at the prompt is the prompt's.
trap : INT
in_ns client setsid -f curl -s --limit-rate 50k http://10.0.2.2/big -o /dev/null
in_ns client setsid -f curl -s --limit-rate 50k 'http://[fd00:2::2]/big' -o /dev/null
in_ns client setsid -f ping -q -i 5 fd00:2::2 >/dev/null
cat <<'END'
You are root in the router of a guest. Two downloads and a ping cross it.
Commands in the other machines, from the shell that follows the prompt:
    ip netns exec client curl http://10.0.2.2/
END
in_ns router ipfi
printf '\nA shell in the router; "ipfi" is the prompt again, "exit" ends the guest.\n'
cd /root && PS1='router# ' in_ns router bash --norc --noprofile -i
exit 0
