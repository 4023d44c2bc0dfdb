#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# two_sockets.py udp|tcp OWN PUBLISHED SERVER PORT: two sockets with one local port, the first connected to the published
# address, the second to the server itself. Both ask by turns for what they said to be said again; prints what each
# hears of its own, in order.
#
# two_sockets.py serve udp|tcp ADDRESS PORT: says it again.
import socket
import sys
import threading

KINDS = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}


def make(kind, address):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, KINDS[kind])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return made


def echo(connection):
    while data := connection.recv(100):
        connection.sendall(data)


def serve(kind, address, port):
    server = make(kind, address)
    server.bind((address, int(port)))
    if kind == "tcp":
        server.listen()
        while True:
            threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
    while True:
        data, sender = server.recvfrom(100)
        server.sendto(data, sender)


def ask(kind, own, published, server, port):
    sockets = []
    heard = [[], []]
    for to in published, server:
        one = make(kind, own)
        one.bind((own, 5000))
        one.connect((to, int(port)))
        one.settimeout(20)
        one.send(b"hello")
        one.recv(100)
        sockets.append(one)
    for turn in range(3):
        for i, one in enumerate(sockets):
            one.send(b"%d.%d" % (i, turn))
        for i, one in enumerate(sockets):
            try:
                heard[i].append(one.recv(100).decode())
            except socket.timeout:
                heard[i].append("-")
    print(" ".join(heard[0]), " ".join(heard[1]))


if sys.argv[1] == "serve":
    serve(*sys.argv[2:])
else:
    ask(*sys.argv[1:])
