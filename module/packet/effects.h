/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet does to states: in the table, or, when it is only asked about, to copies (table/copies.h). Whatever has a
 * packet in hand goes through here, so there is one path for both. Each is the function of table.h with that name.
 */
#ifndef IPFI_EFFECTS_H
#define IPFI_EFFECTS_H

#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/notify.h"
#include "module/packet/context.h"
#include "module/table/copies.h"
#include "module/table/expect.h"
#include "module/table/state.h"
#include "module/table/table.h"

/* By p->key. */
static __always_inline struct ipfi_state *ipfi_passage_find(struct ipfi_passage *p, u8 found)
{
	struct ipfi_state *state = ipfi_table_find(p->in, &p->key, found);

	if (unlikely(p->rehearsal))
		state = ipfi_copies_find(p->rehearsal->copies, &p->key, found, state);
	return state;
}

/* By p->key. */
static inline struct ipfi_wide_state *ipfi_passage_find_translated(struct ipfi_passage *p, u8 found, bool *known)
{
	struct ipfi_wide_state *wide;
	struct ipfi_state *state;

	if (likely(!p->rehearsal))
		return ipfi_table_find_translated(p->in, &p->key, found, known);
	state = ipfi_passage_find(p, found);
	*known = state;
	wide = state ? ipfi_state_translated(state) : NULL;
	if (state && !wide)
		spin_unlock(&state->lock);
	return wide;
}

/* States that have ended for @p, and for nobody else; NULL for none. */
static inline const struct ipfi_gone *ipfi_passage_gone(const struct ipfi_passage *p)
{
	return unlikely(p->rehearsal) ? &p->rehearsal->copies->gone : NULL;
}

static inline bool ipfi_passage_is_free(const struct ipfi_passage *p, const struct ipfi_key *key, u8 found)
{
	return ipfi_table_is_free(p->in, key, found, ipfi_passage_gone(p));
}

static inline void ipfi_passage_remove(struct ipfi_passage *p, struct ipfi_state *state, enum ipfi_cause cause)
{
	if (unlikely(p->rehearsal))
		ipfi_copies_remove(p->rehearsal->copies, state, cause);
	else
		ipfi_table_remove(p->in, state, cause);
}

static inline struct ipfi_state *ipfi_passage_prepare(struct ipfi_passage *p, const struct ipfi_opening *opening,
						      u8 *reason)
{
	if (unlikely(p->rehearsal))
		return ipfi_copies_prepare(p->rehearsal->copies, &p->packet, opening, reason);
	return ipfi_table_prepare(p->in, &p->packet, opening, reason);
}

/* For p->key. */
static inline struct ipfi_wide_state *ipfi_passage_prepare_unjudged(struct ipfi_passage *p, u8 *reason)
{
	if (unlikely(p->rehearsal))
		return ipfi_copies_prepare_unjudged(p->rehearsal->copies, &p->key, reason);
	return ipfi_table_prepare_unjudged(p->in, &p->key, reason);
}

static inline int ipfi_passage_insert(struct ipfi_passage *p, struct ipfi_state *state, u8 found)
{
	if (unlikely(p->rehearsal))
		return ipfi_copies_insert(p->rehearsal->copies, state, found);
	return ipfi_table_insert(p->in, state, found);
}

static inline int ipfi_passage_insert_alias(struct ipfi_passage *p, struct ipfi_wide_state *wide,
					    struct ipfi_alias *alias, const struct ipfi_tuple *tuple)
{
	if (unlikely(p->rehearsal))
		return ipfi_copies_insert_alias(p->rehearsal->copies, wide, alias, tuple);
	return ipfi_table_insert_alias(p->in, wide, alias, tuple);
}

static inline int ipfi_passage_judged(struct ipfi_passage *p, struct ipfi_state *state,
				      const struct ipfi_opening *opening, u8 *reason)
{
	if (unlikely(p->rehearsal))
		return ipfi_copies_judged(p->rehearsal->copies, state, &p->packet, opening, reason);
	return ipfi_table_judged(p->in, state, &p->packet, opening, reason);
}

static inline void ipfi_passage_discard(struct ipfi_passage *p, struct ipfi_state *state)
{
	if (unlikely(p->rehearsal))
		ipfi_copies_discard(p->rehearsal->copies, state);
	else
		ipfi_table_discard(p->in, state);
}

/* @wide is translated from now on. */
static inline void ipfi_passage_translated(struct ipfi_passage *p, struct ipfi_wide_state *wide)
{
	if (wide->translated)
		return;
	wide->translated = true;
	if (likely(!p->rehearsal))
		atomic_inc(&p->in->table.translated);
}

static inline void ipfi_passage_reassign(struct ipfi_passage *p, struct ipfi_state *state, u64 old_rule,
					 const struct ipfi_rule *rule)
{
	if (likely(!p->rehearsal))
		ipfi_table_reassign(p->in, state, old_rule, rule);
}

/* ipfi_notify_state() */
static inline void ipfi_passage_notify(struct ipfi_passage *p, struct ipfi_state *state, enum ipfi_event kind)
{
	if (likely(!p->rehearsal))
		ipfi_notify_state(p->in, state, kind, IPFI_CAUSE_UNSPEC);
}

/* ipfi_expect_take() */
static inline bool ipfi_passage_take_expectation(struct ipfi_passage *p, const struct ipfi_expectation *expectation)
{
	return unlikely(p->rehearsal) || ipfi_expect_take(p->in, expectation);
}

#endif /* IPFI_EFFECTS_H */
