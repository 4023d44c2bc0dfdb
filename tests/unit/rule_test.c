// SPDX-License-Identifier: GPL-2.0-or-later
/* Rule matching field by field: values, their negation, their absence. */
#include "world.h"

static void empty_rule_matches_all(void **state)
{
	struct ipfi_packet packet = parsed_packet(6, 47);
	struct ipfi_rule rule = new_rule(0);

	(void)state;
	/* What is not present does not count, whatever stands there. */
	rule.family = 4;
	rule.negated = ~0U;
	strcpy(rule.iif, "eth9");
	assert_int_equal(differs(&rule, &packet), MATCH);
}

static void set_proto(struct ipfi_packet *packet, u32 value)
{
	packet->tuple.proto = (u8)value;
}

static void set_sport(struct ipfi_packet *packet, u32 value)
{
	packet->tuple.sport = (u16)value;
}

static void set_dport(struct ipfi_packet *packet, u32 value)
{
	packet->tuple.dport = (u16)value;
}

static void set_icmp(struct ipfi_packet *packet, u32 value)
{
	packet->icmp_kind = IPFI_ICMP_SIGNAL;
	packet->tuple.family = value & IPFI_ICMP6 ? 6 : 4;
	packet->icmp = (u16)value;
}

static void set_length(struct ipfi_packet *packet, u32 value)
{
	packet->length = value;
}

static void set_dscp(struct ipfi_packet *packet, u32 value)
{
	packet->dscp = (u8)value;
}

static void set_user(struct ipfi_packet *packet, u32 value)
{
	packet->has_user = 1;
	packet->user = value;
}

/* The fields whose values are numbers, with the most that each can be. */
static const struct ranged {
	int field;
	size_t ranges;
	void (*set)(struct ipfi_packet *packet, u32 value);
	u32 most;
} ranged[] = {
	{ IPFI_FIELD_PROTO, offsetof(struct ipfi_rule, proto), set_proto, 0xff },
	{ IPFI_FIELD_SPORT, offsetof(struct ipfi_rule, sport), set_sport, 0xffff },
	{ IPFI_FIELD_DPORT, offsetof(struct ipfi_rule, dport), set_dport, 0xffff },
	{ IPFI_FIELD_ICMP, offsetof(struct ipfi_rule, icmp), set_icmp, 0x1ffff },
	{ IPFI_FIELD_LENGTH, offsetof(struct ipfi_rule, length), set_length, ~0U },
	{ IPFI_FIELD_DSCP, offsetof(struct ipfi_rule, dscp), set_dscp, 63 },
	{ IPFI_FIELD_USER, offsetof(struct ipfi_rule, user), set_user, ~0U },
};

static const struct case_of_ranges {
	struct ipfi_ranges ranges;
	u32 value;
	bool inside;
} cases_of_ranges[] = {
	{ RANGES({ 10, 20 }), 9, false },
	{ RANGES({ 10, 20 }), 10, true },
	{ RANGES({ 10, 20 }), 15, true },
	{ RANGES({ 10, 20 }), 20, true },
	{ RANGES({ 10, 20 }), 21, false },
	{ RANGES({ 0, 0 }), 0, true },
	{ RANGES({ 0, 0 }), 1, false },
	/* 0 does not end a list. */
	{ RANGES({ 0, 0 }, { 53, 53 }), 53, true },
	{ RANGES({ 50, 60 }, { 10, 20 }, { 0, 0 }, { 30, 30 }), 30, true },
	{ RANGES({ 50, 60 }, { 10, 20 }, { 0, 0 }, { 30, 30 }), 40, false },
	/* Nor is anything in an empty one. */
	{ { NULL, 0 }, 0, false },
	/* Numbers have one byte order, and no sign. */
	{ RANGES({ 0x0102, 0x0102 }), 0x0102, true },
	{ RANGES({ 0x0102, 0x0102 }), 0x0201, false },
	{ RANGES({ 0x0100, 0x01ff }), 0xff01, false },
	{ RANGES({ 1024, 0xffff }), 0x8000, true },
	{ RANGES({ 1024, 0xffff }), 0xffff, true },
	{ RANGES({ 0x10000, 0x1ffff }), 0x18000, true },
	{ RANGES({ 0x10000, 0x1ffff }), 0x8000, false },
	{ RANGES({ 0, 0xffff }), 0x10000, false },
	{ RANGES({ 0x7fffffff, 0xffffffff }), 0x80000000, true },
	{ RANGES({ 0, 0xffffffff }), 0xffffffff, true },
	{ RANGES({ 0, 0xfffffffe }), 0xffffffff, false },
};

static void compares_numbers(void **state)
{
	const struct case_of_ranges *row;
	struct ipfi_rule rule, opposite;
	const struct ranged *field;
	struct ipfi_packet packet;

	(void)state;
	for (field = ranged; field < ranged + COUNT(ranged); field++) {
		for (row = cases_of_ranges; row < cases_of_ranges + COUNT(cases_of_ranges); row++) {
			if (row->value > field->most)
				continue;
			rule = new_rule(IPFI_FIELD_BIT(field->field));
			memcpy((u8 *)&rule + field->ranges, &row->ranges, sizeof(row->ranges));
			opposite = negated(&rule);
			packet = parsed_udp(4, 7, 7);
			field->set(&packet, row->value);
			assert_int_equal(differs(&rule, &packet),
					 row->inside ? MATCH : field->field);
			assert_int_equal(differs(&opposite, &packet),
					 row->inside ? field->field : MATCH);
		}
	}
}

/* ICMP and ICMPv6 of one type are two things. */
static void tells_icmp_from_icmpv6(void **state)
{
	struct ipfi_packet four = parsed_icmp(4, 3, 4, IPFI_ICMP_ERROR);
	struct ipfi_packet six = parsed_icmp(6, 3, 4, IPFI_ICMP_ERROR);
	struct ipfi_rule rule = new_rule(BIT(ICMP));

	(void)state;
	rule.icmp = (struct ipfi_ranges)RANGES({ 0x0304, 0x0304 });
	assert_int_equal(differs(&rule, &four), MATCH);
	assert_int_equal(differs(&rule, &six), IPFI_FIELD_ICMP);
	rule.icmp = (struct ipfi_ranges)RANGES({ IPFI_ICMP6 | 0x0300, IPFI_ICMP6 | 0x03ff });
	assert_int_equal(differs(&rule, &four), IPFI_FIELD_ICMP);
	assert_int_equal(differs(&rule, &six), MATCH);
}

static void compares_families(void **state)
{
	struct ipfi_packet four = parsed_udp(4, 1, 2), six = parsed_udp(6, 1, 2);
	struct ipfi_rule rule = new_rule(BIT(FAMILY));

	(void)state;
	rule.family = 4;
	assert_int_equal(differs(&rule, &four), MATCH);
	assert_int_equal(differs(&rule, &six), IPFI_FIELD_FAMILY);
	rule.family = 6;
	assert_int_equal(differs(&rule, &four), IPFI_FIELD_FAMILY);
	assert_int_equal(differs(&rule, &six), MATCH);
}

static const struct case_of_devices {
	const char *pattern, *name;
	bool inside;
} cases_of_devices[] = {
	{ "eth0", "eth0", true },
	{ "eth0", "eth1", false },
	{ "eth0", "eth01", false },
	{ "eth01", "eth0", false },
	{ "eth0", "", false },
	{ "eth*", "eth0", true },
	{ "eth*", "eth", true },
	{ "eth*", "eth0.100", true },
	{ "eth*", "et", false },
	{ "eth*", "wlan0", false },
	{ "*", "eth0", true },
	/* A star in the middle is a name's own. */
	{ "e*h0", "eth0", false },
	{ "et*0", "eth1", false },
	{ "e*h0", "e*h0", true },
	{ "fifteen-letters", "fifteen-letters", true },
	{ "fifteen-letters", "fifteen-letter", false },
	{ "fourteen-let-*", "fourteen-let-x", true },
	{ "abcdefghijklmn*", "abcdefghijklmno", true },
};

static void compares_devices(void **state)
{
	const struct case_of_devices *row;
	struct ipfi_packet packet = parsed_udp(4, 1, 2);
	struct ipfi_rule in, out, opposite;

	(void)state;
	for (row = cases_of_devices; row < cases_of_devices + COUNT(cases_of_devices); row++) {
		in = new_rule(BIT(IIF));
		out = new_rule(BIT(OIF));
		strncpy(in.iif, row->pattern, sizeof(in.iif) - 1);
		strncpy(out.oif, row->pattern, sizeof(out.oif) - 1);

		packet.iif_name = row->name;
		packet.oif_name = "other";
		assert_int_equal(differs(&in, &packet), row->inside ? MATCH : IPFI_FIELD_IIF);
		opposite = negated(&in);
		assert_int_equal(differs(&opposite, &packet), row->inside ? IPFI_FIELD_IIF : MATCH);

		packet.iif_name = "other";
		packet.oif_name = row->name;
		assert_int_equal(differs(&out, &packet), row->inside ? MATCH : IPFI_FIELD_OIF);
		opposite = negated(&out);
		assert_int_equal(differs(&opposite, &packet), row->inside ? IPFI_FIELD_OIF : MATCH);
	}
}

/* Both devices count when both are named. */
static void compares_both_devices(void **state)
{
	struct ipfi_packet packet = parsed_udp(4, 1, 2);
	struct ipfi_rule rule = new_rule(BIT(IIF) | BIT(OIF));

	(void)state;
	packet.list = IPFI_LIST_FORWARD;
	strcpy(rule.iif, "lan0");
	strcpy(rule.oif, "wan0");
	packet.iif_name = "lan0";
	packet.oif_name = "wan0";
	assert_int_equal(differs(&rule, &packet), MATCH);
	packet.oif_name = "dmz0";
	assert_int_equal(differs(&rule, &packet), IPFI_FIELD_OIF);
	packet.iif_name = "wan0";
	packet.oif_name = "lan0";
	assert_int_equal(differs(&rule, &packet), IPFI_FIELD_IIF);
}

/* clang-format off */
#define V4(a, b, c, d) { { (u32)(a) << 24 | (b) << 16 | (c) << 8 | (d), 0, 0, 0 } }
#define V6(a, b, c, d) { { a, b, c, d } }
/* clang-format on */

static const struct ipfi_addr_range v4_ranges[] = {
	{ V4(10, 0, 0, 0), V4(10, 255, 255, 255) },
	{ V4(192, 168, 1, 7), V4(192, 168, 1, 7) },
	{ V4(200, 0, 0, 1), V4(200, 0, 0, 3) },
};

static const struct ipfi_addr_range v6_ranges[] = {
	{ V6(0x20010db8, 1, 0, 0), V6(0x20010db8, 1, 0xffffffff, 0xffffffff) },
	{ V6(0xfd000000, 0, 0, 0x80000000), V6(0xfd000000, 0, 1, 5) },
};

static const struct case_of_addrs {
	u8 family;
	struct ipfi_addr addr;
	bool inside;
} cases_of_addrs[] = {
	{ 4, V4(9, 255, 255, 255), false },
	{ 4, V4(10, 0, 0, 0), true },
	{ 4, V4(10, 1, 2, 3), true },
	{ 4, V4(10, 255, 255, 255), true },
	{ 4, V4(11, 0, 0, 0), false },
	{ 4, V4(192, 168, 1, 6), false },
	{ 4, V4(192, 168, 1, 7), true },
	{ 4, V4(192, 168, 1, 8), false },
	{ 4, V4(200, 0, 0, 0), false },
	{ 4, V4(200, 0, 0, 1), true },
	{ 4, V4(200, 0, 0, 3), true },
	{ 4, V4(200, 0, 0, 4), false },
	{ 4, V4(3, 0, 0, 10), false },
	{ 6, V6(0x20010db8, 0, 0xffffffff, 0xffffffff), false },
	{ 6, V6(0x20010db8, 1, 0, 0), true },
	{ 6, V6(0x20010db8, 1, 0x80000000, 5), true },
	{ 6, V6(0x20010db8, 1, 0xffffffff, 0xffffffff), true },
	{ 6, V6(0x20010db8, 2, 0, 0), false },
	{ 6, V6(0xfd000000, 0, 0, 0x7fffffff), false },
	{ 6, V6(0xfd000000, 0, 0, 0x80000000), true },
	{ 6, V6(0xfd000000, 0, 1, 0), true },
	{ 6, V6(0xfd000000, 0, 1, 5), true },
	{ 6, V6(0xfd000000, 0, 1, 6), false },
	/* The words of an IPv4 address in IPv6 are another address. */
	{ 6, V6(0x0a000001, 0, 0, 0), false },
	{ 4, V6(0xfd000000, 0, 0, 0), false },
};

static void compares_addresses(void **state)
{
	const struct ipfi_addrs addrs = { .v4 = v4_ranges,
					  .v6 = v6_ranges,
					  .v4_count = COUNT(v4_ranges),
					  .v6_count = COUNT(v6_ranges) };
	const struct case_of_addrs *row;
	struct ipfi_rule src, dst, opposite;
	struct ipfi_packet packet;

	(void)state;
	src = new_rule(BIT(SRC));
	src.src = addrs;
	dst = new_rule(BIT(DST));
	dst.dst = addrs;
	for (row = cases_of_addrs; row < cases_of_addrs + COUNT(cases_of_addrs); row++) {
		packet = parsed_udp(row->family, 1, 2);
		packet.tuple.src = row->addr;
		assert_int_equal(differs(&src, &packet), row->inside ? MATCH : IPFI_FIELD_SRC);
		assert_int_equal(differs(&dst, &packet), IPFI_FIELD_DST);
		opposite = negated(&src);
		assert_int_equal(differs(&opposite, &packet), row->inside ? IPFI_FIELD_SRC : MATCH);

		packet = parsed_udp(row->family, 1, 2);
		packet.tuple.dst = row->addr;
		assert_int_equal(differs(&dst, &packet), row->inside ? MATCH : IPFI_FIELD_DST);
		opposite = negated(&dst);
		assert_int_equal(differs(&opposite, &packet), row->inside ? IPFI_FIELD_DST : MATCH);
	}
	assert_int_equal(world.asked_me, 0);
}

/* "me" is one more element of a list. */
static void knows_me(void **state)
{
	struct ipfi_rule rule = new_rule(BIT(DST)), opposite;
	struct ipfi_packet packet;
	int family;

	(void)state;
	rule.dst = (struct ipfi_addrs){ .v4 = v4_ranges, .v4_count = COUNT(v4_ranges), .me = true };
	opposite = negated(&rule);
	for (family = 4; family <= 6; family += 2) {
		packet = parsed_udp((u8)family, 1, 2);
		world.me = packet.tuple.dst;
		world.me_family = (u8)family;
		assert_int_equal(differs(&rule, &packet), MATCH);
		assert_int_equal(differs(&opposite, &packet), IPFI_FIELD_DST);
		world.me = packet.tuple.src;
		assert_int_equal(differs(&rule, &packet), IPFI_FIELD_DST);
		assert_int_equal(differs(&opposite, &packet), MATCH);
	}
	packet.tuple.family = 4;
	packet.tuple.dst = ip4(10, 0, 0, 1);
	assert_int_equal(differs(&rule, &packet), MATCH);
}

/* Dynamic sets stand beside ranges: an address is inside when one of them has it, negated when none has. */
static void asks_dynamic_sets(void **state)
{
	struct ipfi_packet packet = parsed_udp(4, 1, 2);
	struct one_set first = { .member = packet.tuple.src, .family = 6 };
	struct one_set second = { .member = packet.tuple.dst, .family = 4 };
	const void *const sets[] = { &first, &second };
	struct ipfi_rule rule = new_rule(BIT(SRC)), opposite;

	(void)state;
	rule.src = (struct ipfi_addrs){ .sets = sets, .set_count = 2 };
	opposite = negated(&rule);
	assert_int_equal(differs(&rule, &packet), IPFI_FIELD_SRC);
	assert_int_equal(differs(&opposite, &packet), MATCH);
	assert_int_equal(world.asked_sets, 4);

	second.member = packet.tuple.src;
	assert_int_equal(differs(&rule, &packet), MATCH);
	assert_int_equal(differs(&opposite, &packet), IPFI_FIELD_SRC);

	/* The first that has it is enough, and what a range has is not asked for. */
	first.family = 4;
	world.asked_sets = 0;
	assert_int_equal(differs(&rule, &packet), MATCH);
	assert_int_equal(world.asked_sets, 1);
	rule.src.v4 = &(const struct ipfi_addr_range){ packet.tuple.src, packet.tuple.src };
	rule.src.v4_count = 1;
	assert_int_equal(differs(&rule, &packet), MATCH);
	assert_int_equal(world.asked_sets, 1);
}

/* Ports without a protocol are those of TCP and UDP. Others have to be named. */
static void ports_mean_tcp_and_udp(void **state)
{
	static const u8 protos[] = { IPFI_PROTO_TCP, IPFI_PROTO_UDP, IPFI_PROTO_UDPLITE,
				     IPFI_PROTO_SCTP, IPFI_PROTO_DCCP };
	struct ipfi_packet packet = parsed_udp(4, 53, 53);
	struct ipfi_rule rule;
	bool usual;
	u32 field;
	size_t i;

	(void)state;
	for (field = IPFI_FIELD_SPORT; field <= IPFI_FIELD_DPORT; field++) {
		for (i = 0; i < COUNT(protos); i++) {
			usual = protos[i] == IPFI_PROTO_TCP || protos[i] == IPFI_PROTO_UDP;
			packet.tuple.proto = protos[i];
			rule = new_rule(IPFI_FIELD_BIT(field));
			rule.sport = rule.dport = (struct ipfi_ranges)RANGES({ 53, 53 });
			assert_int_equal(differs(&rule, &packet), usual ? MATCH : (int)field);
			rule.negated = rule.fields;
			assert_int_equal(differs(&rule, &packet), field);
			rule.sport = rule.dport = (struct ipfi_ranges)RANGES({ 54, 54 });
			assert_int_equal(differs(&rule, &packet), usual ? MATCH : (int)field);

			rule.negated = 0;
			rule.sport = rule.dport = (struct ipfi_ranges)RANGES({ 53, 53 });
			rule.fields |= BIT(PROTO);
			rule.proto = (struct ipfi_ranges)RANGES({ 17, 17 }, { 33, 33 },
								{ 132, 136 }, { 6, 6 });
			assert_int_equal(differs(&rule, &packet), MATCH);

			/* To say what it is not names nothing. */
			rule.negated = BIT(PROTO);
			rule.proto = (struct ipfi_ranges)RANGES({ 1, 1 });
			assert_int_equal(differs(&rule, &packet), usual ? MATCH : (int)field);
		}
	}
}

static void compares_flags(void **state)
{
	struct ipfi_rule rule = new_rule(BIT(TCP_FLAGS));
	struct ipfi_packet packet;
	unsigned int flags;
	bool inside;

	(void)state;
	rule.tcp_mask = IPFI_TCP_SYN | IPFI_TCP_ACK | IPFI_TCP_RST;
	rule.tcp_value = IPFI_TCP_SYN;
	for (flags = 0; flags < 256; flags++) {
		packet = parsed_tcp(4, 1, 2, (u8)flags);
		inside = (flags & 0x02) && !(flags & 0x10) && !(flags & 0x04);
		assert_int_equal(differs(&rule, &packet), inside ? MATCH : IPFI_FIELD_TCP_FLAGS);
	}
}

static void compares_marks(void **state)
{
	struct ipfi_packet packet = parsed_udp(4, 1, 2);
	struct ipfi_rule rule = new_rule(BIT(MARK)), opposite;

	(void)state;
	rule.mark_value = 0x80000100;
	rule.mark_mask = 0xff00ff00;
	opposite = negated(&rule);
	packet.mark = 0x80ab01cd;
	assert_int_equal(differs(&rule, &packet), MATCH);
	assert_int_equal(differs(&opposite, &packet), IPFI_FIELD_MARK);
	packet.mark = 0x80ab03cd;
	assert_int_equal(differs(&rule, &packet), IPFI_FIELD_MARK);
	assert_int_equal(differs(&opposite, &packet), MATCH);
}

/* What a packet does not have is neither in a set nor outside it. */
static void absent_never_matches(void **state)
{
	struct ipfi_packet packet = parsed_packet(4, 47);
	struct ipfi_rule rule, opposite;
	static const int fields[] = { IPFI_FIELD_IIF,	IPFI_FIELD_OIF,	 IPFI_FIELD_SPORT,
				      IPFI_FIELD_DPORT, IPFI_FIELD_ICMP, IPFI_FIELD_TCP_FLAGS,
				      IPFI_FIELD_USER };
	size_t i;

	(void)state;
	packet.iif_name = NULL;
	for (i = 0; i < COUNT(fields); i++) {
		rule = new_rule(IPFI_FIELD_BIT(fields[i]));
		strcpy(rule.iif, "*");
		strcpy(rule.oif, "*");
		rule.sport = rule.dport = rule.icmp = rule.user =
			(struct ipfi_ranges)RANGES({ 0, ~0U });
		assert_int_equal(differs(&rule, &packet), fields[i]);
		opposite = negated(&rule);
		assert_int_equal(differs(&opposite, &packet), fields[i]);
		strcpy(opposite.iif, "x");
		strcpy(opposite.oif, "x");
		opposite.sport = opposite.dport = opposite.icmp = opposite.user =
			(struct ipfi_ranges)RANGES({ 1, 1 });
		assert_int_equal(differs(&opposite, &packet), fields[i]);
	}

	/* A protocol that is named has no ports for that. */
	rule = new_rule(BIT(PROTO) | BIT(DPORT));
	rule.negated = BIT(DPORT);
	rule.proto = (struct ipfi_ranges)RANGES({ 47, 47 });
	rule.dport = (struct ipfi_ranges)RANGES({ 1, 1 });
	assert_int_equal(differs(&rule, &packet), IPFI_FIELD_DPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_rule_matches_all, setup),
		cmocka_unit_test_setup(compares_numbers, setup),
		cmocka_unit_test_setup(tells_icmp_from_icmpv6, setup),
		cmocka_unit_test_setup(compares_families, setup),
		cmocka_unit_test_setup(compares_devices, setup),
		cmocka_unit_test_setup(compares_both_devices, setup),
		cmocka_unit_test_setup(compares_addresses, setup),
		cmocka_unit_test_setup(knows_me, setup),
		cmocka_unit_test_setup(asks_dynamic_sets, setup),
		cmocka_unit_test_setup(ports_mean_tcp_and_udp, setup),
		cmocka_unit_test_setup(compares_flags, setup),
		cmocka_unit_test_setup(compares_marks, setup),
		cmocka_unit_test_setup(absent_never_matches, setup),
	};

	return cmocka_run_group_tests_name("rule fields", tests, NULL, NULL);
}
