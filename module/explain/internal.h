/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A question on its way to its explanation: what explain.c, which leads it, and the stations it is led to share. Each
 * station does what packets meet in the files it names, to copies.
 */
#ifndef IPFI_EXPLAIN_ASKING_H
#define IPFI_EXPLAIN_ASKING_H

#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/explain/explain.h"
#include "module/packet/context.h"
#include "module/table/expect.h"
#include "module/table/state.h"

struct ipfi_nat_source;

/* A question on its way. */
struct ipfi_asking {
	struct ipfi_explanation *x;
	const struct ipfi_question *question;
	struct ipfi_passage p;
	struct nf_hook_state hook;
	struct ipfi_tuple arrived;            /* what it showed at first */
	struct ipfi_tuple leaving;            /* what it will show, if it is allowed */
	bool unjudged;                        /* its destination has been translated now: the state is made */
	const struct ipfi_master *master;     /* of that state, NULL for none */
	bool source_given;                    /* its source will be translated to given */
	struct ipfi_addr given;
};

static inline void ipfi_asking_decide(struct ipfi_asking *a, const struct ipfi_decision *decision)
{
	a->x->verdict = decision->verdict;
	a->x->reason = decision->reason;
	a->x->rule = decision->rule ? decision->rule->id : 0;
}

static inline void ipfi_asking_deny(struct ipfi_asking *a, u8 reason)
{
	a->x->verdict = IPFI_VERDICT_DENY;
	a->x->reason = reason;
}

static inline void ipfi_asking_allow(struct ipfi_asking *a, u8 reason)
{
	a->x->verdict = IPFI_VERDICT_ALLOW;
	a->x->reason = reason;
}

/* From here on @state, locked, counts as gone. */
static inline void ipfi_asking_forget(struct ipfi_asking *a, const struct ipfi_state *state,
				      const struct ipfi_flow *flow)
{
	a->x->rehearsal.gone = state;
	ipfi_flow_copy(&a->x->rehearsal.gone_flow, flow);
}

/* Is nobody found by @tuple, of real end points or of what arrives? */
bool ipfi_asking_is_free(struct ipfi_asking *a, const struct ipfi_tuple *tuple, bool real);

/* Arriving: nat_destination.c. False: it is dropped. */
bool ipfi_explain_arrive(struct ipfi_asking *a);

/*
 * Opening: open.c and nat_source.c. Each returns 0, a->leaving set where it is translated, or the reason why there is no
 * state to be had.
 */
u8 ipfi_explain_open(struct ipfi_asking *a, const struct ipfi_rule *rule, bool expected,
		     struct ipfi_nat_source *source);
u8 ipfi_explain_open_unjudged(struct ipfi_asking *a, const struct ipfi_rule *rule);

/* Being judged: first.c and hook.c. */
void ipfi_explain_judge(struct ipfi_asking *a);

#endif /* IPFI_EXPLAIN_ASKING_H */
