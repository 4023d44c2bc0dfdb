#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real sockets of SCTP, DCCP and UDP-Lite.

transports.py serve PROTO ADDRESS PORT             prints "ready", then answers each message with "ADDRESS PORT TEXT": whom it
                                                   saw, and the text
transports.py ask PROTO ADDRESS PORT SOURCE SPORT  sends a text; prints whom the server saw, if it comes back as it was
transports.py have PROTO                           exit status 0 if there are such sockets here
Environment: WAIT, seconds for an answer (20).
"""
import os
import socket
import sys

KINDS = {"sctp": (socket.SOCK_STREAM, 132), "dccp": (6, 33), "udplite": (socket.SOCK_DGRAM, 136)}
TEXT = "a text of some length, " * 40


def make(proto, address):
    kind, number = KINDS[proto]
    end = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind, number)
    if proto == "dccp":
        end.setsockopt(269, 2, (42).to_bytes(4, "big"))  # SOL_DCCP, DCCP_SOCKOPT_SERVICE
    if proto == "udplite":
        end.setsockopt(136, 10, 20)  # UDPLITE_SEND_CSCOV: the header and twelve bytes are covered
        end.setsockopt(136, 11, 8)  # UDPLITE_RECV_CSCOV
    if proto != "dccp":
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return end


def answer(peer, data):
    return ("%s %d " % (peer[0], peer[1])).encode() + data


def serve(proto, address, port):
    end = make(proto, address)
    end.bind((address, port))
    if proto != "udplite":
        end.listen(16)
    print("ready", flush=True)
    while proto == "udplite":
        data, peer = end.recvfrom(4096)
        end.sendto(answer(peer, data), peer)
    while True:
        one, peer = end.accept()
        if os.fork() == 0:
            while data := one.recv(4096):
                one.send(answer(peer, data))
            os._exit(0)


def ask(proto, address, port, source, sport):
    end = make(proto, address)
    end.settimeout(float(os.environ.get("WAIT", "20")))
    end.bind((source, sport))
    try:
        end.connect((address, port))
        end.send(TEXT.encode())
        came = end.recv(4096).decode()
    except OSError:
        return "nothing"
    seen, _, text = came.partition(" a ")
    return seen if "a " + text == TEXT else "wrong"


if sys.argv[1] == "have":
    try:
        make(sys.argv[2], "127.0.0.1")
    except OSError:
        sys.exit(1)
elif sys.argv[1] == "serve":
    serve(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    print(ask(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5], int(sys.argv[6])))
