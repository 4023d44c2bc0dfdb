// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/commit/commit.h"
#include "module/commit/limits.h"
#include "module/filter/hook.h"
#include "module/nat/hooks.h"
#include "module/net.h"
#include "module/packet/drops.h"
#include "module/packet/log.h"
#include "module/ruleset/generation.h"
#include "module/ruleset/ruleset.h"
#include "module/table/gc.h"
#include "module/table/sweep.h"

/* Registers the hooks and starts what works behind them, once; -errno leaves all as it was. */
static int arm(struct ipfi_net *in)
{
	int err;

	if (in->armed)
		return 0;
	err = ipfi_gc_start(in);
	if (!err)
		err = ipfi_drops_start(in);
	if (!err)
		err = ipfi_hooks_register(in->net);
	if (!err)
		in->armed = true;
	return err;
}

/* From here on packets are judged by @rs. */
static void activate(struct ipfi_net *in, struct ipfi_ruleset *rs, const struct ipfi_ruleset *old, bool keep)
{
	rs->generation = ++in->generation;
	ipfi_generations_begin(in, &rs->generations, old ? &old->generations : NULL, rs->generation, keep);
	rcu_assign_pointer(in->ruleset, rs);
}

static void flush(struct ipfi_net *in)
{
	/* No packet may still be adding a state that the old rules allowed. */
	synchronize_net();
	ipfi_table_flush(in);
}

int ipfi_commit(struct ipfi_net *in, struct ipfi_ruleset *rs, enum ipfi_commit_states states)
{
	struct ipfi_ruleset *old = ipfi_ruleset_running(in);
	int err;

	err = ipfi_ruleset_prepare(rs);
	if (err)
		return err;
	if (rs->logs)
		ipfi_log_load(in);
	err = arm(in);
	if (!err)
		err = ipfi_nat_start(in, rs);
	if (err)
		return err;
	activate(in, rs, old, states == IPFI_COMMIT_KEEP);
	ipfi_net_set_limits(in, &rs->limits, rs->limits_set);
	if (states == IPFI_COMMIT_FLUSH)
		flush(in);
	if (rs->per_source)
		ipfi_net_recount(in, rs);
	ipfi_ruleset_put(old);
	return 0;
}

void ipfi_commit_restore(struct ipfi_net *in, struct ipfi_ruleset *rs)
{
	struct ipfi_ruleset *old = ipfi_ruleset_running(in);

	if (rs) {
		/* Packets may still be judged by it, from when it was in force: its numbers are about to change. */
		synchronize_rcu();
		activate(in, rs, old, false);
		if (rs->per_source)
			ipfi_net_recount(in, rs);
	} else {
		RCU_INIT_POINTER(in->ruleset, NULL);
		flush(in);
	}
	ipfi_ruleset_put(old);
}
