# SPDX-License-Identifier: GPL-2.0-or-later
"""contract.py TOP [closed]: what the uapi header promises of each command: transactions, dumps, filters, events,
permissions.
With "closed", what a module loaded with closed=1 says of itself.
"""
import errno
import os
import socket
import sys
import time

import wire

TRANSACTIONS_MOST = 16
GUEST = os.environ.get("IPFI_GUEST", "")


class Contract:
    def __init__(self, top):
        self.n = wire.load_numbers(top)
        self.report = wire.Report()
        self.connection = wire.Connection()

    # Requests, with what is needed to speak of them.

    def ask(self, name, body=b"", connection=None):
        return (connection or self.connection).request(self.n["IPFI_CMD_" + name], body)

    def nest(self, name, attributes):
        return [(self.n["IPFI_A_" + name], attributes)]

    def fields(self, answer, top):
        """The nest of this name in the only reply, as {number: payload}."""
        return dict(wire.decode(dict(answer.replies[0][1])[self.n["IPFI_A_" + top]]))

    def info(self):
        fields = self.fields(self.ask("INFO"), "INFO")
        generation, armed, rules = (wire.number_of(fields[self.n["IPFI_INFO_A_" + name]])
                                    for name in ("GENERATION", "ARMED", "RULES"))
        return generation, armed, rules, fields[self.n["IPFI_INFO_A_NAME"]].rstrip(b"\0").decode()

    def begin(self, name="test", connection=None, **defaults):
        attributes = [(self.n["IPFI_RULESET_A_NAME"], wire.text(name))]
        for list_, verdict in defaults.items():
            attributes.append((self.n["IPFI_RULESET_A_DEFAULT_" + list_], wire.u8(verdict)))
        return self.ask("RULESET_BEGIN", self.nest("RULESET", attributes), connection)

    def rule(self, name, verdict=1, stateful=True, lists=7, more=()):
        n = self.n
        attributes = [(n["IPFI_RULE_A_NAME"], wire.text(name)), (n["IPFI_RULE_A_LISTS"], wire.u8(lists)),
                      (n["IPFI_RULE_A_VERDICT"], wire.u8(verdict))]
        if stateful:
            attributes.append((n["IPFI_RULE_A_FLAGS"], wire.u32(1)))
        return attributes + [(n["IPFI_RULE_A_" + field], value) for field, value in more]

    def add(self, rule, connection=None):
        return self.ask("RULE_ADD", self.nest("RULE", rule), connection)

    def commit(self, connection=None, **attributes):
        sizes = {"EXPECT": wire.u32, "STATES": wire.u8}
        return self.ask("RULESET_COMMIT", self.nest("COMMIT", [
            (self.n["IPFI_COMMIT_A_" + name], sizes[name](value)) for name, value in attributes.items()]), connection)

    def put(self, *rules, **attributes):
        """Commits these rules; the answer to the commit."""
        self.begin()
        for rule in rules:
            answer = self.add(rule)
            if answer.error:
                raise RuntimeError("a rule was refused: %s" % answer)
        return self.commit(**attributes)

    def dump(self, name, body=b""):
        return self.connection.dump(self.n["IPFI_CMD_" + name], body)

    # Subjects.

    def unarmed(self):
        self.report.same(self.info(), (0, 0, 0, ""), "before the first commit nothing is armed")
        dump = self.dump("RULES_DUMP")
        self.report.check(dump.error == 0 and len(dump.replies) == 1
                          and list(dict(dump.replies[0][1])) == [self.n["IPFI_A_INFO"]],
                          "and the dump of rules has its head only", dump.replies)
        self.report.same(self.dump("STATES_DUMP").replies, [], "and there are no states")

    def transactions(self):
        report = self.report
        report.refused(self.add(self.rule("early")), errno.ENOENT, "a rule needs a transaction")
        report.refused(self.commit(), errno.ENOENT, "so does a commit")
        report.refused(self.ask("RULESET_ABORT"), errno.ENOENT, "so does an abort")

        answer = self.put(self.rule("one"), self.rule("two"))
        fields = self.fields(answer, "INFO")
        report.same([wire.number_of(fields[self.n["IPFI_INFO_A_" + name]]) for name in ("GENERATION", "RULES")], [1, 2],
                    "a commit tells generation and number of rules")
        report.same(self.info(), (1, 1, 2, "test"), "and so does info")

        self.begin("other")
        report.refused(self.begin("another"), errno.EEXIST, "a socket has one transaction")
        report.refused(self.add(self.rule("lost")), errno.ECANCELED, "which the second begin broke")
        report.refused(self.commit(), errno.ECANCELED, "so that it cannot be committed")
        report.refused(self.commit(), errno.ENOENT, "the refused commit ended it")

        self.begin()
        report.refused(self.add(self.rule("bad", verdict=2)), errno.EINVAL, "a bad rule is refused")
        report.refused(self.add(self.rule("good")), errno.ECANCELED, "the next one is refused for it")
        report.refused(self.commit(), errno.ECANCELED, "and so is the commit")

        for what, body in (("an unknown attribute", wire.encode(self.nest("RULE", self.rule("x")) + [(200, b"")])),
                           ("a nest that is none", wire.aligned(wire.encode_one(self.n["IPFI_A_RULE"], b"abcd"))),
                           ("half an attribute", wire.encode(self.nest("RULE", self.rule("x"))) + b"\1\2\3\4"),
                           ("no attribute", b"")):
            self.begin()
            report.refused(self.ask("RULE_ADD", body), errno.EINVAL, "a rule message with %s is refused" % what)
            report.refused(self.commit(), errno.ECANCELED, "%s: no hole is committed" % what)

        self.begin()
        self.add(self.rule("same"))
        report.refused(self.add(self.rule("same")), errno.EEXIST, "names are unique")
        self.ask("RULESET_ABORT")
        report.same(self.info(), (1, 1, 2, "test"), "nothing of this has changed anything")

        self.begin()
        report.refused(self.commit(EXPECT=7), errno.ESTALE, "who was overtaken is told so")
        report.same(self.info()[0], 1, "and changes nothing")
        self.begin()
        report.same(self.commit(EXPECT=1).error, 0, "who was not commits")
        report.same(self.info(), (2, 1, 0, "test"), "an empty rule set too")

    def pipeline(self):
        """A rule set in one sendmsg, with a bad rule in the middle."""
        connection, n = self.connection, self.n
        before = self.info()
        bodies = [("RULESET_BEGIN", self.nest("RULESET", []))]
        bodies += [("RULE_ADD", self.nest("RULE", self.rule("r%d" % i, stateful=i != 5, verdict=1 if i != 5 else 9)))
                   for i in range(10)]
        bodies += [("RULESET_COMMIT", self.nest("COMMIT", []))]
        first = connection.sequence + 1
        connection.socket.send(b"".join(connection.message(n["IPFI_CMD_" + name], body, wire.NLM_F_ACK)
                                        for name, body in bodies))
        answers = [connection.receive(first + i).error for i in range(len(bodies))]
        self.report.same(answers, [0] * 6 + [errno.ERANGE] + [errno.ECANCELED] * 5,
                         "in one stream, all that follows a refused rule is refused")
        self.report.same(self.info(), before, "and the rule set is the old one")

    def sockets(self):
        report = self.report
        others = [wire.Connection() for _ in range(TRANSACTIONS_MOST)]
        answers = [self.begin("n", other).error for other in others]
        report.same(answers, [0] * TRANSACTIONS_MOST, "%d sockets have transactions" % TRANSACTIONS_MOST)
        report.refused(self.begin(), errno.EBUSY, "one more does not")
        others.pop().close()
        report.same(self.begin().error, 0, "until a socket is closed")
        report.refused(self.add(self.rule("x"), wire.Connection()), errno.ENOENT, "each has its own")
        for other in others:
            other.close()
        self.ask("RULESET_ABORT")

    def rules(self):
        """Rules come back as they were sent, in order, whatever their size."""
        n, report = self.n, self.report
        from_, to = n["IPFI_RANGE_A_FROM"], n["IPFI_RANGE_A_TO"]
        many = [(n["IPFI_RANGES_A_RANGE"], [(from_, wire.u32(port)), (to, wire.u32(port))])
                for port in range(2880)]
        tcp = [(n["IPFI_RANGES_A_RANGE"], [(n["IPFI_RANGE_A_FROM"], wire.u32(6))])]
        sent = [self.rule("rule %d" % i, more=[("WRITTEN", bytes([i & 255]) * (i * 37 % 8193))]) for i in range(300)]
        base = self.rule("long", more=[("PROTO", tcp), ("DPORT", many)])

        def of_size(size):
            return base + [(n["IPFI_RULE_A_WRITTEN"], bytes(size - len(wire.encode(base)) - 4))]

        # The kernel adds an id and two counters, 12 bytes each, and a nest holds 65535 with its header. Where
        # the processor asks for it, as user-mode Linux does, each is aligned by 4 more.
        added = 3 * (16 if GUEST.startswith("uml") else 12)
        most = (65535 - 4 - added) // 4 * 4
        sent.insert(100, of_size(most))
        answer = self.put(*sent)
        report.same(answer.error, 0, "long rules are taken")
        dump = self.dump("RULES_DUMP")
        replies = [dict(attributes) for _, attributes in dump.replies]
        rules = [attributes[n["IPFI_A_RULE"]] for attributes in replies if n["IPFI_A_RULE"] in attributes]
        whole = all(got.startswith(wire.encode(rule)) for got, rule in zip(rules, sent))
        report.check(dump.error == 0 and not dump.interrupted and len(rules) == len(sent) and whole,
                     "rules come back as they were sent, in order", (dump, len(rules), whole))
        last = dict(wire.decode(rules[-1]))
        hash_ = 0xcbf29ce484222325
        for byte in b"rule 299":
            hash_ = (hash_ ^ byte) * 0x100000001b3 & (1 << 64) - 1
        report.same(wire.number_of(last[n["IPFI_RULE_A_ID"]]), hash_, "the id is FNV-1a of the name")
        report.same(wire.number_of(last[n["IPFI_RULE_A_PACKETS"]]), 0, "and nothing has met the last one")

        self.begin()
        report.refused(self.add(of_size(most + 4)), errno.EINVAL, "a rule that could not be dumped is refused")
        self.ask("RULESET_ABORT")

        # A dump keeps the rule set that it began with.
        connection = wire.Connection()
        connection.socket.send(connection.message(n["IPFI_CMD_RULES_DUMP"], b"", wire.NLM_F_DUMP))
        started = connection.messages()
        self.put(self.rule("new"))
        rest = connection.receive(connection.sequence)
        names = [attributes for _, attributes in rest.replies]
        report.check(rest.error == 0 and not rest.interrupted and len(started) + len(names) == len(sent) + 1,
                     "a dump is of one generation though another is committed meanwhile",
                     (rest, len(started), len(names)))
        connection.close()

    def limits(self):
        n, report = self.n, self.report
        before = self.fields(self.ask("LIMITS_GET"), "LIMITS")
        report.same(sorted(before), list(range(1, n["__IPFI_LIMIT_END"])), "every limit is told")
        new = [(n["IPFI_LIMIT_UDP_NEW"], wire.u32(77)), (n["IPFI_LIMIT_MAX_STATES"], wire.u32(12345))]
        report.same(self.ask("LIMITS_SET", self.nest("LIMITS", new)).error, 0, "limits are set")
        after = self.fields(self.ask("LIMITS_GET"), "LIMITS")
        report.same(after, {**before, **dict(new)}, "those and no others")
        answer = self.ask("LIMITS_SET", self.nest("LIMITS", [(n["IPFI_LIMIT_ICMP"], wire.u32(5)),
                                                              (n["IPFI_LIMIT_OTHER"], wire.u32(0))]))
        report.refused(answer, errno.ERANGE, "a limit out of range is refused")
        report.same(self.fields(self.ask("LIMITS_GET"), "LIMITS"), after, "and so is all of the message")
        self.ask("LIMITS_SET", self.nest("LIMITS", list(before.items())))
        limits = [(n["IPFI_LIMIT_UDP_NEW"], wire.u32(44))]
        self.ask("RULESET_BEGIN", self.nest("RULESET", [(n["IPFI_RULESET_A_LIMITS"], limits)]))
        report.same(wire.number_of(self.fields(self.ask("LIMITS_GET"), "LIMITS")[n["IPFI_LIMIT_UDP_NEW"]]), 30,
                    "a policy's limits wait for its commit")
        self.commit()
        report.same(wire.number_of(self.fields(self.ask("LIMITS_GET"), "LIMITS")[n["IPFI_LIMIT_UDP_NEW"]]), 44,
                    "and come with it")

    # States.

    def filter(self, **conditions):
        """A filter's attributes: prefixes as text, port ranges as pairs, numbers by their width."""
        n, attributes = self.n, []
        widths = {"FAMILY": wire.u8, "PROTO": wire.u8, "STATES": wire.u32, "RULE": wire.u64, "IIF": wire.u32,
                  "OIF": wire.u32, "DEVICE": wire.u32, "MIDSTREAM": wire.u8, "MARK": wire.u32}
        for name, value in conditions.items():
            if isinstance(value, str):
                base, _, length = value.partition("/")
                value = [(n["IPFI_PREFIX_A_ADDR"], wire.address(base))]
                if length:
                    value.append((n["IPFI_PREFIX_A_LENGTH"], wire.u8(int(length))))
            elif isinstance(value, tuple):
                value = [(n["IPFI_RANGE_A_FROM"], wire.u32(value[0])), (n["IPFI_RANGE_A_TO"], wire.u32(value[1]))]
            else:
                value = widths[name](value)
            attributes.append((n["IPFI_FILTER_A_" + name], value))
        return self.nest("FILTER", attributes)

    def states(self, **conditions):
        """The matching states: by dump, in the order of their ports."""
        dump = self.dump("STATES_DUMP", self.filter(**conditions))
        rows = [dict(wire.decode(dict(attributes)[self.n["IPFI_A_STATE"]])) for _, attributes in dump.replies]
        return sorted(rows, key=lambda row: row[self.n["IPFI_STATE_A_DPORT"]])

    def number(self, row, name):
        return wire.number_of(row[self.n["IPFI_STATE_A_" + name]])

    def count(self, command="STATES_COUNT", **conditions):
        answer = self.ask(command, self.filter(**conditions))
        return wire.number_of(self.fields(answer, "STATS")[self.n["IPFI_STATS_A_STATES"]])

    def send(self, family, address, ports, payload=b"x"):
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.bind((address, 5000))
            for port in ports:
                sender.sendto(payload, (address, port))

    def state_queries(self):
        n, report = self.n, self.report
        udp = [(n["IPFI_RANGES_A_RANGE"], [(n["IPFI_RANGE_A_FROM"], wire.u32(17))])]
        self.put(self.rule("udp", more=[("PROTO", udp)]), self.rule("rest"), STATES=n["IPFI_COMMIT_FLUSH"])
        self.send(socket.AF_INET, "127.0.0.1", range(9000, 9100))
        self.send(socket.AF_INET6, "::1", range(9000, 9020))
        rows = self.states(FAMILY=4, PROTO=17)
        report.same(len(rows), 100, "a dump has every state that the filter wants")
        row = rows[7]
        report.same([self.number(row, name) for name in ("PROTO", "STATE", "SPORT", "DPORT", "PACKETS", "BYTES",
                                                         "REPLY_PACKETS", "GENERATION")],
                    [17, n["IPFI_STATE_UDP_NEW"], 5000, 9007, 1, 29, 0, self.info()[0]], "and tells what it is")
        report.same([row[n["IPFI_STATE_A_SRC"]], row[n["IPFI_STATE_A_DST"]]], [wire.address("127.0.0.1")] * 2,
                    "from whom to whom")
        report.check(0 < self.number(row, "TIMEOUT") <= 44000 and self.number(row, "AGE") <= 20,
                     "how old and for how long", (self.number(row, "TIMEOUT"), self.number(row, "AGE")))
        rule = self.number(row, "RULE")
        for conditions, wanted in (
                ({}, 120), ({"FAMILY": 6}, 20), ({"SRC": "127.0.0.0/8"}, 100), ({"DST": "::1"}, 20),
                ({"ADDR": "::/0"}, 20),
                ({"SRC": "10.0.0.0/8"}, 0), ({"DPORT": (9000, 9009)}, 20), ({"SPORT": (9000, 9009)}, 0),
                ({"PORT": (9019, 9020)}, 3), ({"RULE": rule}, 120), ({"RULE": rule + 1}, 0), ({"MIDSTREAM": 1}, 0),
                ({"STATES": 1 << n["IPFI_STATE_UDP_NEW"]}, 120), ({"STATES": 1 << n["IPFI_STATE_ESTABLISHED"]}, 0),
                ({"MARK": 0}, 120), ({"MARK": 5}, 0), ({"PROTO": 6}, 0), ({"DEVICE": 1}, 120), ({"DEVICE": 99}, 0),
                ({"FAMILY": 4, "DPORT": (9000, 9000), "ADDR": "127.0.0.1"}, 1)):
            report.same((self.count(**conditions), len(self.states(**conditions))), (wanted, wanted),
                        "count and dump of %s" % (conditions or "all"))
        bad = self.dump("STATES_DUMP", self.filter(SRC="10.0.0.0/33"))
        report.refused(bad, errno.EINVAL, "a filter that makes no sense is refused in words")
        report.same(self.count("STATES_DELETE", FAMILY=4, DPORT=(9000, 9009)), 10, "those of a filter are deleted")
        report.same((self.count(FAMILY=4), self.count(FAMILY=6)), (90, 20), "and no others")
        self.put(self.rule("rest"), STATES=n["IPFI_COMMIT_KEEP"])
        report.same(self.count(), 110, "a commit with keep keeps the states")
        self.put(self.rule("rest"), STATES=n["IPFI_COMMIT_FLUSH"])
        report.same(self.count(), 0, "one with flush does not")

    def big_dump(self):
        """While the table grows and shrinks under a dump, no state that lives on is missed."""
        n = self.n
        self.put(self.rule("all"), STATES=n["IPFI_COMMIT_FLUSH"])
        self.send(socket.AF_INET, "127.0.0.1", range(10000, 20000))
        rows = self.states(DPORT=(10000, 19999))
        ports = {self.number(row, "DPORT") for row in rows}
        self.report.same((len(ports), len(rows) >= 10000), (10000, True), "10000 states are dumped")
        connection = wire.Connection()
        connection.socket.send(connection.message(n["IPFI_CMD_STATES_DUMP"], self.filter(DPORT=(10000, 10999)),
                                                  wire.NLM_F_DUMP))
        self.ask("STATES_DELETE", self.filter(DPORT=(11000, 19999)))
        self.send(socket.AF_INET, "127.0.0.1", range(20000, 40000))
        rest = connection.receive(connection.sequence)
        ports = {wire.number_of(dict(wire.decode(dict(attributes)[n["IPFI_A_STATE"]]))[n["IPFI_STATE_A_DPORT"]])
                 for _, attributes in rest.replies}
        self.report.same((rest.error, len(ports)), (0, 1000),
                         "those that live on are in a dump that is overtaken by changes")
        connection.close()
        have = self.count()
        self.report.same((self.count("STATES_DELETE"), self.count(), self.states()), (have, 0, []),
                         "all %d states are deleted at once" % have)
        self.send(socket.AF_INET, "127.0.0.1", range(10000, 10100))

    def statistics(self):
        n, report = self.n, self.report
        fields = self.fields(self.ask("STATS"), "STATS")

        def stat(name):
            return wire.number_of(fields[n["IPFI_STATS_A_" + name]])

        report.same(stat("STATES"), self.count(), "stats count the states")
        report.check(stat("CREATED") >= stat("STATES_PEAK") >= stat("STATES"), "and those there were", fields)
        # A debugging kernel's lock is larger than a state's other fields.
        most = 512 if GUEST.endswith("debug") else 192
        report.check(0 < stat("STATE_SIZE") <= most, "a state takes at most %d bytes, all in" % most, stat("STATE_SIZE"))
        memory = stat("MEMORY"), stat("MEMORY_AT_LIMIT")
        report.check(0 < memory[0] <= memory[1], "memory is told", memory)
        counters = [dict(wire.decode(value)) for _, value in wire.decode(fields[n["IPFI_STATS_A_COUNTERS"]])]
        report.same([wire.number_of(counter[n["IPFI_COUNTER_A_REASON"]]) for counter in counters],
                    list(range(1, n["__IPFI_REASON_END"])), "every reason has its counter")
        total = sum(wire.number_of(counter[n["IPFI_COUNTER_A_PACKETS"]]) for counter in counters)
        report.same(total, stat("PACKETS"), "which together are the packets judged")

    def events(self):
        n, report = self.n, self.report
        self.put(STATES=n["IPFI_COMMIT_FLUSH"])
        listener = wire.Connection()
        for group in ("state", "log", "ruleset"):
            listener.join(group)
        udp = [(n["IPFI_RANGES_A_RANGE"], [(n["IPFI_RANGE_A_FROM"], wire.u32(17))])]
        logged = self.rule("logged", lists=1 << n["IPFI_LIST_OUT"],
                           more=[("PROTO", udp), ("LOG", wire.text("seen: "))])
        self.put(logged, self.rule("rest"))
        command, attributes = listener.event()
        fields = dict(wire.decode(dict(attributes).get(n["IPFI_A_INFO"], b"")))
        report.same((command, fields.get(n["IPFI_INFO_A_NAME"])), (n["IPFI_CMD_EVENT_RULESET"], b"test\0"),
                    "a commit is an event")
        self.send(socket.AF_INET, "127.0.0.1", [9999])
        seen = {}
        while len(seen) < 2:
            command, attributes = listener.event()
            seen[command] = dict(attributes)
        log = dict(wire.decode(seen[n["IPFI_CMD_EVENT_LOG"]][n["IPFI_A_LOG"]]))
        told = [log[n["IPFI_LOG_A_PREFIX"]], log[n["IPFI_LOG_A_NAME"]]]
        told += [wire.number_of(log[n["IPFI_LOG_A_" + name]]) for name in ("VERDICT", "STATE", "DPORT")]
        report.same(told, [b"seen: \0", b"logged\0", n["IPFI_VERDICT_ALLOW"], n["IPFI_STATE_UDP_NEW"], 9999],
                    "a packet that met a rule with log is an event")
        report.check(abs(wire.number_of(log[n["IPFI_LOG_A_TIME"]]) / 1e9 - time.time()) < 60, "with the time", log)
        event = dict(wire.decode(seen[n["IPFI_CMD_EVENT_STATE"]][n["IPFI_A_EVENT"]]))
        report.same(event, {n["IPFI_EVENT_A_KIND"]: wire.u8(n["IPFI_EVENT_NEW"])}, "a new state is an event")
        self.ask("STATES_DELETE")
        _, attributes = listener.event()
        event = dict(wire.decode(dict(attributes)[n["IPFI_A_EVENT"]]))
        state = dict(wire.decode(dict(attributes)[n["IPFI_A_STATE"]]))
        report.same((event, self.number(state, "DPORT"), self.number(state, "PACKETS")),
                    ({n["IPFI_EVENT_A_KIND"]: wire.u8(n["IPFI_EVENT_DESTROYED"]),
                      n["IPFI_EVENT_A_CAUSE"]: wire.u8(n["IPFI_CAUSE_DELETED"])}, 9999, 1),
                    "and so is its end, with its counters")
        # Many states have ended just now: while so many are still in memory, the table is full with fewer.
        time.sleep(3)
        self.ask("LIMITS_SET", self.nest("LIMITS", [(n["IPFI_LIMIT_MAX_STATES"], wire.u32(1))]))
        try:
            self.send(socket.AF_INET, "127.0.0.1", range(9900, 9910))
        except PermissionError:
            pass  # the packet that found no room was dropped
        command = None
        while command != n["IPFI_CMD_EVENT_FULL"]:
            command, attributes = listener.event()
        fields = dict(wire.decode(dict(attributes)[n["IPFI_A_STATS"]]))
        report.same({number: wire.number_of(value) for number, value in fields.items()},
                    {n["IPFI_STATS_A_STATES"]: 1, n["IPFI_STATS_A_MAX_STATES"]: 1}, "a full table is an event")
        listener.close()

    def permissions(self):
        """In a child without privileges: only what tells nothing about traffic is open."""
        sys.stdout.flush()
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            self.report.failures += os.waitstatus_to_exitcode(status)
            return
        report = wire.Report()
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        connection = wire.Connection()
        for name in ("INFO", "LIMITS_GET", "STATS"):
            report.same(self.ask(name, b"", connection).error, 0, "%s is for everybody" % name)
        for name in ("LIMITS_SET", "RULESET_BEGIN", "RULE_ADD", "RULESET_COMMIT", "RULESET_ABORT", "RULESET_CONFIRM",
                     "RULESET_ROLLBACK", "STATES_COUNT", "STATES_DELETE"):
            report.same(self.ask(name, b"", connection).error, errno.EPERM, "%s is for administrators" % name)
        for name in ("RULES_DUMP", "STATES_DUMP"):
            answer = connection.dump(self.n["IPFI_CMD_" + name])
            report.same(answer.error, errno.EPERM, "%s is for administrators" % name)
        for group, open_ in (("state", False), ("log", False), ("ruleset", True)):
            try:
                connection.join(group)
                joined = True
            except PermissionError:
                joined = False
            report.same(joined, open_, "group %s is for %s" % (group, "everybody" if open_ else "administrators"))
        sys.stdout.flush()
        os._exit(min(report.failures, 100))

    def closed(self):
        n, report = self.n, self.report
        report.same(self.info(), (1, 1, 3, "closed"), "closed=1 begins with a rule set")
        dump = self.dump("RULES_DUMP")
        rules = [dict(wire.decode(dict(attributes)[n["IPFI_A_RULE"]])) for _, attributes in dump.replies[1:]]
        report.same([(rule[n["IPFI_RULE_A_NAME"]], rule[n["IPFI_RULE_A_VERDICT"]]) for rule in rules],
                    [(b"loopback\0", wire.u8(n["IPFI_VERDICT_ALLOW"])),
                     (b"closed to IPv4\0", wire.u8(n["IPFI_VERDICT_DENY"])),
                     (b"closed to IPv6\0", wire.u8(n["IPFI_VERDICT_DENY"]))],
                    "of three rules, which the dump shows")
        report.same(self.put(self.rule("all"), EXPECT=1).error, 0, "which a commit replaces")
        return report.failures

    def run(self):
        for subject in (self.unarmed, self.transactions, self.pipeline, self.sockets, self.rules, self.limits,
                        self.state_queries, self.big_dump, self.statistics, self.events, self.permissions):
            try:
                subject()
            except (OSError, KeyError, IndexError, RuntimeError, ValueError) as problem:
                self.report.check(False, subject.__name__, repr(problem))
        return self.report.failures


if __name__ == "__main__":
    contract = Contract(sys.argv[1])
    sys.exit(1 if (contract.closed() if sys.argv[2:] == ["closed"] else contract.run()) else 0)
