// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The TCP machine against who does not keep to the standard. What it owes to single segments stands
 * in tests/vectors, what it owes to ends that do keep to it in tcp_talk_test.c.
 */
#include "support.h"
#include "module/core/flow.h"
#include "module/core/tcp_options.h"
#include "module/core/tcp_resync.h"
#include "module/core/tcp_window.h"

#define CLIENT_ISS 0xfffff000U /* so that the numbers wrap around early */
#define SERVER_ISS 5000U
#define CLIENT_WINDOW 8000U
#define SERVER_WINDOW 20000U
#define SENT 1000U /* bytes by each side */

#define ATTACKS 300000

static u64 random_state;

/* xorshift64*, for the same attacks every time. */
static u32 any(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (u32)((random_state * 2685821657736338717ULL) >> 32);
}

/* Half of the time any number, else one around @near. */
static u32 any_near(u32 near)
{
	return any() & 1 ? any() : near + any() % 200000 - 100000;
}

static struct ipfi_packet segment(u8 flags, u32 seq, u32 ack, u16 window, u32 payload)
{
	struct ipfi_packet packet = parsed_tcp(4, 40000, 80, flags);

	packet.seq = seq;
	packet.ack = ack;
	packet.window = window;
	packet.payload = payload;
	return packet;
}

static void open_flow(struct ipfi_flow *flow)
{
	struct ipfi_packet packet = segment(IPFI_TCP_SYN, CLIENT_ISS, 0, CLIENT_WINDOW, 0);
	struct ipfi_limits limits;

	ipfi_limits_init(&limits);
	assert_int_equal(ipfi_flow_open(flow, &packet, 1, 1, 0, &limits), 0);
}

static int feed(struct ipfi_flow *flow, enum ipfi_direction direction, struct ipfi_packet packet)
{
	u8 reason = 0;

	return ipfi_flow_advance(flow, &packet, direction, &reason);
}

/* Established, each side has sent SENT bytes, half of which are acknowledged. */
static void establish(struct ipfi_flow *flow)
{
	u32 client = CLIENT_ISS + 1, server = SERVER_ISS + 1;

	open_flow(flow);
	assert_int_equal(
		feed(flow, IPFI_REPLY,
		     segment(IPFI_TCP_SYN | IPFI_TCP_ACK, SERVER_ISS, client, SERVER_WINDOW, 0)),
		IPFI_ADVANCE_PASS);
	assert_int_equal(feed(flow, IPFI_ORIGINAL,
			      segment(IPFI_TCP_ACK, client, server, CLIENT_WINDOW, SENT)),
			 IPFI_ADVANCE_PASS);
	assert_int_equal(
		feed(flow, IPFI_REPLY,
		     segment(IPFI_TCP_ACK, server, client + SENT / 2, SERVER_WINDOW, SENT)),
		IPFI_ADVANCE_PASS);
	assert_int_equal(
		feed(flow, IPFI_ORIGINAL,
		     segment(IPFI_TCP_ACK, client + SENT, server + SENT / 2, CLIENT_WINDOW, 0)),
		IPFI_ADVANCE_PASS);
	assert_int_equal(flow->state, IPFI_STATE_ESTABLISHED);
}

/* Is @value in [@from, @to], going up from @from, maybe around the end of the numbers? */
static bool within(u32 value, u32 from, u32 to)
{
	return value - from <= to - from;
}

/* Resets that are forged blindly pass in the window alone, and only the two exact ones end the
 * state. */
static void test_blind_resets(void **state)
{
	const u32 acked = CLIENT_ISS + 1 + SENT / 2, end = CLIENT_ISS + 1 + SENT;
	struct ipfi_flow established, flow;
	u32 i, seq, passed = 0, dropped = 0;
	int advance;

	(void)state;
	random_state = 1;
	establish(&established);
	for (i = 0; i < ATTACKS; i++) {
		flow = established;
		seq = any_near(acked);
		if (i % 1000 == 0)
			seq = i % 2000 ? acked : end;
		advance = feed(
			&flow, IPFI_ORIGINAL,
			segment(IPFI_TCP_RST | (any() & IPFI_TCP_ACK), seq, any(), (u16)any(), 0));
		if (seq == acked || seq == end) {
			assert_int_equal(advance, IPFI_ADVANCE_PASS);
			assert_int_equal(flow.state, IPFI_STATE_CLOSED);
		} else if (within(seq, acked, acked + SERVER_WINDOW - 1)) {
			assert_int_equal(advance, IPFI_ADVANCE_IGNORE);
			passed++;
		} else {
			assert_int_equal(advance, IPFI_ADVANCE_DROP);
			dropped++;
		}
		if (advance != IPFI_ADVANCE_PASS)
			assert_memory_equal(&flow, &established, sizeof(flow));
	}
	assert_true(passed > 0 && dropped > passed);
}

/*
 * Forged data is taken note of only with both numbers right: the sequence in the window, and a
 * plausible ACK. Nothing that is ahead of either passes; what is only old passes without effect.
 */
static void test_blind_data(void **state)
{
	const u32 acked = CLIENT_ISS + 1 + SENT / 2, end = CLIENT_ISS + 1 + SENT;
	const u32 server_end = SERVER_ISS + 1 + SENT, server_acked = SERVER_ISS + 1 + SENT / 2;
	struct ipfi_flow established, flow;
	u32 i, seq, ack, payload, passed = 0, ignored = 0;
	bool fits, ahead;
	int advance;

	(void)state;
	random_state = 2;
	establish(&established);
	for (i = 0; i < ATTACKS; i++) {
		flow = established;
		seq = any_near(end);
		ack = any_near(server_end);
		payload = any() % 1460;
		fits = within(seq, end - SERVER_WINDOW - payload,
			      acked + SERVER_WINDOW - !!payload) &&
		       within(ack, server_acked - 0xffff, server_end);
		ahead = ipfi_tcp_after(seq + !!payload, acked + SERVER_WINDOW) ||
			ipfi_tcp_after(ack, server_end);
		advance = feed(&flow, IPFI_ORIGINAL,
			       segment(IPFI_TCP_ACK, seq, ack, (u16)any(), payload));
		assert_int_equal(advance, fits	  ? IPFI_ADVANCE_PASS
					  : ahead ? IPFI_ADVANCE_DROP
						  : IPFI_ADVANCE_IGNORE);
		if (fits)
			assert_int_equal(flow.state, IPFI_STATE_ESTABLISHED);
		else
			assert_memory_equal(&flow, &established, sizeof(flow));
		passed += fits;
		ignored += !fits && !ahead;
	}
	assert_true(passed > 0 && ignored > 0);
}

/* No forged SYN+ACK or RST answers a SYN whose number is not known to who forged it. */
static void test_blind_answers(void **state)
{
	static const u8 answers[] = { IPFI_TCP_SYN | IPFI_TCP_ACK, IPFI_TCP_RST | IPFI_TCP_ACK,
				      IPFI_TCP_RST };
	struct ipfi_flow opened, flow;
	u32 i, ack;

	(void)state;
	random_state = 3;
	open_flow(&opened);
	for (i = 0; i < ATTACKS; i++) {
		flow = opened;
		ack = any_near(CLIENT_ISS);
		if (ack == CLIENT_ISS + 1)
			continue;
		assert_int_equal(
			feed(&flow, IPFI_REPLY,
			     segment(answers[any() % COUNT(answers)], any(), ack, (u16)any(), 0)),
			IPFI_ADVANCE_DROP);
		assert_memory_equal(&flow, &opened, sizeof(flow));
	}
}

/*
 * The states that may follow each, whatever comes from whoever, true or forged. Most of all nothing
 * leads back into a connection that has ended: only REOPEN, which the rules judge.
 */
static void test_any_segments(void **state)
{
#define TO(id) (1U << IPFI_STATE_##id)
	static const u32 may_follow[] = {
		[IPFI_STATE_SYN_SENT] = TO(SYN_SENT) | TO(SYN_RECV) | TO(CLOSED),
		[IPFI_STATE_SYN_RECV] = TO(SYN_RECV) | TO(ESTABLISHED) | TO(FIN_WAIT) | TO(CLOSED),
		[IPFI_STATE_ESTABLISHED] = TO(ESTABLISHED) | TO(FIN_WAIT) | TO(CLOSED),
		[IPFI_STATE_FIN_WAIT] = TO(FIN_WAIT) | TO(CLOSE_WAIT) | TO(LAST_ACK) | TO(CLOSED),
		[IPFI_STATE_CLOSE_WAIT] = TO(CLOSE_WAIT) | TO(LAST_ACK) | TO(CLOSED),
		[IPFI_STATE_LAST_ACK] = TO(LAST_ACK) | TO(TIME_WAIT) | TO(CLOSED),
		[IPFI_STATE_TIME_WAIT] = TO(TIME_WAIT) | TO(CLOSED),
		[IPFI_STATE_CLOSED] = TO(CLOSED),
	};
#undef TO
	u32 seen[IPFI_STATE_CLOSED + 1] = { 0 };
	u8 options[IPFI_TCP_RECALLED_OPTIONS];
	struct ipfi_packet packet, syn;
	struct ipfi_flow flow, before;
	enum ipfi_direction direction;
	u32 resyncs = 0;
	u32 i, round;
	int advance;
	u8 flags, reason;

	(void)state;
	random_state = 4;
	for (round = 0; round < 20000; round++) {
		open_flow(&flow);
		for (i = 0; i < 30; i++) {
			do
				flags = (u8)(any() & 0x3f);
			while (ipfi_tcp_flags_bad(flags));
			if (flags & IPFI_TCP_RST && any() % 8)
				continue;
			direction = any() & 1;
			/* Mostly what the ends would send; now and then a little or far beside it.
			 */
			packet = segment(flags, flow.tcp.ends[direction].end,
					 flow.tcp.ends[!direction].end, (u16)any(), any() % 3 * 10);
			if (flags & IPFI_TCP_SYN && any() & 1)
				packet.seq--;
			if (any() % 4 == 0)
				packet.seq += any() % 8 - 4;
			if (any() % 4 == 0)
				packet.ack += any() % 8 - 4;
			if (any() % 16 == 0)
				packet.seq = any();
			if (any() % 16 == 0)
				packet.ack = flow.tcp.kept.seq + 1;
			before = flow;
			reason = 0;
			advance = ipfi_flow_advance(&flow, &packet, direction, &reason);
			assert_true(may_follow[before.state] >> flow.state & 1);
			seen[before.state] |= 1U << flow.state;
			switch (advance) {
			case IPFI_ADVANCE_PASS:
				break;
			case IPFI_ADVANCE_REOPEN:
				assert_true((flags & ~(IPFI_TCP_PSH | IPFI_TCP_URG)) ==
					    IPFI_TCP_SYN);
				assert_true(before.state == IPFI_STATE_TIME_WAIT ||
					    before.state == IPFI_STATE_CLOSED);
				break;
			case IPFI_ADVANCE_RESYNC:
				/* Only what answers the SYN that is kept, to the number. */
				assert_true(packet.tcp_flags & IPFI_TCP_ACK &&
					    packet.tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_RST));
				assert_true(flow.tcp.ends[!direction].flags & IPFI_TCP_END_KEPT);
				assert_true(packet.ack == flow.tcp.kept.seq + 1 ||
					    packet.ack ==
						    flow.tcp.kept.seq + 1 + flow.tcp.kept.payload);
				assert_memory_equal(&flow, &before, sizeof(flow));
				if (direction == IPFI_ORIGINAL)
					break;
				ipfi_tcp_recall_syn(&before.tcp, &packet, options, &syn);
				ipfi_tcp_resync(&flow, &syn);
				assert_int_equal(
					ipfi_flow_advance(&flow, &packet, IPFI_REPLY, &reason),
					IPFI_ADVANCE_PASS);
				resyncs++;
				break;
			case IPFI_ADVANCE_IGNORE:
				assert_int_equal(reason, IPFI_REASON_CHALLENGE);
				assert_int_equal(flow.state, before.state);
				break;
			default:
				assert_int_equal(advance, IPFI_ADVANCE_DROP);
				assert_true(reason == IPFI_REASON_TCP_WINDOW ||
					    reason == IPFI_REASON_TCP_RST ||
					    reason == IPFI_REASON_TCP_STATE);
				assert_memory_equal(&flow, &before, sizeof(flow));
			}
		}
	}
	assert_true(resyncs > 0);
	/* The test has seen all that it allows. */
	for (i = IPFI_STATE_SYN_SENT; i <= IPFI_STATE_CLOSED; i++)
		assert_int_equal(seen[i], may_follow[i]);
}

/* Options of random bytes in memory that ends with them: nothing is read behind, no answer is out
 * of range. */
static void test_any_options(void **state)
{
	static const u8 kinds[] = { 0, 1, 2, 3, 4, 5, 8, 254 };
	struct ipfi_tcp_offer offer;
	struct ipfi_packet packet = segment(IPFI_TCP_SYN, 0, 1000, 0, 0);
	u32 i, j, length, scaled = 0, permitted = 0, edges = 0;
	u8 *options;

	(void)state;
	random_state = 5;
	for (i = 0; i < 200000; i++) {
		length = any() % 41;
		options = malloc(length + 1);
		assert_non_null(options);
		for (j = 0; j < length; j++)
			options[1 + j] = any() & 1 ? (u8)(any() % 12) : kinds[any() % COUNT(kinds)];
		packet.tcp_options = options + 1;
		packet.tcp_options_length = (u8)length;
		ipfi_tcp_offer(&packet, &offer);
		assert_true(offer.scale <= 14 || offer.scale == IPFI_TCP_UNSCALED);
		scaled += offer.scale != IPFI_TCP_UNSCALED;
		permitted += offer.sack;
		assert_false(ipfi_tcp_before(ipfi_tcp_sack_edge(&packet), packet.ack));
		edges += ipfi_tcp_sack_edge(&packet) != packet.ack;
		free(options);
	}
	assert_true(scaled && permitted && edges);
}

/* An ICMP error is about a segment that its addressee can have sent (RFC 5927 section 4.1). */
static void test_has_sent(void **state)
{
	const u32 client = CLIENT_ISS + 1 + SENT, server = SERVER_ISS + 1 + SENT;
	struct ipfi_flow flow;

	(void)state;
	open_flow(&flow);
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, CLIENT_ISS));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, CLIENT_ISS + 2));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_REPLY, 0));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_REPLY, SERVER_ISS));

	establish(&flow);
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, client));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, client + 1));
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, client - 0x10000));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, client - 0x10001));
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_REPLY, server));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_REPLY, server + 1));
	assert_false(ipfi_tcp_has_sent(&flow.tcp, IPFI_REPLY, server + 0x80000000U));

	/* Beyond 64 KiB when such windows were offered. */
	flow.tcp.ends[IPFI_REPLY].scale = 4;
	assert_int_equal(ipfi_tcp_window(&flow.tcp.ends[IPFI_REPLY]), SERVER_WINDOW << 4);
	assert_true(ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, client - (SERVER_WINDOW << 4)));
	assert_false(
		ipfi_tcp_has_sent(&flow.tcp, IPFI_ORIGINAL, client - (SERVER_WINDOW << 4) - 2));
}

/* PSH, URG, and congestion notification (RFC 3168) with the two highest bits, have no say. */
static void test_flags(void **state)
{
	u32 flags, good = 0;

	(void)state;
	for (flags = 0; flags < 256; flags++) {
		assert_int_equal(ipfi_tcp_flags_bad((u8)flags), ipfi_tcp_flags_bad(flags & 0x17));
		good += !ipfi_tcp_flags_bad((u8)flags);
	}
	assert_int_equal(good, 16 * 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blind_resets),  cmocka_unit_test(test_blind_data),
		cmocka_unit_test(test_blind_answers), cmocka_unit_test(test_any_segments),
		cmocka_unit_test(test_any_options),   cmocka_unit_test(test_has_sent),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
