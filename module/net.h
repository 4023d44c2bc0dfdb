/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a network namespace has of ipfi: its layout, for all to know, as net/netns/conntrack.h is nf_conntrack's. Each
 * part belongs to the file named beside it, where its functions are.
 */
#ifndef IPFI_NET_H
#define IPFI_NET_H

#include <linux/ipv6.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <linux/rbtree.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "module/core/flow.h"
#include "module/core/platform.h"

struct ipfi_drop;
struct ipfi_ruleset;
struct ipfi_wheel_shard;
struct mem_cgroup;

/* memory.c */
struct ipfi_memory {
	bool counted;             /* it is not the first */
	struct mem_cgroup *payer; /* for what packets make; NULL: nobody. Written once, under in->mutex */
};

/* A CPU's own counters. */
struct ipfi_counters {
	u64 reason[IPFI_REASON_MAX + 1];
	u64 created, evicted, expired; /* states */
	u64 drops_missed;              /* dropped, and not recorded: packet/drops.c */
};

/* table/wheel.c, and table/gc.c, which turns it */
struct ipfi_wheel {
	struct ipfi_wheel_shard **shards;
	unsigned int shard_mask;
	u32 turned; /* as the shards', for the worker alone */
	struct llist_head dying;
	struct delayed_work work;
};

/* What an entry of the table is made for: the kinds differ in size. */
enum ipfi_state_kind {
	IPFI_STATE_KIND_IPV4,
	IPFI_STATE_KIND_IPV6,
	IPFI_STATE_KIND_EXT, /* of either family */
	IPFI_STATE_KINDS,
};

/* table/table.c */
struct ipfi_table {
	struct rhashtable hash;
	atomic_t count ____cacheline_aligned_in_smp; /* states in the table, tombstones too: what max_states limits */
	atomic_t dying;      /* those that have left it and are not yet freed */
	atomic_t peak;       /* of those that live */
	atomic_t tombstones;
	atomic_t translated; /* wide states with a translation, tombstones too */
	atomic_t of_kind[IPFI_STATE_KINDS]; /* dying ones too; those of IPv4 are the others */
	atomic_t controls;   /* control connections that are watched, likewise */
	struct ipfi_wheel wheel;
};

/* table/sources.c */
#define IPFI_SOURCES_LOCKS 64

struct ipfi_sources {
	struct rhashtable hash;
	spinlock_t locks[IPFI_SOURCES_LOCKS]; /* by hash of the key: counting is atomic with making and freeing */
	u32 seed;                             /* of that hash, secret: nobody picks sources that share a lock */
};

/* table/expect.c */
struct ipfi_expectations {
	spinlock_t lock;
	atomic_t count;
	u64 added;
	struct list_head by_deadline;
	struct rhashtable hash; /* by key; keyed with a seed of its own */
};

/* table/mapping.c */
struct ipfi_mappings {
	struct rhashtable hash;
	spinlock_t lock; /* finding, using and ending one are one step */
};

/* ruleset/set_names.c, and ruleset/set_expiry.c */
struct ipfi_sets {
	spinlock_t lock;
	struct rb_root by_name;
	struct delayed_work expiry;
};

/* ruleset/changes.c */
struct ipfi_changes {
	u32 *last;     /* the numbers, by hash; NULL while there is no set */
	u32 all;       /* of the last change that was about every state */
	u16 levels[2]; /* IPv4, IPv6: mask of 1 << length / IPFI_CHANGES_STEP of the networks that have changed */
};

/* ruleset/interface.c */
struct ipfi_interface_names {
	u32 most; /* the greatest index there has been; under RTNL */
	struct work_struct renew;
};

/* packet/vrf.c */
#define IPFI_VRFS_MAX 254

struct ipfi_vrfs {
	spinlock_t lock; /* giving and taking back numbers */
	u32 index[IPFI_VRFS_MAX + 1]; /* interface index by number, 0 for none */
};

/* packet/drops.c */
struct ipfi_drops {
	spinlock_t lock;
	struct ipfi_drop *ring; /* IPFI_DROPS_KEPT; NULL until armed */
	u64 written;            /* since then */
	u64 trace;               /* of the CPUs' missed, so many have been told with a record */
	unsigned long second;   /* jiffies when the running second began; read without the lock */
	u32 spent;              /* records in that second; likewise */
};

/* nat/hooks.c */
struct ipfi_nat {
	bool active; /* the hooks are there; written under in->mutex */
	u32 secret;  /* of the choice of ports */
	struct ratelimit_state full_logged;
	struct delayed_work idle;
};

/* commit/commit_confirm.c */
struct ipfi_commit_confirm {
	bool waits;             /* all of this is written under in->mutex */
	u8 change;              /* enum ipfi_change: what happened last */
	unsigned long deadline; /* jiffies */
	struct ipfi_ruleset *before; /* a reference; NULL when there was none */
	struct ipfi_limits limits;   /* as they were before */
	u32 limits_set;         /* those that the commit has set: mask of 1 << enum ipfi_limit */
	struct ratelimit_state said; /* the lines in the kernel's log */
	struct delayed_work work;
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
	struct ipfi_commit_confirm confirmation;
	struct ipfi_drops drops;
	struct ipfi_nat nat;

	struct mutex mutex; /* rule set, transactions, limits, arming, members of sets */
	struct list_head transactions;
	u32 generation; /* the last one given away */
	u32 evaluation; /* likewise: ruleset/generation.h */
	bool armed;
	struct ratelimit_state full_logged; /* the syslog line about a full table */
	struct ratelimit_state helper_errors_logged; /* those about what a helper does not believe */
};

extern unsigned int ipfi_net_id;
extern struct workqueue_struct *ipfi_workqueue;

static inline struct ipfi_net *ipfi_net(const struct net *net)
{
	return net_generic(net, ipfi_net_id);
}

/* The rule set in force, NULL before the first commit. Holds in->mutex. */
static inline struct ipfi_ruleset *ipfi_ruleset_running(struct ipfi_net *in)
{
	return rcu_dereference_protected(in->ruleset, lockdep_is_held(&in->mutex));
}

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
 * May lines about @in go to the system log? It is the first namespace's: others could write there what they like, and
 * fill it. As the kernel's own packet log: they may when net.netfilter.nf_log_all_netns is 1. Every line of the
 * module asks this; events go to listeners in the namespace whatever it says.
 */
bool ipfi_log_allowed(const struct ipfi_net *in);

/*
 * How many of @count hooks, the first half of them IPv4's and the second the same of IPv6, are registered: where IPv6 is
 * off (ipv6.disable=1) it has no addresses and no routes to look for, and the kernel's IPv6 receives nothing.
 */
static inline unsigned int ipfi_hooks_count(unsigned int count)
{
	return ipv6_mod_enabled() ? count : count / 2;
}

#endif /* IPFI_NET_H */
