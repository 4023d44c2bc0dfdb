// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/memory.h"
#include "module/net.h"
#include "module/table/sources.h"
#include "module/table/state.h"

struct source_key {
	struct ipfi_addr addr;
	u64 rule;
	u32 family;
	u32 vrf;
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
	in->sources.seed = get_random_u32();
	return rhashtable_init(&in->sources.hash, &source_params);
}

static void free_source(void *object, void *arg)
{
	const struct ipfi_net *in = arg;

	ipfi_memory_give(in->memory.counted, sizeof(struct source));
	kfree(object);
}

void ipfi_sources_exit(struct ipfi_net *in)
{
	rhashtable_free_and_destroy(&in->sources.hash, free_source, in);
}

u64 ipfi_sources_memory(const struct ipfi_net *in)
{
	return (u64)atomic_read(&in->sources.hash.nelems) * sizeof(struct source);
}

static void make_key(struct source_key *key, u64 rule, const struct ipfi_tuple *tuple)
{
	key->addr = tuple->src;
	key->rule = rule;
	key->family = tuple->family;
	key->vrf = tuple->src_vrf;
}

static spinlock_t *lock_of(struct ipfi_sources *sources, const struct source_key *key)
{
	u32 hash = jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), sources->seed);

	return &sources->locks[hash % IPFI_SOURCES_LOCKS];
}

u32 ipfi_sources_count(struct ipfi_net *in, u64 rule, const struct ipfi_tuple *tuple)
{
	struct source_key key;
	struct source *found;

	make_key(&key, rule, tuple);
	found = rhashtable_lookup(&in->sources.hash, &key, source_params);
	return found ? READ_ONCE(found->states) : 0;
}

bool ipfi_sources_counts(const struct ipfi_flow *flow, u64 rule, const struct ipfi_tuple *tuple)
{
	struct ipfi_tuple own;

	if (rule ? !(flow->table & IPFI_TABLE_COUNTED_RULE) || flow->rule != rule :
		   !(flow->table & IPFI_TABLE_COUNTED_SOURCE))
		return false;
	ipfi_flow_tuple(flow, &own);
	return own.family == tuple->family && own.src_vrf == tuple->src_vrf && ipfi_addr_equal(&own.src, &tuple->src);
}

int ipfi_sources_take(struct ipfi_net *in, u64 rule, const struct ipfi_tuple *tuple, u32 most)
{
	struct source_key key;
	struct source *found;
	spinlock_t *lock;
	int err = 0;

	make_key(&key, rule, tuple);
	lock = lock_of(&in->sources, &key);
	spin_lock(lock);
	found = rhashtable_lookup_fast(&in->sources.hash, &key, source_params);
	if (found) {
		if (found->states < most)
			WRITE_ONCE(found->states, found->states + 1);
		else
			err = -EDQUOT;
	} else {
		found = ipfi_memory_alloc(in, NULL, sizeof(*found));
		if (found) {
			found->key = key;
			found->states = 1;
			err = rhashtable_insert_fast(&in->sources.hash, &found->node, source_params);
			if (err)
				free_source(found, in);
		} else {
			err = -ENOMEM;
		}
	}
	spin_unlock(lock);
	return err;
}

void ipfi_sources_release(struct ipfi_net *in, u64 rule, const struct ipfi_tuple *tuple)
{
	struct source_key key;
	struct source *found;
	spinlock_t *lock;

	make_key(&key, rule, tuple);
	lock = lock_of(&in->sources, &key);
	spin_lock(lock);
	found = rhashtable_lookup_fast(&in->sources.hash, &key, source_params);
	if (!WARN_ON_ONCE(!found)) {
		WRITE_ONCE(found->states, found->states - 1);
		if (!found->states) {
			rhashtable_remove_fast(&in->sources.hash, &found->node, source_params);
			ipfi_memory_give(in->memory.counted, sizeof(*found));
			kfree_rcu(found, rcu);
		}
	}
	spin_unlock(lock);
}

void ipfi_sources_release_state(struct ipfi_net *in, struct ipfi_state *state, u8 which, u64 rule)
{
	struct ipfi_tuple tuple;

	which &= state->flow.table;
	if (likely(!which))
		return;
	state->flow.table &= ~which;
	ipfi_flow_tuple(&state->flow, &tuple);
	if (which & IPFI_TABLE_COUNTED_SOURCE)
		ipfi_sources_release(in, 0, &tuple);
	if (which & IPFI_TABLE_COUNTED_RULE)
		ipfi_sources_release(in, rule, &tuple);
}

int ipfi_sources_take_state(struct ipfi_net *in, struct ipfi_state *state, u32 of_source, u32 of_rule)
{
	struct ipfi_tuple tuple;
	int err;

	ipfi_flow_tuple(&state->flow, &tuple);
	if (of_source) {
		err = ipfi_sources_take(in, 0, &tuple, of_source);
		if (err)
			return err;
		state->flow.table |= IPFI_TABLE_COUNTED_SOURCE;
	}
	if (of_rule) {
		err = ipfi_sources_take(in, state->flow.rule, &tuple, of_rule);
		if (err)
			return err;
		state->flow.table |= IPFI_TABLE_COUNTED_RULE;
	}
	return 0;
}
