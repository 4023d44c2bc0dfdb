/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evaluating live connections again: by rules that are newer than their last evaluation, and by other interfaces than
 * those they were evaluated by. Packets and who asks about one (explain.c) share it.
 */
#ifndef IPFI_REJUDGE_H
#define IPFI_REJUDGE_H

#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/via.h"
#include "module/packet/context.h"
#include "module/packet/verdict.h"
#include "module/table/state.h"

/* What the interfaces of @via are called now. Under RCU, as long as which the names are there. */
void ipfi_reevaluate_names(struct net *net, const struct ipfi_via *via, struct ipfi_device_names *names);

/*
 * May @p's packet, which opens a data connection that the control connection @first has announced, go by the interfaces
 * that it uses? Where those are not @first's the rules are asked about @first; *decision is what they say when it may
 * not. Under RCU.
 */
bool ipfi_reevaluate_announced(struct ipfi_pkt *p, const struct ipfi_flow *first, struct ipfi_decision *decision);

enum ipfi_reevaluated {
	IPFI_REEVALUATED_HOLDS,  /* the packet goes on as one of the flow's */
	IPFI_REEVALUATED_PACKET, /* it may not, by the interfaces that it uses; the flow may by those that it had */
	IPFI_REEVALUATED_FLOW,   /* the flow must be removed */
};

struct ipfi_reevaluation {
	struct ipfi_decision denied;  /* unless it holds: by what */
	const struct ipfi_rule *rule; /* renewed: that allows the flow, NULL for none */
	bool renewed;                 /* the flow's rule has been found again, by no control connection */
	bool moved;                   /* packets of the original direction go by interfaces that are new to the rules */
};

/*
 * Is @flow, evaluated by an older rule set or by other interfaces, still allowed if it goes by @via? A data connection,
 * of the control connection that was @first when it announced this one (else NULL), is as long as that would be, with
 * the helper. True: flow->generation and flow->rule are brought up to date; else out->denied says by what it is not. p's
 * packet is not looked at. Under RCU.
 */
bool ipfi_reevaluate_allows(struct ipfi_pkt *p, const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow,
			 const struct ipfi_flow *first, const struct ipfi_via *via, struct ipfi_reevaluation *out);

/*
 * Evaluates @flow again where p->packet, of @direction, wants it: ipfi_must_reevaluate(). @first: its control connection's
 * as above, NULL for none. What a packet is denied by interfaces alone costs its connection nothing: anybody may have
 * sent it. *out is set. Under RCU.
 */
enum ipfi_reevaluated ipfi_reevaluate(struct ipfi_pkt *p, struct ipfi_flow *flow, const struct ipfi_flow *first,
				enum ipfi_direction direction, struct ipfi_reevaluation *out);

/* The same for an ICMP error, p->packet, that goes as packets of @direction do. It is remembered of no flow. */
enum ipfi_reevaluated ipfi_reevaluate_related(struct ipfi_pkt *p, struct ipfi_flow *flow, const struct ipfi_flow *first,
					enum ipfi_direction direction, struct ipfi_reevaluation *out);

/*
 * @flow begins again by a SYN of its original direction: do the rules allow that, by the interfaces of its first packet?
 * *out is set. Under RCU.
 */
bool ipfi_reevaluate_resync(struct ipfi_pkt *p, struct ipfi_flow *flow, const struct ipfi_flow *first,
			 struct ipfi_reevaluation *out);

/* Must @flow be evaluated again for p->packet, of @direction? */
static __always_inline bool ipfi_must_reevaluate(const struct ipfi_pkt *p, const struct ipfi_flow *flow,
					      enum ipfi_direction direction)
{
	return unlikely(ipfi_via_differs(flow, &p->packet, direction)) || ipfi_pkt_is_newer(p, flow);
}

/* The first flow of the control connection that announced @state, NULL for none. */
const struct ipfi_flow *ipfi_reevaluate_master(struct ipfi_state *state);

/* @state, locked, has been evaluated again: it belongs to another rule, perhaps. */
void ipfi_reevaluate_take_rule(struct ipfi_pkt *p, struct ipfi_state *state, u64 old_rule,
			    const struct ipfi_reevaluation *out);

/*
 * Is @state, locked, still allowed: by newer rules, and by the interfaces of the packet? NF_ACCEPT, or what to do with
 * the packet; then the state is unlocked.
 */
unsigned int ipfi_reevaluate_state(struct ipfi_pkt *p, struct ipfi_state *state, enum ipfi_direction direction);

#endif /* IPFI_REJUDGE_H */
