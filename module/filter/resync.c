// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/rule.h"
#include "module/core/tcp_resync.h"
#include "module/filter/resync.h"
#include "module/nat/source.h"
#include "module/packet/context.h"
#include "module/packet/skb.h"
#include "module/packet/verdict.h"

/* Fields that a rule may take from, or that were asked of the SYN when it went by. */
#define NOT_ASKED_TWICE (IPFI_FIELD_BIT(IPFI_FIELD_LIMIT) | IPFI_FIELD_BIT(IPFI_FIELD_PER_SOURCE))
#define NOT_KEPT \
	(IPFI_FIELDS_FORGOTTEN | IPFI_FIELD_BIT(IPFI_FIELD_MARK) | IPFI_FIELD_BIT(IPFI_FIELD_USER))

void ipfi_resync_recall(const struct ipfi_pkt *p, const struct ipfi_flow *flow,
			struct ipfi_recalled *recalled)
{
	struct ipfi_packet *syn = &recalled->syn;

	ipfi_tcp_recall_syn(&flow->tcp, &p->packet, recalled->options, syn);
	syn->unknown = NOT_KEPT;
	syn->has_user = 0;
	if (syn->loopback)
		return;
	if (syn->list != IPFI_LIST_FORWARD)
		syn->list = syn->list == IPFI_LIST_IN ? IPFI_LIST_OUT : IPFI_LIST_IN;
	swap(syn->iif, syn->oif);
	swap(syn->iif_name, syn->oif_name);
	swap(syn->iif_vrf, syn->oif_vrf);
}

void ipfi_resync_weigh(struct ipfi_pkt *p, struct ipfi_flow *flow)
{
	struct ipfi_match_env env;
	struct ipfi_decision decision;
	struct ipfi_match_ctx ctx;

	ipfi_pkt_match_ctx(p, &ctx, &env);
	ipfi_skb_user(p->skb, p->hook, &p->packet);
	p->packet.unknown = NOT_ASKED_TWICE;
	ipfi_decide_first(&ctx, &p->packet, &decision);
	p->packet.unknown = 0;
	flow->tcp.kept.denied = decision.verdict != IPFI_VERDICT_ALLOW;
}

u8 ipfi_resync_ask(struct ipfi_pkt *p, struct ipfi_decision *decision)
{
	struct ipfi_match_env env;
	struct ipfi_nat_source source;
	struct ipfi_match_ctx ctx;
	u8 reason;

	ipfi_pkt_match_ctx(p, &ctx, &env);
	p->generation = ctx.generation;
	ipfi_decide_first(&ctx, &p->packet, decision);
	if (decision->verdict != IPFI_VERDICT_ALLOW || !READ_ONCE(p->in->nat.active))
		return 0;
	if (ipfi_pkt_nat_rule(p, IPFI_LIST_DSTNAT))
		return IPFI_REASON_TCP_STATE;
	reason = ipfi_nat_find_source(p, NULL, &source);
	return reason ? reason : source.wanted ? IPFI_REASON_TCP_STATE : 0;
}

void ipfi_resync_deny(struct ipfi_decision *decision)
{
	memset(decision, 0, sizeof(*decision));
	decision->verdict = IPFI_VERDICT_DENY;
	decision->reason = IPFI_REASON_REJUDGED;
}
