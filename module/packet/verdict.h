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
static inline bool ipfi_judged_by_older(const struct ipfi_passage *p, const struct ipfi_flow *flow)
{
	return unlikely(!ipfi_judgement_holds(&p->rs->judgements, flow->generation));
}

/* Notes what becomes of @p, a question: ipfi_rehearsal. Returns the hook's verdict. */
unsigned int ipfi_passage_rehearse(const struct ipfi_passage *p, u8 verdict, u8 reason, const struct ipfi_rule *rule,
				   bool decided);

/* Counts the packet, drops it for @reason, and answers its sender (reject.h). */
unsigned int ipfi_passage_refuse(struct ipfi_passage *p, u8 reason);

/* Counts the packet, and records it when @verdict, of netfilter's, drops it. */
static inline unsigned int ipfi_passage_count(const struct ipfi_passage *p, u8 reason, unsigned int verdict)
{
	if (unlikely(p->rehearsal))
		return ipfi_passage_rehearse(p, verdict == NF_ACCEPT ? IPFI_VERDICT_ALLOW : IPFI_VERDICT_DENY, reason,
					     NULL, false);
	__this_cpu_inc(p->in->counters->reason[reason]);
	if (unlikely(verdict != NF_ACCEPT))
		ipfi_drops_record(p, reason, 0);
	return verdict;
}

/* @p was looked up IPFI_LOOKUPS_MAX times: counts and drops it, and warns, for that is a fault of the module's. */
unsigned int ipfi_passage_give_up(const struct ipfi_passage *p);

/* Fills in what the rules in force are asked with. */
void ipfi_passage_judge(struct ipfi_passage *p, struct ipfi_judge *judge, struct ipfi_surroundings *around);

/* The packet was decided by @rule: counts it, and logs it if the rule says so. No lock is held. */
void ipfi_passage_met(struct ipfi_passage *p, const struct ipfi_decision *decision, u8 state_id);

/* Counts, logs and carries out what was decided; returns the hook's verdict. No lock is held. */
unsigned int ipfi_passage_carry_out(struct ipfi_passage *p, const struct ipfi_decision *decision, u8 state_id);

/* The first NAT rule of @list that matches, or NULL. The packet's own list stays. */
const struct ipfi_rule *ipfi_passage_nat_rule(struct ipfi_passage *p, enum ipfi_list list);

#endif /* IPFI_VERDICT_H */
