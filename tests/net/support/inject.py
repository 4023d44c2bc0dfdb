#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# inject.py INTERFACE SRC SPORT DST DPORT: sends an empty UDP datagram by a packet socket, past whatever the
# machine thinks of its addresses. On lo it comes in at once, on one end of a veth pair at the other.
import ipaddress
import socket
import struct
import sys


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def main():
    interface, source, sport, destination, dport = sys.argv[1:]
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    udp = struct.pack("!HHHH", int(sport), int(dport), 8, 0)
    if source.version == 4:
        header = struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 17, 0) + source.packed + destination.packed
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        protocol = 0x0800
    else:
        pseudo = source.packed + destination.packed + struct.pack("!II", 8, 17)
        udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xFFFF)
        header = struct.pack("!IHBB", 6 << 28, 8, 17, 64) + source.packed + destination.packed
        protocol = 0x86DD
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, protocol) as out:
        out.bind((interface, protocol))
        to = b"\0" * 6
        if interface != "lo":
            to = bytes.fromhex(sys.stdin.read().strip().replace(":", ""))
        out.send(to + b"\0" * 6 + struct.pack("!H", protocol) + header + udp)


main()
