// SPDX-License-Identifier: GPL-2.0-or-later
#define pr_fmt(fmt) "ipfi: " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include "module/netlink/family.h"
#include "module/filter/hook.h"
#include "module/nat/translate.h"
#include "module/net.h"
#include "module/table/sweep.h"

/*
 * One state in so much memory, were all of them extended (ipfi_state_size()) and in the hash table three times, and the
 * share of memory that the table may take by default. A watched control connection has some 3 KiB more.
 */
#define MEMORY_PER_STATE 512
#define MEMORY_SHARE 32

unsigned int ipfi_net_id __read_mostly;

static bool closed;
module_param(closed, bool, 0444);
MODULE_PARM_DESC(closed, "start with everything but loopback denied (default: every packet passes until the first commit)");

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

static void default_limits(struct ipfi_limits *limits)
{
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

int ipfi_net_arm(struct ipfi_net *in)
{
	int err;

	if (in->armed)
		return 0;
	err = ipfi_expiry_start(in);
	if (!err)
		err = ipfi_drops_start(in);
	if (!err)
		err = ipfi_hooks_register(in->net);
	if (!err)
		in->armed = true;
	return err;
}

void ipfi_net_set_limits(struct ipfi_net *in, const struct ipfi_limits *limits, u32 set)
{
	bool counted = in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE];
	unsigned int id;

	for (id = 1; id <= IPFI_LIMIT_MAX; id++)
		if (set & 1U << id)
			WRITE_ONCE(in->limits.value[id], limits->value[id]);
	if (!counted && in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE])
		ipfi_table_recount(in, rcu_dereference_protected(in->ruleset, lockdep_is_held(&in->mutex)));
}

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
	ipfi_interface_names_init(in);
	ipfi_confirm_init(in);
	ipfi_drops_init(in);
	ipfi_vrfs_init(in);
	ratelimit_state_init(&in->full_said, 5 * HZ, 1);
	ratelimit_set_flags(&in->full_said, RATELIMIT_MSG_ON_RELEASE);
	ratelimit_state_init(&in->refusals_said, 5 * HZ, 10);
	ratelimit_set_flags(&in->refusals_said, RATELIMIT_MSG_ON_RELEASE);
	default_limits(&in->limits);
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
	err = ipfi_ruleset_publish(in, rs, IPFI_COMMIT_RECHECK);
	mutex_unlock(&in->mutex);
	if (!err)
		return 0;
	ipfi_ruleset_put(rs);
exit_table:
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

	ipfi_genl_net_exit(in);
	ipfi_confirm_exit(in);
	ipfi_interface_names_exit(in);
	ipfi_sets_exit(in);
	ipfi_changes_exit(in);
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

int __init ipfi_net_init(void)
{
	return register_pernet_subsys(&net_operations);
}

void ipfi_net_exit(void)
{
	unregister_pernet_subsys(&net_operations);
}
