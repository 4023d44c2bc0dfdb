// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "net.h"

struct source_key {
	struct ipfi_addr addr;
	u64 rule;
	u32 family;
	u32 zero; /* so that all bytes are defined */
};

struct source {
	struct rhash_head node;
	struct source_key key;
	u32 states; /* under the key's lock */
	struct rcu_head rcu;
};

static const struct rhashtable_params source_params = {
	.head_offset = offsetof(struct source, node),
	.key_offset = offsetof(struct source, key),
	.key_len = sizeof(struct source_key),
	.automatic_shrinking = true,
};

int ipfi_sources_init(struct ipfi_net *in)
{
	unsigned int i;

	for (i = 0; i < IPFI_SOURCES_LOCKS; i++)
		spin_lock_init(&in->sources.locks[i]);
	return rhashtable_init(&in->sources.hash, &source_params);
}

static void free_source(void *object, void *arg)
{
	kfree(object);
}

void ipfi_sources_exit(struct ipfi_net *in)
{
	rhashtable_free_and_destroy(&in->sources.hash, free_source, NULL);
}

static void make_key(struct source_key *key, u64 rule, u8 family, const struct ipfi_addr *source)
{
	key->addr = *source;
	key->rule = rule;
	key->family = family;
	key->zero = 0;
}

static spinlock_t *lock_of(struct ipfi_sources *sources, const struct source_key *key)
{
	u32 hash = jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), 0);

	return &sources->locks[hash % IPFI_SOURCES_LOCKS];
}

u32 ipfi_sources_count(struct ipfi_net *in, u64 rule, u8 family, const struct ipfi_addr *source)
{
	struct source_key key;
	struct source *found;

	make_key(&key, rule, family, source);
	found = rhashtable_lookup(&in->sources.hash, &key, source_params);
	return found ? READ_ONCE(found->states) : 0;
}

static bool counts_for(const struct ipfi_flow *flow, u64 rule, u8 family, const struct ipfi_addr *source)
{
	struct ipfi_tuple tuple;

	if (rule ? !(flow->table & IPFI_TABLE_COUNTED_RULE) || flow->rule != rule :
		   !(flow->table & IPFI_TABLE_COUNTED_SOURCE))
		return false;
	ipfi_flow_tuple(flow, &tuple);
	return tuple.family == family && ipfi_addr_equal(&tuple.src, source);
}

u32 ipfi_sources_count_without(struct ipfi_net *in, u64 rule, u8 family, const struct ipfi_addr *source,
			       const struct ipfi_flow *gone)
{
	u32 count = ipfi_sources_count(in, rule, family, source);

	return count && gone && counts_for(gone, rule, family, source) ? count - 1 : count;
}

int ipfi_sources_take(struct ipfi_net *in, u64 rule, u8 family, const struct ipfi_addr *source, u32 most)
{
	struct source_key key;
	struct source *found;
	spinlock_t *lock;
	int err = 0;

	make_key(&key, rule, family, source);
	lock = lock_of(&in->sources, &key);
	spin_lock(lock);
	found = rhashtable_lookup_fast(&in->sources.hash, &key, source_params);
	if (found) {
		if (found->states < most)
			WRITE_ONCE(found->states, found->states + 1);
		else
			err = -EDQUOT;
	} else {
		found = kmalloc(sizeof(*found), GFP_ATOMIC | __GFP_NOWARN);
		if (found) {
			found->key = key;
			found->states = 1;
			err = rhashtable_insert_fast(&in->sources.hash, &found->node, source_params);
			if (err)
				kfree(found);
		} else {
			err = -ENOMEM;
		}
	}
	spin_unlock(lock);
	return err;
}

void ipfi_sources_release(struct ipfi_net *in, u64 rule, u8 family, const struct ipfi_addr *source)
{
	struct source_key key;
	struct source *found;
	spinlock_t *lock;

	make_key(&key, rule, family, source);
	lock = lock_of(&in->sources, &key);
	spin_lock(lock);
	found = rhashtable_lookup_fast(&in->sources.hash, &key, source_params);
	if (!WARN_ON_ONCE(!found)) {
		WRITE_ONCE(found->states, found->states - 1);
		if (!found->states) {
			rhashtable_remove_fast(&in->sources.hash, &found->node, source_params);
			kfree_rcu(found, rcu);
		}
	}
	spin_unlock(lock);
}

static void source_of(const struct ipfi_state *state, struct ipfi_addr *source)
{
	*source = state->flow.flags & IPFI_FLOW_F_HIGHER ? state->flow.key.hi : state->flow.key.lo;
}

void ipfi_sources_release_state(struct ipfi_net *in, struct ipfi_state *state, u8 which, u64 rule)
{
	struct ipfi_addr source;

	which &= state->flow.table;
	if (likely(!which))
		return;
	state->flow.table &= ~which;
	source_of(state, &source);
	if (which & IPFI_TABLE_COUNTED_SOURCE)
		ipfi_sources_release(in, 0, state->flow.key.family, &source);
	if (which & IPFI_TABLE_COUNTED_RULE)
		ipfi_sources_release(in, rule, state->flow.key.family, &source);
}

int ipfi_sources_take_state(struct ipfi_net *in, struct ipfi_state *state, u32 of_source, u32 of_rule)
{
	u8 family = state->flow.key.family;
	struct ipfi_addr source;
	int err;

	source_of(state, &source);
	if (of_source) {
		err = ipfi_sources_take(in, 0, family, &source, of_source);
		if (err)
			return err;
		state->flow.table |= IPFI_TABLE_COUNTED_SOURCE;
	}
	if (of_rule) {
		err = ipfi_sources_take(in, state->flow.rule, family, &source, of_rule);
		if (err)
			return err;
		state->flow.table |= IPFI_TABLE_COUNTED_RULE;
	}
	return 0;
}
