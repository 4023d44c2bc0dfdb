// SPDX-License-Identifier: GPL-2.0-or-later
/* The rule search: the first rule of the packet's list that matches, of however many. */
#include "module/core/classify.h"
#include "world.h"

#define MOST 64

static const struct ipfi_ranges port_22 = RANGES({ 22, 22 });
static const struct ipfi_ranges port_80 = RANGES({ 80, 80 });

/* A classifier of @count rules in memory of its own, exactly as large as it asked for. */
static const struct ipfi_rule **build(struct ipfi_classifier *c, struct ipfi_rule *rules, u32 count)
{
	size_t room = ipfi_classifier_room(rules, count);
	const struct ipfi_rule **order = malloc(room ? room * sizeof(*order) : 1);
	u32 i;

	assert_non_null(order);
	for (i = 0; i < count; i++)
		rules[i].index = i;
	memset(c->standard, 0x5a, sizeof(c->standard));
	ipfi_classifier_build(c, rules, count, order);
	for (i = 0; i < __IPFI_LIST_FILTER_END; i++)
		assert_int_equal(c->standard[i], 0x5a);
	return order;
}

static struct ipfi_rule rule_in(u8 lists, u8 verdict, const struct ipfi_ranges *dport)
{
	struct ipfi_rule rule = new_rule(dport ? BIT(DPORT) : 0);

	rule.lists = lists;
	rule.verdict = verdict;
	if (dport)
		rule.dport = *dport;
	return rule;
}

static void needs_room(void **state)
{
	struct ipfi_rule rules[3] = {
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_ALLOW, NULL),
		rule_in(1 << IPFI_LIST_OUT, IPFI_VERDICT_ALLOW, NULL),
		rule_in(1 << IPFI_LIST_IN | 1 << IPFI_LIST_FORWARD, IPFI_VERDICT_ALLOW, NULL),
	};

	(void)state;
	assert_true(ipfi_classifier_room(rules, 3) >= 6);
}

/* A search that is told finds the same rule, and says of each before it what differs. */
static void is_told(void **state)
{
	struct ipfi_rule rules[4] = {
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_ALLOW, &port_80),
		rule_in(1 << IPFI_LIST_OUT, IPFI_VERDICT_ALLOW, NULL),
		new_rule(BIT(FAMILY) | BIT(DPORT)),
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_DENY, &port_22),
	};
	struct ipfi_packet packet = parsed_udp(4, 1, 22);
	u8 *field = malloc(3); /* exactly as many as stand in list in */
	struct ipfi_steps steps = { .field = field };
	const struct ipfi_rule **order;
	struct ipfi_classifier c;

	(void)state;
	assert_non_null(field);
	rules[2].lists = IPFI_LISTS_FILTER;
	rules[2].family = 6;
	rules[2].dport = port_22;
	order = build(&c, rules, 4);
	packet.list = IPFI_LIST_IN;
	assert_ptr_equal(ipfi_classify_trace(&c, &packet, &around, &steps), &rules[3]);
	assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[3]);
	assert_int_equal(steps.list, IPFI_LIST_IN);
	assert_int_equal(steps.count, 3);
	assert_int_equal(field[0], IPFI_FIELD_DPORT);
	assert_int_equal(field[1], IPFI_FIELD_FAMILY);
	assert_int_equal(field[2], IPFI_STEP_MATCHES);
	packet.tuple.dport = 23;
	assert_null(ipfi_classify_trace(&c, &packet, &around, &steps));
	assert_int_equal(steps.count, 3);
	assert_int_equal(field[2], IPFI_FIELD_DPORT);
	free(field);
	free(order);
}

static void empty_set_matches_nothing(void **state)
{
	struct ipfi_packet packet = parsed_udp(4, 1, 22);
	struct ipfi_classifier c = { .count = { 0 } };
	const struct ipfi_rule **order;

	(void)state;
	assert_null(ipfi_classify(&c, &packet, &around));
	order = build(&c, NULL, 0);
	for (packet.list = 0; packet.list < __IPFI_LIST_FILTER_END; packet.list++)
		assert_null(ipfi_classify(&c, &packet, &around));
	free(order);
}

/* The first that matches decides, and nothing of those before it sticks. */
static void first_match_wins(void **state)
{
	struct ipfi_rule rules[] = {
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_DENY, &port_80),
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_ALLOW, &port_22),
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_DENY, &port_22),
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_ALLOW, &port_80),
	};
	struct ipfi_packet packet = parsed_udp(4, 1, 22);
	const struct ipfi_rule **order;
	struct ipfi_classifier c;

	(void)state;
	order = build(&c, rules, COUNT(rules));
	for (packet.list = 0; packet.list < __IPFI_LIST_FILTER_END; packet.list++) {
		packet.tuple.dport = 22;
		assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[1]);
		packet.tuple.dport = 80;
		assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[0]);
		packet.tuple.dport = 443;
		assert_null(ipfi_classify(&c, &packet, &around));
	}
	free(order);
}

/* Whichever field differs, the first of the enum too. */
static void passes_over_any_difference(void **state)
{
	struct ipfi_rule rules[] = {
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_DENY, NULL),
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_ALLOW, NULL),
	};
	struct ipfi_packet packet = parsed_packet(4, 47);
	const struct ipfi_rule **order;
	struct ipfi_classifier c;
	u32 field;

	(void)state;
	world.within_limit = false;
	packet.iif_name = NULL;
	order = build(&c, rules, COUNT(rules));
	for (field = 0; field < __IPFI_FIELD_END; field++) {
		rules[0] = rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_DENY, NULL);
		rules[0].fields = IPFI_FIELD_BIT(field);
		rules[0].family = 6;
		rules[0].mark_value = rules[0].mark_mask = 1;
		rules[0].ipsec = 1;
		assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[1]);
	}
	free(order);
}

/* To stand in a packet's list is needed for a match, and is not enough. */
static void lists_stand_apart(void **state)
{
	struct ipfi_rule rules[] = {
		rule_in(1 << IPFI_LIST_FORWARD, IPFI_VERDICT_DENY, NULL),
		rule_in(1 << IPFI_LIST_OUT, IPFI_VERDICT_DENY, &port_80),
		rule_in(1 << IPFI_LIST_IN | 1 << IPFI_LIST_OUT, IPFI_VERDICT_ALLOW, &port_22),
		rule_in(1 << IPFI_LIST_OUT, IPFI_VERDICT_REJECT, NULL),
	};
	struct ipfi_packet packet = parsed_udp(6, 1, 22);
	const struct ipfi_rule **order;
	struct ipfi_classifier c;

	(void)state;
	order = build(&c, rules, COUNT(rules));
	packet.list = IPFI_LIST_IN;
	assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[2]);
	packet.list = IPFI_LIST_OUT;
	assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[2]);
	packet.list = IPFI_LIST_FORWARD;
	assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[0]);
	packet.tuple.dport = 23;
	packet.list = IPFI_LIST_IN;
	assert_null(ipfi_classify(&c, &packet, &around));
	packet.list = IPFI_LIST_OUT;
	assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[3]);
	free(order);
}

/* A rule whose limit is used up is passed over, and one behind the first match takes nothing. */
static void passes_over_used_up_limit(void **state)
{
	struct ipfi_rule rules[] = {
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_ALLOW, NULL),
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_DENY, NULL),
		rule_in(IPFI_LISTS_FILTER, IPFI_VERDICT_ALLOW, NULL),
	};
	struct ipfi_packet packet = parsed_udp(4, 1, 22);
	const struct ipfi_rule **order;
	struct ipfi_classifier c;

	(void)state;
	rules[0].fields = BIT(LIMIT);
	rules[2].fields = BIT(LIMIT);
	order = build(&c, rules, COUNT(rules));
	assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[0]);
	assert_int_equal(world.asked_limit, 1);
	world.within_limit = false;
	assert_ptr_equal(ipfi_classify(&c, &packet, &around), &rules[1]);
	assert_int_equal(world.asked_limit, 2);
	free(order);
}

/* Any rule set, any packet: the search answers as one does who reads the rules from the top. */
static void answers_as_reader_does(void **state)
{
	static const struct ipfi_range ranges[] = {
		{ 0, 3 }, { 2, 5 }, { 4, 4 }, { 6, 9 }, { 1, 8 }
	};
	const struct ipfi_rule *expected, **order;
	struct ipfi_rule rules[MOST];
	struct ipfi_packet packet;
	struct ipfi_classifier c;
	unsigned int found = 0;
	u32 count, i;
	int round, try;

	(void)state;
	srand(1);
	for (round = 0; round < 300; round++) {
		count = (u32)(rand() % MOST);
		for (i = 0; i < count; i++) {
			rules[i] = new_rule((u32)rand() & (BIT(SPORT) | BIT(DPORT)));
			rules[i].lists = (u8)(rand() % 8);
			rules[i].sport = (struct ipfi_ranges){ &ranges[rand() % 5], 1 };
			rules[i].dport = (struct ipfi_ranges){ &ranges[rand() % 5], 1 };
			rules[i].negated = rules[i].fields & (u32)rand();
		}
		order = build(&c, rules, count);
		for (try = 0; try < 100; try++) {
			packet = parsed_udp(4, (u16)(rand() % 10), (u16)(rand() % 10));
			packet.list = (u8)(rand() % __IPFI_LIST_FILTER_END);
			for (expected = NULL, i = 0; i < count && !expected; i++)
				if (rules[i].lists & 1 << packet.list &&
				    differs(&rules[i], &packet) == MATCH)
					expected = &rules[i];
			assert_ptr_equal(ipfi_classify(&c, &packet, &around), expected);
			found += !!expected;
		}
		free(order);
	}
	assert_true(found > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_room),
		cmocka_unit_test_setup(is_told, setup),
		cmocka_unit_test_setup(empty_set_matches_nothing, setup),
		cmocka_unit_test_setup(first_match_wins, setup),
		cmocka_unit_test_setup(passes_over_any_difference, setup),
		cmocka_unit_test_setup(lists_stand_apart, setup),
		cmocka_unit_test_setup(passes_over_used_up_limit, setup),
		cmocka_unit_test_setup(answers_as_reader_does, setup),
	};

	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
