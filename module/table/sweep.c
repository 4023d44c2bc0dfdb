// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/net.h"
#include "module/table/state.h"
#include "module/table/sweep.h"
#include "module/table/table.h"
#include "module/table/walk.h"

/* True when @state is gone. */
static bool sweep_state(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_sweep what, enum ipfi_cause cause)
{
	switch (what) {
	case IPFI_SWEEP_REMOVE:
		ipfi_table_remove(in, state, cause);
		return true;
	case IPFI_SWEEP_KILL:
		ipfi_table_kill(in, state);
		return true;
	case IPFI_SWEEP_LEAVE:
		break;
	}
	spin_unlock(&state->lock);
	return false;
}

u32 ipfi_table_sweep(struct ipfi_net *in,
		     enum ipfi_sweep (*visit)(struct ipfi_net *in, struct ipfi_state *state, void *arg),
		     void *arg, enum ipfi_cause cause)
{
	struct ipfi_state *state;
	struct rhash_head *pos;
	struct ipfi_walk walk;
	u32 removed = 0;

	ipfi_walk_start(&walk, in);
	ipfi_walk_resume(&walk);
	while (ipfi_walk_next(&walk)) {
		ipfi_walk_for_each(state, pos, &walk) {
			spin_lock_bh(&state->lock);
			if (state->flow.table & IPFI_TABLE_DEAD)
				spin_unlock(&state->lock);
			else
				removed += sweep_state(in, state, visit(in, state, arg), cause);
			local_bh_enable();
		}
		ipfi_walk_yield(&walk);
	}
	ipfi_walk_pause(&walk);
	return removed;
}

static enum ipfi_sweep remove_any(struct ipfi_net *in, struct ipfi_state *state, void *arg)
{
	return IPFI_SWEEP_REMOVE;
}

void ipfi_table_flush(struct ipfi_net *in)
{
	ipfi_table_sweep(in, remove_any, NULL, IPFI_CAUSE_FLUSHED);
}
