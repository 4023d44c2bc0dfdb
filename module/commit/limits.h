/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The limits of a network namespace: their defaults, what it may have, and what follows from another value. */
#ifndef IPFI_COMMIT_LIMITS_H
#define IPFI_COMMIT_LIMITS_H

#include "module/core/flow.h"
#include "module/net.h"
#include "module/ruleset/ruleset.h"

/* Sets all limits to the defaults that the module's parameters say. Of a namespace that begins. */
void ipfi_net_default_limits(struct ipfi_net *in);

/* Returns 0, or the number of the limit of those that @set names that @in may not have. */
int ipfi_net_check_limits(const struct ipfi_net *in, const struct ipfi_limits *limits, u32 set);

/*
 * Sets the limits that @set (a mask of 1 << enum ipfi_limit) names from @limits, whose values are in range.
 * Holds in->mutex. Sleeps.
 */
void ipfi_net_set_limits(struct ipfi_net *in, const struct ipfi_limits *limits, u32 set);

/*
 * Counts for their sources the states that were made before a limit asked for it: max_states_per_source, or a
 * rule of @rs (which the caller keeps alive) with per_source. Sleeps.
 */
void ipfi_net_recount(struct ipfi_net *in, struct ipfi_ruleset *rs);

#endif /* IPFI_COMMIT_LIMITS_H */
