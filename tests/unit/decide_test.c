// SPDX-License-Identifier: GPL-2.0-or-later
/* The order of decision: rules, IPv6's exception, defaults; live flows under new rules; related errors. */
#include "module/core/decide.h"
#include "support.h"
#include "world.h"

static struct ipfi_limits limits;
static struct ipfi_classifier classifier;
static const struct ipfi_rule *order[16];

static struct ipfi_match_ctx judge_of(const struct ipfi_rule *rules, u32 count, u32 generation)
{
	unsigned int list;

	assert_true(ipfi_classifier_room(rules, count) <= COUNT(order));
	ipfi_limits_init(&limits);
	for (list = 0; list < __IPFI_LIST_FILTER_END; list++)
		classifier.standard[list] = IPFI_VERDICT_DENY;
	ipfi_classifier_build(&classifier, rules, count, order);
	return (struct ipfi_match_ctx){
		.classifier = &classifier, .limits = &limits, .env = &around, .generation = generation,
	};
}

static struct ipfi_rule named(const char *name, u8 verdict, u32 fields)
{
	struct ipfi_rule rule = new_rule(fields);

	rule.name = name;
	rule.id = ipfi_rule_id(name, strlen(name));
	rule.verdict = verdict;
	rule.flags = verdict == IPFI_VERDICT_ALLOW ? IPFI_RULE_F_STATEFUL : 0;
	return rule;
}

static struct ipfi_rule to_port(const char *name, u8 verdict, u32 port)
{
	static struct ipfi_range ranges[16];
	static unsigned int used;
	struct ipfi_rule rule = named(name, verdict, BIT(DPORT));
	struct ipfi_range *range = &ranges[used++ % COUNT(ranges)];

	*range = (struct ipfi_range){ port, port };
	rule.dport = (struct ipfi_ranges){ .at = range, .count = 1 };
	return rule;
}

static struct ipfi_decision first(const struct ipfi_match_ctx *judge, const struct ipfi_packet *packet)
{
	struct ipfi_decision decision;

	memset(&decision, 0xee, sizeof(decision));
	ipfi_decide_first(judge, packet, &decision);
	return decision;
}

/* The verdict is the first matching rule's, or the default's; nothing of a rule passed over stays. */
static void first_match_wins(void **state)
{
	struct ipfi_rule rules[] = { to_port("deny telnet", IPFI_VERDICT_DENY, 23),
				     to_port("reject smtp", IPFI_VERDICT_REJECT, 25),
				     to_port("allow www", IPFI_VERDICT_ALLOW, 80),
				     to_port("never reached", IPFI_VERDICT_DENY, 80) };
	struct ipfi_match_ctx judge = judge_of(rules, COUNT(rules), 1);
	static const struct {
		u16 port;
		u8 verdict, reason;
		int rule;
		bool stateful;
	} table[] = {
		{ 80, IPFI_VERDICT_ALLOW, IPFI_REASON_RULE_ALLOW, 2, true },
		{ 23, IPFI_VERDICT_DENY, IPFI_REASON_RULE_DENY, 0, false },
		{ 25, IPFI_VERDICT_REJECT, IPFI_REASON_RULE_REJECT, 1, false },
		{ 22, IPFI_VERDICT_DENY, IPFI_REASON_DEFAULT_DENY, -1, false },
	};
	struct ipfi_packet packet;
	struct ipfi_decision decision;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		packet = parsed_tcp(i & 1 ? 6 : 4, 40000, table[i].port, IPFI_TCP_SYN);
		decision = first(&judge, &packet);
		assert_int_equal(decision.verdict, table[i].verdict);
		assert_int_equal(decision.reason, table[i].reason);
		assert_int_equal(decision.stateful, table[i].stateful);
		assert_ptr_equal(decision.rule, table[i].rule < 0 ? NULL : &rules[table[i].rule]);
	}
	classifier.standard[IPFI_LIST_IN] = IPFI_VERDICT_ALLOW;
	packet = parsed_tcp(4, 40000, 22, IPFI_TCP_SYN);
	decision = first(&judge, &packet);
	assert_int_equal(decision.verdict, IPFI_VERDICT_ALLOW);
	assert_int_equal(decision.reason, IPFI_REASON_DEFAULT_ALLOW);
	assert_false(decision.stateful);
}

/*
 * Neighbour discovery lives without rules, with the right hop limit only; a rule that denies all else lets it
 * pass as the default does, one that selects it by something of the packet does not.
 */
static void ipv6_stays_alive(void **state)
{
	struct ipfi_rule rest = named("rest", IPFI_VERDICT_DENY, BIT(IIF) | BIT(LIMIT));
	struct ipfi_rule deny = named("no IPv6", IPFI_VERDICT_DENY, BIT(FAMILY));
	struct ipfi_match_ctx judge = judge_of(NULL, 0, 1);
	struct ipfi_packet packet = parsed_icmp(6, 135, 0, IPFI_ICMP_SIGNAL);

	(void)state;
	packet.hop_limit = 255;
	assert_int_equal(first(&judge, &packet).reason, IPFI_REASON_NEIGHBOUR);
	packet.hop_limit = 254;
	assert_int_equal(first(&judge, &packet).reason, IPFI_REASON_DEFAULT_DENY);
	packet.hop_limit = 255;
	packet.list = IPFI_LIST_FORWARD;
	assert_int_equal(first(&judge, &packet).reason, IPFI_REASON_DEFAULT_DENY);
	packet.list = IPFI_LIST_IN;
	strcpy(rest.iif, "eth*");
	judge = judge_of(&rest, 1, 1);
	assert_int_equal(first(&judge, &packet).reason, IPFI_REASON_NEIGHBOUR);
	assert_null(first(&judge, &packet).rule);
	packet.hop_limit = 254;
	assert_int_equal(first(&judge, &packet).reason, IPFI_REASON_RULE_DENY);
	packet.hop_limit = 255;
	deny.family = 6;
	judge = judge_of(&deny, 1, 1);
	assert_int_equal(first(&judge, &packet).reason, IPFI_REASON_RULE_DENY);
}

/* A stateful rule lets an ICMP error or signal pass, but such a packet opens nothing. */
static void errors_open_nothing(void **state)
{
	struct ipfi_rule all = named("all", IPFI_VERDICT_ALLOW, 0);
	struct ipfi_match_ctx judge = judge_of(&all, 1, 1);
	struct ipfi_packet packet = parsed_icmp(4, 3, 1, IPFI_ICMP_ERROR);

	(void)state;
	assert_int_equal(first(&judge, &packet).verdict, IPFI_VERDICT_ALLOW);
	assert_false(first(&judge, &packet).stateful);
	packet = parsed_icmp(4, 5, 0, IPFI_ICMP_SIGNAL);
	assert_false(first(&judge, &packet).stateful);
	packet = parsed_icmp(4, 8, 0, IPFI_ICMP_QUERY);
	assert_true(first(&judge, &packet).stateful);
}

static struct ipfi_flow open_flow(const struct ipfi_packet *packet)
{
	struct ipfi_flow flow;

	ipfi_limits_init(&limits);
	assert_int_equal(ipfi_flow_open(&flow, packet, 99, 1, 1, &limits), 0);
	return flow;
}

/* By the interfaces that it has. */
static bool again(const struct ipfi_match_ctx *judge, struct ipfi_flow *flow, const struct ipfi_device_names *names,
		  struct ipfi_decision *decision)
{
	struct ipfi_via via;

	ipfi_via_of_flow(flow, &via);
	return ipfi_decide_again(judge, flow, &via, names, decision);
}

static const struct ipfi_device_names eth0 = { .iif = "eth0" };

/* New rules judge a live flow by its first packet; it takes the name of the rule that now allows it. */
static void live_flows_are_judged_again(void **state)
{
	struct ipfi_rule rules[] = { to_port("no ssh", IPFI_VERDICT_REJECT, 22),
				     to_port("www", IPFI_VERDICT_ALLOW, 80) };
	struct ipfi_packet packet = parsed_tcp(4, 40000, 80, IPFI_TCP_SYN);
	struct ipfi_flow flow = open_flow(&packet);
	struct ipfi_match_ctx judge = judge_of(rules, COUNT(rules), 2);
	struct ipfi_decision decision;

	(void)state;
	assert_true(again(&judge, &flow, &eth0, &decision));
	assert_int_equal(flow.generation, 2);
	assert_int_equal(flow.rule, rules[1].id);

	packet = parsed_tcp(4, 40000, 22, IPFI_TCP_SYN);
	flow = open_flow(&packet);
	assert_false(again(&judge, &flow, &eth0, &decision));
	assert_int_equal(decision.verdict, IPFI_VERDICT_REJECT);
	assert_int_equal(decision.reason, IPFI_REASON_REJUDGED);
	assert_ptr_equal(decision.rule, &rules[0]);
}

/* What a flow does not remember, or must not be asked twice, ends nothing: limits, counts, lengths. */
static void forgotten_fields_end_nothing(void **state)
{
	struct ipfi_rule allow = named("a", IPFI_VERDICT_ALLOW, BIT(LIMIT) | BIT(PER_SOURCE) | BIT(LENGTH));
	struct ipfi_rule rules[] = { named("d", IPFI_VERDICT_DENY, BIT(LENGTH)), allow };
	static const struct ipfi_range short_ones = { 0, 10 };
	struct ipfi_packet packet = parsed_udp(4, 40000, 53);
	struct ipfi_flow flow = open_flow(&packet);
	struct ipfi_match_ctx judge;
	struct ipfi_decision decision;

	(void)state;
	rules[0].length = (struct ipfi_ranges){ .at = &short_ones, .count = 1 };
	rules[1].length = rules[0].length;
	rules[1].per_source = 1;
	world.within_limit = false;
	world.states = 100;
	judge = judge_of(rules, COUNT(rules), 2);
	assert_true(again(&judge, &flow, &eth0, &decision));
	assert_ptr_equal(decision.rule, &rules[1]);
	assert_int_equal(world.asked_limit, 0);
	assert_int_equal(world.asked_states, 0);
}

/* Devices and users are remembered: by name, so that a device that is gone matches no rule. */
static void devices_and_users_are_remembered(void **state)
{
	static const struct ipfi_range alice = { 1000, 1000 };
	struct ipfi_rule by_device = named("eth", IPFI_VERDICT_ALLOW, BIT(IIF));
	struct ipfi_rule by_user = named("alice", IPFI_VERDICT_ALLOW, BIT(USER));
	struct ipfi_packet packet = parsed_udp(6, 40000, 53);
	struct ipfi_flow flow = open_flow(&packet);
	struct ipfi_device_names names = { 0 };
	struct ipfi_decision decision;
	struct ipfi_match_ctx judge;

	(void)state;
	strcpy(by_device.iif, "eth*");
	by_user.user = (struct ipfi_ranges){ .at = &alice, .count = 1 };
	judge = judge_of(&by_device, 1, 2);
	assert_true(again(&judge, &flow, &eth0, &decision));
	assert_false(again(&judge, &flow, &names, &decision));

	packet.list = IPFI_LIST_OUT;
	packet.has_user = 1;
	packet.user = 1000;
	flow = open_flow(&packet);
	judge = judge_of(&by_user, 1, 2);
	assert_true(again(&judge, &flow, &names, &decision));
	packet.user = 1001;
	flow = open_flow(&packet);
	assert_false(again(&judge, &flow, &names, &decision));
}

/* An ICMP error must go to who sent what it quotes, and quote what that end can have sent. */
static void errors_are_related_by_what_they_quote(void **state)
{
	struct ipfi_packet syn = parsed_tcp(4, 40000, 80, IPFI_TCP_SYN);
	struct ipfi_packet error = parsed_icmp(4, 3, 1, IPFI_ICMP_ERROR);
	struct ipfi_flow flow;

	(void)state;
	syn.seq = 1000;
	flow = open_flow(&syn);
	error.tuple.src = host(4, 77); /* a router on the way */
	error.tuple.dst = syn.tuple.src;
	error.inner = syn.tuple;
	error.inner_seq = 1000;
	assert_true(ipfi_decide_related(&flow, &error));
	error.inner_seq = 1000 + 100000;
	assert_false(ipfi_decide_related(&flow, &error));
	error.inner_seq = 1000;
	error.tuple.dst = host(4, 78);
	assert_false(ipfi_decide_related(&flow, &error));

	syn = parsed_udp(4, 40000, 53);
	flow = open_flow(&syn);
	error.tuple.dst = syn.tuple.src;
	error.inner = syn.tuple;
	assert_true(ipfi_decide_related(&flow, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_match_wins, setup),
		cmocka_unit_test_setup(ipv6_stays_alive, setup),
		cmocka_unit_test_setup(errors_open_nothing, setup),
		cmocka_unit_test_setup(live_flows_are_judged_again, setup),
		cmocka_unit_test_setup(forgotten_fields_end_nothing, setup),
		cmocka_unit_test_setup(devices_and_users_are_remembered, setup),
		cmocka_unit_test_setup(errors_are_related_by_what_they_quote, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
