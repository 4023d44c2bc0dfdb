// SPDX-License-Identifier: GPL-2.0-or-later
/* Flows that are not TCP: their states, their directions, their time-outs, and who makes room for others. */
#include "module/core/flow.h"
#include "support.h"

static struct ipfi_limits limits;

static int setup(void **state)
{
	(void)state;
	ipfi_limits_init(&limits);
	return 0;
}

static struct ipfi_packet turned(const struct ipfi_packet *packet)
{
	struct ipfi_packet other = *packet;

	other.tuple.src = packet->tuple.dst;
	other.tuple.dst = packet->tuple.src;
	other.tuple.sport = packet->tuple.dport;
	other.tuple.dport = packet->tuple.sport;
	return other;
}

/* Lets @packet go by; its key must be the flow's. */
static enum ipfi_advance pass(struct ipfi_flow *flow, const struct ipfi_packet *packet)
{
	struct ipfi_key key, own;
	bool higher = ipfi_key_from_tuple(&key, &packet->tuple);
	u8 reason = 0;

	ipfi_flow_key(flow, &own);
	assert_true(ipfi_key_equal(&key, &own));
	return ipfi_flow_advance(flow, packet, ipfi_flow_direction(flow, higher), &reason);
}

/* Limits: each default lies in its range, and the ranges are those of the contract. */
static void limits_have_their_defaults(void **state)
{
	unsigned int id;
	u32 least, most;

	(void)state;
	for (id = 1; id <= IPFI_LIMIT_MAX; id++) {
		ipfi_limit_range(id, &least, &most);
		assert_in_range(limits.value[id], least, most);
	}
	assert_int_equal(limits.value[IPFI_LIMIT_MAX_STATES], 65536);
	assert_int_equal(limits.value[IPFI_LIMIT_TCP_ESTABLISHED], 3600);
	assert_int_equal(limits.value[IPFI_LIMIT_TCP_MIDSTREAM], 300);
	ipfi_limit_range(IPFI_LIMIT_MAX_STATES, &least, &most);
	assert_int_equal(least, 1);
}

/* DESIGN's table of time-outs, state by state. */
static void each_state_has_its_time_out(void **state)
{
	static const struct {
		u8 state;
		u8 flags;
		u32 seconds;
	} table[] = {
		{ IPFI_STATE_SYN_SENT, 0, 120 },
		{ IPFI_STATE_SYN_RECV, IPFI_STATE_F_REPLY_SEEN, 60 },
		{ IPFI_STATE_ESTABLISHED, IPFI_STATE_F_REPLY_SEEN, 3600 },
		{ IPFI_STATE_FIN_WAIT, IPFI_STATE_F_REPLY_SEEN, 120 },
		{ IPFI_STATE_CLOSE_WAIT, IPFI_STATE_F_REPLY_SEEN, 60 },
		{ IPFI_STATE_LAST_ACK, IPFI_STATE_F_REPLY_SEEN, 30 },
		{ IPFI_STATE_TIME_WAIT, IPFI_STATE_F_REPLY_SEEN, 120 },
		{ IPFI_STATE_CLOSED, 0, 10 },
		{ IPFI_STATE_ESTABLISHED, IPFI_STATE_F_MIDSTREAM, 30 },
		{ IPFI_STATE_ESTABLISHED, IPFI_STATE_F_MIDSTREAM | IPFI_STATE_F_REPLY_SEEN, 3600 },
		{ IPFI_STATE_FIN_WAIT, IPFI_STATE_F_MIDSTREAM, 30 },
		{ IPFI_STATE_FIN_WAIT, IPFI_STATE_F_MIDSTREAM | IPFI_STATE_F_REPLY_SEEN, 120 },
		{ IPFI_STATE_CLOSED, IPFI_STATE_F_MIDSTREAM, 10 },
		{ IPFI_STATE_UDP_NEW, 0, 30 },
		{ IPFI_STATE_UDP_ESTABLISHED, IPFI_STATE_F_REPLY_SEEN, 120 },
		{ IPFI_STATE_ICMP, 0, 30 },
		{ IPFI_STATE_OTHER, 0, 180 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct ipfi_flow flow = { .state = table[i].state, .flags = table[i].flags };

		assert_int_equal(ipfi_flow_timeout(&flow, &limits), table[i].seconds);
	}
}

/* A segment of a guess, from the client or from its server. */
static struct ipfi_packet middle(bool client, u32 seq, u32 ack, u32 payload)
{
	struct ipfi_packet packet = parsed_tcp(4, 40000, 80, IPFI_TCP_ACK);

	if (!client)
		packet = turned(&packet);
	packet.tcp_flags = IPFI_TCP_ACK;
	packet.seq = seq;
	packet.ack = ack;
	packet.window = 502;
	packet.payload = payload;
	return packet;
}

/*
 * A guess is half open, lives half a minute at most and makes room, until the other side has spoken
 * within what was seen; numbers from elsewhere are not that.
 */
static void a_guess_is_half_open_until_confirmed(void **state)
{
	static const struct {
		u32 seq, ack;
		bool confirms;
	} table[] = {
		{ 5001, 1101, true },	  { 5001, 1001, true },	       { 4000, 1101, true },
		{ 5001, 1102, false },	  { 5001, 90000, false },      { 8000000, 1101, true },
		{ 9000000, 1101, false }, { 2000000000, 1101, false }, { 5001, 3000000000U, false },
	};
	struct ipfi_packet first = middle(true, 1001, 5001, 100), reply;
	struct ipfi_flow flow;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		assert_int_equal(ipfi_flow_open(&flow, &first, 1, 1, 0, &limits), 0);
		assert_true(ipfi_flow_evictable(&flow));
		pass(&flow, &first);
		assert_int_equal(ipfi_flow_timeout(&flow, &limits), 30);
		reply = middle(false, table[i].seq, table[i].ack, 0);
		pass(&flow, &reply);
		assert_int_equal(ipfi_flow_evictable(&flow), !table[i].confirms);
		assert_int_equal(ipfi_flow_timeout(&flow, &limits), table[i].confirms ? 3600 : 30);
		assert_int_equal(flow.flags & IPFI_STATE_F_MIDSTREAM, IPFI_STATE_F_MIDSTREAM);
	}
	limits.value[IPFI_LIMIT_TCP_MIDSTREAM] = 7;
	assert_int_equal(ipfi_flow_open(&flow, &first, 1, 1, 0, &limits), 0);
	assert_int_equal(ipfi_flow_timeout(&flow, &limits), 7);
}

/* An ICMP error is about what was seen of a guess, too (RFC 5927 section 4.1). */
static void an_error_about_a_guess(void **state)
{
	struct ipfi_packet first = middle(true, 100001, 500001, 100),
			   reply = middle(false, 500001, 100101, 10);
	struct ipfi_flow flow;

	(void)state;
	assert_int_equal(ipfi_flow_open(&flow, &first, 1, 1, 0, &limits), 0);
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, 100001));
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, 90000));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, 100102));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, 100001 - 0x20000));
	pass(&flow, &reply);
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_REPLY, 500001));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_REPLY, 500012));
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL,
				      100001 - 0x20000)); /* 502 << 14 were offered */
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, 100001 - 10000000));
}

/* Traffic one way never makes UDP established; the first reply does, in both orders of the end points. */
static void udp_is_established_by_a_reply(void **state)
{
	static const struct {
		u8 family;
		u16 sport, dport;
	} table[] = { { 4, 40000, 53 }, { 4, 53, 40000 }, { 6, 40000, 53 }, { 6, 53, 53 } };
	struct ipfi_packet query, reply;
	struct ipfi_flow flow;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < COUNT(table) * 2; i++) {
		query = parsed_udp(table[i / 2].family, table[i / 2].sport, table[i / 2].dport);
		if (i & 1)
			query = turned(&query);
		reply = turned(&query);
		reply.length = 300;
		assert_int_equal(ipfi_flow_open(&flow, &query, 7, 3, 1000, &limits), 0);
		assert_int_equal(flow.state, IPFI_STATE_UDP_NEW);
		for (n = 0; n < 5; n++)
			assert_int_equal(pass(&flow, &query), IPFI_ADVANCE_PASS);
		assert_int_equal(flow.state, IPFI_STATE_UDP_NEW);
		assert_int_equal(flow.flags & IPFI_STATE_F_REPLY_SEEN, 0);
		assert_int_equal(pass(&flow, &reply), IPFI_ADVANCE_PASS);
		assert_int_equal(flow.state, IPFI_STATE_UDP_ESTABLISHED);
		assert_int_equal(flow.flags & IPFI_STATE_F_REPLY_SEEN, IPFI_STATE_F_REPLY_SEEN);
		assert_int_equal(flow.traffic[IPFI_ORIGINAL].packets, 6);
		assert_int_equal(flow.traffic[IPFI_ORIGINAL].bytes, 600);
		assert_int_equal(flow.traffic[IPFI_REPLY].packets, 1);
		assert_int_equal(flow.traffic[IPFI_REPLY].bytes, 300);
	}
}

static void a_flow_remembers_its_first_packet(void **state)
{
	struct ipfi_packet packet = parsed_udp(4, 40000, 53);
	struct ipfi_tuple tuple;
	struct ipfi_flow flow;

	(void)state;
	packet.oif = 9;
	packet.mark = 0x77;
	packet.has_user = 1;
	packet.user = 1000;
	assert_int_equal(ipfi_flow_open(&flow, &packet, 0x1234567890ULL, 3, 1000, &limits), 0);
	ipfi_flow_tuple(&flow, &tuple);
	assert_true(ipfi_addr_equal(&tuple.src, &packet.tuple.src));
	assert_true(ipfi_addr_equal(&tuple.dst, &packet.tuple.dst));
	assert_int_equal(tuple.sport, packet.tuple.sport);
	assert_int_equal(tuple.dport, packet.tuple.dport);
	assert_int_equal(tuple.proto, IPFI_PROTO_UDP);
	assert_int_equal(tuple.family, 4);
	assert_int_equal(flow.traffic[IPFI_ORIGINAL].last.iif, 2); /* list in has no user */
	assert_int_equal(flow.traffic[IPFI_ORIGINAL].last.oif, 9);
	assert_int_equal(flow.mark, 0x77);
	assert_int_equal(flow.rule, 0x1234567890ULL);
	assert_int_equal(flow.generation, 3);
	assert_int_equal(flow.created, 1000);

	packet.list = IPFI_LIST_OUT;
	assert_int_equal(ipfi_flow_open(&flow, &packet, 1, 3, 1000, &limits), 0);
	assert_int_equal(flow.traffic[IPFI_ORIGINAL].last.user, 1000);
	packet.has_user = 0;
	assert_int_equal(ipfi_flow_open(&flow, &packet, 1, 3, 1000, &limits), 0);
	assert_int_equal(flow.traffic[IPFI_ORIGINAL].last.user, ~0U);
}

/* Only a query opens; its reply has its key, and the other host's query with that identifier has not. */
static void icmp_opens_with_a_query(void **state)
{
	static const struct {
		u8 family, query, reply;
	} table[] = { { 4, 8, 0 }, { 4, 13, 14 }, { 4, 15, 16 }, { 4, 17, 18 }, { 4, 42, 43 },
		      { 6, 128, 129 }, { 6, 139, 140 }, { 6, 160, 161 } };
	struct ipfi_packet query, reply, other;
	struct ipfi_flow flow;
	struct ipfi_key key, own;
	struct wire wire;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		wire = icmp_wire(table[i].family, table[i].query, 0, 0x12340001);
		assert_int_equal(parse(&query, &wire), 0);
		other = turned(&query); /* parsed anew below: only the addresses are turned on the wire */
		other.tuple.sport = query.tuple.sport;
		other.tuple.dport = query.tuple.dport;
		wire = icmp_wire(table[i].family, table[i].reply, 0, 0x12340001);
		assert_int_equal(parse(&reply, &wire), 0);

		assert_int_equal(ipfi_flow_open(&flow, &reply, 1, 1, 1, &limits), -IPFI_REASON_ICMP_UNASKED);
		assert_int_equal(ipfi_flow_open(&flow, &query, 1, 1, 1, &limits), 0);
		assert_int_equal(flow.state, IPFI_STATE_ICMP);
		reply.tuple.src = query.tuple.dst;
		reply.tuple.dst = query.tuple.src;
		assert_int_equal(pass(&flow, &reply), IPFI_ADVANCE_PASS);
		assert_int_equal(flow.traffic[IPFI_REPLY].packets, 1);
		ipfi_key_from_tuple(&key, &other.tuple);
		ipfi_flow_key(&flow, &own);
		assert_false(ipfi_key_equal(&key, &own));
	}
}

static void other_protocols_have_one_state(void **state)
{
	struct ipfi_packet packet = parsed_packet(4, 47), reply = turned(&packet);
	struct ipfi_flow flow;

	(void)state;
	assert_int_equal(ipfi_flow_open(&flow, &packet, 1, 1, 1, &limits), 0);
	assert_int_equal(flow.state, IPFI_STATE_OTHER);
	assert_int_equal(pass(&flow, &reply), IPFI_ADVANCE_PASS);
	assert_int_equal(flow.state, IPFI_STATE_OTHER);
	assert_int_equal(flow.traffic[IPFI_REPLY].packets, 1);
}

/* Embryonic and closing states make room, established ones never. */
static void who_makes_room(void **state)
{
	static const struct {
		u8 state, flags;
		bool evictable;
	} table[] = {
		{ IPFI_STATE_SYN_SENT, 0, true },
		{ IPFI_STATE_SYN_RECV, IPFI_STATE_F_REPLY_SEEN, true },
		{ IPFI_STATE_ESTABLISHED, IPFI_STATE_F_REPLY_SEEN, false },
		{ IPFI_STATE_ESTABLISHED, IPFI_STATE_F_MIDSTREAM, true },
		{ IPFI_STATE_ESTABLISHED, IPFI_STATE_F_MIDSTREAM | IPFI_STATE_F_REPLY_SEEN, false },
		{ IPFI_STATE_FIN_WAIT, IPFI_STATE_F_REPLY_SEEN, true },
		{ IPFI_STATE_TIME_WAIT, IPFI_STATE_F_REPLY_SEEN, true },
		{ IPFI_STATE_CLOSED, 0, true },
		{ IPFI_STATE_UDP_NEW, 0, true },
		{ IPFI_STATE_UDP_ESTABLISHED, IPFI_STATE_F_REPLY_SEEN, false },
		{ IPFI_STATE_ICMP, 0, true },
		{ IPFI_STATE_ICMP, IPFI_STATE_F_REPLY_SEEN, false },
		{ IPFI_STATE_OTHER, 0, true },
		{ IPFI_STATE_OTHER, IPFI_STATE_F_REPLY_SEEN, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct ipfi_flow flow = { .state = table[i].state, .flags = table[i].flags };

		assert_int_equal(ipfi_flow_evictable(&flow), table[i].evictable);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(limits_have_their_defaults, setup),
		cmocka_unit_test_setup(each_state_has_its_time_out, setup),
		cmocka_unit_test_setup(a_guess_is_half_open_until_confirmed, setup),
		cmocka_unit_test_setup(an_error_about_a_guess, setup),
		cmocka_unit_test_setup(udp_is_established_by_a_reply, setup),
		cmocka_unit_test_setup(a_flow_remembers_its_first_packet, setup),
		cmocka_unit_test_setup(icmp_opens_with_a_query, setup),
		cmocka_unit_test_setup(other_protocols_have_one_state, setup),
		cmocka_unit_test_setup(who_makes_room, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
