#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Both ends of FTP control connections that say what real programs do not.

talk.py CLIENT_SPACE SERVER_SPACE: reads lines of standard input, each "SECONDS STEP", how long to wait for a connection
or a text, and a step. It answers each with a line.

    listen SPACE PORT...            "listening": both families; who connects is accepted and left alone
    control ADDRESS PORT [COUNT]    opens a control connection (COUNT of them) from the client's space to ADDRESS PORT,
                                    where "listen" listens in the server's, and takes it for the following steps:
                                    "connected", or "closed"
    client TEXT   server TEXT       says TEXT, each "~" ending a segment, each "$" a line, on each of the control
                                    connections; "heard TEXT" is what the other side got of the last of them, or
                                    "heard nothing" ("~" and "$" likewise); "\\xNN" is that byte
    flood COUNT TEXT                the client says TEXT COUNT times on each, "%" standing for a number from 1024 to
                                    65535 as h,l; "said N"
    data SPACE ADDRESS PORT [FROM]  tries to connect from SPACE to ADDRESS PORT: "open" (and closed again), "closed"
    keep SPACE ADDRESS PORT         the same, and stays open; "poke" sends over it: "alive" or "dead"
    end                             closes the control connections: "ended"
"""
import ctypes
import os
import select
import socket
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)


def enter(space):
    """Sockets that this thread makes are in that network namespace from now on."""
    with open("/run/netns/" + space) as file:
        if libc.setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")


class Talk:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.controls, self.kept, self.patience = [], None, 0
        self.accepted, self.waiting, self.listening = {}, threading.Condition(), []

    def listen(self, space, *ports):
        enter(space)
        for port in ports:
            end = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            end.bind(("::", int(port)))
            end.listen(4096)
            self.listening.append(end)
            threading.Thread(target=self.accept, args=(end,), daemon=True).start()
        return "listening"

    def accept(self, listening):
        while True:
            end, peer = listening.accept()
            with self.waiting:
                # A translated client comes from another address: its port is all there is to know it by, and
                # where that is another too, the order.
                self.accepted[peer[1]] = end
                self.waiting.notify_all()

    def connect(self, space, address, port, source=None):
        enter(space)
        end = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        end.settimeout(self.patience)
        if source:
            end.bind((source, 0))
        try:
            end.connect((address, int(port)))
        except OSError:
            end.close()
            return None
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return end

    def control(self, address, port, count="1"):
        self.controls = []
        for _ in range(int(count)):
            near = self.connect(self.client, address, port)
            if not near:
                return "closed"
            number = near.getsockname()[1]
            with self.waiting:
                if not self.waiting.wait_for(lambda: number in self.accepted, self.patience):
                    return "closed"
                far = self.accepted.pop(number)
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.controls.append((near, far))
        return "connected"

    def say(self, text, speaker):
        text = text.replace("$", "\r\n").encode().decode("unicode_escape").encode("latin-1")
        heard = b""
        for pair in self.controls:
            speaking, hearing = pair[speaker], pair[1 - speaker]
            parts = text.split(b"~")
            # What was said before is heard first, so that a cut in the text is one between segments.
            for number, part in enumerate(parts):
                speaking.sendall(part)
                if number < len(parts) - 1:
                    time.sleep(0.2)
            heard = b""
            until = time.monotonic() + self.patience
            while not heard.endswith(b"\n") and select.select([hearing], [], [], max(0, until - time.monotonic()))[0]:
                part = hearing.recv(4096)
                if not part:
                    break
                heard += part
        return "heard " + (heard.decode("latin-1").replace("\r\n", "$") or "nothing")

    def flood(self, count, text):
        text = text.replace("$", "\r\n")
        port, said = 1024, 0
        for near, far in self.controls:
            batch = []
            for _ in range(int(count)):
                batch.append(text.replace("%", "%d,%d" % (port >> 8, port & 255)))
                port = port + 1 if port < 65535 else 1024
            data, at = "".join(batch).encode(), 0
            near.setblocking(False)
            until = time.monotonic() + 60
            got = 0
            while got < len(data) and time.monotonic() < until:
                writing = [near] if at < len(data) else []
                readable, writable, _ = select.select([far], writing, [], 1)
                if writable:
                    at += near.send(data[at:at + 65536])
                if readable:
                    got += len(far.recv(1 << 20))
            near.setblocking(True)
            said += int(count) if got == len(data) else 0
        return "said %d" % said

    def data(self, space, address, port, source=None):
        end = self.connect(space, address, port, source)
        if not end:
            return "closed"
        end.close()
        return "open"

    def keep(self, space, address, port):
        self.kept = self.connect(space, address, port)
        if not self.kept:
            return "closed"
        number = self.kept.getsockname()[1]
        with self.waiting:
            self.waiting.wait_for(lambda: number in self.accepted, self.patience)
            self.far = self.accepted.get(number)
        return "open"

    def poke(self):
        try:
            self.kept.sendall(b"x")
            self.far.settimeout(self.patience)
            return "alive" if self.far.recv(1) else "dead"
        except OSError:
            return "dead"

    def end(self):
        for near, far in self.controls:
            near.close()
            far.close()
        self.controls = []
        return "ended"

    def step(self, line):
        patience, verb, *rest = line.split(" ", 2)
        self.patience, rest = float(patience), rest[0] if rest else ""
        if verb in ("client", "server"):
            return self.say(rest, 0 if verb == "client" else 1)
        if verb == "flood":
            return self.flood(*rest.split(" ", 1))
        if verb in ("listen", "control", "data", "keep", "poke", "end"):
            return getattr(self, verb)(*rest.split())
        raise ValueError("no step '%s'" % verb)


talk = Talk(sys.argv[1], sys.argv[2])
for each in sys.stdin:
    print(talk.step(each.rstrip("\n")), flush=True)
