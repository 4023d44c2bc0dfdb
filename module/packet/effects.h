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
static __always_inline struct ipfi_state *ipfi_pkt_find(struct ipfi_pkt *p, u8 found)
{
	struct ipfi_state *state = ipfi_table_find(p->in, &p->key, found);

	if (unlikely(p->dry_run))
		state = ipfi_copies_find(p->dry_run->copies, &p->key, found, state);
	return state;
}

/* By p->key. */
static inline struct ipfi_state_ext *ipfi_pkt_find_translated(struct ipfi_pkt *p, u8 found, bool *known)
{
	struct ipfi_state_ext *ext;
	struct ipfi_state *state;

	if (likely(!p->dry_run))
		return ipfi_table_find_translated(p->in, &p->key, found, known);
	state = ipfi_pkt_find(p, found);
	*known = state;
	ext = state ? ipfi_state_translated(state) : NULL;
	if (state && !ext)
		spin_unlock(&state->lock);
	return ext;
}

/* States that have ended for @p, and for nobody else; NULL for none. */
static inline const struct ipfi_gone *ipfi_pkt_gone(const struct ipfi_pkt *p)
{
	return unlikely(p->dry_run) ? &p->dry_run->copies->gone : NULL;
}

static inline bool ipfi_pkt_is_free(const struct ipfi_pkt *p, const struct ipfi_key *key, u8 found)
{
	return ipfi_table_is_free(p->in, key, found, ipfi_pkt_gone(p));
}

static inline void ipfi_pkt_remove(struct ipfi_pkt *p, struct ipfi_state *state, enum ipfi_cause cause)
{
	if (unlikely(p->dry_run))
		ipfi_copies_remove(p->dry_run->copies, state, cause);
	else
		ipfi_table_remove(p->in, state, cause);
}

static inline struct ipfi_state *ipfi_pkt_prepare(struct ipfi_pkt *p, const struct ipfi_opening *opening,
						      u8 *reason)
{
	if (unlikely(p->dry_run))
		return ipfi_copies_prepare(p->dry_run->copies, &p->packet, opening, reason);
	return ipfi_table_prepare(p->in, &p->packet, opening, reason);
}

/* For p->key. */
static inline struct ipfi_state_ext *ipfi_pkt_prepare_unconfirmed(struct ipfi_pkt *p, u8 *reason)
{
	if (unlikely(p->dry_run))
		return ipfi_copies_prepare_unconfirmed(p->dry_run->copies, &p->key, reason);
	return ipfi_table_prepare_unconfirmed(p->in, &p->key, reason);
}

static inline int ipfi_pkt_insert(struct ipfi_pkt *p, struct ipfi_state *state, u8 found)
{
	if (unlikely(p->dry_run))
		return ipfi_copies_insert(p->dry_run->copies, state, found);
	return ipfi_table_insert(p->in, state, found);
}

static inline int ipfi_pkt_insert_nat_key(struct ipfi_pkt *p, struct ipfi_state_ext *ext,
					    struct ipfi_nat_key *alias, const struct ipfi_tuple *tuple)
{
	if (unlikely(p->dry_run))
		return ipfi_copies_insert_nat_key(p->dry_run->copies, ext, alias, tuple);
	return ipfi_table_insert_nat_key(p->in, ext, alias, tuple);
}

static inline int ipfi_pkt_confirm(struct ipfi_pkt *p, struct ipfi_state *state,
				      const struct ipfi_opening *opening, u8 *reason)
{
	if (unlikely(p->dry_run))
		return ipfi_copies_confirm(p->dry_run->copies, state, &p->packet, opening, reason);
	return ipfi_table_confirm(p->in, state, &p->packet, opening, reason);
}

static inline void ipfi_pkt_discard(struct ipfi_pkt *p, struct ipfi_state *state)
{
	if (unlikely(p->dry_run))
		ipfi_copies_discard(p->dry_run->copies, state);
	else
		ipfi_table_discard(p->in, state);
}

/* @wide is translated from now on. */
static inline void ipfi_pkt_translated(struct ipfi_pkt *p, struct ipfi_state_ext *ext)
{
	if (ext->translated)
		return;
	ext->translated = true;
	if (likely(!p->dry_run))
		atomic_inc(&p->in->table.translated);
}

static inline void ipfi_pkt_reassign(struct ipfi_pkt *p, struct ipfi_state *state, u64 old_rule,
					 const struct ipfi_rule *rule)
{
	if (likely(!p->dry_run))
		ipfi_table_reassign(p->in, state, old_rule, rule);
}

/* ipfi_notify_state() */
static inline void ipfi_pkt_notify(struct ipfi_pkt *p, struct ipfi_state *state, enum ipfi_event kind)
{
	if (likely(!p->dry_run))
		ipfi_notify_state(p->in, state, kind, IPFI_CAUSE_UNSPEC);
}

/* ipfi_expect_take() */
static inline bool ipfi_pkt_take_expectation(struct ipfi_pkt *p, const struct ipfi_expectation *expectation)
{
	return unlikely(p->dry_run) || ipfi_expect_take(p->in, expectation);
}

#endif /* IPFI_EFFECTS_H */
