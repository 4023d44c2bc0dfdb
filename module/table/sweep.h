/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sweeps: something done to every state of a table. */
#ifndef IPFI_SWEEP_H
#define IPFI_SWEEP_H

#include "module/table/state.h"

struct ipfi_net;

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

/* Removes every state. Sleeps. */
void ipfi_table_flush(struct ipfi_net *in);

#endif /* IPFI_SWEEP_H */
