#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
#
# What "make install" puts into a machine works there: the program finds its files, modprobe the module and what it
# needs. The guest is a machine that may be installed to.
. "$IPFI_TOP/tests/lab/lib.sh"
[ -d "/lib/modules/$(uname -r)" ] || { skip install "this kernel has no modules" && exit; }

# For the kernel that runs here.
cp "$IPFI_KO" module/ipfi.ko
runs "make install" make -s -o program install
for file in /usr/sbin/ipfi /usr/share/ipfi/ipfi/main.lua /etc/ipfi /usr/share/man/man8/ipfi.8 \
	/usr/share/man/man5/ipfi-policy.5 /usr/share/bash-completion/completions/ipfi /usr/share/doc/ipfi/examples/router.lua; do
	runs "$file is there" test -e "$file"
done
# Without a module, too: who packages the program alone has none.
mv module/ipfi.ko "$lab_tmp/"
runs "make install without a module" make -s -o program install DESTDIR="$lab_tmp/program"
runs "the program is there" test -x "$lab_tmp/program/usr/sbin/ipfi"
runs "and no module" test ! -e "$lab_tmp/program/lib/modules"
mv "$lab_tmp/ipfi.ko" module/
# Out of the tree, where nothing else could be found.
cd / || exit 1
is "$(/usr/sbin/ipfi -e 'print(6 * 7)' 2>&1)" 42 "the program runs"
runs "it checks an example" /usr/sbin/ipfi -c -f /usr/share/doc/ipfi/examples/router.lua
runs "modprobe finds the module" modprobe ipfi max_states=70000
is "$(/usr/sbin/ipfi -e 'print(fw.limits().max_states)' 2>&1)" 70000 "with its parameter"
topo_pair
runs "an installed policy is committed" in_ns host-a /usr/sbin/ipfi -f /usr/share/doc/ipfi/examples/workstation.lua
runs "and lets out what it allows" in_ns host-a ping -c 1 -W "$(patience 5)" 10.0.0.2
serve_echo host-a tcp 7777
fails "and nothing in" in_ns host-b nc -z -w 2 10.0.0.1 7777

# The tests that follow in this boot need a machine where nothing is installed: the kernel would load the module by
# itself when somebody asks for its netlink family.
rmmod ipfi
rm -rf "/lib/modules/$(uname -r)/updates/ipfi.ko" /usr/sbin/ipfi /usr/share/ipfi
runs "what was installed is gone again" test ! -e /usr/sbin/ipfi
