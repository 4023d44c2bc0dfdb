// SPDX-License-Identifier: GPL-2.0-or-later
/* Rule matching as a whole: the difference named, when limits are asked, unknowns; ids, rates. */
#include "world.h"

/* A rule that a TCP packet matches in every field that it can have, and the packet. */
static const struct ipfi_addr_range from[] = { { { { 0xc0000201, 0, 0, 0 } },
						 { { 0xc0000201, 0, 0, 0 } } } };
static const struct ipfi_addr_range to[] = { { { { 0xc0000202, 0, 0, 0 } },
					       { { 0xc0000202, 0, 0, 0 } } } };
static const struct ipfi_rule full = {
	.name = "full",
	.lists = IPFI_LISTS_FILTER,
	.verdict = IPFI_VERDICT_ALLOW,
	.fields = (IPFI_FIELD_BIT(__IPFI_FIELD_END) - 1) & ~BIT(ICMP),
	.family = 4,
	.iif = "eth0",
	.oif = "eth1",
	.proto = RANGES({ 6, 6 }),
	.src = { .v4 = from, .v4_count = 1 },
	.dst = { .v4 = to, .v4_count = 1 },
	.sport = RANGES({ 1024, 65535 }),
	.dport = RANGES({ 22, 22 }),
	.tcp_mask = IPFI_TCP_SYN,
	.tcp_value = IPFI_TCP_SYN,
	.length = RANGES({ 60, 60 }),
	.dscp = RANGES({ 46, 46 }),
	.user = RANGES({ 1000, 1000 }),
	.mark_value = 1,
	.mark_mask = 1,
	.per_source = 3,
};

static const struct ipfi_ranges other = RANGES({ 7, 7 });

static struct ipfi_packet full_packet(void)
{
	struct ipfi_packet packet = parsed_tcp(4, 40000, 22, IPFI_TCP_SYN);

	packet.oif_name = "eth1";
	packet.length = 60;
	packet.dscp = 46;
	packet.has_user = 1;
	packet.user = 1000;
	packet.mark = 1;
	return packet;
}

/* Makes a copy of full differ in @field. */
static void spoil(struct ipfi_rule *rule, u32 field)
{
	switch (field) {
	case IPFI_FIELD_FAMILY:
		rule->family = 6;
		break;
	case IPFI_FIELD_IIF:
		strcpy(rule->iif, "lo");
		break;
	case IPFI_FIELD_OIF:
		strcpy(rule->oif, "lo");
		break;
	case IPFI_FIELD_SRC:
		rule->src.v4_count = 0;
		break;
	case IPFI_FIELD_DST:
		rule->dst.v4_count = 0;
		break;
	case IPFI_FIELD_PROTO:
		rule->proto = other;
		break;
	case IPFI_FIELD_SPORT:
		rule->sport = other;
		break;
	case IPFI_FIELD_DPORT:
		rule->dport = other;
		break;
	case IPFI_FIELD_ICMP:
		rule->fields |= BIT(ICMP);
		break;
	case IPFI_FIELD_TCP_FLAGS:
		rule->tcp_value = 0;
		break;
	case IPFI_FIELD_LENGTH:
		rule->length = other;
		break;
	case IPFI_FIELD_DSCP:
		rule->dscp = other;
		break;
	case IPFI_FIELD_USER:
		rule->user = other;
		break;
	case IPFI_FIELD_MARK:
		rule->mark_mask = 2;
		break;
	case IPFI_FIELD_IPSEC:
		rule->ipsec = 1;
		break;
	case IPFI_FIELD_LIMIT:
		world.within_limit = false;
		break;
	case IPFI_FIELD_PER_SOURCE:
		world.states = 3;
		break;
	default:
		fail();
	}
}

/* Of two fields that differ the first is named; but the limit is asked after all others. */
static void names_first_difference(void **state)
{
	struct ipfi_packet packet = full_packet();
	struct ipfi_rule rule = full;
	u32 first, second;

	assert_int_equal(differs(&rule, &packet), MATCH);
	for (first = 0; first < __IPFI_FIELD_END; first++) {
		for (second = first; second < __IPFI_FIELD_END; second++) {
			setup(state);
			rule = full;
			spoil(&rule, first);
			spoil(&rule, second);
			if (first == IPFI_FIELD_LIMIT)
				assert_int_equal(differs(&rule, &packet), second);
			else
				assert_int_equal(differs(&rule, &packet), first);
			assert_int_equal(world.asked_limit,
					 second == IPFI_FIELD_LIMIT && first == second);
			assert_int_equal(world.asked_states, first >= IPFI_FIELD_LIMIT);
		}
	}
}

/* A limit is taken from once, and only for a packet that matches in all else. */
static void takes_limit_last(void **state)
{
	struct ipfi_packet packet = full_packet();
	struct ipfi_rule rule = full;

	(void)state;
	world.states = 2;
	assert_int_equal(differs(&rule, &packet), MATCH);
	assert_int_equal(world.asked_limit, 1);
	assert_int_equal(world.asked_states, 1);
	world.states = 3;
	assert_int_equal(differs(&rule, &packet), IPFI_FIELD_PER_SOURCE);
	assert_int_equal(world.asked_limit, 1);
	world.states = 0;
	world.within_limit = false;
	assert_int_equal(differs(&rule, &packet), IPFI_FIELD_LIMIT);
	assert_int_equal(world.asked_limit, 2);
	packet.tuple.dport = 23;
	assert_int_equal(differs(&rule, &packet), IPFI_FIELD_DPORT);
	assert_int_equal(world.asked_limit, 2);
	assert_int_equal(world.asked_states, 3);
}

/* What is not known of a state's first packet speaks for it: allow rules fit, deny rules do not. */
static void unknown_speaks_for_state(void **state)
{
	static const u8 verdicts[] = { IPFI_VERDICT_ALLOW, IPFI_VERDICT_DENY, IPFI_VERDICT_REJECT };
	struct ipfi_packet packet = full_packet();
	struct ipfi_rule rule;
	unsigned int spoilt;
	bool allow;
	u32 field;
	size_t i;

	for (i = 0; i < COUNT(verdicts); i++) {
		allow = verdicts[i] == IPFI_VERDICT_ALLOW;
		for (field = 0; field < __IPFI_FIELD_END; field++) {
			for (spoilt = 0; spoilt < 2; spoilt++) {
				setup(state);
				rule = full;
				rule.verdict = verdicts[i];
				rule.fields |= IPFI_FIELD_BIT(field) & BIT(ICMP);
				if (spoilt)
					spoil(&rule, field);
				packet.unknown = IPFI_FIELD_BIT(field);
				assert_int_equal(differs(&rule, &packet),
						 allow ? MATCH : (int)field);
				assert_int_equal(world.asked_limit,
						 allow && field != IPFI_FIELD_LIMIT);
			}
			/* A field that the rule does not have need not be known. */
			setup(state);
			rule = full;
			rule.verdict = verdicts[i];
			rule.fields &= ~IPFI_FIELD_BIT(field);
			assert_int_equal(differs(&rule, &packet), MATCH);
		}
	}
}

/* FNV-1a's published values: the empty string, short ones, and two whose hash is 0. */
static void makes_ids(void **state)
{
	(void)state;
	assert_true(ipfi_rule_id("", 0) == 0xcbf29ce484222325ULL);
	assert_true(ipfi_rule_id("a", 1) == 0xaf63dc4c8601ec8cULL);
	assert_true(ipfi_rule_id("foobar", 6) == 0x85944171f73967e8ULL);
	assert_true(ipfi_rule_id("foobarbaz", 6) == 0x85944171f73967e8ULL);
	assert_true(ipfi_rule_id("\xd5\x6b\xb9\x53\x42\x87\x08\x36", 8) == 1);
	assert_true(ipfi_rule_id("77kepQFQ8Kl", 11) == 1);
}

#define SECOND 1000000000ULL

static void limits_rate(void **state)
{
	u64 arrival = 0, now = 1000 * SECOND;
	unsigned int passed;
	int i;

	(void)state;
	/* A burst of 5, then one a second. */
	for (passed = 0, i = 0; i < 20; i++)
		passed += ipfi_rate_conforms(arrival, now, SECOND, 5, &arrival);
	assert_int_equal(passed, 5);
	assert_false(ipfi_rate_conforms(arrival, now + SECOND - 1, SECOND, 5, &arrival));
	assert_true(ipfi_rate_conforms(arrival, now + SECOND, SECOND, 5, &arrival));
	assert_false(ipfi_rate_conforms(arrival, now + SECOND, SECOND, 5, &arrival));

	/* Ten tries a second for a hundred seconds: the rate holds. */
	now += SECOND;
	for (passed = 0, i = 0; i < 1000; i++)
		passed += ipfi_rate_conforms(arrival, now += SECOND / 10, SECOND, 5, &arrival);
	assert_int_equal(passed, 100);

	/* However long nothing comes, no more than the burst is saved up. */
	now += 1000000 * SECOND;
	for (passed = 0, i = 0; i < 20; i++)
		passed += ipfi_rate_conforms(arrival, now, SECOND, 5, &arrival);
	assert_int_equal(passed, 5);
}

static void limits_rate_at_the_edges(void **state)
{
	u64 arrival = 0, next = 42;
	unsigned int passed;
	int i;

	(void)state;
	/* A burst of 0 or 1: one, then none until an interval has passed. */
	for (i = 0; i < 2; i++) {
		assert_true(ipfi_rate_conforms(0, SECOND, SECOND, (u32)i, &arrival));
		assert_false(ipfi_rate_conforms(arrival, SECOND, SECOND, (u32)i, &next));
		assert_false(ipfi_rate_conforms(arrival, 2 * SECOND - 1, SECOND, (u32)i, &next));
		assert_true(next == 42);
		assert_true(ipfi_rate_conforms(arrival, 2 * SECOND, SECOND, (u32)i, &arrival));
	}
	/* The clock's first moments are no special ones. */
	for (arrival = 0, passed = 0, i = 0; i < 20; i++)
		passed += ipfi_rate_conforms(arrival, 0, SECOND, 5, &arrival);
	assert_int_equal(passed, 5);
	/* An interval and a burst whose product is too large are a burst without end. */
	for (arrival = 0, passed = 0, i = 0; i < 20000; i++)
		passed += ipfi_rate_conforms(arrival, SECOND, 1ULL << 52, ~0U, &arrival);
	assert_int_equal(passed, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names_first_difference, setup),
		cmocka_unit_test_setup(takes_limit_last, setup),
		cmocka_unit_test_setup(unknown_speaks_for_state, setup),
		cmocka_unit_test(makes_ids),
		cmocka_unit_test(limits_rate),
		cmocka_unit_test(limits_rate_at_the_edges),
	};

	return cmocka_run_group_tests_name("rule as a whole", tests, NULL, NULL);
}
