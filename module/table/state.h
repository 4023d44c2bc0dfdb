/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state: one entry a connection.
 *
 * Life-cycle: made for an allowed first packet and put into the table and the expiry wheel in one
 * go (ipfi_table_add). Found under RCU and used under its lock only. It ends exactly once, by who sets
 * IPFI_TABLE_DEAD under the lock (ipfi_table_remove), which in the same breath takes it out of the hash
 * table; then it leaves the wheel, goes to the list of the dying and is freed by the expiry worker after a grace
 * period. Nobody else frees a state of a live table.
 *
 * A connection whose destination is translated has a state before the filter has judged it, as soon as it
 * arrives: its flow has IPFI_FLOW_F_UNCONFIRMED until then, and to all who ask it does not exist (nat.c).
 *
 * Lock order: state->lock, then a wheel's lock, a bucket of the hash table or of the sources, the
 * expectations' or the mappings' lock. BHs are off wherever one of these is held.
 */
#ifndef IPFI_STATE_H
#define IPFI_STATE_H

#include <linux/llist.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/net.h"

struct ipfi_state {
	union {
		struct hlist_node wheel; /* while it lives; hashed when it stands in a slot */
		struct llist_node dying; /* afterwards */
	};
	struct rhash_head node; /* what every packet looks at begins here */
	spinlock_t lock;
	u32 deadline; /* low word of jiffies; written under lock, read by the expiry worker without */
	struct ipfi_flow flow; /* its key: of the real end points. A plain state of IPv4 ends where the flow does */
};

#define IPFI_STATE_SIZE_IPV4 (offsetof(struct ipfi_state, flow) + IPFI_FLOW_SIZE_IPV4)

/* state->flow.table */
#define IPFI_TABLE_DEAD (1 << 0)
#define IPFI_TABLE_COUNTED_SOURCE (1 << 1) /* counts for max_states_per_source */
#define IPFI_TABLE_COUNTED_RULE (1 << 2)   /* counts for its rule's per_source */
#define IPFI_TABLE_KILLED (1 << 3)         /* deleted, a tombstone now: see ipfi_table_kill() */
/*
 * What a node of the hash table is found by: a packet between its two translations, where it shows the real
 * end points; a packet that arrives, from the lower or the higher end of the key. No two nodes with one key
 * have one of these in common. They do not change while the node is in the table.
 */
#define IPFI_TABLE_REAL (1 << 4)
#define IPFI_TABLE_ARRIVES_LOWER (1 << 5)
#define IPFI_TABLE_ARRIVES_HIGHER (1 << 6)
#define IPFI_TABLE_FOUND (IPFI_TABLE_REAL | IPFI_TABLE_ARRIVES_LOWER | IPFI_TABLE_ARRIVES_HIGHER)
#define IPFI_TABLE_NAT_KEY (1 << 7) /* the node is no state but an alias */

/* By what a packet that arrives is found; @higher as ipfi_key_from_tuple() said of it. */
static inline u8 ipfi_table_arrives(bool higher)
{
	return higher ? IPFI_TABLE_ARRIVES_HIGHER : IPFI_TABLE_ARRIVES_LOWER;
}

/*
 * Another node by which a translated state is found. It has the head of its key and table where a state has them, so that
 * a bucket holds both; IPFI_TABLE_NAT_KEY tells them apart.
 */
struct ipfi_nat_key {
	struct ipfi_state *state;
	bool hashed; /* it is in the table; table stays as it is when it is no more, for who still reads it */
	struct rhash_head node;
	u8 gap[offsetof(struct ipfi_state, flow) - offsetof(struct ipfi_state, node) - sizeof(struct rhash_head)];
	struct ipfi_key_head key;
	u8 zero[7];
	u8 table;
	struct ipfi_key_rest rest;
};

static_assert(offsetof(struct ipfi_nat_key, node) == offsetof(struct ipfi_state, node) &&
	      offsetof(struct ipfi_nat_key, key) == offsetof(struct ipfi_state, flow.key) &&
	      offsetof(struct ipfi_nat_key, table) == offsetof(struct ipfi_state, flow.table));

struct ipfi_control;
struct ipfi_mapping;
struct ipfi_master;

/* A state with more to it: a translation, a helper, a master. Its flow has IPFI_FLOW_F_EXT. */
struct ipfi_state_ext {
	struct ipfi_state state;
	/* The views beside the real one, in the original direction; the same as that where not translated. */
	struct ipfi_tuple arriving, leaving;
	struct ipfi_nat_key arrives;  /* finds what arrives of the original direction */
	struct ipfi_nat_key returns;  /* finds what arrives of the reply direction */
	struct ipfi_master *master;   /* the control connection that announced it; NULL for none */
	struct ipfi_control *control; /* what its helper knows; NULL for none */
	struct ipfi_mapping *mapping; /* that its source has for all destinations; NULL for none */
	u16 mss;          /* IPFI_RULE_A_MSS of its rule, 0 for none */
	bool translated;  /* its packets are rewritten; at least one alias is in the table */
	bool masqueraded; /* its source has the address of the device it leaves by */
	bool source_given; /* while unjudged: leaving.src is what its source will be translated to */
};

/* NULL for one that is not wide. */
static inline struct ipfi_state_ext *ipfi_state_extended(struct ipfi_state *state)
{
	return unlikely(state->flow.flags & IPFI_FLOW_F_EXT) ? container_of(state, struct ipfi_state_ext, state) :
								NULL;
}

/* The same for one whose packets are rewritten. */
static inline struct ipfi_state_ext *ipfi_state_translated(struct ipfi_state *state)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);

	return ext && ext->translated ? ext : NULL;
}

int ipfi_state_caches_init(void);
void ipfi_state_caches_exit(void);

static inline enum ipfi_state_kind ipfi_state_kind(u8 family, bool ext)
{
	return ext ? IPFI_STATE_KIND_EXT : family == 4 ? IPFI_STATE_KIND_IPV4 : IPFI_STATE_KIND_IPV6;
}

/*
 * A new one that nobody knows, of its flow only the family and whether it is wide set; NULL without memory
 * (ipfi_memory_alloc()). BHs off.
 */
struct ipfi_state *ipfi_state_alloc(struct ipfi_net *in, u8 family, bool ext);

/* Frees a state that nobody can see any more. */
void ipfi_state_free(struct ipfi_net *in, struct ipfi_state *state);

/* Bytes of one of @kind, as allocated. */
unsigned int ipfi_state_size(enum ipfi_state_kind kind);

/* What @state is called, the same for all its life: below 2^53, so that every language can hold it. */
u64 ipfi_state_id(const struct ipfi_state *state);

/* What others are told of a state: a copy of one moment. */
struct ipfi_snapshot {
	struct ipfi_flow flow;
	u32 deadline;
	u8 helper; /* enum ipfi_helper */
	u64 id;
	u64 master; /* id, 0 for none */
	struct ipfi_tuple arriving, leaving; /* of wide ones only */
};

/* Copies @state, which is locked or nobody else's. */
void ipfi_snapshot_take(struct ipfi_snapshot *snapshot, struct ipfi_state *state);

/* Does nobody know of it (any more, or yet)? It is locked. */
static inline bool ipfi_state_hidden(const struct ipfi_state *state)
{
	return state->flow.table & (IPFI_TABLE_DEAD | IPFI_TABLE_KILLED) ||
	       state->flow.flags & IPFI_FLOW_F_UNCONFIRMED;
}

#endif /* IPFI_STATE_H */
