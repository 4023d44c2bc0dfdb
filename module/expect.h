/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations: connections that a helper has heard announced, and lets in when they come. Each is met once, by a
 * packet with exactly its addresses, protocol and destination port, or is forgotten: after IPFI_EXPECT_TIMEOUT,
 * or with the control connection that announced it.
 */
#ifndef IPFI_EXPECT_H
#define IPFI_EXPECT_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include "core/flow.h"

struct ipfi_net;

#define IPFI_EXPECT_TIMEOUT 30 /* seconds */
#define IPFI_EXPECT_MOST 8     /* of one control connection */
#define IPFI_EXPECT_BUCKETS 256

/* What is to be known of a control connection when it is gone: shared by all that it announced. */
struct ipfi_master {
	refcount_t references;
	u64 id;                 /* ipfi_state_id() */
	struct ipfi_flow first; /* as it was when it announced: its data connections are judged again by this */
	struct rcu_head rcu;
};

/* TCP. Addresses and port as the connection will arrive. */
struct ipfi_expectation {
	struct hlist_node node;        /* of its bucket */
	struct list_head by_deadline;  /* all have the same time, so the list is in order */
	struct list_head of_control;
	struct ipfi_control *control;  /* that announced it */
	struct ipfi_master *master;
	u32 deadline;                  /* low word of jiffies */
	u8 family;
	bool dst_translated, src_translated, masqueraded;
	u16 dport, real_dport;
	struct ipfi_addr src, dst;
	struct ipfi_addr real_dst;     /* with real_dport: where it goes to */
	struct ipfi_addr leaving_src;  /* what its source is translated to, if src_translated */
	struct rcu_head rcu;
};

struct ipfi_expectations {
	spinlock_t lock;
	atomic_t count;
	struct list_head by_deadline;
	struct hlist_head buckets[IPFI_EXPECT_BUCKETS];
	u32 seed;
};

void ipfi_expect_init(struct ipfi_net *in);

/* Nobody expects anything any more. */
void ipfi_expect_exit(struct ipfi_net *in);

/*
 * Adds @expectation, announced by @control, and owns it when 0 is returned. -EADDRINUSE: another control
 * connection expects the same; -ENOSPC: @control expects as many as it may. What it has announced before and
 * announces again is replaced. BHs off, the control connection's state is locked.
 */
int ipfi_expect_add(struct ipfi_net *in, struct ipfi_control *control, struct ipfi_expectation *expectation);

/*
 * Takes away the expectation that a connection with @tuple, as it arrives, meets; NULL for none.
 * @dst_translated: one whose destination is translated, or one whose is not. It is the caller's then. BHs off.
 */
struct ipfi_expectation *ipfi_expect_take(struct ipfi_net *in, const struct ipfi_tuple *tuple, bool dst_translated);

/*
 * As ipfi_expect_take(), but takes nothing: *copy is as the one that would be taken, or false. Its master is
 * there until RCU is left. Under RCU.
 */
bool ipfi_expect_look(struct ipfi_net *in, const struct ipfi_tuple *tuple, bool dst_translated,
		      struct ipfi_expectation *copy);

/* Frees one that was taken, or was never added; its master stays if it has other users. */
void ipfi_expect_free(struct ipfi_expectation *expectation);

/* Forgets what @control has announced last. BHs off. */
void ipfi_expect_withdraw(struct ipfi_net *in, struct ipfi_control *control);

/* Forgets all that @control has announced. BHs off. */
void ipfi_expect_forget(struct ipfi_net *in, struct ipfi_control *control);

/* Forgets those whose time is over. For the expiry worker. */
void ipfi_expect_expire(struct ipfi_net *in);

static inline struct ipfi_master *ipfi_master_get(struct ipfi_master *master)
{
	refcount_inc(&master->references);
	return master;
}

/* @master may be NULL. */
void ipfi_master_put(struct ipfi_master *master);

#endif /* IPFI_EXPECT_H */
