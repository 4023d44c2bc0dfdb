#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A control connection whose ends send their lines in small pieces, as ordinary sockets do: with Nagle's algorithm.

dribble.py serve PORT TRANSCRIPT PIECE...   answers each line of one client by "200 ok", and PASV by the pieces
dribble.py talk HOST PORT PIECE...          sends the pieces, "+" waits for a line; prints what it was sent

A piece has Python's escapes. Between two passes a twentieth of a second. Everything ends after 60 seconds.
"""
import socket
import sys
import time

PAUSE = 0.05
PATIENCE = 60


def send(connection, pieces):
    for piece in pieces:
        connection.sendall(piece.encode().decode("unicode_escape").encode("latin-1"))
        time.sleep(PAUSE)


def serve(port, transcript, *pieces):
    listener = socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True)
    connection, _ = listener.accept()
    connection.settimeout(PATIENCE)
    with open(transcript, "wb") as heard:
        for line in connection.makefile("rb"):
            heard.write(line)
            heard.flush()
            send(connection, pieces if line.strip().upper() == b"PASV" else ["200 ok\\r\\n"])
    connection.close()


def talk(host, port, *pieces):
    connection = socket.create_connection((host, int(port)), PATIENCE)
    lines = connection.makefile("rb")
    for piece in pieces:
        if piece == "+":
            sys.stdout.write(lines.readline().decode("latin-1"))
        else:
            send(connection, [piece])
    connection.shutdown(socket.SHUT_WR)
    sys.stdout.write(lines.read().decode("latin-1"))


{"serve": serve, "talk": talk}[sys.argv[1]](*sys.argv[2:])
