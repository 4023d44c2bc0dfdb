# SPDX-License-Identifier: GPL-2.0-or-later
"""mutation.py TOP [SEED]: malformed messages of every command, made by rule and at random.

Those made by rule (missing, short, long, out of range, unknown, wrong nest, twice) must be refused with words.
Of those made at random it is only asked that each is answered and that the kernel goes on as before.
"""
import errno
import random
import socket
import sys
import time

import valid
import wire

RANDOM_MUTATIONS = 1000


class Mutator:
    def __init__(self, top, seed):
        self.n = wire.load_numbers(top)
        self.seed = seed
        self.valid = valid.messages(self.n)
        self.report = wire.Report()
        self.connection = wire.Connection()
        # What may have another length; what a list may have many of.
        self.elastic = {(self.n["IPFI_A_RULE"], self.n["IPFI_RULE_A_WRITTEN"]),
                        (self.n["IPFI_A_PACKET"], self.n["IPFI_PACKET_A_DATA"])}
        self.lists = {(self.n["IPFI_A_RULE"], self.n["IPFI_RULE_A_" + name], 1) for name in
                      ("PROTO", "SRC", "DST", "SPORT", "DPORT", "ICMP", "LENGTH", "DSCP", "USER")}
        self.lists |= {(self.n["IPFI_A_RULE"], self.n["IPFI_RULE_A_SRC"], self.n["IPFI_ADDRS_A_" + name])
                       for name in ("ME", "SET")}
        self.lists.add((self.n["IPFI_A_SET"], self.n["IPFI_SET_A_MEMBER"]))
        self.lists.add((self.n["IPFI_A_RULE"], self.n["IPFI_RULE_A_TARGET"], self.n["IPFI_TARGET_A_ADDRS"],
                        self.n["IPFI_ADDRS_A_RANGE"]))

    def command(self, name):
        """The number of a command; several messages of one have a second word to tell them apart."""
        return self.n["IPFI_CMD_" + name.split()[0]]

    def begin(self):
        self.connection.request(self.command("RULESET_ABORT"))
        # A mutation may have become a commit that waits to be confirmed.
        self.connection.request(self.command("RULESET_ROLLBACK"), [(self.n["IPFI_A_COMMIT"], [])])
        return self.connection.request(self.command("RULESET_BEGIN"), self.valid["RULESET_BEGIN"][0])

    def send(self, name, body):
        """Sends body as the named command, in the surroundings in which a valid one would succeed."""
        # A set is there as soon as a transaction has declared it.
        if name.split()[0] in ("RULE_ADD", "RULESET_COMMIT", "RULESET_ABORT", "RULESET_DRY_RUN", "SETS_DUMP", "SET_ADD",
                               "SET_DELETE"):
            self.begin()
        elif name == "RULESET_BEGIN":
            self.connection.request(self.command("RULESET_ABORT"))
        if self.valid[name][1]:
            return self.connection.dump(self.command(name), body)
        return self.connection.request(self.command(name), body)

    # Trees: the mutations made by rule. Each yields (what, bytes).

    def paths(self, attributes, above=()):
        for index, (number, value) in enumerate(attributes):
            yield above + (number,), index, attributes
            if isinstance(value, list):
                yield from self.paths(value, above + (number,))

    def rebuilt(self, attributes, place, replacement):
        """The bytes of attributes with the one at place, found by identity, replaced by the bytes given."""
        out = b""
        for index, (number, value) in enumerate(attributes):
            if attributes is place[0] and index == place[1]:
                out += replacement
            elif isinstance(value, list):
                inner = self.rebuilt(value, place, replacement)
                out += wire.aligned(wire.encode_one(number | wire.NLA_F_NESTED, inner))
            else:
                out += wire.aligned(wire.encode_one(number, value))
        return out

    def mutations(self, name):
        message = self.valid[name][0]
        required = valid.required(self.n).get(name, set())
        for path, index, holder in list(self.paths(message)):
            number, value = holder[index]
            place = (holder, index)
            whole = wire.aligned(wire.encode_one(number, value))
            label = ".".join(map(str, path))

            def made(what, replacement):
                return "%s %s" % (what, label), self.rebuilt(message, place, replacement)

            if path in required:
                yield made("missing", b"")
            if path not in self.lists:
                yield made("twice", whole + whole)
            if isinstance(value, list):
                yield made("not nested", wire.aligned(wire.encode_one(number, wire.encode(value))))
                yield made("short nest", wire.aligned(wire.encode_one(number | wire.NLA_F_NESTED, b"\1\2\3")))
                for stranger in (0, 60, 200):
                    inner = wire.encode(value) + wire.encode([(stranger, wire.u32(1))])
                    yield made("unknown %d in" % stranger, wire.encode_one(number | wire.NLA_F_NESTED, inner))
                # An attribute that claims more than there is, and one that claims less than a header.
                for length in (0xfff0, 3):
                    inner = wire.encode(value) + wire.u16(length) + wire.u16(1)
                    yield made("length %d in" % length, wire.encode_one(number | wire.NLA_F_NESTED, inner))
            else:
                yield made("nested", wire.aligned(wire.encode_one(number | wire.NLA_F_NESTED, value)))
                if path not in self.elastic:
                    if value:
                        yield made("short", wire.aligned(wire.encode_one(number, value[:-1])))
                    yield made("long", wire.aligned(wire.encode_one(number, value + b"\0")))
                    if value:
                        yield made("empty", wire.aligned(wire.encode_one(number, b"")))
        for path, payload in valid.outside(self.n).get(name, ()):
            place = self.find(message, path)
            yield ("out of range %s" % ".".join(map(str, path)),
                   self.rebuilt(message, place, wire.aligned(wire.encode_one(path[-1], payload))))
        for stranger in (0, self.n["__IPFI_A_END"], 200, self.n["IPFI_A_STATE"]):
            yield "unknown %d" % stranger, wire.encode(message) + wire.encode([(stranger, wire.u32(1))])
        yield "junk", wire.encode(message) + b"\1\2\3\4"

    def find(self, attributes, path):
        """The last attribute of this path: (list, index)."""
        for index in reversed(range(len(attributes))):
            number, value = attributes[index]
            if number == path[0]:
                return (attributes, index) if len(path) == 1 else self.find(value, path[1:])
        raise KeyError(path)

    def by_rule(self, name):
        count, wrong = 0, []
        # What is refused must be refused for its fault: the message is good without it.
        answer = self.send(name, self.valid[name][0])
        expected = {"RULESET_COMMIT": errno.ESTALE, "RULESET_CONFIRM": errno.ENOENT, "RULESET_ROLLBACK": errno.ENOENT}
        expected = expected.get(name, 0)
        self.report.check(answer.error == expected, "%s: the valid message is understood" % name, answer)
        for what, body in self.mutations(name):
            answer = self.send(name, body)
            count += 1
            if not answer.error or answer.error in (errno.ESTALE, errno.ENOENT) or not answer.explained:
                wrong.append("%s: %s" % (what, answer))
        self.report.check(not wrong, "%s: %d malformed messages are refused, each with a reason" % (name, count),
                          "; ".join(wrong[:8]))

    # Bytes: the mutations made at random.

    def mutated(self, random_, body):
        body = bytearray(body)
        for _ in range(random_.choice((1, 1, 1, 2, 3, 8))):
            kind = random_.randrange(7)
            at = random_.randrange(len(body) + 1)
            if kind == 0 and body:
                body[at % len(body)] ^= 1 << random_.randrange(8)
            elif kind == 1 and body:
                body[at % len(body)] = random_.choice((0, 1, 4, 0x7f, 0x80, 0xff))
            elif kind == 2:
                del body[at:at + random_.choice((1, 2, 4, 8, 64))]
            elif kind == 3:
                body[at:at] = random_.randbytes(random_.choice((1, 2, 4, 8, 40)))
            elif kind == 4:
                del body[at:]
            elif kind == 5:
                length = random_.choice((4, 8, 12, 32))
                body[at:at] = body[at - length if at >= length else 0:at]
            else:
                # A length or a type of an attribute, where they stand.
                at &= ~3
                word = random_.choice((0, 3, 4, 5, 8, 0x20, 0xffff, random_.randrange(0x10000)))
                place = at + 2 * random_.randrange(2)
                body[place:place + 2] = wire.u16(word)
        return bytes(body[:60000])

    def at_random(self, name):
        random_ = random.Random("%s %s" % (self.seed, name))
        body = wire.encode(self.valid[name][0])
        outcomes = {}
        silent = 0
        for _ in range(RANDOM_MUTATIONS):
            try:
                answer = self.send(name, self.mutated(random_, body))
                outcomes[answer.error] = outcomes.get(answer.error, 0) + 1
            except socket.timeout:
                silent += 1
                break
        text = ", ".join("%s %d" % (errno.errorcode.get(error, "done"), count)
                         for error, count in sorted(outcomes.items()))
        self.report.check(not silent, "%s: %d random mutations are answered (%s)" % (name, RANDOM_MUTATIONS, text),
                          "no answer after %d, seed %s" % (sum(outcomes.values()), self.seed))

    # Headers: no answer can be asked for.

    def bad_headers(self):
        connection = self.connection
        for length in (0, 15, 16, 17, 19, 0x7fffffff):
            message = bytearray(connection.message(self.command("RULE_ADD"), self.valid["RULE_ADD"][0], wire.NLM_F_ACK))
            message[0:4] = wire.u32(length)
            connection.socket.send(bytes(message))
        for flags in range(0x100, 0x1000, 0x100):
            connection.socket.send(connection.message(self.command("INFO"), b"", flags))
        for command in (0, self.command("EVENT_STATE"), self.n["__IPFI_CMD_END"], 255):
            answer = connection.request(command)
            self.report.same(answer.error, errno.EOPNOTSUPP, "command %d does not exist" % command)
        connection.close()
        self.connection = wire.Connection()

    def commits(self):
        """A normal rule set still can be committed, and is what runs then."""
        n, connection = self.n, self.connection
        connection.request(self.command("LIMITS_SET"), self.valid["LIMITS_SET"][0])
        self.begin()
        added = connection.request(self.command("RULE_ADD"), self.valid["RULE_ADD"][0])
        answer = connection.request(self.command("RULESET_COMMIT"), [(n["IPFI_A_COMMIT"], [])])
        self.report.check(added.error == 0 and answer.error == 0, "a normal commit still works", (added, answer))
        dump = connection.dump(self.command("RULES_DUMP"))
        rules = [dict(attributes) for _, attributes in dump.replies if n["IPFI_A_RULE"] in dict(attributes)]
        self.report.same(len(rules), 1, "the rule is there")

    def make_states(self):
        """So that dumps, counts and deletions have something to walk over."""
        n = self.n
        self.begin()
        self.connection.request(self.command("RULE_ADD"), [(n["IPFI_A_RULE"], [
            (n["IPFI_RULE_A_NAME"], wire.text("all")), (n["IPFI_RULE_A_LISTS"], wire.u8(7)),
            (n["IPFI_RULE_A_VERDICT"], wire.u8(n["IPFI_VERDICT_ALLOW"])), (n["IPFI_RULE_A_FLAGS"], wire.u32(1))])])
        self.connection.request(self.command("RULESET_COMMIT"), [(n["IPFI_A_COMMIT"], [])])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for port in range(9000, 9500):
                sender.sendto(b"x", ("127.0.0.1", port))
        answer = self.connection.request(self.command("STATES_COUNT"))
        stats = dict(wire.decode(dict(answer.replies[0][1])[n["IPFI_A_STATS"]]))
        count = wire.number_of(stats[n["IPFI_STATS_A_STATES"]])
        self.report.check(count >= 500, "there are states", count)

    def run(self):
        for name in self.valid:
            self.by_rule(name)
        self.make_states()
        for name in self.valid:
            started = time.monotonic()
            self.at_random(name)
            print("# %s: %.1f s" % (name, time.monotonic() - started), flush=True)
        self.bad_headers()
        self.commits()
        return self.report.failures


if __name__ == "__main__":
    seed = sys.argv[2] if len(sys.argv) > 2 else str(random.SystemRandom().randrange(1 << 32))
    print("# seed %s" % seed, flush=True)
    sys.exit(1 if Mutator(sys.argv[1], seed).run() else 0)
