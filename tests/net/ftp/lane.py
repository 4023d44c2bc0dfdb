#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The cells of the FTP matrix that have one server and one way through the firewall, one after another: every client, in
every mode, in each family. Prints a result line for each and writes "SERVER|CLIENT|WAY|MODE/FAMILY|RESULT" to a file.

One process does all that a cell needs beside the client itself: in an emulated guest a process more costs as much as
a megabyte more.

What is left of the data connections is asked of the command --left, which runs outside of the client's namespace: it
answers lines of two ports (see left.lua).
"""
import argparse
import ctypes
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time

from clients import CLIENTS, read_trace

MODES = [("PASV", 4), ("EPSV", 4), ("PORT", 4), ("EPRT", 4), ("EPSV", 6), ("EPRT", 6)]


def enter(space):
    """This process and those that it starts are in that network namespace from now on."""
    with open("/run/netns/" + space) as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")


def checksum(path):
    with open(path, "rb") as file:
        return hashlib.md5(file.read()).digest()


class Failure(Exception):
    """Why a cell fails."""


class Unsupported(Exception):
    """By which program."""


class Lane:
    def __init__(self, options):
        self.options = options
        self.sum = checksum(options.file)
        self.asked = subprocess.Popen(["bash", "-c", options.left], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, bufsize=1)

    def hangs(self, client, why):
        """Says in the trace what a client does that does not come to its end."""
        def read(name):
            try:
                with open("/proc/%d/%s" % (client.pid, name)) as file:
                    return file.read().strip()
            except OSError as error:
                return str(error)
        with open("trace", "a") as trace:
            trace.write("%s: %s: %s\n" % (why, read("wchan"), " < ".join(read("stack").splitlines())))

    def session(self, arguments, script, end):
        """Runs a client, and ends it as soon as the last download has begun."""
        # Steps, not seconds: a machine that stood still for a while is not the client's fault.
        step, steps = 0.05, int(self.options.patience / 0.05)
        with open("script.in", "w+") as given, open("trace", "wb") as trace:
            given.write(script)
            given.seek(0)
            client = subprocess.Popen(arguments, stdin=given, stdout=trace, stderr=trace)

        def wait(until, steps):
            while steps > 0 and not until() and client.poll() is None:
                time.sleep(step)
                steps -= 1

        def begun():
            return os.path.exists("part") and os.path.getsize("part") > 0

        wait(begun, 2 * steps)
        if not begun() and client.poll() is None:
            self.hangs(client, "the last download does not begin")
        if client.poll() is None:
            client.send_signal(end)
        wait(lambda: False, steps)
        if client.poll() is None:
            self.hangs(client, "it does not end")
            client.kill()
            client.wait()
            raise Failure("it does not end")
        return begun()

    def left(self):
        self.asked.stdin.write("%d %d\n" % (self.options.port, self.options.published))
        return self.asked.stdout.readline().strip()

    def check_trace(self, client, mode):
        """That it was one session in that mode and no other."""
        with open("trace", errors="replace") as file:
            text = file.read()
        logins, asked, refused = read_trace(text)
        if mode in refused:
            raise Unsupported(self.options.server)
        if not asked:
            raise Failure("it never came to ask: " + (text.strip().splitlines() or ["it says nothing"])[-1])
        # It was told to ask so, and asked otherwise: it knows no better.
        if mode not in asked:
            raise Unsupported(client)
        if asked != [mode] or logins != 1:
            raise Failure("%d sessions, in which it asked %s" % (logins, " ".join(asked)))

    def check_files(self, name):
        for what, path in ("uploaded", os.path.join(self.options.files, name)), ("downloaded", "down"):
            if not os.path.exists(path) or checksum(path) != self.sum:
                raise Failure("what was %s differs" % what)
        with open("list", errors="replace") as file:
            if name not in file.read():
                raise Failure("the list lacks the file")

    def cell(self, client, mode, family, name):
        options = self.options
        host = options.host4 if family == 4 else options.host6
        command = CLIENTS[client](mode, host, options.published if options.way == "dnat" else options.port, options.user,
                                  options.password, name, options.file, options.patience)
        try:
            aborted = self.session(*command)
            self.check_trace(client, mode)
            self.check_files(name)
            if not aborted:
                raise Failure("the download that was to be aborted never began")
            for _ in range(50):
                left = self.left()
                if left == "nothing":
                    return
                time.sleep(0.2)
            raise Failure("left after the abort: " + left)
        finally:
            uploaded = os.path.join(options.files, name)
            if os.path.exists(uploaded):
                os.unlink(uploaded)

    def run(self):
        options = self.options
        for client in CLIENTS:
            for mode, family in MODES:
                title = "%s %s %s %s IPv%d" % (options.server, client, mode, options.way, family)
                if not re.search(options.only, title):
                    continue
                name = title.replace(" ", "-")
                os.makedirs(os.path.join(options.work, name))
                os.chdir(os.path.join(options.work, name))
                result = "ok"
                try:
                    self.cell(client, mode, family, name)
                    print("ok %s" % title, flush=True)
                except Unsupported as program:
                    result = "not supported by %s" % program
                    print("ok %s: %s" % (title, result), flush=True)
                except Failure as why:
                    result = "failed"
                    print("not ok %s - %s" % (title, why), flush=True)
                    with open("trace", errors="replace") as file:
                        for line in file.read().splitlines()[-60:]:
                            print("#   " + line, flush=True)
                with open(options.cells, "a") as cells:
                    cells.write("|".join((options.server, client, options.way, "%s/%d" % (mode, family), result)) + "\n")
                os.chdir(options.work)
                shutil.rmtree(name)


def main():
    parser = argparse.ArgumentParser()
    for option in ("server", "way", "host4", "host6", "user", "password", "files", "file", "work", "cells", "left"):
        parser.add_argument("--" + option, required=True)
    for option in ("port", "published", "patience"):
        parser.add_argument("--" + option, type=int, required=True)
    parser.add_argument("--only", default=".")
    options = parser.parse_args()
    # A shell's background ignores interrupts, and so would the clients.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    lane = Lane(options)
    enter("client")
    lane.run()


if __name__ == "__main__":
    main()
