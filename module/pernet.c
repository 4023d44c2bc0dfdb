// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/module.h>
#include <linux/ratelimit.h>
#include "module/commit/commit.h"
#include "module/commit/commit_confirm.h"
#include "module/commit/limits.h"
#include "module/filter/hook.h"
#include "module/memory.h"
#include "module/nat/hooks.h"
#include "module/net.h"
#include "module/netlink/transaction.h"
#include "module/packet/drops.h"
#include "module/packet/vrf.h"
#include "module/pernet.h"
#include "module/ruleset/changes.h"
#include "module/ruleset/interface.h"
#include "module/ruleset/ruleset.h"
#include "module/ruleset/set.h"
#include "module/ruleset/set_expiry.h"
#include "module/table/expect.h"
#include "module/table/gc.h"
#include "module/table/sources.h"
#include "module/table/table.h"

static bool closed;
module_param(closed, bool, 0444);
MODULE_PARM_DESC(closed, "start with everything but loopback denied (default: every packet passes until the first commit)");

static int __net_init init_net_namespace(struct net *net)
{
	struct ipfi_net *in = ipfi_net(net);
	struct ipfi_ruleset *rs;
	int err;

	in->net = net;
	ipfi_memory_begin(in);
	mutex_init(&in->mutex);
	INIT_LIST_HEAD(&in->transactions);
	ipfi_sets_init(in);
	ipfi_set_expiry_init(in);
	ipfi_interface_names_init(in);
	ipfi_commit_confirm_init(in);
	ipfi_drops_init(in);
	ipfi_gc_init(in);
	ipfi_vrfs_init(in);
	ratelimit_state_init(&in->full_logged, 5 * HZ, 1);
	ratelimit_set_flags(&in->full_logged, RATELIMIT_MSG_ON_RELEASE);
	ratelimit_state_init(&in->helper_errors_logged, 5 * HZ, 10);
	ratelimit_set_flags(&in->helper_errors_logged, RATELIMIT_MSG_ON_RELEASE);
	ipfi_net_default_limits(in);
	in->counters = alloc_percpu_gfp(struct ipfi_counters, GFP_KERNEL_ACCOUNT);
	if (!in->counters)
		return -ENOMEM;
	err = ipfi_sources_init(in);
	if (err)
		goto free_counters;
	err = ipfi_nat_init(in);
	if (err)
		goto exit_sources;
	err = ipfi_expect_init(in);
	if (err)
		goto exit_nat;
	err = ipfi_table_init(in);
	if (err)
		goto exit_expectations;
	if (!closed)
		return 0;

	rs = ipfi_ruleset_closed(in);
	err = -ENOMEM;
	if (!rs)
		goto exit_table;
	mutex_lock(&in->mutex);
	err = ipfi_commit(in, rs, IPFI_COMMIT_RECHECK);
	mutex_unlock(&in->mutex);
	if (!err)
		return 0;
	ipfi_ruleset_put(rs);
exit_table:
	ipfi_gc_exit(in);
	ipfi_table_exit(in);
	ipfi_drops_exit(in);
exit_expectations:
	ipfi_expect_exit(in);
exit_nat:
	ipfi_nat_exit(in);
exit_sources:
	ipfi_sources_exit(in);
free_counters:
	free_percpu(in->counters);
	return err;
}

/* No packet may come in any more before what they use is freed. */
static void __net_exit stop_net_namespace(struct net *net)
{
	struct ipfi_net *in = ipfi_net(net);

	mutex_lock(&in->mutex);
	ipfi_nat_unregister(in);
	mutex_unlock(&in->mutex);
	if (in->armed)
		ipfi_hooks_unregister(net);
}

static void __net_exit exit_net_namespace(struct net *net)
{
	struct ipfi_net *in = ipfi_net(net);

	ipfi_transactions_end(in);
	ipfi_commit_confirm_exit(in);
	ipfi_interface_names_exit(in);
	ipfi_set_expiry_exit(in);
	ipfi_changes_exit(in);
	ipfi_gc_exit(in);
	ipfi_table_exit(in);
	ipfi_expect_exit(in);
	ipfi_nat_exit(in);
	ipfi_sources_exit(in);
	ipfi_ruleset_put(rcu_dereference_protected(in->ruleset, 1));
	ipfi_drops_exit(in);
	free_percpu(in->counters);
	ipfi_memory_end(in);
}

/* Between pre_exit and exit the kernel waits for a grace period: one for all namespaces that go together. */
static struct pernet_operations net_operations = {
	.init = init_net_namespace,
	.pre_exit = stop_net_namespace,
	.exit = exit_net_namespace,
	.id = &ipfi_net_id,
	.size = sizeof(struct ipfi_net),
};

int __init ipfi_pernet_init(void)
{
	return register_pernet_subsys(&net_operations);
}

void ipfi_pernet_exit(void)
{
	unregister_pernet_subsys(&net_operations);
}
