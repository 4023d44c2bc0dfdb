// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>
#include <linux/module.h>
#include "module/commit/limits.h"
#include "module/core/flow.h"
#include "module/net.h"
#include "module/ruleset/ruleset.h"
#include "module/table/sources.h"
#include "module/table/state.h"
#include "module/table/sweep.h"

/*
 * One state in so much memory, were all of them extended (ipfi_state_size()) and in the hash table three times, and the
 * share of memory that the table may take by default. A watched control connection has some 3 KiB more.
 */
#define MEMORY_PER_STATE 512
#define MEMORY_SHARE 32

/* Module parameters for the defaults of the limits, by their names in Lua; max_states=0: by memory. */
static unsigned int defaults[IPFI_LIMIT_MAX + 1] = {
#define X(id, name, least, most, standard) [IPFI_LIMIT_##id] = standard,
	IPFI_LIMITS(X)
#undef X
};
#define X(id, name, least, most, standard)                                    \
	module_param_named(name, defaults[IPFI_LIMIT_##id], uint, 0444);       \
	MODULE_PARM_DESC(name, "default of this limit in every network namespace");
IPFI_LIMITS(X)
#undef X

void ipfi_net_default_limits(struct ipfi_net *in)
{
	struct ipfi_limits *limits = &in->limits;
	u64 by_memory = ((u64)totalram_pages() << PAGE_SHIFT) / MEMORY_SHARE / MEMORY_PER_STATE;
	unsigned int id;
	u32 least, most;

	ipfi_limits_init(limits);
	by_memory = clamp_t(u64, by_memory, limits->value[IPFI_LIMIT_MAX_STATES], S32_MAX);
	for (id = 1; id <= IPFI_LIMIT_MAX; id++) {
		ipfi_limit_range(id, &least, &most);
		limits->value[id] = clamp(defaults[id], least, most);
	}
	if (!defaults[IPFI_LIMIT_MAX_STATES])
		limits->value[IPFI_LIMIT_MAX_STATES] = by_memory;
}

int ipfi_net_check_limits(const struct ipfi_net *in, const struct ipfi_limits *limits, u32 set)
{
	const struct ipfi_limits *first = &ipfi_net(&init_net)->limits;

	if (!in->memory.counted || !(set & 1U << IPFI_LIMIT_MAX_STATES) ||
	    limits->value[IPFI_LIMIT_MAX_STATES] <= READ_ONCE(first->value[IPFI_LIMIT_MAX_STATES]))
		return 0;
	return IPFI_LIMIT_MAX_STATES;
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

void ipfi_net_recount(struct ipfi_net *in, struct ipfi_ruleset *rs)
{
	ipfi_table_sweep(in, count_state, rs, IPFI_CAUSE_UNSPEC);
}

void ipfi_net_set_limits(struct ipfi_net *in, const struct ipfi_limits *limits, u32 set)
{
	bool counted = in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE];
	unsigned int id;

	for (id = 1; id <= IPFI_LIMIT_MAX; id++)
		if (set & 1U << id)
			WRITE_ONCE(in->limits.value[id], limits->value[id]);
	if (!counted && in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE])
		ipfi_net_recount(in, ipfi_ruleset_running(in));
}
