// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Edits of a TCP stream. First the cases that one can think of, then conversations that nobody
 * would: a sender, the edits in the middle and a receiver, over a network that loses, doubles and
 * reorders on both sides. What arrives must be the edited stream, byte by byte, and all of it.
 */
#include "core/sequence.h"
#include "support.h"

/* --- by hand --- */

/* What left for a segment, as text. */
static const char *left(const struct ipfi_sequence *s, u32 seq, const char *payload, bool fin)
{
	static char text[256];
	struct ipfi_sequence_cut cut;
	u32 length = (u32)strlen(payload);
	bool changed = ipfi_sequence_apply(s, seq, length, fin, &cut);

	assert_true(cut.head + cut.skip <= length);
	assert_int_equal(changed, cut.head != length || cut.text_length || !cut.whole);
	snprintf(text, sizeof(text), "%u:%.*s%.*s%s%s", cut.seq, (int)cut.head, payload,
		 (int)cut.text_length, cut.text ? (const char *)cut.text : "",
		 payload + cut.head + cut.skip, fin && cut.whole ? "." : "");
	return text;
}

static void edit(struct ipfi_sequence *s, u32 at, u32 old_length, const char *text)
{
	assert_true(ipfi_sequence_edit(s, at, old_length, (const u8 *)text, (u32)strlen(text)));
}

static void hold(struct ipfi_sequence *s, u32 at, const char *bytes)
{
	ipfi_sequence_hold(s, at, (const u8 *)bytes, (u32)strlen(bytes));
}

static void leaves_all_alone(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	assert_true(ipfi_sequence_room(&s));
	assert_string_equal(left(&s, 7, "abc", true), "7:abc.");
	assert_string_equal(left(&s, 7, "", false), "7:");
	assert_int_equal(ipfi_sequence_forward(&s, 1234), 1234);
	assert_int_equal(ipfi_sequence_back(&s, 1234), 1234);
	assert_int_equal(ipfi_sequence_back_left(&s, 1234), 1234);
	ipfi_sequence_release(&s);
	ipfi_sequence_acknowledge(&s, 99);
	assert_int_equal(ipfi_sequence_forward(&s, 1234), 1234);
}

/* "abcOLDxyz" from 100 on: OLD becomes longer. */
static void replaces_a_text(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	edit(&s, 103, 3, "newer");
	assert_string_equal(left(&s, 100, "abcOLDxyz", false), "100:abcnewerxyz");
	assert_string_equal(left(&s, 100, "abcOLDxyz", true), "100:abcnewerxyz.");
	assert_string_equal(left(&s, 100, "abcOLD", false), "100:abcnewer");
	assert_string_equal(left(&s, 103, "OLDxyz", false), "103:newerxyz");
	assert_string_equal(left(&s, 104, "LDxyz", false), "103:newerxyz");
	assert_string_equal(left(&s, 105, "D", false), "103:newer");
	assert_string_equal(left(&s, 104, "L", false), "103:newer");
	assert_string_equal(left(&s, 100, "abcO", true), "100:abc");
	assert_string_equal(left(&s, 103, "OL", false), "103:");
	assert_string_equal(left(&s, 100, "abc", true), "100:abc.");
	assert_string_equal(left(&s, 106, "xyz", true), "108:xyz.");
	assert_string_equal(left(&s, 109, "", true), "111:.");
	assert_string_equal(left(&s, 109, "", false), "111:");
	assert_string_equal(left(&s, 108, "", false), "110:");
	assert_string_equal(left(&s, 103, "", false), "103:");

	assert_int_equal(ipfi_sequence_back(&s, 103), 103);
	assert_int_equal(ipfi_sequence_back(&s, 104), 103);
	assert_int_equal(ipfi_sequence_back(&s, 107), 103);
	assert_int_equal(ipfi_sequence_back(&s, 108), 106);
	assert_int_equal(ipfi_sequence_back(&s, 111), 109);
	assert_int_equal(ipfi_sequence_back_left(&s, 103), 103);
	assert_int_equal(ipfi_sequence_back_left(&s, 104), 106);
	assert_int_equal(ipfi_sequence_back_left(&s, 108), 106);
	assert_int_equal(ipfi_sequence_back_left(&s, 109), 107);
}

static void shortens_across_zero(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	edit(&s, UINT32_MAX, 4, "N");
	assert_string_equal(left(&s, UINT32_MAX - 2, "ab0123yz", false), "4294967293:abNyz");
	assert_string_equal(left(&s, 1, "23yz", false), "4294967295:Nyz");
	assert_string_equal(left(&s, 3, "yz", true), "0:yz.");
	assert_int_equal(ipfi_sequence_back(&s, UINT32_MAX), UINT32_MAX);
	assert_int_equal(ipfi_sequence_back(&s, 0), 3);
	assert_int_equal(ipfi_sequence_back(&s, 2), 5);
	assert_int_equal(ipfi_sequence_forward(&s, 2), UINT32_MAX);
	assert_int_equal(ipfi_sequence_forward(&s, 3), 0);
}

/* Each keeps its place however often it is sent again. */
static void remembers_several(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	edit(&s, 10, 1, "one");
	edit(&s, 20, 1, "two");
	edit(&s, 30, 3, "3");
	assert_string_equal(left(&s, 9, "a1b", false), "9:aoneb");
	assert_string_equal(left(&s, 19, "a2b", false), "21:atwob");
	assert_string_equal(left(&s, 29, "a333b", false), "33:a3b");
	assert_string_equal(left(&s, 34, "c", false), "36:c");
	assert_int_equal(ipfi_sequence_back(&s, 36), 34);
	assert_int_equal(ipfi_sequence_back(&s, 25), 21);
	assert_int_equal(ipfi_sequence_back(&s, 13), 11);

	/* One new text to a segment; the second comes when its sender comes again. */
	assert_string_equal(left(&s, 9, "a1bbbbbbbbbb2c", true), "9:aone");
	assert_string_equal(left(&s, 9, "a1bbbbbbbbb", true), "9:aonebbbbbbbbb.");
}

static void has_room_for_the_unacknowledged(void **state)
{
	struct ipfi_sequence s;
	u32 i;

	(void)state;
	ipfi_sequence_init(&s);
	for (i = 0; i < IPFI_SEQUENCE_EDITS - 2; i++) {
		assert_true(ipfi_sequence_room(&s));
		edit(&s, 10 * i, 1, "..");
	}
	assert_true(ipfi_sequence_room(&s));
	edit(&s, 10 * i, 1, "..");
	assert_false(ipfi_sequence_room(&s));
	ipfi_sequence_acknowledge(&s, 1);
	assert_false(ipfi_sequence_room(&s));
	ipfi_sequence_acknowledge(&s, 2);
	assert_true(ipfi_sequence_room(&s));
	ipfi_sequence_acknowledge(&s, 1);
	assert_true(ipfi_sequence_room(&s));

	/* The oldest makes room, and what is behind it counts on. */
	edit(&s, 100, 1, "..");
	edit(&s, 200, 1, "..");
	assert_int_equal(ipfi_sequence_forward(&s, 300), 300 + i + 3);
	assert_string_equal(left(&s, 99, "a.b", false), "102:a..b");
}

/* What lies 2^31 back must not be taken for what is to come. */
static void forgets_in_time(void **state)
{
	struct ipfi_sequence s;
	u32 i;

	(void)state;
	ipfi_sequence_init(&s);
	edit(&s, 100, 1, "many more");
	for (i = 1; i <= 16; i++) {
		ipfi_sequence_acknowledge(&s, 100 + i * 0x10000000U);
		assert_int_equal(ipfi_sequence_forward(&s, 100 + i * 0x10000000U),
				 108 + i * 0x10000000U);
	}
	assert_int_equal(ipfi_sequence_back(&s, 100), 92);
}

static void refuses_what_is_out_of_order(void **state)
{
	struct ipfi_sequence s, was;
	const u8 text[IPFI_SEQUENCE_WRITTEN + 1] = "text";

	(void)state;
	ipfi_sequence_init(&s);
	edit(&s, 100, 10, "new");
	hold(&s, 200, "abc");
	was = s;
	assert_false(ipfi_sequence_edit(&s, 199, 3, text, 4));
	assert_false(ipfi_sequence_edit(&s, 105, 3, text, 4));
	assert_false(ipfi_sequence_edit(&s, 300, 0, text, 4));
	assert_false(ipfi_sequence_edit(&s, 300, 3, text, 0));
	assert_false(ipfi_sequence_edit(&s, 300, IPFI_SEQUENCE_WRITTEN + 1, text, 4));
	assert_false(ipfi_sequence_edit(&s, 300, 3, text, IPFI_SEQUENCE_WRITTEN + 1));
	assert_memory_equal(&s, &was, sizeof(s));
	ipfi_sequence_release(&s);
	assert_false(ipfi_sequence_edit(&s, 102, 3, text, 4));
	assert_true(
		ipfi_sequence_edit(&s, 300, IPFI_SEQUENCE_WRITTEN, text, IPFI_SEQUENCE_WRITTEN));
}

/* "227 (10,0,0,1,4,2" | "10)" with the number held back until it is all there. */
static void holds_and_settles(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	hold(&s, 105, "10,0,0,1,4,2");
	assert_string_equal(left(&s, 100, "227 (10,0,0,1,4,2", false), "100:227 (");
	assert_string_equal(left(&s, 100, "227 (10,0", false), "100:227 (");
	assert_string_equal(left(&s, 100, "227 (", false), "100:227 (");
	/* Who has all that left is said to have the rest too: Nagle's sender would wait. */
	assert_int_equal(ipfi_sequence_back(&s, 104), 104);
	assert_int_equal(ipfi_sequence_back(&s, 105), 117);
	assert_int_equal(ipfi_sequence_back_left(&s, 103), 103);
	/* A segment of nothing else asks for that, as does a keep-alive. */
	assert_string_equal(left(&s, 105, "10,0,0,1,4,2", false), "104:");
	assert_string_equal(left(&s, 110, "1,4,2", false), "104:");
	assert_string_equal(left(&s, 116, "", false), "104:");
	assert_string_equal(left(&s, 117, "", false), "105:");
	assert_int_equal(ipfi_sequence_forward(&s, 117), 105);

	edit(&s, 105, 14, "192,0,2,1,200,201");
	assert_string_equal(left(&s, 117, "10)", false), "105:192,0,2,1,200,201)");
	assert_string_equal(left(&s, 100, "227 (10,0,0,1,4,2", false), "100:227 (");
	assert_string_equal(left(&s, 100, "227 (10,0,0,1,4,210)", false),
			    "100:227 (192,0,2,1,200,201)");
	assert_string_equal(left(&s, 119, ")", false), "105:192,0,2,1,200,201)");
	assert_int_equal(ipfi_sequence_back(&s, 105), 117);
	assert_int_equal(ipfi_sequence_back(&s, 121), 117);
	assert_int_equal(ipfi_sequence_back(&s, 122), 119);
}

/* "227 (10,0,0,1,4,210)" | end of line: what was held is put before what comes, until it has
 * arrived. */
static void owes_what_it_took(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	hold(&s, 105, "10,0,0,1,4,210)");
	edit(&s, 105, 14, "192,0,2,1,4,210");
	assert_string_equal(left(&s, 120, "\n", false), "105:192,0,2,1,4,210)\n");
	assert_string_equal(left(&s, 120, "", true), "105:192,0,2,1,4,210).");
	assert_string_equal(left(&s, 120, "", false), "121:");
	assert_string_equal(left(&s, 121, "next", false), "122:next");
	ipfi_sequence_acknowledge(&s, 120);
	assert_string_equal(left(&s, 120, "\n", false), "105:192,0,2,1,4,210)\n");
	ipfi_sequence_acknowledge(&s, 121);
	assert_string_equal(left(&s, 120, "\n", false), "121:\n");
}

static void releases(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	hold(&s, 105, "5");
	assert_string_equal(left(&s, 100, "229 x5", false), "100:229 x");
	hold(&s, 105, "5,6");
	assert_string_equal(left(&s, 106, ",6", false), "104:");
	ipfi_sequence_release(&s);
	assert_string_equal(left(&s, 108, " and\n", false), "105:5,6 and\n");
	assert_string_equal(left(&s, 100, "229 x5", false), "100:229 x");
	assert_string_equal(left(&s, 100, "229 x5,6 and\n", false), "100:229 x5,6 and\n");
	assert_int_equal(ipfi_sequence_forward(&s, 113), 113);
	assert_int_equal(ipfi_sequence_back(&s, 113), 113);
}

/* The held place moves on: "1.2" | ".3" and so on. Bytes before it are owed, those behind it are
 * held. */
static void moves_a_hold(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	hold(&s, 100, "12");
	hold(&s, 101, "2a");
	assert_string_equal(left(&s, 102, "a", false), "100:1");
	assert_int_equal(ipfi_sequence_back(&s, 100), 101);
	assert_int_equal(ipfi_sequence_back(&s, 101), 103);
	ipfi_sequence_acknowledge(&s, 101);
	assert_string_equal(left(&s, 102, "a", false), "100:");
	hold(&s, 110, "b");
	assert_string_equal(left(&s, 103, "3456789b", false), "101:2a");
	ipfi_sequence_acknowledge(&s, 103);
	assert_string_equal(left(&s, 103, "3456789b", false), "103:3456789");
	assert_string_equal(left(&s, 110, "b", false), "109:");
	ipfi_sequence_acknowledge(&s, 110);
	edit(&s, 120, 1, "!?");
	assert_string_equal(left(&s, 111, "123456789c", false), "110:b");
	assert_string_equal(left(&s, 119, "9c", false), "119:9!?");
}

/* Two owed texts, one behind the other: the first comes first. */
static void owes_in_order(void **state)
{
	struct ipfi_sequence s;

	(void)state;
	ipfi_sequence_init(&s);
	hold(&s, 100, "12");
	hold(&s, 101, "2a");
	ipfi_sequence_release(&s);
	assert_string_equal(left(&s, 103, "bc", true), "100:1");
	ipfi_sequence_acknowledge(&s, 101);
	assert_string_equal(left(&s, 103, "bc", true), "101:2abc.");
	ipfi_sequence_acknowledge(&s, 103);
	assert_string_equal(left(&s, 103, "bc", true), "103:bc.");
}

/* --- at random --- */

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
	u8 text[IPFI_SEQUENCE_WRITTEN];
	u32 text_length;
};

struct packet {
	u32 seq, ack; /* as in the header */
	u32 length;
	u8 payload[STREAM + IPFI_SEQUENCE_TEXT];
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
	u8 owed[STREAM + SPOTS * IPFI_SEQUENCE_WRITTEN];
	u32 owed_length;
	/* The sender: positions in the stream; its FIN stands at length. */
	u32 una, next;
	/* The middle. */
	struct ipfi_sequence s;
	u32 read, spot;
	bool finished;
	/* The receiver. */
	bool has[STREAM + SPOTS * IPFI_SEQUENCE_WRITTEN + 1];
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
		ipfi_sequence_release(&w->s);
		return;
	}
	at = w->read > spot->turn ? spot->at : spot->hold;
	if (at < w->read)
		ipfi_sequence_hold(&w->s, w->isn + at, w->sent + at, w->read - at);
	else
		ipfi_sequence_release(&w->s);
}

/* The middle's part, as core/sequence.h asks for it. Returns false when the segment is dropped. */
static bool pass(struct world *w, u32 from, u32 to, bool fin, struct packet *packet)
{
	const struct spot *spot;
	struct ipfi_sequence_cut cut;
	u32 rest, i;
	s32 place;

	if (from > w->read)
		return false;
	while (w->read < to) {
		if (!ipfi_sequence_room(&w->s)) {
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
			assert_true(ipfi_sequence_edit(&w->s, w->isn + spot->at,
						       spot->end - spot->at, spot->text,
						       spot->text_length));
	}
	w->finished |= fin;
	if (w->finished)
		ipfi_sequence_release(&w->s);
	else
		look(w);

	ipfi_sequence_apply(&w->s, w->isn + from, to - from, fin, &cut);
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
	s32 ack = (s32)(ipfi_sequence_back(&w->s, packet->ack) - w->isn);
	s32 from = (s32)(ipfi_sequence_back_left(&w->s, packet->left) - w->isn);
	s32 to = (s32)(ipfi_sequence_back(&w->s, packet->right) - w->isn);

	assert_true(ack <= (s32)w->next);
	if (packet->left != packet->right && to > (s32)w->una) {
		assert_true(to <= (s32)w->next);
		check_claim(w, from > (s32)w->una ? (u32)from : w->una, (u32)to);
	}
	ipfi_sequence_acknowledge(&w->s, packet->ack);
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
		if (ipfi_sequence_back_left(&w->s, ipfi_sequence_forward(&w->s, number)) == number)
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
		ipfi_sequence_init(&world.s);
		converse(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_all_alone),
		cmocka_unit_test(replaces_a_text),
		cmocka_unit_test(shortens_across_zero),
		cmocka_unit_test(remembers_several),
		cmocka_unit_test(has_room_for_the_unacknowledged),
		cmocka_unit_test(forgets_in_time),
		cmocka_unit_test(refuses_what_is_out_of_order),
		cmocka_unit_test(holds_and_settles),
		cmocka_unit_test(owes_what_it_took),
		cmocka_unit_test(releases),
		cmocka_unit_test(moves_a_hold),
		cmocka_unit_test(owes_in_order),
		cmocka_unit_test(arrives_at_random),
	};

	return cmocka_run_group_tests_name("sequence", tests, NULL, NULL);
}
