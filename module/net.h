/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network namespace has of ipfi. */
#ifndef IPFI_NET_H
#define IPFI_NET_H

#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "confirm.h"
#include "core/decide.h"
#include "drops.h"
#include "expect.h"
#include "mapping.h"
#include "ruleset.h"
#include "set.h"
#include "sources.h"
#include "table.h"

/* A CPU's own counters. */
struct ipfi_counters {
	u64 reason[IPFI_REASON_MAX + 1];
	u64 created, evicted, expired; /* states */
	u64 drops_missed;              /* dropped, and not recorded: drops.h */
};

struct ipfi_net {
	struct net *net;
	struct ipfi_ruleset __rcu *ruleset; /* NULL until armed; written under mutex */
	struct ipfi_counters __percpu *counters;
	struct ipfi_limits limits; /* written under mutex, read by packets word by word */
	struct ipfi_table table;
	struct ipfi_sources sources;
	struct ipfi_sets sets;
	struct ipfi_expectations expectations;
	struct ipfi_mappings mappings;
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
 * Sets the limits that @set (a mask of 1 << enum ipfi_limit) names from @limits, whose values are in range.
 * Holds in->mutex. Sleeps.
 */
void ipfi_net_set_limits(struct ipfi_net *in, const struct ipfi_limits *limits, u32 set);

int ipfi_net_init(void);
void ipfi_net_exit(void);

#endif /* IPFI_NET_H */
