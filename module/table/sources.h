/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many live states each source address of a VRF has, in all and by rule. Kept only while a limit asks for it. */
#ifndef IPFI_SOURCES_H
#define IPFI_SOURCES_H

#include <linux/rhashtable-types.h>
#include "module/core/flow.h"
#include "module/core/tuple.h"
#include "module/net.h"

struct ipfi_net;
struct ipfi_state;

#define IPFI_SOURCES_LOCKS 64

int ipfi_sources_init(struct ipfi_net *in);
void ipfi_sources_exit(struct ipfi_net *in);

/* Live states of @rule (0: of all) from the source of @tuple. Under RCU. */
u32 ipfi_sources_count(struct ipfi_net *in, u64 rule, const struct ipfi_tuple *tuple);

/* Does the state with @flow count there? */
bool ipfi_sources_counts(const struct ipfi_flow *flow, u64 rule, const struct ipfi_tuple *tuple);

/* Bytes that they take now. */
u64 ipfi_sources_memory(const struct ipfi_net *in);

/* One more, unless there are @most already (-EDQUOT); -ENOMEM. BHs off. */
int ipfi_sources_take(struct ipfi_net *in, u64 rule, const struct ipfi_tuple *tuple, u32 most);

/* One less. BHs off. */
void ipfi_sources_release(struct ipfi_net *in, u64 rule, const struct ipfi_tuple *tuple);

/*
 * Counts @state, new or judged again, for its source where a limit asks for it: in all if @of_source, as one of
 * its rule's if @of_rule. -EDQUOT when there are that many already, -ENOMEM; what was counted before that stays so.
 * BHs off.
 */
int ipfi_sources_take_state(struct ipfi_net *in, struct ipfi_state *state, u32 of_source, u32 of_rule);

/* Takes back those of @which, IPFI_TABLE_COUNTED_*, for which it counts; @rule is the rule it counts for. BHs off. */
void ipfi_sources_release_state(struct ipfi_net *in, struct ipfi_state *state, u8 which, u64 rule);

#endif /* IPFI_SOURCES_H */
