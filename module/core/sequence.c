// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/sequence.h"

/* Edits that far behind what is acknowledged are forgotten, before numbers come round to them. */
#define FORGET (1U << 30)

static_assert(IPFI_SEQADJ_TEXT <= 255, "new_length has 8 bits");

/* Numbers compare modulo 2^32 (RFC 9293 section 3.4). */
static bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static bool after(u32 a, u32 b)
{
	return (s32)(a - b) > 0;
}

/* The end of what was, and place and end of what is there instead. */
static u32 old_end(const struct ipfi_seqadj_edit *edit)
{
	return edit->at + edit->old_length;
}

static u32 new_start(const struct ipfi_seqadj_edit *edit)
{
	return edit->at + edit->before;
}

static u32 new_end(const struct ipfi_seqadj_edit *edit)
{
	return new_start(edit) + edit->new_length;
}

/* What is added to numbers behind @edit. */
static u32 offset_behind(const struct ipfi_seqadj_edit *edit)
{
	return new_end(edit) - old_end(edit);
}

/* What is added to numbers before the first edit that is remembered. */
static u32 first_offset(const struct ipfi_seqadj *s)
{
	return s->count ? s->edits[0].before : s->offset;
}

static bool has_arrived(const struct ipfi_seqadj *s, const struct ipfi_seqadj_edit *edit)
{
	return !after(new_end(edit), s->acked);
}

/* --- edits --- */

void ipfi_seqadj_init(struct ipfi_seqadj *s)
{
	memset(s, 0, sizeof(*s));
}

/* Two: a release of what is held, and an edit. */
bool ipfi_seqadj_room(const struct ipfi_seqadj *s)
{
	u32 needed = s->count + 2U;

	return needed <= IPFI_SEQADJ_EDITS ||
	       has_arrived(s, &s->edits[needed - IPFI_SEQADJ_EDITS - 1]);
}

static void forget_first(struct ipfi_seqadj *s)
{
	u32 i;

	for (i = 1; i < IPFI_SEQADJ_EDITS; i++)
		s->edits[i - 1] = s->edits[i];
	s->count--;
}

/* An edit that has no new text yet. */
static struct ipfi_seqadj_edit *add(struct ipfi_seqadj *s, u32 at, u32 old_length, u32 taken)
{
	struct ipfi_seqadj_edit *edit;

	if (s->count == IPFI_SEQADJ_EDITS)
		forget_first(s);
	edit = &s->edits[s->count];
	edit->at = at;
	edit->before = s->offset;
	edit->old_length = (u16)old_length;
	edit->new_length = 0;
	edit->taken = (u8)taken;
	if (s->count++ == 0)
		s->acked = new_start(edit);
	s->offset -= old_length;
	return edit;
}

/* The caller sees to the room; the bound stands here too, where the compiler and the reader see it. */
static void append(struct ipfi_seqadj *s, struct ipfi_seqadj_edit *edit, const u8 *text,
		   u32 length)
{
	u32 i;

	for (i = 0; i < length && edit->new_length < IPFI_SEQADJ_TEXT; i++)
		edit->text[edit->new_length++] = text[i];
	s->offset += i;
}

/* Lets the first @length of the held bytes go, and forgets the others. */
static void release_part(struct ipfi_seqadj *s, u32 length)
{
	if (length)
		append(s, add(s, s->hold, length, length), s->bytes, length);
	s->held = 0;
}

void ipfi_seqadj_release(struct ipfi_seqadj *s)
{
	release_part(s, s->held);
}

void ipfi_seqadj_hold(struct ipfi_seqadj *s, u32 at, const u8 *bytes, u32 length)
{
	if (s->held)
		release_part(s, at - s->hold < s->held ? at - s->hold : s->held);
	if (length > IPFI_SEQADJ_HELD)
		length = IPFI_SEQADJ_HELD;
	s->hold = at;
	s->held = (u8)length;
	memcpy(s->bytes, bytes, length);
}

bool ipfi_seqadj_edit(struct ipfi_seqadj *s, u32 at, u32 old_length, const u8 *text,
			u32 new_length)
{
	const struct ipfi_seqadj_edit *last = s->count ? &s->edits[s->count - 1] : NULL;
	struct ipfi_seqadj_edit *edit;
	u32 lead, held, behind;

	if (!old_length || old_length > IPFI_SEQADJ_WRITTEN || !new_length ||
	    new_length > IPFI_SEQADJ_WRITTEN || (s->held && before(at, s->hold)) ||
	    (last && before(at, old_end(last))))
		return false;
	if (s->held && after(at, s->hold + s->held))
		ipfi_seqadj_release(s);

	/* Held bytes on both sides go with it: one edit, one place. */
	held = s->held;
	lead = held ? at - s->hold : 0;
	behind = held > lead + old_length ? held - lead - old_length : 0;
	edit = add(s, at - lead, lead + old_length + behind, held);
	append(s, edit, s->bytes, lead);
	append(s, edit, text, new_length);
	append(s, edit, s->bytes + held - behind, behind);
	s->held = 0;
	return true;
}

void ipfi_seqadj_acknowledge(struct ipfi_seqadj *s, u32 ack)
{
	if (!s->count)
		return;
	if (after(ack, s->acked))
		s->acked = ack;
	while (s->count && s->acked - new_end(&s->edits[0]) > FORGET &&
	       has_arrived(s, &s->edits[0]))
		forget_first(s);
}

/* --- numbers --- */

u32 ipfi_seqadj_forward(const struct ipfi_seqadj *s, u32 seq)
{
	const struct ipfi_seqadj_edit *edit;
	u32 i;

	if (s->held && after(seq, s->hold))
		return s->hold + s->offset;
	for (i = s->count; i-- > 0;) {
		edit = &s->edits[i];
		if (!before(seq, old_end(edit)))
			return seq + offset_behind(edit);
		if (!before(seq, edit->at))
			return new_start(edit);
	}
	return seq + first_offset(s);
}

u32 ipfi_seqadj_back(const struct ipfi_seqadj *s, u32 ack)
{
	const struct ipfi_seqadj_edit *edit;
	u32 i;

	if (s->held && !before(ack, s->hold + s->offset))
		return s->hold + s->held;
	for (i = s->count; i-- > 0;) {
		edit = &s->edits[i];
		if (!before(ack, new_end(edit)))
			return ack - offset_behind(edit);
		if (!before(ack, new_start(edit)))
			return edit->at + edit->taken;
	}
	return ack - first_offset(s);
}

u32 ipfi_seqadj_back_left(const struct ipfi_seqadj *s, u32 edge)
{
	const struct ipfi_seqadj_edit *edit;
	u32 i;

	for (i = s->count; i-- > 0;) {
		edit = &s->edits[i];
		if (!before(edge, new_end(edit)))
			return edge - offset_behind(edit);
		if (after(edge, new_start(edit)))
			return old_end(edit);
	}
	return edge - first_offset(s);
}

/* --- segments --- */

/*
 * The edit whose new text a segment that begins at @seq has to begin with: one that it begins
 * inside of, or one right before it whose bytes were taken from the sender and have not arrived.
 * Before that may stand another. NULL if it begins with its own.
 */
static const struct ipfi_seqadj_edit *leader(const struct ipfi_seqadj *s, u32 seq)
{
	const struct ipfi_seqadj_edit *edit, *found = NULL;
	u32 i;

	for (i = s->count; i-- > 0;) {
		edit = &s->edits[i];
		if (after(seq, old_end(edit)))
			break;
		if (seq == old_end(edit) ? !edit->taken || has_arrived(s, edit)
					 : !after(seq, edit->at))
			continue;
		found = edit;
		seq = edit->at;
	}
	return found;
}

/* The first edit in [seq, end), NULL without. */
static const struct ipfi_seqadj_edit *first_within(const struct ipfi_seqadj *s, u32 seq,
						     u32 end)
{
	const struct ipfi_seqadj_edit *edit;

	for (edit = s->edits; edit < s->edits + s->count; edit++)
		if (!before(edit->at, seq) && before(edit->at, end))
			return edit;
	return NULL;
}

static void put_text(struct ipfi_seqadj_cut *cut, const struct ipfi_seqadj_edit *edit)
{
	cut->text = edit->text;
	cut->text_length = edit->new_length;
}

/*
 * What follows the new text in a segment: its payload from @resume on. But there is room for one
 * text only, and nothing may leave from @end on: what is left out comes again.
 */
static void put_rest(const struct ipfi_seqadj *s, u32 seq, u32 length, u32 end, u32 resume,
		     struct ipfi_seqadj_cut *cut)
{
	if (end == seq + length && !before(resume, seq) && !after(resume, end) &&
	    !first_within(s, resume, end)) {
		cut->skip = resume - seq - cut->head;
		cut->whole = true;
	} else {
		cut->skip = length - cut->head;
		cut->whole = false;
	}
}

bool ipfi_seqadj_apply(const struct ipfi_seqadj *s, u32 seq, u32 length, bool fin,
			 struct ipfi_seqadj_cut *cut)
{
	const struct ipfi_seqadj_edit *edit;
	u32 end = seq + length;
	u32 start = seq;

	*cut = (struct ipfi_seqadj_cut){
		.seq = ipfi_seqadj_forward(s, seq),
		.head = length,
		.whole = true,
	};
	if (!length && !fin) {
		/* A keep-alive is one below the sender's next number, and must be one here. */
		if (s->held && seq - s->hold < s->held)
			cut->seq--;
		return false;
	}

	if (s->held && after(end, s->hold)) {
		end = s->hold;
		if (!before(seq, end))
			start = end;
		cut->whole = false;
	}
	edit = leader(s, start);
	if (edit) {
		cut->seq = new_start(edit);
		cut->head = 0;
		put_text(cut, edit);
		put_rest(s, seq, length, end, old_end(edit), cut);
		return true;
	}
	if (s->held && !before(seq, s->hold)) {
		cut->seq -= length != 0;
		cut->head = 0;
		cut->skip = length;
		return true;
	}
	edit = first_within(s, seq, end);
	if (!edit) {
		cut->head = end - seq;
		cut->skip = length - cut->head;
		return !cut->whole;
	}
	cut->head = edit->at - seq;
	if (before(end, old_end(edit))) {
		cut->skip = length - cut->head;
		cut->whole = false;
	} else {
		put_text(cut, edit);
		put_rest(s, seq, length, end, old_end(edit), cut);
	}
	return true;
}
