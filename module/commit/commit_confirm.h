/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit that waits to be confirmed: the rule set before it is kept, and comes back by itself when nobody confirms
 * in time. It belongs to the namespace, not to the socket that committed: whatever happens to the shell, the deadline
 * holds. One at a time.
 */
#ifndef IPFI_CONFIRM_H
#define IPFI_CONFIRM_H

#include <linux/ipfi.h>
#include <linux/ratelimit_types.h>
#include <linux/workqueue.h>

struct ipfi_net;
struct ipfi_ruleset;

void ipfi_commit_confirm_init(struct ipfi_net *in);
void ipfi_commit_confirm_exit(struct ipfi_net *in);

/*
 * As ipfi_commit(), and lets the rule set and the limits in force come back after @seconds. None may wait
 * already. Holds in->mutex. Sleeps.
 */
int ipfi_commit_confirm_publish(struct ipfi_net *in, struct ipfi_ruleset *rs, enum ipfi_commit_states states, u32 seconds);

/* The running rule set stays. One waits. Holds in->mutex. */
void ipfi_commit_confirm_accept(struct ipfi_net *in);

/* What was before comes back now. One waits. Holds in->mutex. Sleeps. */
void ipfi_commit_confirm_roll_back(struct ipfi_net *in);

/* Milliseconds until it comes back by itself; false when none waits. May be asked without in->mutex. */
bool ipfi_commit_confirm_left(const struct ipfi_net *in, u32 *milliseconds);

#endif /* IPFI_CONFIRM_H */
