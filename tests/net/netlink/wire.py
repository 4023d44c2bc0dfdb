# SPDX-License-Identifier: GPL-2.0-or-later
"""Generic netlink by hand: what the tests of the kernel's side need, and nothing between them and the bytes.

The numbers come out of the uapi header by the compiler's preprocessor, so none is written twice. Attributes
are pairs (number, value); a value is bytes, or a list of attributes for a nest.
"""
import errno
import os
import re
import socket
import struct
import subprocess

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 1, 10, 11, 12
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x2, 0x4, 0x10, 0x300
NLM_F_ACK_TLVS = 0x200
NLA_F_NESTED = 0x8000
NLA_TYPE_MASK = 0x3fff
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 0x10, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_MCAST_GROUPS = 1, 2, 7
ACK_MSG, ACK_OFFSET, ACK_MISS_TYPE = 1, 2, 5

HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port id
GENL = struct.Struct("=BBH")  # command, version, reserved


def load_numbers(top):
    """Every enumerator of the uapi header, by name."""
    include = os.path.join(top, "include/uapi")
    text = subprocess.run(["gcc", "-E", "-P", "-I", include, os.path.join(include, "linux/ipfi.h")],
                          check=True, capture_output=True, text=True).stdout
    numbers = {}
    for body in re.findall(r"enum\s+\w+\s*\{([^}]*)\}", text):
        value = -1
        for item in filter(None, (part.strip() for part in body.split(","))):
            name, _, expression = item.partition("=")
            value = eval(expression, {}, numbers) if expression else value + 1
            numbers[name.strip()] = value
    return numbers


def u8(value):
    return struct.pack("=B", value)


def u16(value):
    return struct.pack("=H", value)


def u32(value):
    return struct.pack("=I", value)


def u64(value):
    return struct.pack("=Q", value)


def text(value):
    return value.encode() + b"\0"


def address(value):
    return socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)


def aligned(data):
    return data + bytes(-len(data) % 4)


def encode_one(number, value):
    """One attribute without the padding behind it."""
    if isinstance(value, list):
        number |= NLA_F_NESTED
        value = encode(value)
    return struct.pack("=HH", 4 + len(value), number) + value


def encode(attributes):
    return b"".join(aligned(encode_one(*attribute)) for attribute in attributes)


def decode(data):
    """The attributes of a nest or a message, as a list of (number, payload)."""
    attributes, at = [], 0
    while len(data) - at >= 4:
        length, number = struct.unpack_from("=HH", data, at)
        if length < 4 or at + length > len(data):
            raise ValueError("the kernel sent a malformed attribute")
        attributes.append((number & NLA_TYPE_MASK, data[at + 4:at + length]))
        at += (length + 3) & ~3
    return attributes


def number_of(payload):
    return int.from_bytes(payload, "little" if struct.pack("=H", 1)[0] else "big")


class Answer:
    """What came back for a request: an errno (0: done), what the kernel said about it, and the replies."""

    def __init__(self):
        self.error = 0
        self.message = ""
        self.offset = None  # of the bad attribute, from the start of the message
        self.missing = None  # the number of the attribute that lacks
        self.interrupted = False
        self.replies = []  # (command, attributes)
        self.bytes = 0

    def take_acknowledgement(self, kind, flags, payload):
        self.error = -struct.unpack_from("=i", payload)[0]
        if not flags & NLM_F_ACK_TLVS:
            return
        start = 4
        if kind == NLMSG_ERROR:
            # The refused message's header follows; its body too where the kernel does not cap it.
            length = struct.unpack_from("=I", payload, 4)[0] if not flags & 0x100 else HEADER.size
            start += (length + 3) & ~3
        for number, value in decode(payload[start:]):
            if number == ACK_MSG:
                self.message = value.rstrip(b"\0").decode()
            elif number == ACK_OFFSET:
                self.offset = number_of(value)
            elif number == ACK_MISS_TYPE:
                self.missing = number_of(value)

    @property
    def explained(self):
        """Does it say in words what is wrong?"""
        return bool(self.message) or self.missing is not None

    def __str__(self):
        return "%s '%s'" % (errno.errorcode.get(self.error, self.error), self.message)


class Connection:
    def __init__(self, family=None, timeout=20):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.socket.settimeout(timeout)
        for option in NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK:
            self.socket.setsockopt(SOL_NETLINK, option, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sequence = 0
        self.groups = {}
        self.family = family or self.find_family("ipfi")

    def close(self):
        self.socket.close()

    def find_family(self, name):
        answer = self.exchange(GENL_ID_CTRL, GENL.pack(CTRL_CMD_GETFAMILY, 2, 0)
                               + encode([(CTRL_ATTR_FAMILY_NAME, text(name))]))
        if answer.error:
            raise OSError(answer.error, "no family " + name)
        attributes = dict(answer.replies[0][1])
        for _, group in decode(attributes.get(CTRL_ATTR_MCAST_GROUPS, b"")):
            group = dict(decode(group))
            self.groups[group[1].rstrip(b"\0").decode()] = number_of(group[2])
        return number_of(attributes[CTRL_ATTR_FAMILY_ID])

    def join(self, group):
        self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups[group])

    def message(self, command, body, flags=0, version=1):
        """A message of the family: the header with the next sequence number, then body (bytes or attributes)."""
        if not isinstance(body, bytes):
            body = encode(body)
        self.sequence += 1
        payload = GENL.pack(command, version, 0) + body
        return aligned(HEADER.pack(HEADER.size + len(payload), self.family, NLM_F_REQUEST | flags, self.sequence, 0)
                       + payload)

    def exchange(self, kind, payload, flags=NLM_F_ACK):
        self.sequence += 1
        self.socket.send(aligned(HEADER.pack(HEADER.size + len(payload), kind, NLM_F_REQUEST | flags, self.sequence, 0)
                                 + payload))
        return self.receive(self.sequence)

    def request(self, command, body=b"", flags=NLM_F_ACK):
        """Sends a request and waits for its acknowledgement."""
        self.socket.send(self.message(command, body, flags))
        return self.receive(self.sequence)

    def dump(self, command, body=b""):
        return self.request(command, body, NLM_F_DUMP)

    def messages(self):
        """The messages of the next datagram: (type, flags, sequence number, payload)."""
        data, at = self.socket.recv(1 << 17), 0
        self.received = len(data)
        found = []
        while len(data) - at >= HEADER.size:
            length, kind, flags, sequence, _ = HEADER.unpack_from(data, at)
            found.append((kind, flags, sequence, data[at + HEADER.size:at + length]))
            at += (length + 3) & ~3
        return found

    def receive(self, wanted):
        answer = Answer()
        while True:
            for kind, flags, sequence, payload in self.messages():
                if sequence != wanted:
                    continue
                answer.interrupted |= bool(flags & NLM_F_DUMP_INTR)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    answer.take_acknowledgement(kind, flags, payload)
                    return answer
                answer.bytes += len(payload)
                answer.replies.append((payload[0], decode(payload[GENL.size:])))
            # A dump goes on by itself; a reply is followed by its acknowledgement.

    def event(self):
        """The next message that nobody asked for: (command, attributes)."""
        while True:
            for kind, _, sequence, payload in self.messages():
                if kind == self.family and sequence == 0:
                    return payload[0], decode(payload[GENL.size:])


class Report:
    """The lines that the lab reads."""

    def __init__(self):
        self.failures = 0

    def check(self, good, name, why=""):
        if good:
            print("ok " + name, flush=True)
        else:
            self.failures += 1
            print("not ok %s - %s" % (name, str(why).replace("\n", " ")), flush=True)

    def same(self, got, wanted, name):
        self.check(got == wanted, name, "got %r, wanted %r" % (got, wanted))

    def refused(self, answer, error, name):
        """Refused with this errno, and told why."""
        self.check(answer.error == error and answer.explained, name,
                   "got %s, wanted %s with a reason" % (answer, errno.errorcode[error]))
