// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/net.h"
#include "module/table/sweep.h"
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
		ipfi_walk_breathe(&walk);
	}
	ipfi_walk_pause(&walk);
	return removed;
}

static enum ipfi_sweep count_state(struct ipfi_net *in, struct ipfi_state *state, void *arg)
{
	const struct ipfi_ruleset *rs = arg;
	bool by_source = in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE] &&
			 !(state->flow.table & IPFI_TABLE_COUNTED_SOURCE);
	bool by_rule = false;
	u32 i;

	if (ipfi_state_hidden(state))
		return IPFI_SWEEP_LEAVE;
	if (rs && rs->per_source && !(state->flow.table & IPFI_TABLE_COUNTED_RULE))
		for (i = 0; i < rs->count && !by_rule; i++)
			by_rule = rs->rules[i].per_source && rs->rules[i].id == state->flow.rule;
	ipfi_sources_take_state(in, state, by_source ? U32_MAX : 0, by_rule ? U32_MAX : 0);
	return IPFI_SWEEP_LEAVE;
}

void ipfi_table_recount(struct ipfi_net *in, struct ipfi_ruleset *rs)
{
	ipfi_table_sweep(in, count_state, rs, IPFI_CAUSE_UNSPEC);
}
