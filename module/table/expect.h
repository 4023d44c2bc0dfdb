/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations: connections that a helper has heard announced, and lets in when they come. Each is met by a SYN with
 * exactly its addresses and destination port, and taken once the connection has its state: whatever makes none leaves
 * it. Or it is forgotten: after IPFI_EXPECT_TIMEOUT, or with the control connection that announced it, or as the oldest
 * of the namespace when there are too many.
 *
 * Who finds one under RCU may read all of it but its lists; of two that take it, one gets true.
 */
#ifndef IPFI_EXPECT_H
#define IPFI_EXPECT_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include "module/core/flow.h"
#include "module/core/ftp.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/sequence.h"
#include "module/core/tuple.h"

struct ipfi_net;

#define IPFI_EXPECT_TIMEOUT 30 /* seconds */
#define IPFI_EXPECT_MAX 8     /* of one control connection */
#define IPFI_EXPECT_ALL 4096   /* of a namespace: then the oldest makes way */

/* What is to be known of a control connection when it is gone: shared by all that it announced. */
struct ipfi_master {
	refcount_t references;
	u64 id;                 /* ipfi_state_id() */
	struct ipfi_flow first; /* as it was when it announced: its data connections are judged again by this */
	struct rcu_head rcu;
};

/* By what a connection is found to be expected: as it will arrive. All bytes are defined. */
struct ipfi_expect_key {
	struct ipfi_addr src, dst;
	u16 dport;
	u8 family;
	u8 vrf; /* that its opener is in */
};

static_assert(sizeof(struct ipfi_expect_key) == 36, "ipfi_expect_key has no padding");

/* TCP. */
struct ipfi_expectation {
	struct rhash_head node;
	struct ipfi_expect_key key;
	u64 number;                    /* in the order in which they were added */
	struct list_head by_deadline;  /* all have the same time, so the list is in order */
	struct list_head of_control;   /* empty when it was taken or forgotten */
	struct ipfi_control *control;  /* that announced it */
	struct ipfi_master *master;
	u32 deadline;                  /* low word of jiffies */
	bool dst_translated, src_translated, masqueraded;
	u16 real_dport;
	struct ipfi_addr real_dst;     /* with real_dport: where it goes to */
	struct ipfi_addr leaving_src;  /* what its source is translated to, if src_translated */
	struct rcu_head rcu;
};

/* Of a control connection; all under its state's lock, but for what the expectations' lock guards. */
struct ipfi_control {
	struct ipfi_master *master;
	struct list_head expected;   /* expectations, under their lock */
	unsigned int expected_count; /* under the same */
	bool foreign; /* its rule says ftp_foreign */
	bool stopped; /* its rule has no helper any more: edits go on, announcements do not */
	struct ipfi_ftp ftp;
	struct ipfi_seqadj sequences[2]; /* by who sends, enum ipfi_direction */
};

/* 0 or -ENOMEM. */
int ipfi_expect_init(struct ipfi_net *in);

/* Nobody expects anything any more. */
void ipfi_expect_exit(struct ipfi_net *in);

/*
 * Adds @expectation, announced by @control, and owns it when 0 is returned. -EADDRINUSE: another control
 * connection expects the same; -ENOSPC: @control expects as many as it may, or there is no memory. What it has
 * announced before and announces again is replaced. BHs off, the control connection's state is locked.
 */
int ipfi_expect_add(struct ipfi_net *in, struct ipfi_control *control, struct ipfi_expectation *expectation);

/*
 * What ipfi_expect_add() would return for @copy, a copy of @control (NULL: of one that is made only in question);
 * nothing is added, but that the copy has one more. Under RCU.
 */
int ipfi_expect_would_add(struct ipfi_net *in, const struct ipfi_control *control, struct ipfi_control *copy,
			  const struct ipfi_expectation *expectation);

/*
 * The expectation that @packet, as it arrives, meets, NULL for none: it must be a SYN alone. @dst_translated: one whose
 * destination is translated, or one whose is not. It is there until RCU is left, taken by others or not.
 */
const struct ipfi_expectation *ipfi_expect_find(struct ipfi_net *in, const struct ipfi_packet *packet,
						bool dst_translated);

/*
 * The connection that @expectation, found under the same RCU, was about has its state, or cannot have one: it is
 * expected no more. False: somebody was faster. BHs off.
 */
bool ipfi_expect_take(struct ipfi_net *in, const struct ipfi_expectation *expectation);

/*
 * The same for the one by which the connection with @tuple, as it arrived, had its destination translated, if @master
 * announced it.
 */
bool ipfi_expect_take_translated(struct ipfi_net *in, const struct ipfi_tuple *tuple,
				 const struct ipfi_master *master);

/* Frees one that was never added; its master stays if it has other users. */
void ipfi_expect_free(struct ipfi_expectation *expectation);

/* Forgets all that @control has announced. BHs off. */
void ipfi_expect_forget(struct ipfi_net *in, struct ipfi_control *control);

/* Forgets those whose time is over. For the expiry worker. */
void ipfi_expect_expire(struct ipfi_net *in);

static inline struct ipfi_master *ipfi_master_get(struct ipfi_master *master)
{
	refcount_inc(&master->references);
	return master;
}

/* The same of one that was found under RCU; NULL when nobody uses it any more. */
static inline struct ipfi_master *ipfi_master_get_live(struct ipfi_master *master)
{
	return refcount_inc_not_zero(&master->references) ? master : NULL;
}

/* @master may be NULL. */
void ipfi_master_put(struct ipfi_master *master);

/*
 * An ICMP error that arrives quotes a segment of @direction as it has left: what its number is to its sender, who is to
 * read of it.
 */
u32 ipfi_control_quoted_seq(const struct ipfi_control *control, enum ipfi_direction direction, u32 seq);

/* Its state leaves the table; @control may be NULL. */
void ipfi_control_end(struct ipfi_net *in, struct ipfi_control *control);

/* Nobody can see it any more; @control may be NULL. */
void ipfi_control_free(struct ipfi_net *in, struct ipfi_control *control);

#endif /* IPFI_EXPECT_H */
