#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""explain.py IPFI SCRIPT WIRE LEFT RIGHT SEED PACKETS: asks the firewall of namespace router about random packets, each
just before it is sent, and compares: verdict, reset, reason, and as what a TCP segment comes out. Says each
difference, and at the end how many packets of each reason there were."""
import collections
import random
import subprocess
import sys

ipfi, script, wire, left, right, seed, packets = sys.argv[1:8]
random.seed(int(seed))

NEAR = ["10.9.0.1", "10.9.0.2", "fd00:9::1"]
FAR = ["10.8.0.1", "10.8.0.2", "fd00:8::1"]
PORTS = [22, 23, 25, 80, 8080]


class Pipe:
    """A program that answers each line by one line."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"no answer to: {line}")
        return answer.strip()


asked = Pipe("ip", "netns", "exec", "router", ipfi, script)
sent = Pipe(wire, left, right)


class Packet:
    """One that is asked about and sent."""

    def __init__(self, outward, proto, src, sport, dst, dport, flags="", seq=0, ack=0):
        self.outward, self.proto, self.src, self.sport = outward, proto, src, sport
        self.dst, self.dport, self.flags, self.seq, self.ack = dst, dport, flags, seq, ack

    def question(self):
        fields = [f'src = "{self.src}"', f'dst = "{self.dst}"', f'proto = "{self.proto}"', "ttl = 63",
                  'dir = "forward"', f'iif = "{"lan0" if self.outward else "wan0"}"',
                  f'oif = "{"wan0" if self.outward else "lan0"}"']
        fields += [f"sport = {self.sport}", f"dport = {self.dport}"]
        if self.proto == "tcp":
            fields += [f'flags = "{self.flags}"', f"seq = {self.seq}", f"ack = {self.ack}", "window = 65535"]
        return "explain { " + ", ".join(fields) + " }"

    def line(self):
        flags = f"{self.flags} seq={self.seq} ack={self.ack} win=65535 tell" if self.proto == "tcp" else ""
        return f'{">" if self.outward else "<"} {self.proto} {self.src} {self.sport} {self.dst} {self.dport} {flags}'


def fresh():
    """A packet that opens something, or tries to."""
    outward = random.random() < 0.7
    near, far = random.choice([(n, f) for n in NEAR for f in FAR if (":" in n) == (":" in f)])
    src, dst = (near, far) if outward else (far, near)
    proto = random.choice(["tcp", "tcp", "tcp", "udp"])
    return Packet(outward, proto, src, 4000 + random.randrange(6), dst, random.choice(PORTS),
                  random.choice(["S", "S", "S", "A", "R", "SA"]), 1000, 0)


def answer(packet, seen):
    """What the other side may say, to what it has seen."""
    src, sport, dst, dport = seen
    flags = random.choice(["SA", "SA", "RA"]) if packet.flags == "S" else random.choice(["A", "FA", "R", "S"])
    ack = packet.seq + (1 if set(packet.flags) & set("SF") else 0)
    return Packet(not packet.outward, packet.proto, dst, dport, src, sport, flags,
                  5000 if packet.flags == "S" else packet.ack, ack)


reasons, wrong, recent = collections.Counter(), 0, []
for number in range(int(packets)):
    packet = answer(*random.choice(recent)) if recent and random.random() < 0.5 else fresh()
    told = asked.ask(packet.question())
    verdict, reason, rule, state, nat = told.split(" ", 4)
    before = int(asked.ask(f"count {reason}"))
    became = sent.ask(packet.line())
    more = int(asked.ask(f"count {reason}")) - before
    reasons[reason] += 1
    shown = [packet.src, str(packet.sport), packet.dst, str(packet.dport)]
    if nat != "-":
        shown = nat.replace(" >", "").split()
    problems = []
    if became.startswith("pass") != (verdict == "allow"):
        problems.append("verdict")
    if packet.proto == "tcp" and "R" not in packet.flags and ("reset" in became) != (verdict == "reject"):
        problems.append("reset")
    if more < 1:
        problems.append("reason")
    words = became.split()
    if packet.proto == "tcp" and words[0] == "pass" and len(words) > 5 and words[2:6] != shown:
        problems.append("translation")
    if problems:
        wrong += 1
        print(f"packet {number}: {packet.line()}: told {told}; became {became}; {reason} {more}: {', '.join(problems)}")
    if became.startswith("pass"):
        recent = [(packet, shown)] + recent[:7]
print(", ".join(f"{name} {count}" for name, count in sorted(reasons.items())))
raise SystemExit(wrong != 0)
