// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Edits of a TCP stream in conversations that nobody would think of: a sender, the edits in the
 * middle and a receiver, over a network that loses, doubles and reorders on both sides. What
 * arrives must be the edited stream, byte by byte, and all of it.
 */
#include "module/core/sequence.h"
#include "support.h"

#define STREAM 600
#define SPOTS 12
#define FLIGHT 16
#define ROUNDS 4000
#define STEPS 20000

/* A place of the stream that is looked at closely. */
struct spot {
	u32 hold, turn; /* held from here on, once so much is read from the edit's place on ... */
	u32 at, end;	/* ... which is this */
	u32 decided;	/* when so much is read it is known what it is */
	bool edited;
	u8 text[IPFI_SEQADJ_WRITTEN];
	u32 text_length;
};

struct packet {
	u32 seq, ack; /* as in the header */
	u32 length;
	u8 payload[STREAM + IPFI_SEQADJ_TEXT];
	bool fin;
	u32 left, right; /* of one SACK block; equal without */
};

/* A bag of packets under way. */
struct network {
	struct packet packets[FLIGHT];
	u32 count;
};

struct world {
	u32 random;
	bool nagle, lossy;
	u32 isn;
	u8 sent[STREAM];
	u32 length;
	struct spot spots[SPOTS];
	u32 spot_count;
	u8 owed[STREAM + SPOTS * IPFI_SEQADJ_WRITTEN];
	u32 owed_length;
	/* The sender: positions in the stream; its FIN stands at length. */
	u32 una, next;
	/* The middle. */
	struct ipfi_seqadj s;
	u32 read, spot;
	bool finished;
	/* The receiver. */
	bool has[STREAM + SPOTS * IPFI_SEQADJ_WRITTEN + 1];
	u32 arrived;
	struct network out, back;
};

static u32 next_random(struct world *w, u32 below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return w->random % below;
}

/* A random stream with random spots in it, and what it is to become. */
static void make_streams(struct world *w)
{
	struct spot *spot;
	u32 at = 0, i;

	w->length = 1 + next_random(w, STREAM);
	for (i = 0; i < w->length; i++)
		w->sent[i] = (u8)('a' + next_random(w, 26));
	while (w->spot_count < SPOTS) {
		spot = &w->spots[w->spot_count];
		spot->hold = at + next_random(w, 60);
		spot->turn = spot->hold + next_random(w, 8);
		spot->at = spot->hold + (next_random(w, 2) ? next_random(w, 8) : 0);
		if (spot->turn < spot->at)
			spot->turn = spot->at;
		spot->end = spot->at + 1 + next_random(w, 20);
		if (spot->turn > spot->end)
			spot->turn = spot->end;
		spot->decided = spot->end + next_random(w, 10);
		spot->edited = next_random(w, 4) != 0;
		spot->text_length = 1 + next_random(w, 24);
		for (i = 0; i < spot->text_length; i++)
			spot->text[i] = (u8)('A' + next_random(w, 26));
		if (spot->decided > w->length)
			break;
		at = spot->decided;
		w->spot_count++;
	}
	for (i = 0, at = 0; at < w->length; at++) {
		if (i < w->spot_count && at == w->spots[i].at && w->spots[i].edited) {
			memcpy(w->owed + w->owed_length, w->spots[i].text, w->spots[i].text_length);
			w->owed_length += w->spots[i].text_length;
			at = w->spots[i].end - 1;
		} else {
			w->owed[w->owed_length++] = w->sent[at];
		}
		if (i < w->spot_count && at >= w->spots[i].end - 1)
			i++;
	}
}

static void post(struct world *w, struct network *network, const struct packet *packet)
{
	if (w->lossy && next_random(w, 4) == 0)
		return;
	if (network->count < FLIGHT)
		network->packets[network->count++] = *packet;
	if (w->lossy && network->count < FLIGHT && next_random(w, 8) == 0)
		network->packets[network->count++] = *packet;
}

static bool fetch(struct world *w, struct network *network, struct packet *packet)
{
	u32 i;

	if (!network->count)
		return false;
	i = w->lossy ? next_random(w, network->count) : 0;
	*packet = network->packets[i];
	network->count--;
	memmove(&network->packets[i], &network->packets[i + 1],
		(network->count - i) * sizeof(*packet));
	return true;
}

/* What reads the stream has come to w->read. */
static void look(struct world *w)
{
	const struct spot *spot = &w->spots[w->spot];
	u32 at;

	if (w->spot == w->spot_count || w->read <= spot->hold) {
		ipfi_seqadj_release(&w->s);
		return;
	}
	at = w->read > spot->turn ? spot->at : spot->hold;
	if (at < w->read)
		ipfi_seqadj_hold(&w->s, w->isn + at, w->sent + at, w->read - at);
	else
		ipfi_seqadj_release(&w->s);
}

/* The middle's part, as core/sequence.h asks for it. Returns false when the segment is dropped. */
static bool pass(struct world *w, u32 from, u32 to, bool fin, struct packet *packet)
{
	const struct spot *spot;
	struct ipfi_seqadj_cut cut;
	u32 rest, i;
	s32 place;

	if (from > w->read)
		return false;
	while (w->read < to) {
		if (!ipfi_seqadj_room(&w->s)) {
			if (w->read <= from)
				return false;
			to = w->read;
			fin = false;
			break;
		}
		spot = &w->spots[w->spot];
		if (w->spot == w->spot_count || spot->decided > to) {
			w->read = to;
			break;
		}
		w->read = spot->decided;
		w->spot++;
		if (spot->edited)
			assert_true(ipfi_seqadj_edit(&w->s, w->isn + spot->at,
						       spot->end - spot->at, spot->text,
						       spot->text_length));
	}
	w->finished |= fin;
	if (w->finished)
		ipfi_seqadj_release(&w->s);
	else
		look(w);

	ipfi_seqadj_apply(&w->s, w->isn + from, to - from, fin, &cut);
	rest = to - from - cut.head - cut.skip;
	packet->seq = cut.seq;
	packet->length = cut.head + cut.text_length + rest;
	memcpy(packet->payload, w->sent + from, cut.head);
	if (cut.text_length)
		memcpy(packet->payload + cut.head, cut.text, cut.text_length);
	memcpy(packet->payload + cut.head + cut.text_length, w->sent + to - rest, rest);
	packet->fin = fin && cut.whole;

	/* Whatever leaves is a part of what is owed, at its place, or is nothing new to the
	 * receiver: an edit that has arrived may have been forgotten. */
	for (i = 0; i < packet->length; i++) {
		place = (s32)(packet->seq + i - w->isn);
		if (place < (s32)w->arrived)
			continue;
		assert_in_range(place, 0, w->owed_length - 1);
		assert_int_equal(packet->payload[i], w->owed[place]);
	}
	if (packet->fin)
		assert_int_equal(packet->seq + packet->length - w->isn, w->owed_length);
	return true;
}

/* The sender sends something new, or something again: @strict, only what is not acknowledged. */
static void send(struct world *w, bool strict)
{
	struct packet packet = { .length = 0 };
	u32 from, to, most = w->length + 1;
	bool idle = w->una == w->next;

	if (w->next < most && (idle || (!w->nagle && next_random(w, 2)))) {
		from = w->next;
		to = from + 1 + next_random(w, next_random(w, 8) ? 12 : STREAM);
		if (to > most)
			to = most;
		w->next = to;
	} else if (strict || w->nagle) {
		from = w->una;
		to = w->next;
	} else {
		from = next_random(w, w->next);
		to = from + 1 + next_random(w, w->next - from);
	}
	if (from == to)
		return;
	if (pass(w, from, to == most ? w->length : to, to == most, &packet))
		post(w, &w->out, &packet);
}

static void receive(struct world *w, const struct packet *packet)
{
	struct packet answer = { .length = 0 };
	s32 at = (s32)(packet->seq - w->isn);
	u32 i;

	for (i = 0; i < packet->length + packet->fin; i++)
		if (at + (s32)i >= (s32)w->arrived)
			w->has[at + (s32)i] = true;
	if (!packet->length && !packet->fin && at == (s32)w->arrived)
		return;
	while (w->arrived <= w->owed_length && w->has[w->arrived])
		w->arrived++;
	answer.ack = w->isn + w->arrived;
	for (i = w->arrived; i <= w->owed_length && !w->has[i]; i++)
		;
	answer.left = answer.right = w->isn + i;
	while (i <= w->owed_length && w->has[i++])
		answer.right++;
	post(w, &w->back, &answer);
}

/* Are these bytes of the sender with the middle, which owes them? */
static bool is_owed(const struct world *w, u32 at)
{
	u32 i;

	for (i = 0; i < w->s.count; i++)
		if (w->isn + at - w->s.edits[i].at < w->s.edits[i].taken)
			return true;
	return w->isn + at - w->s.hold < w->s.held;
}

/* May the sender believe that the other side has [from, to) of its stream? */
static void check_claim(const struct world *w, u32 from, u32 to)
{
	u32 spot = 0, at, i, place = 0;

	for (at = 0; at < to && at < w->length; at++) {
		while (spot < w->spot_count && (w->spots[spot].end <= at || !w->spots[spot].edited))
			spot++;
		if (spot < w->spot_count && at == w->spots[spot].at) {
			for (i = 0; i < w->spots[spot].text_length; i++, place++)
				if (from <= at && to >= w->spots[spot].end)
					assert_true(w->has[place] || is_owed(w, at));
			at = w->spots[spot].end - 1;
		} else {
			if (from <= at)
				assert_true(w->has[place] || is_owed(w, at));
			place++;
		}
	}
}

/* Numbers of old, before edits that have been forgotten, may say less than they did. */
static void acknowledge(struct world *w, const struct packet *packet)
{
	s32 ack = (s32)(ipfi_seqadj_back(&w->s, packet->ack) - w->isn);
	s32 from = (s32)(ipfi_seqadj_back_left(&w->s, packet->left) - w->isn);
	s32 to = (s32)(ipfi_seqadj_back(&w->s, packet->right) - w->isn);

	assert_true(ack <= (s32)w->next);
	if (packet->left != packet->right && to > (s32)w->una) {
		assert_true(to <= (s32)w->next);
		check_claim(w, from > (s32)w->una ? (u32)from : w->una, (u32)to);
	}
	ipfi_seqadj_acknowledge(&w->s, packet->ack);
	if (ack > (s32)w->una)
		w->una = (u32)ack;
}

static void converse(struct world *w)
{
	struct packet packet;
	u32 step, i, number;

	for (step = 0; w->una <= w->length; step++) {
		if (step == STEPS)
			fail_msg("stuck: sent %u of %u, acknowledged %u, arrived %u of %u", w->next,
				 w->length, w->una, w->arrived, w->owed_length);
		switch (next_random(w, 3)) {
		case 0:
			send(w, step % 16 == 0);
			break;
		case 1:
			if (fetch(w, &w->out, &packet))
				receive(w, &packet);
			break;
		case 2:
			if (fetch(w, &w->back, &packet))
				acknowledge(w, &packet);
			break;
		}
	}
	assert_int_equal(w->arrived, w->owed_length + 1);

	/* Outside of the edits that are remembered, back is the way back. */
	for (i = 0; i <= w->length; i++) {
		number = w->isn + i;
		if (w->s.count && (s32)(number - w->s.edits[0].at) < 0)
			continue;
		if (ipfi_seqadj_back_left(&w->s, ipfi_seqadj_forward(&w->s, number)) == number)
			continue;
		for (step = 0; step < w->s.count; step++)
			if (number - w->s.edits[step].at < w->s.edits[step].old_length)
				break;
		assert_true(step < w->s.count);
	}
}

static void arrives_at_random(void **state)
{
	static struct world world;
	u32 round;

	(void)state;
	for (round = 1; round <= ROUNDS; round++) {
		memset(&world, 0, sizeof(world));
		world.random = round * 2654435761U;
		world.nagle = round & 1;
		world.lossy = round & 2;
		world.isn = round & 4 ? 0U - next_random(&world, STREAM)
				      : next_random(&world, UINT32_MAX);
		make_streams(&world);
		ipfi_seqadj_init(&world.s);
		converse(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrives_at_random),
	};

	return cmocka_run_group_tests_name("sequence_random", tests, NULL, NULL);
}
