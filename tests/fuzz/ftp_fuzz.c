// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the parser of FTP control connections, and the rewriting of what it finds. The first
 * four bytes of the input choose how it is cut into segments; the rest are turns: a byte whose
 * lowest bit says who speaks, the others how much, and what is said. However it is cut, sent again
 * and translated, the same must be found, and all that was said must arrive, but for what was to be
 * rewritten.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "module/core/ftp.h"
#include "module/core/sequence.h"

#define MOST_FINDINGS 512
#define MOST_BYTES 4096

/* One side's stream from its sender over the translation to its receiver. */
struct stream {
	const u8 *said; /* this turn's */
	u32 isn;
	u32 sent, acked;	 /* positions in the stream */
	u8 owed[2 * MOST_BYTES]; /* what shall arrive of what was read */
	u32 owed_length, copied; /* as far as this position */
	u8 arrived[2 * MOST_BYTES];
	u32 arrived_length;
	struct ipfi_seqadj sequence;
};

struct play {
	u32 random; /* 0: whole turns */
	bool translates;
	struct ipfi_ftp ftp;
	struct ipfi_ftp_finding found[MOST_FINDINGS];
	u32 count;
	struct stream streams[2];
	u8 said[2][MOST_BYTES];
};

static u32 next_random(struct play *play, u32 below)
{
	play->random ^= play->random << 13;
	play->random ^= play->random >> 17;
	play->random ^= play->random << 5;
	return play->random % below;
}

static void check_finding(const struct play *play, enum ipfi_direction from,
			  const struct ipfi_ftp_finding *found)
{
	const struct stream *stream = &play->streams[from];
	u32 at = found->seq - stream->isn;

	CHECK(found->form <= IPFI_FTP_EPSV);
	if (found->reason) {
		CHECK(found->reason == IPFI_REASON_FTP_SYNTAX ||
		      found->reason == IPFI_REASON_FTP_UNASKED);
		CHECK(!found->port && !found->length && !found->family);
		return;
	}
	CHECK(found->form != IPFI_FTP_NONE && found->port);
	CHECK((from == IPFI_ORIGINAL) ==
	      (found->form == IPFI_FTP_PORT || found->form == IPFI_FTP_EPRT));
	CHECK(found->family == (found->form == IPFI_FTP_EPSV ? 0 : found->family == 6 ? 6 : 4));
	CHECK(found->length >= 5 && found->length < IPFI_FTP_TEXT);
	CHECK(at + found->length < stream->sent);
}

/* Reads bytes [at, to) of a stream from memory that ends where they do. */
static u32 feed(struct play *play, enum ipfi_direction from, u32 at, u32 to,
		struct ipfi_ftp_finding *found)
{
	struct stream *stream = &play->streams[from];
	u8 *exact = malloc(to - at);
	u32 eaten;

	CHECK(exact);
	memcpy(exact, play->said[from] + at, to - at);
	CHECK(ipfi_ftp_in_order(&play->ftp, from, stream->isn + at));
	eaten = ipfi_ftp_feed(&play->ftp, from, stream->isn + at, exact, to - at, found);
	free(exact);
	CHECK(eaten > 0 && eaten <= to - at);
	CHECK(found->form != IPFI_FTP_NONE || eaten == to - at);
	if (found->form != IPFI_FTP_NONE) {
		check_finding(play, from, found);
		if (play->count < MOST_FINDINGS)
			play->found[play->count++] = *found;
	}
	return eaten;
}

static void copy(struct play *play, enum ipfi_direction from, u32 to)
{
	struct stream *stream = &play->streams[from];

	memcpy(stream->owed + stream->owed_length, play->said[from] + stream->copied,
	       to - stream->copied);
	stream->owed_length += to - stream->copied;
	stream->copied = to;
}

/* Another address and port, of another length, for what was found. */
static void translate(struct play *play, enum ipfi_direction from,
		      const struct ipfi_ftp_finding *found)
{
	struct stream *stream = &play->streams[from];
	struct ipfi_addr addr = { { 0xcb007107, found->family == 6 ? 0xffffffff : 0, 0,
				    found->family == 6 ? 1 : 0 } };
	u8 text[IPFI_FTP_TEXT];
	unsigned int length;

	length = ipfi_ftp_write(found->form, found->family, &addr, (u16)(found->port ^ 0x2af1),
				text);
	CHECK(length > 0 && length <= IPFI_SEQADJ_WRITTEN);
	CHECK(ipfi_seqadj_edit(&stream->sequence, found->seq, found->length, text, length));
	copy(play, from, found->seq - stream->isn);
	memcpy(stream->owed + stream->owed_length, text, length);
	stream->owed_length += length;
	stream->copied += found->length;
}

/* The receiver gets what leaves for bytes [at, to), and its ACK comes back. */
static void deliver(struct play *play, enum ipfi_direction from, u32 at, u32 to, bool fin)
{
	struct stream *stream = &play->streams[from];
	u8 segment[MOST_BYTES + IPFI_SEQADJ_TEXT];
	struct ipfi_seqadj_cut cut;
	u32 length, rest, place, ack;

	ipfi_seqadj_apply(&stream->sequence, stream->isn + at, to - at, fin, &cut);
	CHECK(cut.head + cut.skip <= to - at);
	CHECK(cut.text_length <= IPFI_SEQADJ_TEXT);
	rest = to - at - cut.head - cut.skip;
	memcpy(segment, play->said[from] + at, cut.head);
	if (cut.text_length)
		memcpy(segment + cut.head, cut.text, cut.text_length);
	memcpy(segment + cut.head + cut.text_length, play->said[from] + to - rest, rest);
	length = cut.head + cut.text_length + rest;

	place = cut.seq - stream->isn;
	if (length && place <= stream->arrived_length) {
		CHECK(place + length <= sizeof(stream->arrived));
		memcpy(stream->arrived + place, segment, length);
		if (place + length > stream->arrived_length)
			stream->arrived_length = place + length;
	}
	if (fin)
		CHECK(cut.whole && place + length == stream->arrived_length);
	ack = stream->isn + stream->arrived_length;
	ipfi_seqadj_acknowledge(&stream->sequence, ack);
	ack = ipfi_seqadj_back(&stream->sequence, ack) - stream->isn;
	CHECK(ack <= stream->sent);
	CHECK(ack >= stream->acked);
	stream->acked = ack;
}

/* One segment. Returns where reading has come to: nothing beyond was let through. */
static u32 segment(struct play *play, enum ipfi_direction from, u32 at, u32 to)
{
	struct stream *stream = &play->streams[from];
	struct ipfi_ftp_finding found;
	u32 read = at, seq, length;
	const u8 *pending;

	if (to > stream->sent)
		stream->sent = to;
	while (read < to) {
		if (play->translates && !ipfi_seqadj_room(&stream->sequence))
			break;
		read += feed(play, from, read, to, &found);
		if (play->translates && found.form != IPFI_FTP_NONE && !found.reason)
			translate(play, from, &found);
	}
	if (!play->translates)
		return read;
	pending = ipfi_ftp_pending(&play->ftp, from, &seq, &length);
	if (pending) {
		CHECK(length > 0 && length <= IPFI_FTP_HELD);
		CHECK(seq - stream->isn + length >= read);
		CHECK(!memcmp(pending, play->said[from] + (seq - stream->isn), length));
		ipfi_seqadj_hold(&stream->sequence, seq, pending, length);
	} else {
		ipfi_seqadj_release(&stream->sequence);
	}
	deliver(play, from, at, read, false);
	return read;
}

static void turn(struct play *play, enum ipfi_direction from, u32 length)
{
	struct stream *stream = &play->streams[from];
	u32 at = stream->sent, end = at + length, to;

	while (at < end) {
		to = play->random ? at + 1 + next_random(play, end - at) : end;
		if (play->random && next_random(play, 2) && to > at + 4)
			to = at + 1 + next_random(play, 4);
		at = segment(play, from, at, to);
		if (play->translates) {
			/* All comes through at once but what did not fit into one segment. */
			CHECK(at == stream->sent || at > stream->acked || stream->acked == at);
			while (stream->acked < at) {
				to = stream->acked;
				segment(play, from, to, at);
				CHECK(stream->acked > to);
			}
		}
		if (play->random && !play->translates && next_random(play, 4) == 0)
			segment(play, from, next_random(play, at), at);
	}
}

static void run(struct play *play, const uint8_t *input, size_t size)
{
	enum ipfi_direction from;
	struct stream *stream;
	u32 length;

	ipfi_ftp_init(&play->ftp);
	play->streams[IPFI_ORIGINAL].isn = 0xffffff80;
	play->streams[IPFI_REPLY].isn = 1000;
	ipfi_ftp_start(&play->ftp, IPFI_ORIGINAL, play->streams[IPFI_ORIGINAL].isn);
	ipfi_ftp_start(&play->ftp, IPFI_REPLY, play->streams[IPFI_REPLY].isn);
	while (size) {
		from = *input & 1 ? IPFI_ORIGINAL : IPFI_REPLY;
		length = *input >> 1;
		input++;
		size--;
		if (length > size)
			length = (u32)size;
		memcpy(play->said[from] + play->streams[from].sent, input, length);
		turn(play, from, length);
		input += length;
		size -= length;
	}
	if (!play->translates)
		return;
	for (from = IPFI_ORIGINAL; from <= IPFI_REPLY; from++) {
		stream = &play->streams[from];
		ipfi_seqadj_release(&stream->sequence);
		deliver(play, from, stream->sent, stream->sent, true);
		copy(play, from, stream->sent);
		CHECK(stream->arrived_length == stream->owed_length);
		CHECK(!memcmp(stream->arrived, stream->owed, stream->owed_length));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct play whole, cut, translated;
	u32 seed, i;

	if (size < 4 || size > MOST_BYTES)
		return 0;
	seed = ipfi_get32(input) | 1;
	memset(&whole, 0, sizeof(whole));
	run(&whole, input + 4, size - 4);

	memset(&cut, 0, sizeof(cut));
	cut.random = seed;
	run(&cut, input + 4, size - 4);
	CHECK(cut.count == whole.count);
	CHECK(!memcmp(cut.found, whole.found, whole.count * sizeof(whole.found[0])));

	/* Where too much of a line would have had to be held, it has been given up. */
	memset(&translated, 0, sizeof(translated));
	translated.random = seed;
	translated.translates = true;
	run(&translated, input + 4, size - 4);
	CHECK(translated.count == whole.count);
	for (i = 0; i < whole.count; i++) {
		CHECK(translated.found[i].form == whole.found[i].form);
		CHECK(!memcmp(&translated.found[i], &whole.found[i], sizeof(whole.found[0])) ||
		      translated.found[i].reason == IPFI_REASON_FTP_SYNTAX);
	}
	return 0;
}
