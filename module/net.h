/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network namespace has of ipfi. */
#ifndef IPFI_NET_H
#define IPFI_NET_H

#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "module/ruleset/changes.h"
#include "module/commit/commit_confirm.h"
#include "module/core/decide.h"
#include "module/packet/drops.h"
#include "module/table/expect.h"
#include "module/ruleset/interface.h"
#include "module/table/mapping.h"
#include "module/memory.h"
#include "module/ruleset/ruleset.h"
#include "module/ruleset/set.h"
#include "module/table/sources.h"
#include "module/table/table.h"
#include "module/packet/vrf.h"

/* A CPU's own counters. */
struct ipfi_counters {
	u64 reason[IPFI_REASON_MAX + 1];
	u64 created, evicted, expired; /* states */
	u64 drops_missed;              /* dropped, and not recorded: drops.h */
};

struct ipfi_net {
	struct net *net;
	struct ipfi_memory memory;
	struct ipfi_ruleset __rcu *ruleset; /* NULL until armed; written under mutex */
	struct ipfi_counters __percpu *counters;
	struct ipfi_limits limits; /* written under mutex, read by packets word by word */
	struct ipfi_table table;
	struct ipfi_sources sources;
	struct ipfi_sets sets;
	struct ipfi_changes changes;
	struct ipfi_interface_names interface_names;
	struct ipfi_expectations expectations;
	struct ipfi_mappings mappings;
	struct ipfi_vrfs vrfs;
	struct ipfi_confirmation confirmation;
	struct ipfi_drops drops;
	struct {
		bool active; /* the hooks are there; written under mutex */
		u32 secret;  /* of the choice of ports */
		struct ratelimit_state full_said;
	} nat;

	struct mutex mutex; /* rule set, transactions, limits, arming, members of sets */
	struct list_head transactions;
	u32 generation; /* the last one given away */
	u32 judgement;  /* likewise: judgement.h */
	bool armed;
	struct ratelimit_state full_said; /* the syslog line about a full table */
	struct ratelimit_state refusals_said; /* those about what a helper does not believe */
};

extern unsigned int ipfi_net_id;
extern struct workqueue_struct *ipfi_workqueue;

static inline struct ipfi_net *ipfi_net(const struct net *net)
{
	return net_generic(net, ipfi_net_id);
}

/* Registers the hooks and starts expiry, once (module parameter closed: when the namespace is made); -errno leaves all as it was. Holds in->mutex. */
int ipfi_net_arm(struct ipfi_net *in);

/*
 * The most states that @in may have: its own limit, but never more than the first namespace's, which may be lowered
 * after another one has set its own. What was set counts again when there is room for it.
 */
static inline u32 ipfi_net_max_states(const struct ipfi_net *in)
{
	u32 most = READ_ONCE(in->limits.value[IPFI_LIMIT_MAX_STATES]);

	if (likely(!in->memory.counted))
		return most;
	return min(most, READ_ONCE(ipfi_net(&init_net)->limits.value[IPFI_LIMIT_MAX_STATES]));
}

/*
 * Sets the limits that @set (a mask of 1 << enum ipfi_limit) names from @limits, whose values are in range.
 * Holds in->mutex. Sleeps.
 */
void ipfi_net_set_limits(struct ipfi_net *in, const struct ipfi_limits *limits, u32 set);

/* Returns 0, or the number of the limit of those that @set names that @in may not have. */
int ipfi_net_check_limits(const struct ipfi_net *in, const struct ipfi_limits *limits, u32 set);

int ipfi_net_init(void);
void ipfi_net_exit(void);

#endif /* IPFI_NET_H */
