// SPDX-License-Identifier: GPL-2.0-or-later
/* The interfaces of a flow's packets: as of which direction they are seen, and how many pairs are remembered. */
#include "module/core/via.h"
#include "support.h"

static struct ipfi_flow flow;

/* A packet as hooks see it: in list "in" there is no outgoing interface, in list "out" no incoming one. */
static struct ipfi_packet by(u8 list, u32 iif, u32 oif)
{
	struct ipfi_packet packet = parsed_udp(4, 40000, 53);

	packet.list = list;
	packet.iif = list == IPFI_LIST_OUT ? 0 : iif;
	packet.oif = list == IPFI_LIST_IN ? 0 : oif;
	packet.has_user = list == IPFI_LIST_OUT;
	packet.user = packet.has_user ? 1000 : 0;
	return packet;
}

static void open_by(const struct ipfi_packet *packet)
{
	struct ipfi_limits limits;

	ipfi_limits_init(&limits);
	assert_int_equal(ipfi_flow_open(&flow, packet, 1, 1, 1, &limits), 0);
}

static bool differs(u8 list, u32 iif, u32 oif, enum ipfi_direction direction)
{
	struct ipfi_packet packet = by(list, iif, oif);

	return ipfi_via_differs(&flow, &packet, direction);
}

/* Replies by the same route ask nothing new, in every list. */
static void replies_mirror_their_connection(void **state)
{
	static const u8 answers[] = {
		[IPFI_LIST_IN] = IPFI_LIST_OUT,
		[IPFI_LIST_OUT] = IPFI_LIST_IN,
		[IPFI_LIST_FORWARD] = IPFI_LIST_FORWARD,
	};
	struct ipfi_packet packet;
	u8 list;

	(void)state;
	for (list = 0; list < __IPFI_LIST_FILTER_END; list++) {
		packet = by(list, 5, 7);
		open_by(&packet);
		assert_false(differs(list, 5, 7, IPFI_ORIGINAL));
		assert_false(differs(answers[list], 7, 5, IPFI_REPLY));
		assert_int_equal(differs(list, 6, 7, IPFI_ORIGINAL), list != IPFI_LIST_OUT);
		assert_int_equal(differs(list, 5, 6, IPFI_ORIGINAL), list != IPFI_LIST_IN);
		assert_int_equal(differs(answers[list], 6, 5, IPFI_REPLY), list != IPFI_LIST_IN);
		assert_int_equal(differs(answers[list], 7, 6, IPFI_REPLY), list != IPFI_LIST_OUT);
	}
}

/* What is forwarded with the ends of a connection that was made here is not of its list, whatever the numbers. */
static void lists_are_told_apart(void **state)
{
	struct ipfi_packet packet = by(IPFI_LIST_OUT, 0, 7);

	(void)state;
	packet.user = 5;
	open_by(&packet);
	assert_true(differs(IPFI_LIST_FORWARD, 5, 7, IPFI_ORIGINAL));
	assert_true(differs(IPFI_LIST_FORWARD, 7, 5, IPFI_REPLY));
	packet = by(IPFI_LIST_IN, 5, 0);
	open_by(&packet);
	assert_true(differs(IPFI_LIST_FORWARD, 5, 7, IPFI_ORIGINAL));
}

static void loopback_packets_pass_both_lists(void **state)
{
	struct ipfi_packet packet = by(IPFI_LIST_OUT, 0, 1);

	(void)state;
	packet.iif = 1;
	packet.loopback = 1;
	open_by(&packet);
	assert_false(ipfi_via_differs(&flow, &packet, IPFI_ORIGINAL));
	assert_false(ipfi_via_differs(&flow, &packet, IPFI_REPLY));
	packet.list = IPFI_LIST_IN;
	packet.oif = 1;
	assert_false(ipfi_via_differs(&flow, &packet, IPFI_ORIGINAL));
	packet = by(IPFI_LIST_OUT, 0, 1);
	open_by(&packet);
	packet.iif = 1;
	packet.loopback = 1;
	assert_false(ipfi_via_differs(&flow, &packet, IPFI_ORIGINAL));
}

static struct ipfi_via via_of(u32 iif, u32 oif, enum ipfi_direction direction)
{
	struct ipfi_packet packet = direction == IPFI_REPLY ? by(IPFI_LIST_FORWARD, oif, iif) :
							      by(IPFI_LIST_FORWARD, iif, oif);
	struct ipfi_via via;

	ipfi_via_of_packet(&flow, &packet, direction, &via);
	return via;
}

static bool known(u32 iif, u32 oif, enum ipfi_direction direction, bool one_way)
{
	struct ipfi_via via = via_of(iif, oif, direction);

	return ipfi_via_known(&flow, direction, &via, one_way);
}

static void remember(u32 iif, u32 oif, enum ipfi_direction direction, bool one_way)
{
	struct ipfi_via via = via_of(iif, oif, direction);

	ipfi_via_remember(&flow, direction, &via, one_way);
}

/* Two routes each way, packet by packet: after the first time nobody is asked. */
static void alternating_routes_are_known(void **state)
{
	struct ipfi_packet packet = by(IPFI_LIST_FORWARD, 5, 7);
	unsigned int i, asked = 0;
	enum ipfi_direction direction;
	u32 oif;

	(void)state;
	open_by(&packet);
	for (i = 0; i < 100; i++) {
		direction = i / 2 % 2 ? IPFI_REPLY : IPFI_ORIGINAL;
		oif = i % 2 ? 8 : 7;
		if (!differs(IPFI_LIST_FORWARD, direction == IPFI_REPLY ? oif : 5, direction == IPFI_REPLY ? 5 : oif,
			     direction))
			continue;
		asked += !known(5, oif, direction, false);
		remember(5, oif, direction, false);
	}
	assert_int_equal(asked, 1);
	/* A third one is asked about, and what is in nobody's last packet is forgotten first. */
	assert_false(known(5, 9, IPFI_ORIGINAL, false));
	remember(5, 9, IPFI_ORIGINAL, false);
	assert_true(known(5, 9, IPFI_ORIGINAL, false));
}

/* What replies do says nothing about what leaves, where addresses depend on that. */
static void replies_vouch_for_nothing_where_there_is_nat(void **state)
{
	struct ipfi_packet packet = by(IPFI_LIST_FORWARD, 5, 7);

	(void)state;
	open_by(&packet);
	remember(5, 8, IPFI_REPLY, true);
	assert_true(known(5, 8, IPFI_REPLY, true));
	assert_false(known(5, 8, IPFI_ORIGINAL, true));
	remember(5, 7, IPFI_REPLY, true);
	assert_false(known(5, 8, IPFI_ORIGINAL, true));
	remember(5, 8, IPFI_ORIGINAL, true);
	assert_true(known(5, 7, IPFI_ORIGINAL, true));
}

static void other_rules_are_asked_about_all_but_one(void **state)
{
	struct ipfi_packet packet = by(IPFI_LIST_FORWARD, 5, 7);
	struct ipfi_via via;

	(void)state;
	open_by(&packet);
	remember(5, 8, IPFI_REPLY, false);
	remember(5, 9, IPFI_ORIGINAL, false);
	via = via_of(5, 9, IPFI_ORIGINAL);
	ipfi_via_forget(&flow, &via);
	assert_true(known(5, 9, IPFI_REPLY, false));
	assert_false(known(5, 7, IPFI_ORIGINAL, false));
	assert_false(known(5, 8, IPFI_REPLY, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_mirror_their_connection),
		cmocka_unit_test(lists_are_told_apart),
		cmocka_unit_test(loopback_packets_pass_both_lists),
		cmocka_unit_test(alternating_routes_are_known),
		cmocka_unit_test(replies_vouch_for_nothing_where_there_is_nat),
		cmocka_unit_test(other_rules_are_asked_about_all_but_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
