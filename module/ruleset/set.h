/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dynamic set: addresses and networks of both families under a name, which come and go without a commit. Rules
 * ask whether an address is a member. A member may have a deadline.
 *
 * Life-cycle: a rule set that declares a set holds it from its begin (ipfi_set_hold), so that its rules can point
 * at it. When the last one that holds it is given up (ipfi_set_leave) nobody finds the set by its name any more;
 * it is freed with its last reference, which that rule set has until its grace period is over. Netlink and the
 * expiry worker hold a reference for as long as they work on one.
 *
 * Synchronization: packets ask under RCU, without a lock. Members change under in->mutex; the names are guarded
 * by a spinlock, because a rule set may be given up by who must not wait for that mutex (genl_transaction.h).
 * Lock order: in->mutex, then the spinlock.
 */
#ifndef IPFI_SET_H
#define IPFI_SET_H

#include <linux/bitmap.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/ruleset/network.h"

/* One to be added. */
struct ipfi_new_element {
	struct ipfi_network network;
	u32 timeout; /* milliseconds, 0 for ever */
};

struct ipfi_set {
	/* What packets read. */
	struct rhashtable hash; /* struct ipfi_member by network */
	struct {
		DECLARE_BITMAP(used, IPFI_PREFIX_LENGTHS); /* lengths that members have */
		u32 members[IPFI_PREFIX_LENGTHS];          /* so many each */
	} lengths[2]; /* IPv4, IPv6 */

	/* Under in->mutex. */
	struct rb_root order;          /* the members by their networks, for dumps */
	struct rb_root_cached due;     /* those with a deadline by that */
	u32 count;
	u32 changes;                   /* members that came or went; wraps */
	bool counted;                  /* ipfi_memory_take() of it and its members */

	struct ipfi_net *in;           /* of a set that has a name to be found by */
	struct rb_node by_name;        /* in in->sets, under its lock */
	u32 holders;                   /* rule sets that declare it, under the same */
	refcount_t references;
	char name[IPFI_SET_NAME_LEN + 1];
};

struct ipfi_member {
	struct rhash_head node;
	struct ipfi_network network;
	atomic64_t deadline; /* jiffies64, or IPFI_SET_FOR_EVER */
	struct rb_node order;
	union {
		struct rb_node due;  /* while it is a member and has a deadline */
		struct rcu_head rcu; /* afterwards */
	};
};

#define IPFI_SET_FOR_EVER S64_MAX

void ipfi_sets_init(struct ipfi_net *in);

/* An empty set with one reference, not yet to be found by its name; NULL without memory. Sleeps. */
struct ipfi_set *ipfi_set_alloc(struct ipfi_net *in, const char *name);

/*
 * The set of that name with a reference, made empty when it is not there, held by one rule set more; NULL without
 * memory. Sleeps.
 */
struct ipfi_set *ipfi_set_hold(struct ipfi_net *in, const char *name);

/* One rule set less holds it. The reference stays. */
void ipfi_set_leave(struct ipfi_set *set);

/*
 * The set of that name, or for ipfi_set_next() the first whose name comes behind it ("" for the first of all),
 * with a reference; NULL for none.
 */
struct ipfi_set *ipfi_set_get(struct ipfi_net *in, const char *name);
struct ipfi_set *ipfi_set_next(struct ipfi_net *in, const char *name);

/* Gives a reference back. The last one frees the set: no packet may have it any more. Sleeps. */
void ipfi_set_put(struct ipfi_set *set);

/*
 * Is the address in a network that is a member? Under RCU. One look into the hash table for each prefix length
 * that members of that family have, so one for a set of addresses.
 */
bool ipfi_set_has(struct ipfi_set *set, u8 family, const struct ipfi_addr *addr);

/*
 * Adds all of @elements or, when it fails, none. One that is a member gets the new time-out. *@added is the
 * number of those that were no members. -ENOSPC: more than IPFI_SET_MEMBERS_MAX; -ENOMEM. Holds in->mutex.
 */
int ipfi_set_add(struct ipfi_set *set, const struct ipfi_new_element *elements, u32 count, u32 *added);

/* Removes those of @networks that are members; returns how many were. Holds in->mutex. */
u32 ipfi_set_remove(struct ipfi_set *set, const struct ipfi_network *networks, u32 count);

/* Removes all members; returns how many were. Holds in->mutex. */
u32 ipfi_set_clear(struct ipfi_set *set);

/* The first member behind @network in their order (NULL: the first of all), or NULL. Holds in->mutex. */
const struct ipfi_member *ipfi_set_member_behind(const struct ipfi_set *set, const struct ipfi_network *network);

/*
 * The longest member that contains @network, which may be that itself, or NULL. Holds in->mutex.
 * ipfi_network_widen() takes a bit off the prefix, which has one, to go on with.
 */
const struct ipfi_member *ipfi_set_member_around(struct ipfi_set *set, const struct ipfi_network *network);
void ipfi_network_widen(struct ipfi_network *network);

/* Removes at most @most members whose deadline is past; returns how many. Holds in->mutex. */
u32 ipfi_set_expire(struct ipfi_set *set, u32 most);

/* Milliseconds until the member's deadline, 0 when it is past, -1 when it has none. */
s64 ipfi_member_left(const struct ipfi_member *member);

#endif /* IPFI_SET_H */
