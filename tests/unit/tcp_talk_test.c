// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two TCP ends talk through the firewall over lines that lose, double and reorder segments. The
 * ends keep to the standard, so the firewall has no right to drop anything they say, and both must
 * get all that was sent.
 *
 *     end 0 --before--> firewall --behind--> end 1, and the same the other way
 *
 * An end is small, but has what makes a firewall go wrong: windows that close, open and are scaled,
 * probes, keep-alives, retransmission in pieces of other sizes, SACK, delayed ACKs, half-closed
 * connections, simultaneous open and close, numbers that wrap around. What it sends it counts in
 * units from its SYN: that is unit 0, then come the bytes of data, then the FIN.
 */
#include "support.h"
#include "module/core/flow.h"

#define UNITS_MAX 40000
#define LINE_MAX 64  /* segments on their way; one more is lost */
#define BLOCKS_MAX 3 /* SACK blocks in a segment */
#define STEPS_MAX 500000
#define TALKS 200

struct segment {
	u8 flags;
	u32 seq, ack;
	u16 window;
	u32 first, count; /* units of its end */
	u32 payload;
	u8 scale; /* IPFI_TCP_UNSCALED for none */
	bool sack;
	u32 blocks[BLOCKS_MAX][2];
	u32 block_count;
	u32 sent; /* how many segments its end had sent before */
};

struct line {
	struct segment at[LINE_MAX];
	u32 count;
};

struct end {
	u32 iss, data, mss, buffer;
	u8 scale;                   /* offered, then in force */
	bool sack, syn_sent, eager; /* eager: it closes as soon as it can */
	bool crashed;
	/* what it sends */
	u32 acked, next, high, edge; /* units; edge: the first that the peer's window forbids */
	u32 sent;
	/* what it receives */
	bool peer_scales, peer_sack, heard;
	u8 peer_scale;
	u32 peer_iss, got, read, promised;
	bool has[UNITS_MAX + 2];
	bool ack_due;
};

struct talk {
	struct end ends[2];
	struct line before[2], behind[2]; /* by the sender */
	struct ipfi_flow flow;
	struct ipfi_limits limits;
	bool live;
	bool late;     /* the firewall starts in the middle */
	u32 overtakes; /* by how many segments one may be overtaken before the firewall */
	u32 loss_before, loss_behind; /* of 100 */
	u32 newest[2];                /* by the number of its sending, that the firewall has seen */
	u64 random;
	u32 seed, steps;
};

static struct talk the_talk;

/* xorshift64*: the same talk for the same seed, everywhere. */
static u32 chance(struct talk *talk, u32 below)
{
	talk->random ^= talk->random >> 12;
	talk->random ^= talk->random << 25;
	talk->random ^= talk->random >> 27;
	return (u32)((talk->random * 2685821657736338717ULL) >> 32) % below;
}

static u32 lesser(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* Units in all: SYN, data, FIN. */
static u32 all_units(const struct end *end)
{
	return end->data + 2;
}

static bool done(const struct talk *talk)
{
	return talk->ends[0].acked == all_units(&talk->ends[0]) &&
	       talk->ends[1].acked == all_units(&talk->ends[1]);
}

/* --- lines --- */

static void put(struct line *line, const struct segment *segment)
{
	if (line->count < LINE_MAX)
		line->at[line->count++] = *segment;
}

static struct segment take(struct line *line, u32 index)
{
	struct segment segment = line->at[index];

	line->count--;
	memmove(&line->at[index], &line->at[index + 1], (line->count - index) * sizeof(segment));
	return segment;
}

/* --- ends --- */

/* The window to offer, as the header has it. Its right edge never moves back (RFC 9293
 * section 3.8.6). */
static u16 offer_window(struct end *end, bool syn)
{
	u8 scale = !syn && end->peer_scales ? end->scale : 0;
	u32 edge = end->read + end->buffer;
	u32 units;

	if (edge < end->promised)
		edge = end->promised;
	units = (edge - end->got) >> scale;
	if (end->got + (units << scale) < end->promised)
		units++;
	units = lesser(units, 0xffff);
	end->promised = end->got + (units << scale);
	return (u16)units;
}

/* Ranges of units received beyond a gap. */
static void add_blocks(const struct end *end, struct segment *segment)
{
	u32 unit;

	for (unit = end->got; unit < UNITS_MAX && segment->block_count < BLOCKS_MAX; unit++) {
		if (!end->has[unit])
			continue;
		segment->blocks[segment->block_count][0] = end->peer_iss + unit;
		while (end->has[unit])
			unit++;
		segment->blocks[segment->block_count++][1] = end->peer_iss + unit;
	}
}

/* Sends @count units from @first. */
static void transmit(struct talk *talk, u32 who, u32 first, u32 count)
{
	struct end *end = &talk->ends[who];
	struct segment segment = {
		.seq = end->iss + first,
		.first = first,
		.count = count,
		.payload = count,
		.scale = IPFI_TCP_UNSCALED,
		.sent = ++end->sent,
	};

	if (first == 0 && count) {
		segment.flags |= IPFI_TCP_SYN;
		segment.payload--;
		segment.scale = end->scale;
		segment.sack = end->sack;
	}
	if (first + count == all_units(end) && count) {
		segment.flags |= IPFI_TCP_FIN;
		segment.payload--;
	}
	if (end->heard) {
		segment.flags |= IPFI_TCP_ACK;
		segment.ack = end->peer_iss + end->got;
		if (end->sack && end->peer_sack && !(segment.flags & IPFI_TCP_SYN))
			add_blocks(end, &segment);
	}
	segment.window = offer_window(end, segment.flags & IPFI_TCP_SYN);
	if (segment.payload && chance(talk, 2))
		segment.flags |= IPFI_TCP_PSH;
	end->next = first + count > end->next ? first + count : end->next;
	end->high = end->next > end->high ? end->next : end->high;
	end->ack_due = false;
	put(&talk->before[who], &segment);
}

/* One thing that the end might do now. */
static void act(struct talk *talk, u32 who)
{
	struct end *end = &talk->ends[who];
	u32 limit;

	if (end->crashed)
		return;
	if (!end->syn_sent && !end->heard)
		return; /* it listens */
	if (end->acked == 0) {
		end->syn_sent = true;
		transmit(talk, who, 0, 1);
		return;
	}
	if (!end->heard)
		return;
	if (chance(talk, 3) == 0)
		end->read += chance(talk, end->got - end->read + 1);
	/* The FIN waits for the application, now and then for the peer's. */
	limit = all_units(end) - 1;
	if (end->next >= limit || end->eager || chance(talk, 20) == 0)
		limit++;
	if (end->next < lesser(limit, end->edge) && chance(talk, 4)) {
		transmit(talk, who, end->next,
			 1 + chance(talk, lesser(end->mss, lesser(limit, end->edge) - end->next)));
	} else if (end->acked < end->high && chance(talk, 3) == 0) {
		transmit(talk, who, end->acked,
			 1 + chance(talk, lesser(end->mss, end->high - end->acked)));
	} else if (end->acked == end->high && end->edge <= end->high && end->high < limit &&
		   chance(talk, 4) == 0) {
		/* The window is closed: probe it with the next unit or an old one. */
		transmit(talk, who, end->high - chance(talk, 2), 1);
	} else if (end->acked == end->high && chance(talk, 8) == 0) {
		/* Keep-alive, which lacks the unit before the next or has it as garbage. */
		transmit(talk, who, end->acked - 1, end->acked > 1 && chance(talk, 2));
	} else if (end->ack_due || chance(talk, 16) == 0) {
		transmit(talk, who, end->next, 0);
	}
}

static void reset(struct talk *talk, u32 who, const struct segment *cause)
{
	struct segment segment = {
		.flags = IPFI_TCP_RST,
		.seq = cause->ack,
		.scale = IPFI_TCP_UNSCALED,
		.sent = ++talk->ends[who].sent,
	};

	if (!(cause->flags & IPFI_TCP_RST))
		put(&talk->before[who], &segment);
}

static void receive(struct talk *talk, u32 who, const struct segment *segment)
{
	struct end *end = &talk->ends[who];
	u32 acked, unit, window;

	if (end->crashed) {
		reset(talk, who, segment);
		return;
	}
	if (segment->flags & IPFI_TCP_RST)
		return; /* it is not what this end is about */
	if (segment->flags & IPFI_TCP_SYN && !end->heard) {
		end->heard = true;
		end->peer_iss = segment->seq;
		end->peer_scales =
			end->scale != IPFI_TCP_UNSCALED && segment->scale != IPFI_TCP_UNSCALED;
		end->peer_scale = end->peer_scales ? segment->scale : 0;
		end->peer_sack = segment->sack;
		/* The window that its own SYN had already offered counts from here. */
		end->promised = end->syn_sent ? 1 : 0;
	}
	if (!end->heard)
		return;
	if (segment->flags & IPFI_TCP_ACK) {
		acked = segment->ack - end->iss;
		if (acked > end->high)
			return; /* from before */
		if (acked > end->acked)
			end->acked = acked;
		window = segment->window;
		if (!(segment->flags & IPFI_TCP_SYN))
			window <<= end->peer_scale;
		if (acked + window > end->edge)
			end->edge = acked + window;
	}
	for (unit = segment->first; unit < segment->first + segment->count; unit++)
		if (unit <= end->promised || unit == 0)
			end->has[unit] = true;
	while (end->has[end->got])
		end->got++;
	if (segment->count || segment->seq != end->peer_iss + end->got)
		end->ack_due = true;
}

/* --- the firewall --- */

static void as_packet(const struct segment *segment, u32 who, struct ipfi_packet *packet,
		      u8 *options)
{
	u32 i, word;
	u8 length = 0;

	*packet = parsed_tcp(4, who ? 80 : 40000, who ? 40000 : 80, segment->flags);
	packet->tuple.src = host(4, (u8)(1 + who));
	packet->tuple.dst = host(4, (u8)(2 - who));
	packet->seq = segment->seq;
	packet->ack = segment->flags & IPFI_TCP_ACK ? segment->ack : 0;
	packet->window = segment->window;
	packet->payload = segment->payload;
	if (segment->scale != IPFI_TCP_UNSCALED) {
		memcpy(options + length, (u8[]){ 1, 3, 3, segment->scale }, 4);
		length += 4;
	}
	if (segment->sack) {
		memcpy(options + length, (u8[]){ 1, 1, 4, 2 }, 4);
		length += 4;
	}
	if (segment->block_count) {
		memcpy(options + length, (u8[]){ 1, 1, 5, (u8)(2 + 8 * segment->block_count) }, 4);
		length += 4;
		for (i = 0; i < 2 * segment->block_count; i++) {
			word = segment->blocks[i / 2][i % 2];
			memcpy(options + length,
			       (u8[]){ (u8)(word >> 24), (u8)(word >> 16), (u8)(word >> 8),
				       (u8)word },
			       4);
			length += 4;
		}
	}
	packet->tcp_options = options;
	packet->tcp_options_length = length;
	packet->length = 40U + length + segment->payload;
}

/* Does the firewall let the segment pass? */
static bool judge(struct talk *talk, const struct segment *segment, u32 who)
{
	const struct end *receiver = &talk->ends[!who];
	struct ipfi_packet packet;
	struct ipfi_key key;
	enum ipfi_advance advance;
	u8 options[40];
	u8 reason = 0;
	bool overtaken = segment->sent < talk->newest[who];

	as_packet(segment, who, &packet, options);
	assert_false(ipfi_tcp_flags_bad(packet.tcp_flags));
	if (!talk->live) {
		if (talk->late && (talk->ends[0].acked == 0 || talk->ends[1].acked == 0 ||
				   segment->flags & IPFI_TCP_SYN || chance(talk, 10)))
			return true;
		assert_int_equal(ipfi_flow_open(&talk->flow, &packet, 1, 1, 0, &talk->limits), 0);
		talk->live = true;
		talk->newest[who] = segment->sent;
		return true;
	}
	if (!overtaken)
		talk->newest[who] = segment->sent;
	advance = ipfi_flow_advance(
		&talk->flow, &packet,
		ipfi_flow_direction(&talk->flow, ipfi_key_from_tuple(&key, &packet.tuple)),
		&reason);
	switch (advance) {
	case IPFI_ADVANCE_PASS:
		return true;
	case IPFI_ADVANCE_IGNORE:
		/* A challenge may pass: a reset, a SYN that was overtaken by what its end sent
		 * later, or what was overtaken and its receiver has all of. */
		assert_true(segment->flags & IPFI_TCP_RST ||
			    talk->flow.state == IPFI_STATE_CLOSED ||
			    (segment->flags & IPFI_TCP_SYN && (overtaken || talk->late)) ||
			    (overtaken && receiver->heard &&
			     segment->first + segment->count <= receiver->got));
		assert_int_equal(reason, IPFI_REASON_CHALLENGE);
		return true;
	case IPFI_ADVANCE_DROP:
		/* A reset of something older may be dropped, and what goes to who has reset. */
		if (segment->flags & IPFI_TCP_RST || talk->flow.state == IPFI_STATE_CLOSED)
			return false;
		fail_msg("seed %u, step %u: end %u's flags %02x units %u+%u window %u dropped in "
			 "state %u, reason %u",
			 talk->seed, talk->steps, who, segment->flags, segment->first,
			 segment->count, segment->window, talk->flow.state, reason);
		return false;
	default:
		fail_msg("seed %u: reopened", talk->seed);
		return false;
	}
}

static void step(struct talk *talk)
{
	struct segment segment;
	u32 who = chance(talk, 2);
	u32 index;

	talk->steps++;
	switch (chance(talk, 4)) {
	case 0:
		act(talk, who);
		break;
	case 1:
	case 2:
		if (!talk->before[who].count)
			break;
		index = chance(talk, lesser(talk->before[who].count, talk->overtakes + 1));
		segment = take(&talk->before[who], index);
		if (chance(talk, 100) < talk->loss_before || !judge(talk, &segment, who))
			break;
		put(&talk->behind[who], &segment);
		if (chance(talk, 20) == 0)
			put(&talk->behind[who], &segment);
		break;
	case 3:
		if (!talk->behind[who].count)
			break;
		index = chance(talk, lesser(talk->behind[who].count, 8));
		segment = take(&talk->behind[who], index);
		if (chance(talk, 100) >= talk->loss_behind)
			receive(talk, !who, &segment);
		break;
	}
}

static void begin_end(struct talk *talk, struct end *end)
{
	static const u32 sizes[] = { 1, 2, 100, 1460, 30000, 65535, 200000 };

	end->iss = chance(talk, 2) ? chance(talk, UINT32_MAX) : 0U - chance(talk, 20000);
	end->data = chance(talk, 4) ? chance(talk, 3000) : chance(talk, UNITS_MAX - 10);
	end->mss = 1 + chance(talk, chance(talk, 4) ? 1460 : 60);
	end->buffer = sizes[chance(talk, COUNT(sizes))];
	end->scale = chance(talk, 3) ? (u8)chance(talk, 15) : IPFI_TCP_UNSCALED;
	end->sack = chance(talk, 2);
	end->eager = chance(talk, 2);
}

static void begin(struct talk *talk, u32 seed)
{
	const struct end *peer;
	u32 who, most;

	memset(talk, 0, sizeof(*talk));
	talk->seed = seed;
	talk->random = seed * 0x9e3779b97f4a7c15ULL + 1;
	ipfi_limits_init(&talk->limits);
	begin_end(talk, &talk->ends[0]);
	begin_end(talk, &talk->ends[1]);
	for (who = 0; who < 2; who++) {
		/* More would take for ever, if less than a unit of the window is free it is all
		 * probes. */
		peer = &talk->ends[!who];
		most = peer->scale == IPFI_TCP_UNSCALED ? peer->buffer :
							  peer->buffer >> peer->scale;
		most = 50 * lesser(talk->ends[who].mss, most ? most : 1);
		talk->ends[who].data = lesser(talk->ends[who].data, most);
	}
	talk->loss_before = chance(talk, 2) * chance(talk, 30);
	talk->loss_behind = chance(talk, 2) * chance(talk, 30);
	talk->ends[0].syn_sent = true;
	talk->ends[1].syn_sent = chance(talk, 5) == 0; /* simultaneous open */
}

static void run_to_end(struct talk *talk)
{
	while (!done(talk) && talk->steps < STEPS_MAX)
		step(talk);
	if (!done(talk))
		fail_msg("seed %u: no end after %u steps: %u/%u and %u/%u units acknowledged",
			 talk->seed, talk->steps, talk->ends[0].acked, all_units(&talk->ends[0]),
			 talk->ends[1].acked, all_units(&talk->ends[1]));
	/* Both ends know that the other has it all, and so must who stood between them from the
	 * start. */
	if (talk->live && !talk->late)
		assert_int_equal(talk->flow.state, IPFI_STATE_TIME_WAIT);
}

static void run_all(void (*change)(struct talk *talk))
{
	struct talk *talk = &the_talk;
	u32 seed, live = 0;

	for (seed = 1; seed <= TALKS; seed++) {
		begin(talk, seed);
		change(talk);
		run_to_end(talk);
		live += talk->live;
	}
	/* A late firewall misses some that are over before. */
	assert_true(live > TALKS / 2);
}

static void change_nothing(struct talk *talk)
{
	(void)talk;
}

static void start_late(struct talk *talk)
{
	talk->late = true;
}

static void overtake(struct talk *talk)
{
	talk->overtakes = 1 + chance(talk, 4);
}

static void overtake_and_start_late(struct talk *talk)
{
	overtake(talk);
	start_late(talk);
}

static void test_nothing_is_dropped(void **state)
{
	(void)state;
	run_all(change_nothing);
}

static void test_nothing_is_dropped_when_met_in_the_middle(void **state)
{
	(void)state;
	run_all(start_late);
}

static void test_overtaken_segments(void **state)
{
	(void)state;
	run_all(overtake);
}

static void test_overtaken_segments_when_met_in_the_middle(void **state)
{
	(void)state;
	run_all(overtake_and_start_late);
}

/* An end crashes; its machine answers what still comes with resets, and the state must soon end by
 * them. */
static void test_crashes_end_the_state(void **state)
{
	struct talk *talk = &the_talk;
	u32 seed, left, closed = 0;

	(void)state;
	for (seed = 1; seed <= TALKS; seed++) {
		begin(talk, seed);
		while (talk->steps < 200 || talk->flow.state < IPFI_STATE_ESTABLISHED)
			step(talk);
		if (talk->flow.state != IPFI_STATE_ESTABLISHED)
			continue;
		talk->ends[chance(talk, 2)].crashed = true;
		for (left = 20000; left && talk->flow.state != IPFI_STATE_CLOSED; left--)
			step(talk);
		if (!left)
			fail_msg("seed %u: the state lives on after a crash", seed);
		closed++;
	}
	assert_true(closed > TALKS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_dropped),
		cmocka_unit_test(test_nothing_is_dropped_when_met_in_the_middle),
		cmocka_unit_test(test_overtaken_segments),
		cmocka_unit_test(test_overtaken_segments_when_met_in_the_middle),
		cmocka_unit_test(test_crashes_end_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
