/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of states, for a packet that is only asked about: it goes the path of packets, but what it finds are copies, and
 * what it makes or ends is noted here alone. A state that it has ended counts as gone, one that it has made is found,
 * for this packet and nobody else. Nothing of the table changes.
 *
 * All under one RCU read lock, BHs off, by one task.
 */
#ifndef IPFI_COPIES_H
#define IPFI_COPIES_H

#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/table/expect.h"
#include "module/table/state.h"
#include "module/table/table.h"

struct ipfi_copy {
	struct ipfi_state_ext ext;  /* used as far as its flow says */
	struct ipfi_control control;  /* that wide points to, if it has one */
	struct ipfi_master master;    /* that control points to */
	struct ipfi_control *watched; /* the control connection itself; NULL: made */
	const struct ipfi_state *of;  /* the state that it is a copy of; only compared. NULL: made */
	struct ipfi_flow before;      /* its flow, as it was */
	u64 id;                       /* of that state, 0: made */
	bool used;
	bool ended;                   /* for this cause: */
	u8 cause;                     /* enum ipfi_cause */
};

struct ipfi_copies {
	struct ipfi_net *in;
	struct ipfi_gone gone;
	struct ipfi_copy *last; /* that was found or made, NULL for none */
	struct ipfi_copy copy[IPFI_COPIES];
};

/* Of a live state: only what is found is copied. */
void ipfi_copies_begin(struct ipfi_copies *copies, struct ipfi_net *in);

/* Gives back what made ones hold. */
void ipfi_copies_end(struct ipfi_copies *copies);

/*
 * The same as ipfi_table_find() with @key and @found, whose result, locked, is @state: a copy, locked; or one that was
 * made; or NULL. @state is unlocked.
 */
struct ipfi_state *ipfi_copies_find(struct ipfi_copies *copies, const struct ipfi_key *key, u8 found,
				    struct ipfi_state *state);

/* The copy that @state, which was found or made here, is. */
static inline struct ipfi_copy *ipfi_copy_of(struct ipfi_state *state)
{
	return container_of(state, struct ipfi_copy, ext.state);
}

/* How many live states of @rule, 0: of all, the source of @tuple has without those that are gone. */
u32 ipfi_copies_sources(const struct ipfi_copies *copies, u64 rule, const struct ipfi_tuple *tuple);

/* Each as the function of table.h with that name. */
struct ipfi_state *ipfi_copies_prepare(struct ipfi_copies *copies, const struct ipfi_packet *packet,
				       const struct ipfi_opening *opening, u8 *reason);
struct ipfi_state_ext *ipfi_copies_prepare_unconfirmed(struct ipfi_copies *copies, const struct ipfi_key *near, u8 *reason);
int ipfi_copies_insert(struct ipfi_copies *copies, struct ipfi_state *state, u8 found);
int ipfi_copies_insert_nat_key(struct ipfi_copies *copies, struct ipfi_state_ext *ext, struct ipfi_nat_key *alias,
			     const struct ipfi_tuple *tuple);
int ipfi_copies_confirm(struct ipfi_copies *copies, struct ipfi_state *state, const struct ipfi_packet *packet,
		       const struct ipfi_opening *opening, u8 *reason);
void ipfi_copies_discard(struct ipfi_copies *copies, struct ipfi_state *state);
void ipfi_copies_remove(struct ipfi_copies *copies, struct ipfi_state *state, enum ipfi_cause cause);

#endif /* IPFI_COPIES_H */
