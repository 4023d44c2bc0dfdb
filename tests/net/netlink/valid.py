# SPDX-License-Identifier: GPL-2.0-or-later
"""A valid message of every command, with all that it can have; several where not all fits into one."""
from wire import address, text, u8, u16, u32, u64


def messages(n):
    """n: the uapi header's numbers. {command, or command and which: (attributes, is a dump)}"""

    def value_range(low, high):
        return [(n["IPFI_RANGE_A_FROM"], u32(low)), (n["IPFI_RANGE_A_TO"], u32(high))]

    def ranges(*pairs):
        return [(n["IPFI_RANGES_A_RANGE"], value_range(*pair)) for pair in pairs]

    def addresses(*pairs):
        return [(n["IPFI_ADDRS_A_RANGE"], [(n["IPFI_ADDR_RANGE_A_FROM"], address(low)),
                                           (n["IPFI_ADDR_RANGE_A_TO"], address(high))]) for low, high in pairs]

    def prefix(value, length):
        return [(n["IPFI_PREFIX_A_ADDR"], address(value)), (n["IPFI_PREFIX_A_LENGTH"], u8(length))]

    limits = [(n["IPFI_LIMIT_MAX_STATES"], u32(50000)), (n["IPFI_LIMIT_MAX_STATES_PER_SOURCE"], u32(0)),
              (n["IPFI_LIMIT_TCP_LOOSE"], u32(1)), (n["IPFI_LIMIT_UDP_NEW"], u32(30))]
    ruleset = [(n["IPFI_RULESET_A_NAME"], text("mutated")), (n["IPFI_RULESET_A_DEFAULT_IN"], u8(1)),
               (n["IPFI_RULESET_A_DEFAULT_OUT"], u8(1)), (n["IPFI_RULESET_A_DEFAULT_FORWARD"], u8(2)),
               (n["IPFI_RULESET_A_LIMITS"], limits), (n["IPFI_RULESET_A_SET"], text("friends")),
               (n["IPFI_RULESET_A_SET"], text("bans"))]
    rule = [
        (n["IPFI_RULE_A_NAME"], text("web")), (n["IPFI_RULE_A_LISTS"], u8(2)), (n["IPFI_RULE_A_VERDICT"], u8(1)),
        (n["IPFI_RULE_A_FLAGS"], u32(1)), (n["IPFI_RULE_A_NEGATED"], u32(1 << n["IPFI_FIELD_DST"])),
        (n["IPFI_RULE_A_FAMILY"], u8(4)), (n["IPFI_RULE_A_OIF"], text("lan0")),
        (n["IPFI_RULE_A_PROTO"], ranges((6, 6))), (n["IPFI_RULE_A_IPSEC"], u8(0)),
        (n["IPFI_RULE_A_SRC"], addresses(("10.0.0.0", "10.255.255.255"), ("fd00::", "fd00::ffff"))
         + [(n["IPFI_ADDRS_A_ME"], b""), (n["IPFI_ADDRS_A_SET"], text("friends")),
            (n["IPFI_ADDRS_A_SET"], text("bans"))]),
        (n["IPFI_RULE_A_DST"], addresses(("192.0.2.1", "192.0.2.9"))),
        (n["IPFI_RULE_A_SPORT"], ranges((1024, 65535))), (n["IPFI_RULE_A_DPORT"], ranges((80, 80), (443, 443))),
        (n["IPFI_RULE_A_TCP_MASK"], u8(0x12)), (n["IPFI_RULE_A_TCP_VALUE"], u8(0x02)),
        (n["IPFI_RULE_A_LENGTH"], ranges((20, 1500))), (n["IPFI_RULE_A_DSCP"], ranges((0, 63))),
        (n["IPFI_RULE_A_USER"], ranges((0, 1000))),
        (n["IPFI_RULE_A_MARK_VALUE"], u32(5)), (n["IPFI_RULE_A_MARK_MASK"], u32(0xff)),
        (n["IPFI_RULE_A_LIMIT_COUNT"], u32(10)), (n["IPFI_RULE_A_LIMIT_PERIOD"], u32(60000)),
        (n["IPFI_RULE_A_LIMIT_BURST"], u32(20)), (n["IPFI_RULE_A_PER_SOURCE"], u32(8)),
        (n["IPFI_RULE_A_LOG"], text("web: ")), (n["IPFI_RULE_A_COMMENT"], text("for all\nof us")),
        (n["IPFI_RULE_A_AT"], text("policy.lua:12")), (n["IPFI_RULE_A_WRITTEN"], b"{ dport = 80 }"),
    ]
    icmp_rule = [
        (n["IPFI_RULE_A_NAME"], text("ping")), (n["IPFI_RULE_A_LISTS"], u8(1 << n["IPFI_LIST_IN"])),
        (n["IPFI_RULE_A_VERDICT"], u8(n["IPFI_VERDICT_ALLOW"])), (n["IPFI_RULE_A_IIF"], text("eth*")),
        (n["IPFI_RULE_A_PROTO"], ranges((1, 1))), (n["IPFI_RULE_A_ICMP"], ranges((0x800, 0x8ff))),
    ]
    nat_rule = [
        (n["IPFI_RULE_A_NAME"], text("www")), (n["IPFI_RULE_A_LISTS"], u8(1 << n["IPFI_LIST_DSTNAT"])),
        (n["IPFI_RULE_A_VERDICT"], u8(n["IPFI_VERDICT_DNAT"])), (n["IPFI_RULE_A_FLAGS"], u32(2)),
        (n["IPFI_RULE_A_NEGATED"], u32(1 << n["IPFI_FIELD_IIF"])), (n["IPFI_RULE_A_FAMILY"], u8(4)),
        (n["IPFI_RULE_A_IIF"], text("eth*")), (n["IPFI_RULE_A_PROTO"], ranges((6, 6), (17, 17))),
        (n["IPFI_RULE_A_DST"], addresses(("192.0.2.1", "192.0.2.9"))),
        (n["IPFI_RULE_A_DPORT"], ranges((80, 80), (443, 443))),
        (n["IPFI_RULE_A_TARGET"], [(n["IPFI_TARGET_A_ADDRS"], addresses(("10.0.0.1", "10.0.0.9"))),
                                   (n["IPFI_TARGET_A_PORT_FROM"], u16(8000)),
                                   (n["IPFI_TARGET_A_PORT_TO"], u16(8009))]),
        (n["IPFI_RULE_A_LOG"], text("www: ")),
    ]
    helper_rule = [
        (n["IPFI_RULE_A_NAME"], text("ftp")), (n["IPFI_RULE_A_LISTS"], u8(1 << n["IPFI_LIST_FORWARD"])),
        (n["IPFI_RULE_A_VERDICT"], u8(n["IPFI_VERDICT_ALLOW"])), (n["IPFI_RULE_A_FLAGS"], u32(5)),
        (n["IPFI_RULE_A_PROTO"], ranges((6, 6))), (n["IPFI_RULE_A_HELPER"], u8(n["IPFI_HELPER_FTP"])),
        (n["IPFI_RULE_A_MSS"], u16(1400)),
    ]
    filter_ = [
        (n["IPFI_FILTER_A_FAMILY"], u8(4)), (n["IPFI_FILTER_A_PROTO"], u8(17)),
        (n["IPFI_FILTER_A_STATES"], u32(1 << n["IPFI_STATE_UDP_NEW"])),
        (n["IPFI_FILTER_A_SRC"], prefix("127.0.0.0", 8)), (n["IPFI_FILTER_A_DST"], prefix("127.0.0.1", 32)),
        (n["IPFI_FILTER_A_ADDR"], prefix("127.0.0.0", 16)),
        (n["IPFI_FILTER_A_SPORT"], value_range(1, 65535)), (n["IPFI_FILTER_A_DPORT"], value_range(9000, 9999)),
        (n["IPFI_FILTER_A_PORT"], value_range(9000, 9999)), (n["IPFI_FILTER_A_RULE"], u64(77)),
        (n["IPFI_FILTER_A_IIF"], u32(1)), (n["IPFI_FILTER_A_OIF"], u32(1)), (n["IPFI_FILTER_A_DEVICE"], u32(1)),
        (n["IPFI_FILTER_A_MIDSTREAM"], u8(0)), (n["IPFI_FILTER_A_MARK"], u32(0)),
        (n["IPFI_FILTER_A_ID"], u64(5)), (n["IPFI_FILTER_A_MASTER"], u64(6)),
        (n["IPFI_FILTER_A_HELPER"], u8(n["IPFI_HELPER_FTP"])), (n["IPFI_FILTER_A_NAT"], u32(1 << 2)),
    ]
    expect = (n["IPFI_COMMIT_A_EXPECT"], u32(1))
    commit = [expect, (n["IPFI_COMMIT_A_STATES"], u8(0)), (n["IPFI_COMMIT_A_CONFIRM"], u32(60))]

    def member(value, length, *more):
        return (n["IPFI_SET_A_MEMBER"], [(n["IPFI_MEMBER_A_ADDR"], address(value)),
                                         (n["IPFI_MEMBER_A_LENGTH"], u8(length)), *more])

    name = (n["IPFI_SET_A_NAME"], text("bans"))
    added = [name, member("2001:db8::1", 128), member("192.0.2.0", 24, (n["IPFI_MEMBER_A_TIMEOUT"], u32(60000)))]
    # A datagram of which the headers are there, and more: cut anywhere behind them it is one, too.
    datagram = bytes.fromhex("4500002400010000401100007f0000017f000001") + bytes.fromhex("1f90232800100000") + bytes(8)
    packet = [
        (n["IPFI_PACKET_A_DATA"], datagram), (n["IPFI_PACKET_A_LIST"], u8(n["IPFI_LIST_OUT"])),
        (n["IPFI_PACKET_A_OIF"], text("lo")), (n["IPFI_PACKET_A_MARK"], u32(1)), (n["IPFI_PACKET_A_USER"], u32(1000)),
    ]
    return {
        "INFO": ([], False),
        "LIMITS_GET": ([], False),
        "LIMITS_SET": ([(n["IPFI_A_LIMITS"], limits)], False),
        "RULESET_BEGIN": ([(n["IPFI_A_RULESET"], ruleset)], False),
        "RULE_ADD": ([(n["IPFI_A_RULE"], rule)], False),
        "RULE_ADD icmp": ([(n["IPFI_A_RULE"], icmp_rule)], False),
        "RULE_ADD dnat": ([(n["IPFI_A_RULE"], nat_rule)], False),
        "RULE_ADD ftp": ([(n["IPFI_A_RULE"], helper_rule)], False),
        "RULESET_COMMIT": ([(n["IPFI_A_COMMIT"], commit)], False),
        "RULESET_ABORT": ([], False),
        "RULESET_DRY_RUN": ([], False),
        "EXPLAIN": ([(n["IPFI_A_PACKET"], packet)], True),
        "DROPS_DUMP": ([], True),
        "RULESET_CONFIRM": ([(n["IPFI_A_COMMIT"], [expect])], False),
        "RULESET_ROLLBACK": ([(n["IPFI_A_COMMIT"], [expect])], False),
        "RULES_DUMP": ([], True),
        "STATES_DUMP": ([(n["IPFI_A_FILTER"], filter_)], True),
        "STATES_COUNT": ([(n["IPFI_A_FILTER"], filter_)], False),
        "STATES_DELETE": ([(n["IPFI_A_FILTER"], filter_)], False),
        "STATS": ([], False),
        "EXPECTATIONS_DUMP": ([], True),
        "SETS_DUMP": ([(n["IPFI_A_SET"], [name, member("192.0.2.0", 24)])], True),
        "SET_ADD": ([(n["IPFI_A_SET"], added)], False),
        "SET_DELETE": ([(n["IPFI_A_SET"], [name, member("2001:db8::1", 128), member("192.0.2.0", 24)])], False),
    }


def outside(n):
    """Values out of range: {command: [(path of attribute numbers, payload)]}."""
    rule, ruleset, limits, commit, filter_, set_ = (n["IPFI_A_" + name] for name in
                                                    ("RULE", "RULESET", "LIMITS", "COMMIT", "FILTER", "SET"))
    packet = n["IPFI_A_PACKET"]
    first = (n["IPFI_RANGES_A_RANGE"], n["IPFI_RANGE_A_FROM"])
    last = (n["IPFI_RANGES_A_RANGE"], n["IPFI_RANGE_A_TO"])

    def of_rule(name, payload, *inner):
        return (rule, n["IPFI_RULE_A_" + name]) + inner, payload

    def of_filter(name, payload, *inner):
        return (filter_, n["IPFI_FILTER_A_" + name]) + inner, payload

    def of_member(name, payload):
        return (set_, n["IPFI_SET_A_MEMBER"], n["IPFI_MEMBER_A_" + name]), payload

    # A name too long or empty; a prefix longer than its address, or shorter than its bits.
    sets = [((set_, n["IPFI_SET_A_NAME"]), text(name)) for name in ("x" * 32, "", "bell\a")]
    sets += [of_member("LENGTH", u8(33)), of_member("LENGTH", u8(129)), of_member("LENGTH", u8(22)),
             of_member("ADDR", address("192.0.2.1")), of_member("ADDR", bytes(5))]
    filters = [
        of_filter("FAMILY", u8(5)), of_filter("STATES", u32(1)), of_filter("STATES", u32(1 << 31)),
        of_filter("SRC", u8(33), n["IPFI_PREFIX_A_LENGTH"]), of_filter("DST", u8(129), n["IPFI_PREFIX_A_LENGTH"]),
        of_filter("ADDR", bytes(8), n["IPFI_PREFIX_A_ADDR"]),
        of_filter("SPORT", u32(65536), n["IPFI_RANGE_A_TO"]), of_filter("DPORT", u32(65535), n["IPFI_RANGE_A_FROM"]),
        of_filter("MIDSTREAM", u8(2)), of_filter("HELPER", u8(0)), of_filter("HELPER", u8(2)),
        of_filter("NAT", u32(1)),
    ]
    return {
        "LIMITS_SET": [((limits, n["IPFI_LIMIT_MAX_STATES"]), u32(0)),
                       ((limits, n["IPFI_LIMIT_MAX_STATES"]), u32(0x80000000)),
                       ((limits, n["IPFI_LIMIT_TCP_LOOSE"]), u32(2)), ((limits, n["IPFI_LIMIT_UDP_NEW"]), u32(0)),
                       ((limits, n["IPFI_LIMIT_UDP_NEW"]), u32(604801))],
        "RULESET_BEGIN": [((ruleset, n["IPFI_RULESET_A_DEFAULT_IN"]), u8(0)),
                          ((ruleset, n["IPFI_RULESET_A_DEFAULT_OUT"]), u8(4)),
                          ((ruleset, n["IPFI_RULESET_A_NAME"]), text("x" * 64)),
                          ((ruleset, n["IPFI_RULESET_A_NAME"]), text("bell\a")),
                          ((ruleset, n["IPFI_RULESET_A_LIMITS"], n["IPFI_LIMIT_MAX_STATES"]), u32(0)),
                          ((ruleset, n["IPFI_RULESET_A_SET"]), text("")),
                          ((ruleset, n["IPFI_RULESET_A_SET"]), text("x" * 32)),
                          ((ruleset, n["IPFI_RULESET_A_SET"]), text("friends"))],
        "RULESET_COMMIT": [((commit, n["IPFI_COMMIT_A_STATES"]), u8(3)),
                           ((commit, n["IPFI_COMMIT_A_CONFIRM"]), u32(0)),
                           ((commit, n["IPFI_COMMIT_A_CONFIRM"]), u32(86401))],
        "RULE_ADD": [
            of_rule("NAME", text("")), of_rule("NAME", text("n" * 64)), of_rule("NAME", text("new\nline")),
            of_rule("NAME", text("del\x7f")), of_rule("NAME", b"two\0names\0"), of_rule("LISTS", u8(0)),
            of_rule("LISTS", u8(8)), of_rule("VERDICT", u8(0)), of_rule("VERDICT", u8(4)), of_rule("VERDICT", u8(2)),
            of_rule("FLAGS", u32(3)), of_rule("NEGATED", u32(1 << n["IPFI_FIELD_FAMILY"])),
            of_rule("NEGATED", u32(1 << 30)), of_rule("FAMILY", u8(5)), of_rule("IPSEC", u8(2)),
            of_rule("OIF", text("a/b")),
            of_rule("OIF", text("a b")), of_rule("OIF", text("..")), of_rule("PROTO", u32(256), *last),
            of_rule("PROTO", u32(18), *first), of_rule("SPORT", u32(65536), *last), of_rule("DPORT", u32(444), *first),
            of_rule("LENGTH", u32(1501), *first), of_rule("DSCP", u32(64), *last),
            of_rule("USER", u32(0xffffffff), *last), of_rule("LISTS", u8(3)), of_rule("PROTO", u32(1), *first),
            of_rule("LISTS", u8(1)), of_rule("TCP_MASK", u8(0)), of_rule("MARK_MASK", u32(0)),
            of_rule("DST", address("192.0.2.10"), n["IPFI_ADDRS_A_RANGE"], n["IPFI_ADDR_RANGE_A_FROM"]),
            of_rule("DST", address("fd00::1"), n["IPFI_ADDRS_A_RANGE"], n["IPFI_ADDR_RANGE_A_TO"]),
            of_rule("SRC", bytes(5), n["IPFI_ADDRS_A_RANGE"], n["IPFI_ADDR_RANGE_A_FROM"]),
            of_rule("SRC", text("strangers"), n["IPFI_ADDRS_A_SET"]), of_rule("SRC", text(""), n["IPFI_ADDRS_A_SET"]),
            of_rule("PROTO", []), of_rule("SRC", []), of_rule("TCP_VALUE", u8(0x06)), of_rule("MARK_VALUE", u32(0x105)),
            of_rule("LIMIT_COUNT", u32(0)), of_rule("LIMIT_PERIOD", u32(0)), of_rule("LIMIT_BURST", u32(0)),
            of_rule("PER_SOURCE", u32(0)), of_rule("LOG", text("l" * 64)), of_rule("LOG", text("\033[2J")),
            of_rule("COMMENT", text("c" * 256)), of_rule("AT", text("a" * 256)), of_rule("WRITTEN", bytes(8193)),
        ],
        "RULE_ADD icmp": [
            of_rule("IIF", text("")), of_rule("IIF", text("a" * 16)), of_rule("IIF", text("e*h0")),
            of_rule("LISTS", u8(1 << n["IPFI_LIST_OUT"])), of_rule("ICMP", u32(0x20000), *last),
            of_rule("PROTO", u32(6), *last),
        ],
        "RULE_ADD dnat": [
            of_rule("LISTS", u8(1 << n["IPFI_LIST_SRCNAT"])), of_rule("LISTS", u8(1 << n["IPFI_LIST_FORWARD"])),
            of_rule("LISTS", u8(0x18)), of_rule("VERDICT", u8(n["IPFI_VERDICT_ALLOW"])),
            of_rule("VERDICT", u8(n["IPFI_VERDICT_REDIRECT"])), of_rule("VERDICT", u8(n["IPFI_VERDICT_MASQUERADE"])),
            of_rule("VERDICT", u8(8)), of_rule("FLAGS", u32(1)), of_rule("FLAGS", u32(4)), of_rule("FAMILY", u8(6)),
            of_rule("TARGET", []), of_rule("TARGET", u16(7999), n["IPFI_TARGET_A_PORT_TO"]),
            of_rule("TARGET", [], n["IPFI_TARGET_A_ADDRS"]),
            of_rule("TARGET", address("10.0.0.10"), n["IPFI_TARGET_A_ADDRS"], n["IPFI_ADDRS_A_RANGE"],
                    n["IPFI_ADDR_RANGE_A_FROM"]),
            of_rule("TARGET", bytes(5), n["IPFI_TARGET_A_ADDRS"], n["IPFI_ADDRS_A_RANGE"],
                    n["IPFI_ADDR_RANGE_A_FROM"]),
        ],
        "RULE_ADD ftp": [
            of_rule("VERDICT", u8(n["IPFI_VERDICT_DENY"])), of_rule("FLAGS", u32(4)), of_rule("FLAGS", u32(3)),
            of_rule("PROTO", u32(17), *last), of_rule("HELPER", u8(0)), of_rule("HELPER", u8(2)),
            of_rule("MSS", u16(0)),
        ],
        "EXPLAIN": [
            ((packet, n["IPFI_PACKET_A_DATA"]), bytes(19)), ((packet, n["IPFI_PACKET_A_LIST"]), u8(3)),
            ((packet, n["IPFI_PACKET_A_OIF"]), text("")), ((packet, n["IPFI_PACKET_A_OIF"]), text("lo*")),
            ((packet, n["IPFI_PACKET_A_OIF"]), text("nowhere0")), ((packet, n["IPFI_PACKET_A_OIF"]), text("a" * 16)),
        ],
        "STATES_DUMP": filters, "STATES_COUNT": filters, "STATES_DELETE": filters,
        "SETS_DUMP": sets, "SET_ADD": sets + [of_member("TIMEOUT", u32(0))], "SET_DELETE": sets,
    }


def required(n):
    """Paths that no message of the command can lack."""
    rule = n["IPFI_A_RULE"]
    ranges = [(rule, n["IPFI_RULE_A_" + name], n["IPFI_RANGES_A_RANGE"], n["IPFI_RANGE_A_FROM"])
              for name in ("PROTO", "SPORT", "DPORT", "LENGTH", "DSCP", "USER")]
    addresses = [(rule, n["IPFI_RULE_A_" + name], n["IPFI_ADDRS_A_RANGE"], n["IPFI_ADDR_RANGE_A_FROM"])
                 for name in ("SRC", "DST")]
    # What others need: the ports their proto, a value its mask, a negation its field, a limit both numbers.
    needed = ("NAME", "LISTS", "VERDICT", "PROTO", "DST", "TCP_MASK", "MARK_VALUE", "LIMIT_COUNT", "LIMIT_PERIOD")
    filter_ = n["IPFI_A_FILTER"]
    prefixes = [(filter_, n["IPFI_FILTER_A_" + name], n["IPFI_PREFIX_A_ADDR"]) for name in ("SRC", "DST", "ADDR")]
    ports = [(filter_, n["IPFI_FILTER_A_" + name], n["IPFI_RANGE_A_FROM"]) for name in ("SPORT", "DPORT", "PORT")]
    set_ = n["IPFI_A_SET"]
    members = {(set_, n["IPFI_SET_A_NAME"]), (set_, n["IPFI_SET_A_MEMBER"], n["IPFI_MEMBER_A_ADDR"])}
    # Without its last value a range is one number, which is as good.
    return {
        "LIMITS_SET": {(n["IPFI_A_LIMITS"],)},
        "RULESET_BEGIN": {(n["IPFI_A_RULESET"],)},
        "RULESET_COMMIT": {(n["IPFI_A_COMMIT"],)},
        "RULESET_CONFIRM": {(n["IPFI_A_COMMIT"],)},
        "RULESET_ROLLBACK": {(n["IPFI_A_COMMIT"],)},
        "RULE_ADD": {(rule,), *ranges, *addresses, *((rule, n["IPFI_RULE_A_" + name]) for name in needed),
                     (rule, n["IPFI_RULE_A_DST"], n["IPFI_ADDRS_A_RANGE"]),
                     *((rule, n["IPFI_RULE_A_" + name], n["IPFI_RANGES_A_RANGE"])
                       for name in ("SPORT", "LENGTH", "DSCP", "USER"))},
        "RULE_ADD icmp": {(rule,), *((rule, n["IPFI_RULE_A_" + name]) for name in ("NAME", "LISTS", "VERDICT")),
                          *((rule, n["IPFI_RULE_A_" + name], n["IPFI_RANGES_A_RANGE"]) for name in ("PROTO", "ICMP")),
                          *((rule, n["IPFI_RULE_A_" + name], n["IPFI_RANGES_A_RANGE"], n["IPFI_RANGE_A_FROM"])
                            for name in ("PROTO", "ICMP"))},
        "RULE_ADD dnat": {(rule,), (rule, n["IPFI_RULE_A_TARGET"], n["IPFI_TARGET_A_ADDRS"]),
                          (rule, n["IPFI_RULE_A_TARGET"], n["IPFI_TARGET_A_PORT_FROM"]),
                          *((rule, n["IPFI_RULE_A_" + name])
                            for name in ("NAME", "LISTS", "VERDICT", "IIF", "PROTO", "TARGET"))},
        "RULE_ADD ftp": {(rule,), *((rule, n["IPFI_RULE_A_" + name])
                                    for name in ("NAME", "LISTS", "VERDICT", "FLAGS", "PROTO", "HELPER"))},
        "EXPLAIN": {(n["IPFI_A_PACKET"],), (n["IPFI_A_PACKET"], n["IPFI_PACKET_A_DATA"]),
                    (n["IPFI_A_PACKET"], n["IPFI_PACKET_A_LIST"])},
        "STATES_DUMP": {*prefixes, *ports}, "STATES_COUNT": {*prefixes, *ports}, "STATES_DELETE": {*prefixes, *ports},
        "SETS_DUMP": members, "SET_ADD": {(set_,), *members}, "SET_DELETE": {(set_,), *members},
    }
