/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edits in one direction of a TCP connection, and what they do to its numbers. Two streams: the
 * sender's, as it was written, and the one that leaves, in which texts have been replaced by others of
 * another length.
 *
 * Retransmissions of any shape must leave as the same bytes under the same numbers, so the edits are
 * remembered for as long as the receiver has not acknowledged them. No segment leaves with a part of a
 * new text: it has all of it or ends before it, and what has been left out comes again because nobody
 * acknowledges it.
 *
 * Bytes can be held back until it is known what they are. They are taken from the sender: an
 * acknowledgement of all that stands before them is passed on as one of the held bytes too, for a
 * sender may wait for that before it sends the rest (Nagle, RFC 896). Then it is this side that owes
 * them to the receiver: they, or what has replaced them, are put in front of the byte that comes behind
 * them, each time that this comes, until the receiver acknowledges them.
 *
 * For a segment of the sender, in this order:
 * - read its payload, and ipfi_seqadj_edit() what is to be replaced;
 * - ipfi_seqadj_hold() what is not yet known, else, or if it has FIN, ipfi_seqadj_release();
 * - ipfi_seqadj_apply().
 * While !ipfi_seqadj_room() nothing new is read: a segment is shortened to what has been read of it,
 * or dropped.
 *
 * For a segment of the receiver: ACK number and right edges of SACK blocks by ipfi_seqadj_back(), left
 * edges by ipfi_seqadj_back_left(); ipfi_seqadj_acknowledge() once the segment is known to be good.
 */
#ifndef IPFI_CORE_SEQUENCE_H
#define IPFI_CORE_SEQUENCE_H

#include "module/core/platform.h"

#define IPFI_SEQADJ_EDITS 4    /* remembered at once */
#define IPFI_SEQADJ_HELD 64    /* most bytes held */
#define IPFI_SEQADJ_WRITTEN 64 /* most bytes of a new text; held ones can stand around it */
#define IPFI_SEQADJ_TEXT (IPFI_SEQADJ_HELD + IPFI_SEQADJ_WRITTEN)

/* The sender's bytes [at, at + old_length) leave as text[0, new_length), at number at + before. */
struct ipfi_seqadj_edit {
	u32 at;
	u32 before; /* what is added to numbers before it, modulo 2^32 */
	u16 old_length;
	u8 new_length;
	u8 taken; /* bytes at the front of the old text that were held */
	u8 text[IPFI_SEQADJ_TEXT];
};

/* All zero: no edit. */
struct ipfi_seqadj {
	u32 offset; /* what is added to numbers behind the last edit */
	u32 acked;  /* the receiver's last acknowledgement, as it said it; while count is not 0 */
	u32 hold;   /* the first byte held, in the sender's numbers */
	u8 held;    /* bytes held */
	u8 count;   /* edits, in the order of the stream */
	u8 bytes[IPFI_SEQADJ_HELD]; /* the held ones */
	struct ipfi_seqadj_edit edits[IPFI_SEQADJ_EDITS];
};

/*
 * What leaves for a segment's payload: its first @head bytes, then @text, then, without the @skip
 * bytes that come after the head, its rest. Where it ends is where it ended before only if @whole:
 * else FIN must be taken off.
 */
struct ipfi_seqadj_cut {
	u32 seq; /* its number */
	u32 head;
	u32 skip;
	u32 text_length;
	const u8 *text; /* good until the next edit */
	bool whole;
};

void ipfi_seqadj_init(struct ipfi_seqadj *s);

/* Is there room for what one more line of the stream can ask for? */
bool ipfi_seqadj_room(const struct ipfi_seqadj *s);

/*
 * Holds the sender's bytes from @at on, of which there are @length (1 to IPFI_SEQADJ_HELD) now:
 * @bytes. Of bytes held before, those before @at are released. Holding them again with more behind
 * is the same hold.
 */
void ipfi_seqadj_hold(struct ipfi_seqadj *s, u32 at, const u8 *bytes, u32 length);

/* Lets go what is held, as it is: also before FIN, for nothing will come that settles it. */
void ipfi_seqadj_release(struct ipfi_seqadj *s);

/*
 * Replaces the sender's @old_length bytes from @at on, which have not left, by @text, @new_length
 * bytes, both 1 to IPFI_SEQADJ_WRITTEN; edits are made in the order of the stream. What is held
 * is settled: what of it does not belong to the old text is released. Returns false, and does
 * nothing, if it breaks these rules.
 */
bool ipfi_seqadj_edit(struct ipfi_seqadj *s, u32 at, u32 old_length, const u8 *text,
			u32 new_length);

/*
 * The sender's number @seq in the stream that leaves. Inside an old text, or beyond the first held
 * byte, it is where the new text or the first held byte has its place.
 */
u32 ipfi_seqadj_forward(const struct ipfi_seqadj *s, u32 seq);

/*
 * The number @ack of the stream that leaves in that of the sender: an acknowledgement or the right
 * edge of a SACK block, so that of an edit whose new text is not behind it, nothing counts but the
 * bytes taken.
 */
u32 ipfi_seqadj_back(const struct ipfi_seqadj *s, u32 ack);

/* The same for the left edge of a SACK block: inside a new text, it is the end of the old one. */
u32 ipfi_seqadj_back_left(const struct ipfi_seqadj *s, u32 edge);

/* Takes note of an ACK number, as the receiver says it. */
void ipfi_seqadj_acknowledge(struct ipfi_seqadj *s, u32 ack);

/*
 * What leaves for the sender's segment with @length bytes of payload from @seq on, and FIN if @fin.
 * Returns false if nothing but the number changes; *cut is set in any case. Where all of a payload
 * is held, what is left is a probe below the number that the receiver waits for: it must answer
 * that, and so acknowledges (RFC 9293 section 3.10.7.4).
 */
bool ipfi_seqadj_apply(const struct ipfi_seqadj *s, u32 seq, u32 length, bool fin,
			 struct ipfi_seqadj_cut *cut);

#endif /* IPFI_CORE_SEQUENCE_H */
