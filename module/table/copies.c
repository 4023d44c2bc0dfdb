// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/jiffies.h>
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/table/copies.h"
#include "module/table/expect.h"
#include "module/table/mapping.h"
#include "module/table/sources.h"
#include "module/table/state.h"
#include "module/table/table.h"

void ipfi_copies_begin(struct ipfi_copies *copies, struct ipfi_net *in)
{
	copies->in = in;
}

/* A place for another, or NULL: a packet finds and makes not so many. */
static struct ipfi_copy *reserve(struct ipfi_copies *copies)
{
	unsigned int i;

	for (i = 0; i < IPFI_COPIES; i++) {
		struct ipfi_copy *copy = &copies->copy[i];

		if (copy->used)
			continue;
		memset(copy, 0, sizeof(*copy));
		copy->used = true;
		spin_lock_init(&copy->ext.state.lock);
		INIT_HLIST_NODE(&copy->ext.state.wheel);
		/* No deadline is nearer than this one: the wheel hears of none. */
		copy->ext.state.deadline = (u32)jiffies;
		return copy;
	}
	WARN_ON_ONCE(true);
	return NULL;
}

/* Of a state that was made: gives back what it holds. */
static void release(struct ipfi_copies *copies, struct ipfi_copy *copy)
{
	ipfi_mapping_put(copies->in, copy->ext.mapping);
	ipfi_master_put(copy->ext.master);
	copy->ext.mapping = NULL;
	copy->ext.master = NULL;
}

void ipfi_copies_end(struct ipfi_copies *copies)
{
	unsigned int i;

	for (i = 0; i < IPFI_COPIES; i++)
		if (copies->copy[i].used && !copies->copy[i].of)
			release(copies, &copies->copy[i]);
}

static void copy_control(struct ipfi_copy *copy, struct ipfi_control *control)
{
	copy->watched = control;
	copy->control = *control;
	copy->master = *control->master;
	refcount_set(&copy->master.references, 1);
	copy->control.master = &copy->master;
	/* What it has announced stays with itself. */
	INIT_LIST_HEAD(&copy->control.expected);
	copy->ext.control = &copy->control;
}

/* Copies @state, which is locked. */
static struct ipfi_copy *copy_state(struct ipfi_copies *copies, struct ipfi_state *state)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);
	struct ipfi_copy *copy = reserve(copies);

	if (!copy)
		return NULL;
	copy->of = state;
	copy->id = ipfi_state_id(state);
	ipfi_flow_copy(&copy->before, &state->flow);
	ipfi_flow_copy(&copy->ext.state.flow, &state->flow);
	if (!ext)
		return copy;
	copy->ext.arriving = ext->arriving;
	copy->ext.leaving = ext->leaving;
	copy->ext.master = ext->master;
	copy->ext.mapping = ext->mapping;
	copy->ext.mss = ext->mss;
	copy->ext.translated = ext->translated;
	copy->ext.masqueraded = ext->masqueraded;
	copy->ext.source_given = ext->source_given;
	if (ext->control)
		copy_control(copy, ext->control);
	return copy;
}

static struct ipfi_copy *find_copy(struct ipfi_copies *copies, const struct ipfi_state *state)
{
	unsigned int i;

	for (i = 0; i < IPFI_COPIES; i++)
		if (copies->copy[i].used && copies->copy[i].of == state)
			return &copies->copy[i];
	return NULL;
}

static bool is_found_by(const struct ipfi_nat_key *alias, const struct ipfi_key *key, u8 found)
{
	struct ipfi_key own;

	ipfi_key_get(&own, &alias->key, &alias->rest);
	return alias->hashed && alias->table & found && ipfi_key_equal(&own, key);
}

/* The state that was made and is found so. */
static struct ipfi_copy *find_made(struct ipfi_copies *copies, const struct ipfi_key *key, u8 found)
{
	struct ipfi_key own;
	unsigned int i;

	for (i = 0; i < IPFI_COPIES; i++) {
		struct ipfi_copy *copy = &copies->copy[i];

		if (!copy->used || copy->of || copy->ended)
			continue;
		ipfi_flow_key(&copy->ext.state.flow, &own);
		if ((copy->ext.state.flow.table & found && ipfi_key_equal(&own, key)) ||
		    is_found_by(&copy->ext.arrives, key, found) || is_found_by(&copy->ext.returns, key, found))
			return copy;
	}
	return NULL;
}

struct ipfi_state *ipfi_copies_find(struct ipfi_copies *copies, const struct ipfi_key *key, u8 found,
				    struct ipfi_state *state)
{
	struct ipfi_copy *copy = find_made(copies, key, found);

	if (!copy && state)
		copy = find_copy(copies, state);
	if (!copy && state)
		copy = copy_state(copies, state);
	if (state)
		spin_unlock(&state->lock);
	if (!copy || copy->ended)
		return NULL;
	spin_lock(&copy->ext.state.lock);
	copies->last = copy;
	return &copy->ext.state;
}

u32 ipfi_copies_sources(const struct ipfi_copies *copies, u64 rule, const struct ipfi_tuple *tuple)
{
	u32 count = ipfi_sources_count(copies->in, rule, tuple);
	unsigned int i;

	for (i = 0; i < IPFI_COPIES && count; i++)
		if (copies->copy[i].used && copies->copy[i].of && copies->copy[i].ended)
			count -= ipfi_sources_counts(&copies->copy[i].before, rule, tuple);
	return count;
}

/* May its source have one state more, as ipfi_sources_take_state() has it? */
static bool may_count(const struct ipfi_copies *copies, const struct ipfi_tuple *tuple,
		      const struct ipfi_opening *opening)
{
	const u32 most = READ_ONCE(copies->in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE]);

	return (!most || ipfi_copies_sources(copies, 0, tuple) < most) &&
	       (!opening->per_source || ipfi_copies_sources(copies, opening->rule, tuple) < opening->per_source);
}

static struct ipfi_copy *take_state(struct ipfi_copies *copies, const struct ipfi_key *near, u8 *reason)
{
	if (ipfi_table_has_room(copies->in, near, &copies->gone))
		return reserve(copies);
	*reason = IPFI_REASON_TABLE_FULL;
	return NULL;
}

static void hand_out(struct ipfi_copies *copies, struct ipfi_copy *copy)
{
	spin_lock(&copy->ext.state.lock);
	copies->last = copy;
}

struct ipfi_state *ipfi_copies_prepare(struct ipfi_copies *copies, const struct ipfi_packet *packet,
				       const struct ipfi_opening *opening, u8 *reason)
{
	struct ipfi_copy *copy;
	struct ipfi_key near;

	ipfi_key_from_tuple(&near, &packet->tuple);
	copy = take_state(copies, &near, reason);
	if (!copy)
		return NULL;
	if (ipfi_table_open_flow(copies->in, &copy->ext.state.flow, packet, opening, reason)) {
		copy->used = false;
		return NULL;
	}
	if (!may_count(copies, &packet->tuple, opening)) {
		*reason = IPFI_REASON_SOURCE_FULL;
		copy->used = false;
		return NULL;
	}
	hand_out(copies, copy);
	return &copy->ext.state;
}

struct ipfi_state_ext *ipfi_copies_prepare_unconfirmed(struct ipfi_copies *copies, const struct ipfi_key *near, u8 *reason)
{
	struct ipfi_copy *copy = take_state(copies, near, reason);

	if (!copy)
		return NULL;
	copy->ext.state.flow.flags = IPFI_FLOW_F_EXT | IPFI_FLOW_F_UNCONFIRMED;
	hand_out(copies, copy);
	return &copy->ext;
}

int ipfi_copies_insert(struct ipfi_copies *copies, struct ipfi_state *state, u8 found)
{
	struct ipfi_key key;

	ipfi_flow_key(&state->flow, &key);
	if (found & IPFI_TABLE_REAL && !ipfi_table_is_free(copies->in, &key, IPFI_TABLE_REAL, &copies->gone))
		return -EEXIST;
	if (!ipfi_table_is_free(copies->in, &key, found, &copies->gone))
		return -EADDRINUSE;
	state->flow.table = (state->flow.table & ~IPFI_TABLE_FOUND) | found;
	return 0;
}

int ipfi_copies_insert_nat_key(struct ipfi_copies *copies, struct ipfi_state_ext *ext, struct ipfi_nat_key *alias,
			     const struct ipfi_tuple *tuple)
{
	struct ipfi_key key;
	const u8 found = ipfi_table_arrives(ipfi_key_from_tuple(&key, tuple));

	if (!ipfi_table_is_free(copies->in, &key, found, &copies->gone))
		return -EEXIST;
	ipfi_key_put(&alias->key, &alias->rest, &key);
	alias->table = found | IPFI_TABLE_NAT_KEY;
	alias->hashed = true;
	return 0;
}

int ipfi_copies_confirm(struct ipfi_copies *copies, struct ipfi_state *state, const struct ipfi_packet *packet,
		       const struct ipfi_opening *opening, u8 *reason)
{
	if (ipfi_table_confirm_flow(copies->in, state, packet, opening, reason))
		return -1;
	if (may_count(copies, &packet->tuple, opening))
		return 0;
	*reason = IPFI_REASON_SOURCE_FULL;
	return -1;
}

void ipfi_copies_discard(struct ipfi_copies *copies, struct ipfi_state *state)
{
	struct ipfi_copy *copy = ipfi_copy_of(state);

	release(copies, copy);
	copy->used = false;
	if (copies->last == copy)
		copies->last = NULL;
	spin_unlock(&state->lock);
}

void ipfi_copies_remove(struct ipfi_copies *copies, struct ipfi_state *state, enum ipfi_cause cause)
{
	struct ipfi_copy *copy = ipfi_copy_of(state);

	copy->ended = true;
	copy->cause = cause;
	if (copy->of)
		copies->gone.state[copies->gone.count++] = copy->of;
	spin_unlock(&state->lock);
}
