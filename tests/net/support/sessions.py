#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections in use, as many as are wanted in one process: where everything is checked a process costs too much.

sessions.py DIRECTORY NAME=SPEC...   SPEC is PROTO,ADDRESS,PORT,SOURCE_PORT, to a server that answers (whoami.py serve).
                                     Sends a line on each of them five times a second and counts: the file
                                     DIRECTORY/NAME has how many were sent and how many answers came, "SENT ANSWERS".
                                     Runs until it is killed. What ends a connection is written to DIRECTORY/NAME.error.
"""
import os
import select
import socket
import sys
import time

PAUSE = 0.2


class Session:
    def __init__(self, directory, name, spec):
        proto, address, port, source_port = spec.split(",")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.stream = proto == "tcp"
        self.path = os.path.join(directory, name)
        self.sent = self.answers = 0
        self.count = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.end = socket.socket(family, socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM)
        self.end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.end.bind(("", int(source_port)))
        self.end.setblocking(False)
        self.end.connect_ex((address, int(port)))
        self.tell()

    # Of one width, so that nobody reads half of it.
    def tell(self):
        os.pwrite(self.count, b"%8d %8d\n" % (self.sent, self.answers), 0)

    # A datagram that cannot go is lost; a stream that has an error is over.
    def failed(self, error):
        if self.stream:
            with open(self.path + ".error", "w") as file:
                print(error, file=file)
            self.end.close()
            self.end = None

    def send(self):
        try:
            self.end.send(b"typed\n")
        except BlockingIOError:
            pass
        except OSError as error:
            self.failed(error)
        self.sent += 1
        self.tell()

    def receive(self):
        try:
            if self.end.recv(2048):
                self.answers += 1
                self.tell()
            elif self.stream:
                self.failed("closed by the server")
        except BlockingIOError:
            pass
        except OSError as error:
            self.failed(error)


def main():
    sessions = [Session(sys.argv[1], *argument.split("=")) for argument in sys.argv[2:]]
    due = time.monotonic()
    while True:
        live = {session.end: session for session in sessions if session.end}
        for end in select.select(live, [], [], max(0, due - time.monotonic()))[0]:
            live[end].receive()
        if time.monotonic() >= due:
            for session in sessions:
                if session.end:
                    session.send()
            due = time.monotonic() + PAUSE


main()
