/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk over all states of a table, in parts: between two of them others run and states come and go.
 *
 * It goes from bucket to bucket and looks at each in one piece, under RCU. Its place is therefore the number of
 * a bucket, which no change of the states moves, and not a state, which may be gone. (The kernel's
 * rhashtable_walk_*() counts the states of the bucket that it has passed, and misses one for each of them that
 * is removed while it pauses.)
 *
 * A state that lives throughout is met, once; while the table is being resized perhaps twice.
 *
 *	ipfi_walk_start(&walk, in);
 *	ipfi_walk_resume(&walk);
 *	while (ipfi_walk_next(&walk)) {
 *		ipfi_walk_for_each(state, pos, &walk)
 *			...
 *		ipfi_walk_yield(&walk);
 *	}
 *	ipfi_walk_pause(&walk);
 */
#ifndef IPFI_WALK_H
#define IPFI_WALK_H

#include <linux/rhashtable.h>
#include "module/table/state.h"

struct ipfi_net;

struct ipfi_walk {
	struct rhashtable *hash;
	const struct bucket_table *buckets; /* NULL at the end; may be gone outside of RCU */
	u32 seed; /* of buckets: tells it from another at the same address */
	u32 next; /* bucket */
	u32 visited;
	bool begun;
	bool resized; /* set when some states may be met twice; the caller may clear it */
};

void ipfi_walk_start(struct ipfi_walk *walk, struct ipfi_net *in);

/* Take and leave the RCU lock. */
void ipfi_walk_resume(struct ipfi_walk *walk) __acquires(RCU);
void ipfi_walk_pause(struct ipfi_walk *walk) __releases(RCU);

/* Goes on to the next bucket that is not empty; false at the end. Between resume and pause. */
bool ipfi_walk_next(struct ipfi_walk *walk);

/* The states of the bucket, not their aliases. Each is to be locked and asked whether it is dead. */
#define ipfi_walk_for_each(state, pos, walk)                                          \
	rht_for_each_entry_rcu(state, pos, (walk)->buckets, (walk)->next - 1, node)   \
		if (!(READ_ONCE((state)->flow.table) & IPFI_TABLE_NAT_KEY))

/* Goes back, so that the bucket is met again. */
static inline void ipfi_walk_back(struct ipfi_walk *walk)
{
	walk->next--;
}

/* Pauses from time to time, so that others can run and grace periods end. Sleeps. */
void ipfi_walk_yield(struct ipfi_walk *walk);

#endif /* IPFI_WALK_H */
