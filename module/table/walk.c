// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/sched.h>
#include <asm/barrier.h>
#include "module/net.h"
#include "module/table/walk.h"

/* Buckets with states that are looked at before others get the CPU. */
#define WALK_BATCH 256

void ipfi_walk_start(struct ipfi_walk *walk, struct ipfi_net *in)
{
	memset(walk, 0, sizeof(*walk));
	walk->hash = &in->table.hash;
}

static void enter(struct ipfi_walk *walk, const struct bucket_table *buckets)
{
	walk->buckets = buckets;
	walk->seed = buckets ? buckets->hash_rnd : 0;
	walk->next = 0;
}

/* Is the array that the walk is in still one of the table's? While states move, there are two or
 * more. */
static bool still_there(const struct ipfi_walk *walk)
{
	const struct bucket_table *buckets = rht_dereference_rcu(walk->hash->tbl, walk->hash);

	for (; buckets; buckets = rht_dereference_rcu(buckets->future_tbl, walk->hash))
		if (buckets == walk->buckets)
			return buckets->hash_rnd == walk->seed;
	return false;
}

void ipfi_walk_resume(struct ipfi_walk *walk) __acquires(RCU)
{
	rcu_read_lock();
	if (walk->begun && (!walk->buckets || still_there(walk)))
		return;
	/* What stood in the array that is gone has moved to another place of the new one. */
	walk->resized |= walk->begun;
	walk->begun = true;
	enter(walk, rht_dereference_rcu(walk->hash->tbl, walk->hash));
}

void ipfi_walk_pause(struct ipfi_walk *walk) __releases(RCU)
{
	rcu_read_unlock();
}

bool ipfi_walk_next(struct ipfi_walk *walk)
{
	while (walk->buckets) {
		while (walk->next < walk->buckets->size)
			if (!rht_is_a_nulls(rht_ptr_rcu(rht_bucket(walk->buckets, walk->next++))))
				return true;
		/* States move to the array that comes next, never back: look there after this one.
		 */
		smp_rmb();
		enter(walk, rht_dereference_rcu(walk->buckets->future_tbl, walk->hash));
		walk->resized |= !!walk->buckets;
	}
	return false;
}

void ipfi_walk_yield(struct ipfi_walk *walk)
{
	if (++walk->visited % WALK_BATCH)
		return;
	ipfi_walk_pause(walk);
	cond_resched();
	ipfi_walk_resume(walk);
}
