// SPDX-License-Identifier: GPL-2.0-or-later
#define pr_fmt(fmt) "ipfi: " fmt

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/prefetch.h>
#include <linux/ratelimit.h>
#include <asm/barrier.h>
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/notify.h"
#include "module/table/expect.h"
#include "module/table/mapping.h"
#include "module/table/sources.h"
#include "module/table/state.h"
#include "module/table/table.h"
#include "module/table/wheel.h"

/*
 * States that are looked at to find one to evict, from the newcomer's own bucket on, and the
 * buckets that these may be spread over: at usual loads they stand in some 16 to 32, in a small
 * table with its least number of buckets further apart.
 */
#define EVICT_STATES 12
#define EVICT_BUCKETS 1024
#define EVICT_FIRST 3 /* evictable() of a tombstone */
/* States evicted for one newcomer at most, when other CPUs take the places. */
#define EVICT_TRIES 4
/* Looks for a state that ends between look-up and lock, or that another CPU puts in the place of one. */
#define FIND_TRIES 16
/* Tombstones that make way for one node: each of the three ways to be found may be another's. */
#define REPLACE_TRIES 4
/*
 * States that may wait to be freed beyond max_states: by so much may evictions, each of which leaves a dead one behind,
 * be faster than grace periods. Then nothing new begins.
 */
#define DYING_LEAST 1024
#define DYING_SHARE 8

/* The part of a node's key that only those of IPv6 have. */
static const struct ipfi_key_rest *rest_of(const struct ipfi_state *node)
{
	if (READ_ONCE(node->flow.table) & IPFI_TABLE_NAT_KEY)
		return &((const struct ipfi_nat_key *)node)->rest;
	return &node->flow.rest;
}

/* Has @node, a state or an alias, this key? */
static __always_inline bool has_key(const struct ipfi_state *node, const struct ipfi_key *key)
{
	return likely(ipfi_key_head_equal(&node->flow.key, &key->head)) &&
	       (likely(key->head.family == 4) || ipfi_key_rest_equal(rest_of(node), &key->rest));
}

static u32 hash_key(const void *object, u32 length, u32 seed)
{
	return ipfi_key_hash(object, seed);
}

static u32 hash_node(const void *object, u32 length, u32 seed)
{
	const struct ipfi_state *node = object;
	struct ipfi_key key;

	ipfi_key_get(&key, &node->flow.key, rest_of(node));
	return ipfi_key_hash(&key, seed);
}

/* What a node is looked for by, when another is to be inserted. */
struct probe {
	struct ipfi_key key;
	u8 found;
};

static int differs(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct ipfi_state *node = object;
	const struct probe *probe = arg->key;

	return !has_key(node, &probe->key) || !(node->flow.table & probe->found);
}

/* The seed is the hash table's own: random, one a namespace, and new whenever a chain grows too long. */
static const struct rhashtable_params table_params = {
	.head_offset = offsetof(struct ipfi_state, node),
	.key_offset = offsetof(struct ipfi_state, flow.key),
	.key_len = sizeof(struct ipfi_key_head),
	.hashfn = hash_key,
	.obj_hashfn = hash_node,
	.obj_cmpfn = differs,
	.min_size = 1024,
	.automatic_shrinking = true,
};

int ipfi_table_init(struct ipfi_net *in)
{
	atomic_set(&in->table.count, 0);
	atomic_set(&in->table.dying, 0);
	atomic_set(&in->table.of_kind[IPFI_STATE_KIND_IPV6], 0);
	atomic_set(&in->table.of_kind[IPFI_STATE_KIND_EXT], 0);
	atomic_set(&in->table.controls, 0);
	atomic_set(&in->table.peak, 0);
	atomic_set(&in->table.tombstones, 0);
	atomic_set(&in->table.translated, 0);
	return rhashtable_init(&in->table.hash, &table_params);
}

/* rhashtable_lookup(), with hash and comparison in line: every packet comes by here. */
static struct ipfi_state *lookup(struct rhashtable *hash, const struct ipfi_key *key, u8 found)
{
	struct bucket_table *buckets = rht_dereference_rcu(hash->tbl, hash);
	struct ipfi_state *state;
	struct rhash_head *pos;
	u32 bucket;

	do {
		bucket = rht_bucket_index(buckets, ipfi_key_hash(key, buckets->hash_rnd));
		rht_for_each_entry_rcu(state, pos, buckets, bucket, node) {
			/* The key nearly always fits: fetch the counters' cache line while its own is on the way. */
			prefetchw(&state->flow.traffic[IPFI_ORIGINAL].bytes);
			if (likely(has_key(state, key)) && likely(READ_ONCE(state->flow.table) & found))
				return state;
		}
		/* While the table is being resized: see a new array that was made before the search. */
		smp_rmb();
		buckets = rht_dereference_rcu(buckets->future_tbl, hash);
	} while (unlikely(buckets));
	return NULL;
}

static struct ipfi_state *find_locked(struct ipfi_net *in, const struct ipfi_key *key, u8 found)
{
	struct ipfi_state *state;
	unsigned int tries;

	/* A dead one has left the table before its lock was released, so a second look finds its successor. */
	for (tries = 0; tries < FIND_TRIES; tries++) {
		state = lookup(&in->table.hash, key, found);
		if (!state)
			return NULL;
		if (unlikely(READ_ONCE(state->flow.table) & IPFI_TABLE_NAT_KEY))
			state = ((struct ipfi_nat_key *)state)->state;
		spin_lock(&state->lock);
		if (likely(!(state->flow.table & IPFI_TABLE_DEAD)))
			return state;
		spin_unlock(&state->lock);
	}
	WARN_ON_ONCE(true);
	return NULL;
}

/*
 * A connection whose destination was translated as it arrived was given its key before it was known that it goes to
 * another VRF: both ends stand in the one that it came from.
 */
static noinline struct ipfi_state *find_crossing(struct ipfi_net *in, const struct ipfi_key *key)
{
	const u8 from[] = { key->head.lo_vrf, key->head.hi_vrf };
	struct ipfi_key within;
	struct ipfi_state *state;
	unsigned int i;

	ipfi_key_get(&within, &key->head, &key->rest);
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		within.head.lo_vrf = from[i];
		within.head.hi_vrf = from[i];
		state = find_locked(in, &within, IPFI_TABLE_REAL);
		if (!state)
			continue;
		if (ipfi_state_translated(state))
			return state;
		spin_unlock(&state->lock);
	}
	return NULL;
}

struct ipfi_state *ipfi_table_find(struct ipfi_net *in, const struct ipfi_key *key, u8 found)
{
	struct ipfi_state *state = find_locked(in, key, found);

	if (unlikely(!state && key->head.lo_vrf != key->head.hi_vrf) && found & IPFI_TABLE_REAL)
		state = find_crossing(in, key);
	return state;
}

struct ipfi_state_ext *ipfi_table_find_translated(struct ipfi_net *in, const struct ipfi_key *key, u8 found,
						   bool *known)
{
	const bool crosses = unlikely(key->head.lo_vrf != key->head.hi_vrf) && found & IPFI_TABLE_REAL;
	struct ipfi_state *state = lookup(&in->table.hash, key, found);
	struct ipfi_state_ext *ext;

	/* Whether a state is wide is settled before it can be found. */
	*known = state;
	if (!crosses && (!state || !(READ_ONCE(state->flow.table) & IPFI_TABLE_NAT_KEY || ipfi_state_extended(state))))
		return NULL;
	state = ipfi_table_find(in, key, found);
	*known = state;
	if (!state)
		return NULL;
	ext = ipfi_state_translated(state);
	if (!ext)
		spin_unlock(&state->lock);
	return ext;
}

/* The state of a node that lookup() has found. */
static struct ipfi_state *state_of(struct ipfi_state *node)
{
	return READ_ONCE(node->flow.table) & IPFI_TABLE_NAT_KEY ? ((struct ipfi_nat_key *)node)->state : node;
}

static bool is_gone(const struct ipfi_gone *gone, const struct ipfi_state *state)
{
	unsigned int i;

	if (likely(!gone))
		return false;
	for (i = 0; i < gone->count; i++)
		if (gone->state[i] == state)
			return true;
	return false;
}

bool ipfi_table_has(struct ipfi_net *in, const struct ipfi_key *key, u8 found, const struct ipfi_gone *gone)
{
	struct ipfi_state *node = lookup(&in->table.hash, key, found);

	return node && !is_gone(gone, state_of(node));
}

bool ipfi_table_is_free(struct ipfi_net *in, const struct ipfi_key *key, u8 found, const struct ipfi_gone *gone)
{
	struct ipfi_state *node = lookup(&in->table.hash, key, found);

	/* A tombstone makes way: bury_tombstone(). */
	return !node || is_gone(gone, state_of(node)) || READ_ONCE(state_of(node)->flow.table) & IPFI_TABLE_KILLED;
}

/* A state ceases to be one, to those who count and those who listen. */
static void account_end(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_cause cause)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);

	ipfi_sources_release_state(in, state, IPFI_TABLE_COUNTED_SOURCE | IPFI_TABLE_COUNTED_RULE, state->flow.rule);
	if (!(state->flow.flags & IPFI_FLOW_F_UNCONFIRMED))
		ipfi_notify_state(in, state, IPFI_EVENT_DESTROYED, cause);
	if (unlikely(ext))
		ipfi_control_end(in, ext->control);
}

void ipfi_table_remove_nat_key(struct ipfi_net *in, struct ipfi_nat_key *alias)
{
	if (alias->hashed)
		rhashtable_remove_fast(&in->table.hash, &alias->node, table_params);
	alias->hashed = false;
}

/* Takes a state that is dead now out of the hash table, with all its nodes. */
static void unlink_nodes(struct ipfi_net *in, struct ipfi_state *state)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);

	rhashtable_remove_fast(&in->table.hash, &state->node, table_params);
	if (likely(!ext))
		return;
	ipfi_table_remove_nat_key(in, &ext->arrives);
	ipfi_table_remove_nat_key(in, &ext->returns);
	ipfi_mapping_put(in, ext->mapping);
	ext->mapping = NULL;
	if (ext->translated)
		atomic_dec(&in->table.translated);
}

void ipfi_table_remove(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_cause cause)
{
	lockdep_assert_held(&state->lock);
	state->flow.table |= IPFI_TABLE_DEAD;
	unlink_nodes(in, state);
	if (unlikely(state->flow.table & IPFI_TABLE_KILLED))
		atomic_dec(&in->table.tombstones);
	else
		account_end(in, state, cause);
	atomic_dec(&in->table.count);
	spin_unlock(&state->lock);
	ipfi_wheel_remove(in, state);
}

void ipfi_table_kill(struct ipfi_net *in, struct ipfi_state *state)
{
	u32 deadline = (u32)jiffies + READ_ONCE(in->limits.value[IPFI_LIMIT_TCP_TIME_WAIT]) * HZ;

	lockdep_assert_held(&state->lock);
	if (state->flow.key.proto != IPFI_PROTO_TCP || state->flow.state == IPFI_STATE_CLOSED) {
		ipfi_table_remove(in, state, IPFI_CAUSE_DELETED);
		return;
	}
	account_end(in, state, IPFI_CAUSE_DELETED);
	atomic_inc(&in->table.tombstones);
	state->flow.table |= IPFI_TABLE_KILLED;
	state->flow.state = IPFI_STATE_CLOSED;
	if ((s32)(deadline - state->deadline) < 0) {
		WRITE_ONCE(state->deadline, deadline);
		ipfi_wheel_advance(in, state);
	}
	spin_unlock(&state->lock);
}

void ipfi_table_renew(struct ipfi_net *in, struct ipfi_state *state)
{
	u32 deadline = (u32)jiffies + ipfi_flow_timeout(&state->flow, &in->limits) * HZ;
	bool nearer = (s32)(deadline - state->deadline) < 0;

	WRITE_ONCE(state->deadline, deadline);
	if (unlikely(nearer))
		ipfi_wheel_advance(in, state);
}

void ipfi_table_reassign(struct ipfi_net *in, struct ipfi_state *state, u64 old_rule,
			 const struct ipfi_rule *rule)
{
	if (old_rule != state->flow.rule)
		ipfi_sources_release_state(in, state, IPFI_TABLE_COUNTED_RULE, old_rule);
	if (rule && rule->per_source && !(state->flow.table & IPFI_TABLE_COUNTED_RULE))
		ipfi_sources_take_state(in, state, 0, U32_MAX);
}

/*
 * How gladly is @state evicted? 0: not at all. A tombstone goes first, for nobody misses it; then a guess that nobody
 * has confirmed: one forged segment makes it, and who it is about picks his connection up again with the next one; then
 * what is embryonic or closing.
 */
static unsigned int evictable(const struct ipfi_state *state)
{
	u8 table = READ_ONCE(state->flow.table);

	if (table & IPFI_TABLE_DEAD)
		return 0;
	if (table & IPFI_TABLE_KILLED)
		return EVICT_FIRST;
	return ipfi_flow_is_tentative(&state->flow) ? 2 : ipfi_flow_evictable(&state->flow);
}

/*
 * The one in the neighbourhood of @key that is evicted first, not locked: it may be gone by then. NULL for none. Where
 * one state of 64 or more is a tombstone, it is looked for until one is found.
 */
static struct ipfi_state *look_for_evictable(struct ipfi_net *in, const struct ipfi_key *key)
{
	struct rhashtable *hash = &in->table.hash;
	struct bucket_table *buckets = rht_dereference_rcu(hash->tbl, hash);
	u32 first = rht_bucket_index(buckets, ipfi_key_hash(key, buckets->hash_rnd));
	unsigned int i, looked = 0, most = min_t(unsigned int, buckets->size, EVICT_BUCKETS), best = 0, now;
	bool tombstones = (u64)atomic_read(&in->table.tombstones) * 64 >= atomic_read(&in->table.count);
	struct ipfi_state *state, *found = NULL;
	struct rhash_head *pos;

	for (i = 0; i < most && (looked < EVICT_STATES || tombstones) && best < EVICT_FIRST; i++) {
		u32 bucket = (first + i) & (buckets->size - 1);

		rht_for_each_entry_rcu(state, pos, buckets, bucket, node) {
			if (READ_ONCE(state->flow.table) & IPFI_TABLE_NAT_KEY)
				continue;
			looked++;
			now = evictable(state);
			if (now > best) {
				best = now;
				found = state;
			}
		}
	}
	return found;
}

/* The same, locked, if it may still be evicted. */
static struct ipfi_state *find_evictable(struct ipfi_net *in, const struct ipfi_key *key)
{
	struct ipfi_state *state = look_for_evictable(in, key);

	if (!state)
		return NULL;
	spin_lock(&state->lock);
	if (evictable(state))
		return state;
	spin_unlock(&state->lock);
	return NULL;
}

static bool evict_near(struct ipfi_net *in, const struct ipfi_key *key)
{
	struct ipfi_state *state = find_evictable(in, key);

	if (!state)
		return false;
	if (!(state->flow.table & IPFI_TABLE_KILLED))
		__this_cpu_inc(in->counters->evicted);
	ipfi_table_remove(in, state, IPFI_CAUSE_EVICTED);
	return true;
}

/* Do so many wait to be freed that nothing new may begin? */
static bool too_many_die(struct ipfi_net *in, u32 count, u32 most)
{
	return (u64)count + (u32)atomic_read(&in->table.dying) >= (u64)most + max_t(u32, most / DYING_SHARE, DYING_LEAST);
}

bool ipfi_table_has_room(struct ipfi_net *in, const struct ipfi_key *near, const struct ipfi_gone *gone)
{
	int most = ipfi_net_max_states(in);
	int count = atomic_read(&in->table.count);
	struct ipfi_state *state;

	if (too_many_die(in, count, most))
		return false;
	if (gone)
		count -= gone->count;
	if (count != most)
		return count < most;
	state = find_evictable(in, near);
	if (state)
		spin_unlock(&state->lock);
	return state;
}

/* One line a namespace in 5 s at most, where it may be said, and as many events. */
static void say_full(struct ipfi_net *in, u32 states)
{
	if (!__ratelimit(&in->full_logged))
		return;
	if (ipfi_log_allowed(in))
		pr_warn("state table full: %u entries\n", states);
	ipfi_notify_table_full(in, states);
}

/*
 * Counts one more state in, never more than the limit. At the limit a state near by makes room (which another
 * CPU may take, hence again); beyond it (the limit was lowered) new ones are refused and the old are kept.
 */
static bool reserve(struct ipfi_net *in, const struct ipfi_key *key)
{
	int most = ipfi_net_max_states(in);
	int count = atomic_read(&in->table.count), peak;
	unsigned int tries = 0;

	if (unlikely(too_many_die(in, count, most))) {
		say_full(in, count);
		return false;
	}
	do {
		while (unlikely(count >= most)) {
			say_full(in, count);
			if (count > most || tries++ == EVICT_TRIES || !evict_near(in, key))
				return false;
			count = atomic_read(&in->table.count);
		}
	} while (!atomic_try_cmpxchg(&in->table.count, &count, count + 1));

	count = ipfi_table_live(&in->table);
	peak = atomic_read(&in->table.peak);
	while (unlikely(count > peak) && !atomic_try_cmpxchg(&in->table.peak, &peak, count))
		;
	return true;
}

/* Room, and a state in it. */
static struct ipfi_state *take_state(struct ipfi_net *in, const struct ipfi_key *near, bool ext, u8 *reason)
{
	struct ipfi_state *state = ipfi_state_alloc(in, near->head.family, ext);

	if (!state) {
		*reason = IPFI_REASON_NO_MEMORY;
		return NULL;
	}
	if (!reserve(in, near)) {
		*reason = IPFI_REASON_TABLE_FULL;
		ipfi_state_free(in, state);
		return NULL;
	}
	spin_lock_init(&state->lock);
	INIT_HLIST_NODE(&state->wheel);
	return state;
}

static void release(struct ipfi_net *in, struct ipfi_state *state)
{
	ipfi_sources_release_state(in, state, IPFI_TABLE_COUNTED_SOURCE | IPFI_TABLE_COUNTED_RULE, state->flow.rule);
	atomic_dec(&in->table.count);
	ipfi_state_free(in, state);
}

int ipfi_table_open_flow(struct ipfi_net *in, struct ipfi_flow *flow, const struct ipfi_packet *packet,
			 const struct ipfi_opening *opening, u8 *reason)
{
	int err = ipfi_flow_open(flow, packet, opening->rule, opening->generation, (u32)ktime_get_seconds(),
				 &in->limits);

	if (err) {
		*reason = -err;
		return -1;
	}
	if (opening->ext)
		flow->flags |= IPFI_FLOW_F_EXT;
	return 0;
}

/* Counts a state whose flow has been opened. */
static int count_opened(struct ipfi_net *in, struct ipfi_state *state, const struct ipfi_opening *opening, u8 *reason)
{
	int err = ipfi_sources_take_state(in, state, READ_ONCE(in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE]),
			      opening->per_source);

	if (err)
		*reason = err == -EDQUOT ? IPFI_REASON_SOURCE_FULL : IPFI_REASON_NO_MEMORY;
	return err;
}

struct ipfi_state *ipfi_table_prepare(struct ipfi_net *in, const struct ipfi_packet *packet,
				      const struct ipfi_opening *opening, u8 *reason)
{
	struct ipfi_state *state;
	struct ipfi_key near;

	ipfi_key_from_tuple(&near, &packet->tuple);
	state = take_state(in, &near, opening->ext, reason);
	if (!state)
		return NULL;
	if (ipfi_table_open_flow(in, &state->flow, packet, opening, reason)) {
		if (opening->ext)
			state->flow.flags |= IPFI_FLOW_F_EXT;
		goto release;
	}
	if (count_opened(in, state, opening, reason))
		goto release;
	state->deadline = (u32)jiffies + ipfi_flow_timeout(&state->flow, &in->limits) * HZ;
	/* Locked before it can be found, so that nobody meets it half made. */
	spin_lock(&state->lock);
	return state;

release:
	release(in, state);
	return NULL;
}

/* Seconds in which an arriving connection comes to the filter, unless it is on no way at all. */
#define UNCONFIRMED_TIMEOUT 5

struct ipfi_state_ext *ipfi_table_prepare_unconfirmed(struct ipfi_net *in, const struct ipfi_key *near, u8 *reason)
{
	struct ipfi_state *state = take_state(in, near, true, reason);

	if (!state)
		return NULL;
	state->flow.flags = IPFI_FLOW_F_EXT | IPFI_FLOW_F_UNCONFIRMED;
	state->deadline = (u32)jiffies + UNCONFIRMED_TIMEOUT * HZ;
	spin_lock(&state->lock);
	return ipfi_state_extended(state);
}

/*
 * Is @existing, a node in the place of one that is to be inserted, only that of a tombstone? Then it makes way: who
 * goes on with a deleted connection is answered for as long as nobody needs its ports. The new state is locked,
 * so this one is only tried; nobody who holds a tombstone waits for another state.
 */
static bool replace_tombstone(struct ipfi_net *in, struct ipfi_state *existing)
{
	if (existing->flow.table & IPFI_TABLE_NAT_KEY)
		existing = ((struct ipfi_nat_key *)existing)->state;
	if (likely(!(READ_ONCE(existing->flow.table) & IPFI_TABLE_KILLED)) || !spin_trylock(&existing->lock))
		return false;
	if ((existing->flow.table & (IPFI_TABLE_DEAD | IPFI_TABLE_KILLED)) != IPFI_TABLE_KILLED) {
		spin_unlock(&existing->lock);
		return false;
	}
	ipfi_table_remove(in, existing, IPFI_CAUSE_REPLACED);
	return true;
}

/* Puts a node into the hash table; -EEXIST, -EADDRINUSE or -ENOMEM. */
static int insert_node(struct ipfi_net *in, const struct probe *probe, struct rhash_head *node)
{
	struct ipfi_state *existing;
	unsigned int tries = 0;

	do {
		existing = rhashtable_lookup_get_insert_key(&in->table.hash, probe, node, table_params);
		if (likely(!existing))
			return 0;
		if (IS_ERR(existing))
			return -ENOMEM;
	} while (tries++ < REPLACE_TRIES && replace_tombstone(in, existing));
	return probe->found & READ_ONCE(existing->flow.table) & IPFI_TABLE_REAL ? -EEXIST : -EADDRINUSE;
}

int ipfi_table_insert(struct ipfi_net *in, struct ipfi_state *state, u8 found)
{
	struct probe probe;
	int err;

	lockdep_assert_held(&state->lock);
	ipfi_flow_key(&state->flow, &probe.key);
	probe.found = found;
	state->flow.table = (state->flow.table & ~IPFI_TABLE_FOUND) | found;
	err = insert_node(in, &probe, &state->node);
	if (unlikely(err))
		return err;
	ipfi_wheel_add(in, state);
	__this_cpu_inc(in->counters->created);
	return 0;
}

void ipfi_table_discard(struct ipfi_net *in, struct ipfi_state *state)
{
	lockdep_assert_held(&state->lock);
	state->flow.table |= IPFI_TABLE_DEAD;
	unlink_nodes(in, state);
	ipfi_sources_release_state(in, state, IPFI_TABLE_COUNTED_SOURCE | IPFI_TABLE_COUNTED_RULE, state->flow.rule);
	atomic_dec(&in->table.count);
	spin_unlock(&state->lock);
	/* Another CPU may have found it by an alias. */
	ipfi_wheel_remove(in, state);
}

int ipfi_table_insert_nat_key(struct ipfi_net *in, struct ipfi_state_ext *ext, struct ipfi_nat_key *alias,
			    const struct ipfi_tuple *tuple)
{
	struct probe probe;
	int err;

	lockdep_assert_held(&ext->state.lock);
	probe.found = ipfi_table_arrives(ipfi_key_from_tuple(&probe.key, tuple));
	alias->state = &ext->state;
	ipfi_key_put(&alias->key, &alias->rest, &probe.key);
	alias->table = probe.found | IPFI_TABLE_NAT_KEY;
	err = insert_node(in, &probe, &alias->node);
	alias->hashed = !err;
	return err == -EADDRINUSE ? -EEXIST : err;
}

int ipfi_table_confirm_flow(struct ipfi_net *in, struct ipfi_state *state, const struct ipfi_packet *packet,
			  const struct ipfi_opening *opening, u8 *reason)
{
	struct ipfi_flow flow;

	lockdep_assert_held(&state->lock);
	if (ipfi_table_open_flow(in, &flow, packet, opening, reason))
		return -1;
	/* Key and table, which are read without the lock, stay what they are. */
	flow.table = state->flow.table;
	flow.key = state->flow.key;
	flow.flags |= IPFI_FLOW_F_UNCONFIRMED;
	memcpy(&state->flow, &flow, IPFI_FLOW_SIZE_IPV4);
	return 0;
}

int ipfi_table_confirm(struct ipfi_net *in, struct ipfi_state *state, const struct ipfi_packet *packet,
		      const struct ipfi_opening *opening, u8 *reason)
{
	return ipfi_table_confirm_flow(in, state, packet, opening, reason) || count_opened(in, state, opening, reason) ?
		       -1 :
		       0;
}

void ipfi_table_exit(struct ipfi_net *in)
{
	rhashtable_destroy(&in->table.hash);
}

/* Bytes of the buckets for @nodes: a power of two, doubled when three quarters are taken. */
static u64 buckets_for(u64 nodes)
{
	return max_t(u64, roundup_pow_of_two(nodes * 4 / 3 + 1), table_params.min_size) * sizeof(void *);
}

/* Bytes of all states, dead ones too, and of what they have beside them; and how many there are. */
static u64 memory_of_states(struct ipfi_net *in, u32 *states)
{
	u32 ext = atomic_read(&in->table.of_kind[IPFI_STATE_KIND_EXT]);
	u32 ipv6 = atomic_read(&in->table.of_kind[IPFI_STATE_KIND_IPV6]);
	u32 controls = atomic_read(&in->table.controls);

	*states = atomic_read(&in->table.count) + atomic_read(&in->table.dying);
	/* They are counted one after another. */
	*states = max(*states, ext + ipv6);
	return (u64)(*states - ext - ipv6) * ipfi_state_size(IPFI_STATE_KIND_IPV4) +
	       (u64)ipv6 * ipfi_state_size(IPFI_STATE_KIND_IPV6) + (u64)ext * ipfi_state_size(IPFI_STATE_KIND_EXT) +
	       (u64)controls * (sizeof(struct ipfi_control) + sizeof(struct ipfi_master)) +
	       (u64)atomic_read(&in->expectations.count) * sizeof(struct ipfi_expectation) +
	       ipfi_sources_memory(in) + ipfi_mappings_memory(in);
}

u64 ipfi_table_memory(struct ipfi_net *in)
{
	u64 buckets;
	u32 states;

	rcu_read_lock();
	buckets = rht_dereference_rcu(in->table.hash.tbl, &in->table.hash)->size;
	rcu_read_unlock();
	return memory_of_states(in, &states) + buckets * sizeof(void *);
}

u64 ipfi_table_memory_for(struct ipfi_net *in, u32 states)
{
	u32 nodes = atomic_read(&in->table.hash.nelems), now;
	u64 bytes = memory_of_states(in, &now);

	if (!now)
		return (u64)states * ipfi_state_size(IPFI_STATE_KIND_IPV4) + buckets_for(states);
	return div_u64(bytes + now - 1, now) * states + buckets_for(div_u64((u64)max(nodes, now) * states, now));
}
