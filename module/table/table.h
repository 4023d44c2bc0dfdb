/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state table of a network namespace. */
#ifndef IPFI_TABLE_H
#define IPFI_TABLE_H

#include <linux/rhashtable.h>
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/table/state.h"

struct ipfi_net;
struct ipfi_ruleset;

int ipfi_table_init(struct ipfi_net *in);

/* Frees the table, which is empty (gc.h). */
void ipfi_table_exit(struct ipfi_net *in);

/* The live state that is found by @key as @found says (one of IPFI_TABLE_FOUND), locked, or NULL. Under RCU,
 * BHs off. */
struct ipfi_state *ipfi_table_find(struct ipfi_net *in, const struct ipfi_key *key, u8 found);

/*
 * The same for who translates only: the state if it is a translated one, locked, else NULL, and *known says
 * whether there is one at all. Those that are not translated are not locked.
 */
struct ipfi_state_ext *ipfi_table_find_translated(struct ipfi_net *in, const struct ipfi_key *key, u8 found,
						   bool *known);

/* States that count as ended (copies.h): compared, not looked into. */
#define IPFI_COPIES 4

struct ipfi_gone {
	const struct ipfi_state *state[IPFI_COPIES];
	unsigned int count;
};

/* Is there a live state, none of @gone (NULL for none), that is found so? Not locked: it may be gone. */
bool ipfi_table_has(struct ipfi_net *in, const struct ipfi_key *key, u8 found, const struct ipfi_gone *gone);

/*
 * Under RCU. Could a node that is found so be inserted, if @gone (NULL for none) had ended? Would a state with this key
 * find a place, or one that makes room for it, and @gone leave theirs? BHs off.
 */
bool ipfi_table_is_free(struct ipfi_net *in, const struct ipfi_key *key, u8 found, const struct ipfi_gone *gone);
bool ipfi_table_has_room(struct ipfi_net *in, const struct ipfi_key *near, const struct ipfi_gone *gone);

/* What a new state is made with. */
struct ipfi_opening {
	u64 rule;       /* id of the rule that allowed it */
	u32 per_source; /* of that rule, 0 for none */
	u32 generation;
	bool ext;
};

/*
 * Makes the state of a connection that @packet opens: it has its place, is counted and locked, but nobody can
 * find it. NULL with *reason set: no room, or the packet opens nothing. Under RCU, BHs off.
 */
struct ipfi_state *ipfi_table_prepare(struct ipfi_net *in, const struct ipfi_packet *packet,
				      const struct ipfi_opening *opening, u8 *reason);

/*
 * The same of a connection that has arrived and is yet to be judged: no packet has made its flow, which is
 * wide and has no key.
 */
struct ipfi_state_ext *ipfi_table_prepare_unconfirmed(struct ipfi_net *in, const struct ipfi_key *near, u8 *reason);

/*
 * Puts a prepared state into the table, to be found by its flow's key as @found says, and into the wheel.
 * -EEXIST: there is another of these real end points; -EADDRINUSE: @found is another's in part, but not the
 * real end points; -ENOMEM. The state stays prepared then, and others may be tried.
 */
int ipfi_table_insert(struct ipfi_net *in, struct ipfi_state *state, u8 found);

/* Lets go of a prepared state, in the table or not; unlocks it. */
void ipfi_table_discard(struct ipfi_net *in, struct ipfi_state *state);

/*
 * Makes @alias another node of the locked @wide, found by what arrives with @tuple. -EEXIST, -ENOMEM.
 */
int ipfi_table_insert_nat_key(struct ipfi_net *in, struct ipfi_state_ext *ext, struct ipfi_nat_key *alias,
			    const struct ipfi_tuple *tuple);
void ipfi_table_remove_nat_key(struct ipfi_net *in, struct ipfi_nat_key *alias);

/*
 * Makes the flow of an unjudged state, which is locked and in the table, that of the connection that @packet
 * opens. 0, or -1 with *reason set: the packet opens nothing, or its source has too many.
 */
int ipfi_table_confirm(struct ipfi_net *in, struct ipfi_state *state, const struct ipfi_packet *packet,
		      const struct ipfi_opening *opening, u8 *reason);

/*
 * The parts of these that make flows: that of a new connection; that of an unjudged state. 0, or -1 with *reason set:
 * @packet opens nothing.
 */
int ipfi_table_open_flow(struct ipfi_net *in, struct ipfi_flow *flow, const struct ipfi_packet *packet,
			 const struct ipfi_opening *opening, u8 *reason);
int ipfi_table_confirm_flow(struct ipfi_net *in, struct ipfi_state *state, const struct ipfi_packet *packet,
			  const struct ipfi_opening *opening, u8 *reason);

/* Ends @state, which is locked and alive; unlocks it. BHs off. */
void ipfi_table_remove(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_cause cause);

/*
 * Deletes @state, which is locked and alive; unlocks it. BHs off. To all who ask it is gone. Of an open TCP
 * connection a tombstone stays for the time of TIME_WAIT, or what the state had left if that is less, for otherwise its
 * next segment would bring it back as a guess: that segment, and all that follow, are answered with a reset; a new SYN
 * is a new connection. It keeps its place in the table meanwhile, and is the first to make room.
 */
void ipfi_table_kill(struct ipfi_net *in, struct ipfi_state *state);

/* Gives a locked @state its protocol state's time-out from now on. */
void ipfi_table_renew(struct ipfi_net *in, struct ipfi_state *state);

/* @state, locked, was judged again and belongs to @rule now (NULL: no rule): keeps the per-source counts. */
void ipfi_table_reassign(struct ipfi_net *in, struct ipfi_state *state, u64 old_rule,
			 const struct ipfi_rule *rule);

/* States that live: to who asks how many there are. */
static inline u32 ipfi_table_live(const struct ipfi_table *table)
{
	int live = atomic_read(&table->count) - atomic_read(&table->tombstones);

	return max(live, 0);
}

/*
 * Bytes that the table takes now, with what its states have beside them: what is extended, watched, announced, counted
 * and mapped; and what it would take with @states states of the kinds that are there now, plain ones if there are none.
 */
u64 ipfi_table_memory(struct ipfi_net *in);
u64 ipfi_table_memory_for(struct ipfi_net *in, u32 states);

#endif /* IPFI_TABLE_H */
