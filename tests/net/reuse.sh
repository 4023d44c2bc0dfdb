#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real ends that use a port again while the firewall still knows the last connection from it: it waits in TIME_WAIT, at
# the server or at the client, or one end or both have forgotten it without a word, as machines do that are restarted.
. "$IPFI_TOP/tests/net/support/firewall.sh"
need python3
load_ipfi || exit
topo_router || exit
# What the client's port is used again for from TIME_WAIT (RFC 6191), beyond loopback.
in_ns client sysctl -qw net.ipv4.tcp_tw_reuse=1
commit <<'POLICY'
return policy { name = "reuse", rules = {
	allow { "web", dir = "forward", iif = "lan0", proto = "tcp", dport = 8080, state = true },
} }
POLICY

# Answers with the line that it gets; "bye": and closes, "lost": and forgets the connection.
cat >"$lab_tmp/server.py" <<'PYTHON'
import socket
TCP_REPAIR = 19
server = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)
print("listens", flush=True)
kept = []
while True:
    connection, _ = server.accept()
    line = connection.recv(100)
    connection.sendall(line)
    if line == b"bye\n":
        connection.close()
    elif line == b"lost\n":
        connection.recv(100)  # the client has acknowledged the answer, then
        connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        connection.close()
    else:
        kept.append(connection)
PYTHON
# client ADDRESS WORD TIMES: so many connections in a row from port 4000. Tells how many were answered. "bye": the server
# closes first; "end": the client does; "gone": it forgets the connection; "lost": both do.
cat >"$lab_tmp/client.py" <<'PYTHON'
import errno, socket, sys, time
TCP_REPAIR = 19
address, word, times = sys.argv[1], sys.argv[2].encode() + b"\n", int(sys.argv[3])
answered = 0
def connected():
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", 4000))
    s.settimeout(30)
    for _ in range(100):
        try:
            s.connect((address, 8080))
            break
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:  # the last one waits for its last segment
                raise
            time.sleep(0.05)
    return s


for _ in range(times):
    s = connected()
    s.sendall(word)
    answered += s.recv(100) == word
    if word == b"bye\n":
        s.recv(100)
    elif word == b"lost\n":
        s.sendall(b"ok\n")
        time.sleep(0.1)
    if word in (b"gone\n", b"lost\n"):
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    s.close()
    if word == b"end\n":
        time.sleep(1.1)  # timestamps are a second old at least
print(answered)
PYTHON
ip netns exec server python3 "$lab_tmp/server.py" >"$lab_tmp/server" 2>&1 &
serving=$!
wait_for 20 grep -q listens "$lab_tmp/server"
client() { in_ns client timeout "$(patience 90)" python3 "$lab_tmp/client.py" "$@" 2>&1 | tail -n 1; }

for server in 10.0.2.2 fd00:2::2; do
	is "$(client "$server" bye 10)" 10 "the server closes first, ten times: $server"
	is "$(client "$server" end 2)" 2 "the client closes first: $server"
	is "$(client "$server" gone 2)" 2 "the client is restarted: $server"
	is "$(client "$server" lost 3)" 3 "both ends are: $server"
	is "$(row "dst = '$server'" s.sport s.state)" "4000 ESTABLISHED" "of all that one state is there: $server"
	fw 'fw.states{}:kill()' >/dev/null
done
kill $serving
