/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state table of a network namespace. */
#ifndef IPFI_TABLE_H
#define IPFI_TABLE_H

#include <linux/rhashtable.h>
#include "state.h"
#include "expiry.h"

struct ipfi_net;
struct ipfi_ruleset;

struct ipfi_table {
	struct rhashtable hash;
	atomic_t count ____cacheline_aligned_in_smp;
	atomic_t peak;
	atomic_t tombstones; /* not in count */
	struct ipfi_expiry expiry;
};

int ipfi_table_init(struct ipfi_net *in);

/* Frees every state and the table. No packet and no walk may be on its way any more. */
void ipfi_table_exit(struct ipfi_net *in);

/* The live state with @key, locked, or NULL. Under RCU, BHs off. */
struct ipfi_state *ipfi_table_find(struct ipfi_net *in, const struct ipfi_key *key);

/*
 * Makes and adds the state of a connection that @packet opens, allowed by @rule. Under RCU, BHs off.
 * Returns it locked; or ERR_PTR(-EEXIST) when another CPU was faster (look it up again); else NULL with
 * *reason set: no room, or the packet opens nothing.
 */
struct ipfi_state *ipfi_table_add(struct ipfi_net *in, const struct ipfi_packet *packet,
				  const struct ipfi_rule *rule, u32 generation, u8 *reason);

/* Ends @state, which is locked and alive; unlocks it. BHs off. */
void ipfi_table_remove(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_cause cause);

/*
 * Deletes @state, which is locked and alive; unlocks it. BHs off. To all who ask it is gone. Of an open TCP
 * connection a tombstone stays until the state's deadline, for otherwise its next segment would bring it back
 * as a guess: that segment, and all that follow, are answered with a reset; a new SYN is a new connection.
 */
void ipfi_table_kill(struct ipfi_net *in, struct ipfi_state *state);

/* Gives a locked @state its protocol state's time-out from now on. */
void ipfi_table_renew(struct ipfi_net *in, struct ipfi_state *state);

/* @state, locked, was judged again and belongs to @rule now (NULL: no rule): keeps the per-source counts. */
void ipfi_table_reassign(struct ipfi_net *in, struct ipfi_state *state, u64 old_rule,
			 const struct ipfi_rule *rule);

/* What becomes of a state that a sweep has visited. */
enum ipfi_sweep {
	IPFI_SWEEP_LEAVE,
	IPFI_SWEEP_REMOVE,
	IPFI_SWEEP_KILL,
};

/*
 * Calls @visit for every state that is not dead, locked, BHs off, in no order; it must not sleep. Those to be
 * removed are removed with @cause. Sleeps between states. Returns the number removed or killed.
 * No state that lives throughout is missed; while the table is being resized some may be met twice.
 */
u32 ipfi_table_sweep(struct ipfi_net *in,
		     enum ipfi_sweep (*visit)(struct ipfi_net *in, struct ipfi_state *state, void *arg),
		     void *arg, enum ipfi_cause cause);

/*
 * Counts for their sources the states that were made before a limit asked for it: max_states_per_source, or a
 * rule of @rs (which the caller keeps alive) with per_source. Sleeps.
 */
void ipfi_table_recount(struct ipfi_net *in, struct ipfi_ruleset *rs);

/* Bytes that @states states and a hash table of their size take, and what the table takes now. */
u64 ipfi_table_memory_for(u32 states);
u64 ipfi_table_memory(struct ipfi_net *in);

#endif /* IPFI_TABLE_H */
