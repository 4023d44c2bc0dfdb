/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules are asked with about a packet, and how their answer is carried out: counted, logged, sent. */
#ifndef IPFI_VERDICT_H
#define IPFI_VERDICT_H

#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/packet/context.h"
#include "module/packet/drops.h"
#include "module/ruleset/generation.h"

/* Is @flow's last judgement older than the rules in force? */
static inline bool ipfi_pkt_is_newer(const struct ipfi_pkt *p, const struct ipfi_flow *flow)
{
	return unlikely(!ipfi_generation_holds(&p->rs->generations, flow->generation));
}

/* Notes what becomes of @p, a question: ipfi_dry_run. Returns the hook's verdict. */
unsigned int ipfi_pkt_note(const struct ipfi_pkt *p, u8 verdict, u8 reason, const struct ipfi_rule *rule,
				   bool decided);

/* Counts the packet, drops it for @reason, and answers its sender (reject.h). */
unsigned int ipfi_pkt_refuse(struct ipfi_pkt *p, u8 reason);

/* Counts the packet, and records it when @verdict, of netfilter's, drops it. */
static inline unsigned int ipfi_pkt_count(const struct ipfi_pkt *p, u8 reason, unsigned int verdict)
{
	if (unlikely(p->dry_run))
		return ipfi_pkt_note(p, verdict == NF_ACCEPT ? IPFI_VERDICT_ALLOW : IPFI_VERDICT_DENY, reason,
					     NULL, false);
	__this_cpu_inc(p->in->counters->reason[reason]);
	if (unlikely(verdict != NF_ACCEPT))
		ipfi_drops_record(p, reason, 0);
	return verdict;
}

/* @p was looked up IPFI_LOOKUPS_MAX times: counts and drops it, and warns, for that is a fault of the module's. */
unsigned int ipfi_pkt_give_up(const struct ipfi_pkt *p);

/* Fills in what the rules in force are asked with. */
void ipfi_pkt_match_ctx(struct ipfi_pkt *p, struct ipfi_match_ctx *ctx, struct ipfi_match_env *env);

/* The packet was decided by @rule: counts it, and logs it if the rule says so. No lock is held. */
void ipfi_pkt_hit(struct ipfi_pkt *p, const struct ipfi_decision *decision, u8 state_id);

/* Counts, logs and carries out what was decided; returns the hook's verdict. No lock is held. */
unsigned int ipfi_pkt_carry_out(struct ipfi_pkt *p, const struct ipfi_decision *decision, u8 state_id);

/* The first NAT rule of @list that matches, or NULL. The packet's own list stays. */
const struct ipfi_rule *ipfi_pkt_nat_rule(struct ipfi_pkt *p, enum ipfi_list list);

#endif /* IPFI_VERDICT_H */
