#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who does a server see?

whoami.py serve PORT...   answers each line of TCP and each datagram of UDP, both families, with "ADDRESS PORT
                          TEXT": whom it saw, and the text that came. A datagram is answered by the address that it
                          was sent to. Runs until it is killed.
whoami.py ask SPEC...     SPEC is PROTO,ADDRESS,PORT,SOURCE_PORT[,SOURCE_ADDRESS]: opens all of them, sends a text of
                          its own over each, and prints for each what came back, the text checked: "ADDRESS PORT",
                          or "nothing", "refused", "reset", "unreachable", "wrong". All stay open until the last has answered.
Environment: HOLD, seconds that "ask" keeps everything open after its answers (0), WAIT, seconds for an answer (20).
"""
import os
import select
import socket
import sys
import time


def plain(address):
    return address[7:] if address.startswith("::ffff:") else address


def serve(ports):
    streams, poll = {}, select.epoll()
    for port in ports:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            end = socket.socket(socket.AF_INET6, kind)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            end.bind(("::", port))
            if kind == socket.SOCK_STREAM:
                end.listen(4096)
            streams[end.fileno()] = end
            poll.register(end, select.EPOLLIN)
    listening = set(streams)
    while True:
        for number, _ in poll.poll():
            end = streams[number]
            if number in listening and end.type == socket.SOCK_STREAM:
                accepted, _ = end.accept()
                streams[accepted.fileno()] = accepted
                poll.register(accepted, select.EPOLLIN)
            elif number in listening:
                answer_datagram(end)
            else:
                answer_stream(end, poll, streams)


# struct in6_pktinfo: the address, and an interface, 0 for the one that the route has.
def answer_datagram(end):
    data, control, _, peer = end.recvmsg(2048, socket.CMSG_SPACE(20))
    source = [(level, kind, info[:16] + bytes(4)) for level, kind, info in control]
    try:
        end.sendmsg([("%s %d %s" % (plain(peer[0]), peer[1], data.decode())).encode()], source, 0, peer)
    except OSError:
        pass


def answer_stream(end, poll, streams):
    try:
        data = end.recv(2048)
        if data:
            peer = end.getpeername()
            end.sendall(("%s %d %s" % (plain(peer[0]), peer[1], data.decode())).encode())
            return
    except OSError:
        pass
    poll.unregister(end)
    del streams[end.fileno()]
    end.close()


def open_one(spec):
    proto, address, port, source_port, *source = spec.split(",")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    end = socket.socket(family, socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
    end.settimeout(float(os.environ.get("WAIT", "20")))
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        end.bind((source[0] if source else "", int(source_port)))
        end.connect((address, int(port)))
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return "nothing" if isinstance(error, TimeoutError) else str(error)
    return end


def ask_one(end, text):
    if isinstance(end, str):
        return end
    try:
        end.sendall(text.encode())
        address, port, back = end.recv(2048).decode().split(" ", 2)
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"
    except (TimeoutError, ValueError):
        return "nothing"
    except OSError:
        return "unreachable"
    return "%s %s" % (address, port) if back == text else "wrong"


def ask(specs):
    ends = [open_one(spec) for spec in specs]
    for number, end in enumerate(ends):
        print(ask_one(end, "text of %d" % number), flush=True)
    time.sleep(float(os.environ.get("HOLD", "0")))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve([int(port) for port in sys.argv[2:]])
    else:
        ask(sys.argv[2:])
