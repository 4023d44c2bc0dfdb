/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state: one entry a connection.
 *
 * Life-cycle: made by hook.c for an allowed first packet and put into the table and the expiry wheel in one
 * go (ipfi_table_add). Found under RCU and used under its lock only. It ends exactly once, by who sets
 * IPFI_TABLE_DEAD under the lock (ipfi_table_remove), which in the same breath takes it out of the hash
 * table; then it leaves the wheel, goes to the graveyard and is freed by the expiry worker after a grace
 * period. Nobody else frees a state of a live table.
 *
 * Lock order: state->lock, then a wheel's lock or a bucket of the hash table or of the sources.
 * BHs are off wherever one of these is held.
 */
#ifndef IPFI_STATE_H
#define IPFI_STATE_H

#include <linux/llist.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include "core/flow.h"

struct ipfi_state {
	struct rhash_head node;
	spinlock_t lock;
	u32 deadline; /* low word of jiffies; written under lock, read by the expiry worker without */
	struct ipfi_flow flow;
	union {
		struct hlist_node wheel; /* while it lives; hashed when it stands in a slot */
		struct llist_node grave;
	};
};

/* state->flow.table */
#define IPFI_TABLE_DEAD (1 << 0)
#define IPFI_TABLE_COUNTED_SOURCE (1 << 1) /* counts for max_states_per_source */
#define IPFI_TABLE_COUNTED_RULE (1 << 2)   /* counts for its rule's per_source */
#define IPFI_TABLE_KILLED (1 << 3)         /* deleted, a tombstone now: see ipfi_table_kill() */

int ipfi_state_cache_init(void);
void ipfi_state_cache_exit(void);

/* Frees a state that nobody can see any more. */
void ipfi_state_free(struct ipfi_state *state);

#endif /* IPFI_STATE_H */
